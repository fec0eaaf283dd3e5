//! What templates see: plain fields with the names the `.j2` files use.

use super::Licensing;
use super::kinds::{self, Chosen};
use crate::Result;
use crate::project::Project;
use crate::resource::{Resource, core, names};

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
    /// Version of the tool that wrote `PROJECT`.
    pub cli_version: String,
    /// The kinds.
    pub resources: Vec<ResourceView>,
}

/// A kind, as `r` in a template.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that a template asks")]
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
    /// `test.myardyas.club_iris_v1alpha1.yaml`.
    pub external_crd_file: String,
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
    /// Rust path of the module the types are in: `iris_api::v1alpha1::iris`.
    pub types_path: String,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether this version of the kind is the stored one.
    pub storage: bool,
    /// Whether the types are this project's.
    pub has_api: bool,
    /// What its types and its first controller were made from, where that is known.
    pub template: Option<Chosen>,
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
    /// Its name, in metrics: `iris`.
    pub name: String,
    /// Name that events come from and fields are managed by: `iris-controller`.
    pub reporter: String,
    /// Rust module: `iris`.
    pub module: String,
    /// Rust module of its group, in projects of several groups.
    pub group_module: Option<String>,
    /// End of RBAC markers for kinds that live in namespaces.
    pub rbac_namespace: String,
    /// End of RBAC markers for the controller's own kind.
    pub rbac_own: String,
}

impl ProjectView {
    /// What templates see of `project`.
    ///
    /// # Errors
    /// [`Error::ProjectFile`](crate::Error::ProjectFile) when a kind was made from a template that is not known here.
    pub fn new(project: &Project, licensing: &Licensing) -> Result<Self> {
        let (crate_name, api_crate) = (project.crate_name(), project.api_crate());
        let (lib, api_lib) = (names::ident(&crate_name), names::ident(&api_crate));
        let namespace = project.namespace();
        let resources = project.resources.iter();
        let resources = resources.map(|resource| ResourceView::new(project, &api_lib, &namespace, resource));
        let resources = resources.collect::<Result<_>>()?;
        Ok(Self {
            project_name: project.project_name.clone(),
            namespace,
            domain: project.domain.clone(),
            multigroup: project.multigroup,
            namespaced: project.namespaced,
            header: licensing.header(),
            license: licensing.spdx().to_owned(),
            owner: licensing.owner.clone().unwrap_or_default(),
            cli_version: project.cli_version.clone(),
            crate_name,
            lib,
            api_crate,
            api_lib,
            resources,
        })
    }

    /// Name of the Lease that replicas compete for.
    #[must_use]
    pub fn lease(&self) -> String {
        format!("{}.{}", self.project_name, self.domain)
    }

    /// Whether the manager of a project that is confined to one namespace needs rights on cluster-scoped kinds too.
    #[must_use]
    pub fn has_cluster_rules(&self) -> bool {
        self.namespaced && self.resources.iter().any(|r| !r.namespaced && !r.controllers.is_empty())
    }
}

impl ResourceView {
    fn new(project: &Project, api_lib: &str, namespace: &str, r: &Resource) -> Result<Self> {
        let core_kind = if r.core { core::lookup(&r.qualified_group(), &r.version, &r.kind) } else { None };
        let types_path = match core_kind {
            Some(found) => {
                found.path.rsplit_once("::").map(|(module, _)| module.to_owned()).unwrap_or_default()
            }
            None if project.multigroup => {
                format!("{api_lib}::{}::{}::{}", r.group_module(), r.version_module(), r.module())
            }
            None => format!("{api_lib}::{}::{}", r.version_module(), r.module()),
        };
        let controllers =
            r.controllers.iter().map(|name| ControllerView::new(project, namespace, r, name)).collect();
        Ok(Self {
            types_path,
            group: r.group.clone(),
            version: r.version.clone(),
            kind: r.kind.clone(),
            plural: r.plural.clone(),
            lower: r.lower(),
            singular: r.singular(),
            qualified_group: r.qualified_group(),
            api_version: r.api_version(),
            crd_file: r.crd_file(),
            external_crd_file: r.external_crd_file(),
            sample_file: r.sample_file(),
            module: r.module(),
            version_module: r.version_module(),
            group_module: r.group_module(),
            rust_type: if r.core { r.kind.clone() } else { r.rust_type() },
            namespaced: r.namespaced,
            storage: r.storage,
            has_api: r.has_api,
            template: kinds::of(project, r)?,
            core: r.core,
            external: r.external,
            env_image: project.env_image(r),
            role_prefix: r.role_prefix(project.multigroup).replace('.', "-"),
            controllers,
        })
    }

