//! What templates see: plain fields with the names the `.j2` files use.

use crate::project::Project;
use crate::resource::{Resource, names};

/// The project, as `p` in a template.
#[derive(Clone, Debug)]
pub struct ProjectView {
    /// `iris`, a DNS label.
    pub project_name: String,
    /// Cargo package of the operator.
    pub crate_name: String,
    /// Its library, as a Rust identifier.
    pub lib: String,
    /// Cargo package of the types.
    pub api_crate: String,
    /// Its library, as a Rust identifier.
    pub api_lib: String,
    /// Suffix of the API groups.
    pub domain: String,
    /// Whether types and controllers are organised by group.
    pub multigroup: bool,
    /// Whether the operator is confined to one namespace.
    pub namespaced: bool,
    /// Where it is deployed: `iris-system`.
    pub namespace: String,
    /// Licence header of Rust files, with its final line end; or empty.
    pub header: String,
    /// SPDX identifier of the licence; or empty.
    pub license: String,
    /// Copyright owner; or empty.
    pub owner: String,
    /// Version of the tool.
    pub cli_version: String,
    /// The kinds.
    pub resources: Vec<ResourceView>,
}

/// A kind, as `r` in a template.
#[derive(Clone, Debug)]
pub struct ResourceView {
    /// Group without the domain: `test`.
    pub group: String,
    /// `v1alpha1`.
    pub version: String,
    /// `Iris`.
    pub kind: String,
    /// `iris`.
    pub plural: String,
    /// The kind in lower case.
    pub lower: String,
    /// Name of one object in URLs and for `kubectl`.
    pub singular: String,
    /// Group in full: `test.myardyas.club`.
    pub qualified_group: String,
    /// `test.myardyas.club/v1alpha1`.
    pub api_version: String,
    /// `test.myardyas.club_iris.yaml`.
    pub crd_file: String,
    /// `test_v1alpha1_iris.yaml`.
    pub sample_file: String,
    /// Rust module of the kind: `iris`.
    pub module: String,
    /// Rust module of the version: `v1alpha1`.
    pub version_module: String,
    /// Rust module of the group: `test`.
    pub group_module: String,
    /// Rust name of the type: `Iris`, unless that name is taken.
    pub rust_type: String,
    /// Rust path of the type: `iris_api::v1alpha1::Iris`.
    pub type_path: String,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether this version of the kind is the stored one.
    pub storage: bool,
    /// Whether the types are this project's.
    pub has_api: bool,
    /// Whether it is a kind of Kubernetes itself.
    pub core: bool,
    /// Whether it is a kind of another project.
    pub external: bool,
    /// Variable that names another image: `IRIS_IMAGE`.
    pub env_image: String,
    /// Start of the names of the roles for people: `iris`.
    pub role_prefix: String,
    /// The controllers.
    pub controllers: Vec<ControllerView>,
}

/// A controller, as `c` in a template.
#[derive(Clone, Debug)]
pub struct ControllerView {
    /// Its name, in metrics and logs: `iris`.
    pub name: String,
    /// Name that events come from and fields are managed by: `iris-controller`.
    pub reporter: String,
    /// Rust module: `iris`.
    pub module: String,
    /// Rust module with the one of its group: `test::iris`.
    pub module_path: String,
}

impl ProjectView {
    /// What templates see of `project`; `header` is the licence header of Rust files.
    #[must_use]
    pub fn new(project: &Project, header: &str) -> Self {
        let crate_name = names::crate_name(&project.project_name, &mut super::locked_packages());
        let api_crate = format!("{crate_name}-api");
        let (lib, api_lib) = (names::ident(&crate_name), names::ident(&api_crate));
        let resources =
            project.resources.iter().map(|resource| ResourceView::new(project, &api_lib, resource)).collect();
        Self {
            project_name: project.project_name.clone(),
            namespace: format!("{}-system", project.project_name),
            domain: project.domain.clone(),
            multigroup: project.multigroup,
            namespaced: project.namespaced,
            header: header.to_owned(),
            license: String::new(),
            owner: String::new(),
            cli_version: env!("CARGO_PKG_VERSION").to_owned(),
            crate_name,
            lib,
            api_crate,
            api_lib,
            resources,
        }
    }
}

impl ResourceView {
    fn new(project: &Project, api_lib: &str, r: &Resource) -> Self {
        let rust_type = r.rust_type();
        let module = if r.core {
            crate::resource::core::lookup(&r.group, &r.version, &r.kind)
                .map(|found| found.path.trim_end_matches(&r.kind).trim_end_matches("::").to_owned())
                .unwrap_or_default()
        } else if project.multigroup {
            format!("{api_lib}::{}::{}", r.group_module(), r.version_module())
        } else {
            format!("{api_lib}::{}", r.version_module())
        };
        let type_name = if r.core { &r.kind } else { &rust_type };
        let controllers = r.controllers.iter().map(|name| ControllerView::new(project, r, name)).collect();
        Self {
            type_path: format!("{module}::{type_name}"),
            group: r.group.clone(),
            version: r.version.clone(),
            kind: r.kind.clone(),
            plural: r.plural.clone(),
            lower: r.lower(),
            singular: r.singular(),
            qualified_group: r.qualified_group(),
            api_version: r.api_version(),
            crd_file: r.crd_file(),
            sample_file: r.sample_file(),
            module: r.module(),
            version_module: r.version_module(),
            group_module: r.group_module(),
            namespaced: r.namespaced,
            storage: r.storage,
            has_api: r.has_api,
            core: r.core,
            external: r.external,
            env_image: r.env_image(),
            role_prefix: r.role_prefix(project.multigroup),
            rust_type,
            controllers,
        }
    }
}

impl ControllerView {
    fn new(project: &Project, r: &Resource, name: &str) -> Self {
        let module = names::module(name);
        let module_path =
            if project.multigroup { format!("{}::{module}", r.group_module()) } else { module.clone() };
        let reporter = if name.ends_with("-controller") { name.to_owned() } else { format!("{name}-controller") };
        Self { name: name.to_owned(), reporter, module, module_path }
    }
}
