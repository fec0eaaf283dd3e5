//! The files that `create api` renders for one kind, and what it inserts into shared ones.

use super::{ControllerView, Operand, ProjectView, Rendered, ResourceView, filters, render};
use crate::Result;
use crate::cli::Template;
use crate::scaffold::{Insert, RelPath};

/// The user's files for the types of a kind.
#[must_use]
pub fn types(p: &ProjectView, r: &ResourceView, template: Template) -> Vec<Rendered> {
    let (types, sample) = (types_file(p, r), format!("config/samples/{}", r.sample_file));
    match template {
        Template::Replicas => vec![
            render!("api/api/src/_version_/_kind_.rs.replicas.j2" => types; p: ProjectView, r: ResourceView),
            render!("api/config/samples/_sample_.yaml.replicas.j2" => sample; p: ProjectView, r: ResourceView),
        ],
        Template::Blank => vec![
            render!("api/api/src/_version_/_kind_.rs.blank.j2" => types; p: ProjectView, r: ResourceView),
            render!("api/config/samples/_sample_.yaml.blank.j2" => sample; p: ProjectView, r: ResourceView),
        ],
    }
}

/// The user's file for a kind that another project defines.
#[must_use]
pub fn external(p: &ProjectView, r: &ResourceView) -> Vec<Rendered> {
    let types = types_file(p, r);
    let crd = format!("tests/crds/{}", r.external_crd_file);
    vec![
        render!("api/api/src/_version_/_kind_.rs.external.j2" => types; p: ProjectView, r: ResourceView),
        render!("api/tests/crds/_crd_.yaml.j2" => crd; p: ProjectView, r: ResourceView),
    ]
}

fn types_file(p: &ProjectView, r: &ResourceView) -> String {
    let group = if p.multigroup { format!("{}/", r.group_module) } else { String::new() };
    format!("api/src/{group}{}/{}.rs", r.version_module, r.module)
}

/// The user's files for a controller; with an operand, the one that runs it.
#[must_use]
pub fn controller(
    p: &ProjectView,
    r: &ResourceView,
    c: &ControllerView,
    operand: Option<&Operand>,
) -> Vec<Rendered> {
    let path = c.file(&c.module);
    let Some(o) = operand else {
        return vec![
            render!("api/src/controller/_kind_.rs.blank.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView),
        ];
    };
    let resources = c.file(&c.resources_module());
    vec![
        render!("api/src/controller/_kind_.rs.replicas.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView),
        render!("api/src/controller/_kind__resources.rs.j2" => resources; p: ProjectView, r: ResourceView, o: Operand),
    ]
}

/// The user's test of a controller of the project's own kind; `replicas` when it is the one of that template.
#[must_use]
pub fn test(p: &ProjectView, r: &ResourceView, c: &ControllerView, replicas: bool) -> Vec<Rendered> {
    let path = c.test_file();
    // The longer test keeps its objects apart by namespace, which cluster-scoped ones do not have.
    if replicas && r.namespaced {
        let template = render!("api/tests/_kind_.rs.replicas.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView);
        return vec![template];
    }
    vec![render!("api/tests/_kind_.rs.blank.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView)]
}

/// What stands at the beginning of a template for the licence.
const HEADER: &str = "{{ p.header }}";

/// Tests under faults by name, with their texts, which are those of the files in every project but for the licence.
macro_rules! headed {
    ($($name:literal)+) => {
        [$(($name, include_str!(concat!("../../templates/api/tests/faults/", $name, ".rs.j2")))),+]
    };
}

const FAULTS: [(&str, &str); 10] = headed! {
    "case"
    "crashes"
    "leaders"
    "main"
    "objects"
    "requests"
    "rights"
    "servers"
    "staleness"
    "watches"
};

/// The user's tests of a project's first kind of the replicas template under faults; the others' are alike.
#[must_use]
pub fn faults(p: &ProjectView, r: &ResourceView) -> Vec<Rendered> {
    let path = |name: &str| format!("tests/faults/{name}.rs");
    let subject = path("subject");
    let mut files =
        vec![render!("api/tests/faults/subject.rs.j2" => subject; p: ProjectView, r: ResourceView)];
    files.extend(FAULTS.map(|(name, text)| {
        let text = [&p.header, text.strip_prefix(HEADER).unwrap_or(text)].concat();
        Rendered::fixed(path(name), text)
    }));
    files
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

/// The manager's variable that names the image of a kind's containers.
///
/// # Errors
/// When the path cannot be a path.
pub fn env_entry(r: &ResourceView, operand: &Operand) -> Result<Insert> {
    let present = format!("- name: {}", r.env_image);
    Ok(Insert {
        path: RelPath::new("config/manager/manager.yaml")?,
        anchor: "# +kubebuilder:scaffold:manager-env".into(),
        lines: format!("{present}\n  value: {}", filters::yaml_string(&operand.image)),
        present,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_under_faults_have_no_placeholder_but_the_licence() {
        for (name, text) in FAULTS {
            let text = text.strip_prefix(HEADER).expect("the licence");
            assert!(!["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)), "{name}");
        }
    }
}