    /// Whether this is the kind and version of `resource`.
    #[must_use]
    pub fn is(&self, resource: &Resource) -> bool {
        (&self.kind, &self.version) == (&resource.kind, &resource.version)
            && self.qualified_group == resource.qualified_group()
    }

    /// Imports the type and its status.
    #[must_use]
    pub fn types_import(&self) -> String {
        format!("use {}::{{{kind}, {kind}Status}};", self.types_path, kind = self.rust_type)
    }

    /// Imports the type and its spec under names that are the same for every kind.
    #[must_use]
    pub fn test_import(&self) -> String {
        format!("use {}::{{{kind} as Object, {kind}Spec as Spec}};", self.types_path, kind = self.rust_type)
    }

    /// Imports the type alone, under another name if a controller needs its name for something else.
    #[must_use]
    pub fn type_import(&self) -> String {
        let (path, kind, code) = (&self.types_path, &self.rust_type, self.code_type());
        if *kind == code { format!("use {path}::{kind};") } else { format!("use {path}::{kind} as {code};") }
    }

    /// The type's name in a controller.
    #[must_use]
    pub fn code_type(&self) -> String {
        if self.core { names::rust_type(&self.kind) } else { self.rust_type.clone() }
    }

    /// The group as RBAC markers have it.
    #[must_use]
    pub fn rbac_group(&self) -> &str {
        if self.qualified_group.is_empty() { "core" } else { &self.qualified_group }
    }
}

impl ControllerView {
    fn new(project: &Project, namespace: &str, r: &Resource, name: &str) -> Self {
        let rbac_namespace =
            if project.namespaced { format!(",namespace={namespace}") } else { String::new() };
        Self {
            name: name.to_owned(),
            reporter: format!("{name}-controller"),
            module: names::module(name),
            group_module: project.multigroup.then(|| r.group_module()),
            rbac_own: if r.namespaced { rbac_namespace.clone() } else { String::new() },
            rbac_namespace,
        }
    }

    /// Rust path of the module below `controller`: `iris`, or `test::iris`.
    #[must_use]
    pub fn path(&self) -> String {
        self.path_of(&self.module)
    }

    /// Rust module of what its objects ask for, beside its own.
    #[must_use]
    pub fn resources_module(&self) -> String {
        names::resources_module(&self.module)
    }

    /// Rust path of that module below `controller`.
    #[must_use]
    pub fn resources_path(&self) -> String {
        self.path_of(&self.resources_module())
    }

    fn path_of(&self, module: &str) -> String {
        self.group_module.as_ref().map_or_else(|| module.to_owned(), |group| format!("{group}::{module}"))
    }

    /// Path of the controller's test.
    #[must_use]
    pub fn test_file(&self) -> String {
        format!("tests/{}.rs", self.test_name())
    }

    /// What its tests are called.
    #[must_use]
    pub fn test_name(&self) -> String {
        let group = self.group_module.as_ref().map(|group| format!("{group}_")).unwrap_or_default();
        // Other tests, and what they share, have these names.
        let is_taken = ["common", "faults", "permissions", "simulation"].contains(&self.module.as_str());
        let end = if group.is_empty() && is_taken { "_" } else { "" };
        format!("{group}{}{end}", self.module)
    }

    /// Path of the source file of `module`, beside the controller's.
    #[must_use]
    pub fn file(&self, module: &str) -> String {
        let group = self.group_module.as_ref().map(|group| format!("{group}/")).unwrap_or_default();
        format!("src/controller/{group}{module}.rs")
    }
}
