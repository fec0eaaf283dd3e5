//! What `create api` renders for any kind, whatever it is made from, and what it inserts into shared files.

use super::{ProjectView, Rendered, ResourceView, filters, render};
use crate::Result;
use crate::path::RelPath;
use crate::scaffold::Insert;

/// The user's file for a kind that another project defines.
#[must_use]
pub fn external(p: &ProjectView, r: &ResourceView) -> Vec<Rendered> {
    let types = types_file(p, r);
    let crd = format!("tests/crds/{}", r.external_crd_file);
    vec![
        render!("api/api/src/_version_/_kind_.rs.j2" => types; p: ProjectView, r: ResourceView),
        render!("api/tests/crds/_crd_.yaml.j2" => crd; p: ProjectView, r: ResourceView),
    ]
}

/// Where the types of a kind are.
pub fn types_file(p: &ProjectView, r: &ResourceView) -> String {
    let group = if p.multigroup { format!("{}/", r.group_module) } else { String::new() };
    format!("api/src/{group}{}/{}.rs", r.version_module, r.module)
}

/// The tool's files for one kind: roles for people.
#[must_use]
pub fn roles(p: &ProjectView, r: &ResourceView) -> Vec<Rendered> {
    let path = |role| format!("config/rbac/{}_{role}_role.yaml", r.role_prefix.replace('-', "_"));
    let (admin, editor, viewer) = (path("admin"), path("editor"), path("viewer"));
    vec![
        render!("api/config/rbac/_role_prefix__admin_role.yaml.j2" => admin; p: ProjectView, r: ResourceView),
        render!("api/config/rbac/_role_prefix__editor_role.yaml.j2" => editor; p: ProjectView, r: ResourceView),
        render!("api/config/rbac/_role_prefix__viewer_role.yaml.j2" => viewer; p: ProjectView, r: ResourceView),
    ]
}

/// What a kind adds to the kustomizations.
///
/// # Errors
/// When a path of the kind cannot be a path.
pub fn insertions(r: &ResourceView) -> Result<Vec<Insert>> {
    let roles = r.role_prefix.replace('-', "_");
    let roles: Vec<_> =
        ["admin", "editor", "viewer"].map(|role| format!("- {roles}_{role}_role.yaml")).into();
    let insert = |path, anchor: &str, lines: String| -> Result<Insert> {
        let present = lines.lines().next().unwrap_or_default().to_owned();
        let anchor = format!("# +kubebuilder:scaffold:{anchor}");
        Ok(Insert {
            path: RelPath::new(format!("config/{path}/kustomization.yaml"))?,
            anchor,
            lines,
            present,
        })
    };
    Ok(vec![
        insert("crd", "crdkustomizeresource", format!("- bases/{}", r.crd_file))?,
        insert("samples", "manifestskustomizesamples", format!("- {}", r.sample_file))?,
        insert("rbac", "rbac", roles.join("\n"))?,
    ])
}
