//! A kind of the API: what Kubernetes calls it and what the generated project calls it.

pub mod core;
mod image;
pub mod names;
mod operand;
pub mod plural;
mod template;
pub mod validate;

pub use operand::{IMAGE, Operand};
pub use template::{Options, Template};

/// One version of one kind, with what the project has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of PROJECT, and they are independent")]
pub struct Resource {
    /// Group without the domain: `test`. The one group of Kubernetes without a name is `core`.
    pub group: String,
    /// `v1alpha1`.
    pub version: String,
    /// `Iris`.
    pub kind: String,
    /// As in URLs: `iris`.
    pub plural: String,
    /// What follows the group; empty for groups without a domain, such as `apps`.
    pub domain: String,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether it is a kind of Kubernetes itself.
    pub core: bool,
    /// Whether it is a kind that another project serves.
    pub external: bool,
    /// Whether objects are stored in this version of the kind.
    pub storage: bool,
    /// Whether the project has its types, and so its CRD.
    pub has_api: bool,
    /// Names of its controllers: `iris`.
    pub controllers: Vec<String>,
}

impl Resource {
    /// The kind in lower case: `iris`.
    #[must_use]
    pub fn lower(&self) -> String {
        self.kind.to_lowercase()
    }

    /// What `kubectl` calls one object: `iris`.
    #[must_use]
    pub fn singular(&self) -> String {
        self.lower()
    }

    /// The kind of a list of objects: `IrisList`.
    #[must_use]
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// The group with its domain: `test.myardyas.club`. Empty for Kubernetes' group without a name.
    #[must_use]
    pub fn qualified_group(&self) -> String {
        if self.in_nameless_group() {
            String::new()
        } else if self.domain.is_empty() {
            self.group.clone()
        } else {
            format!("{}.{}", self.group, self.domain)
        }
    }

    /// As in manifests: `test.myardyas.club/v1alpha1`, or `v1` in Kubernetes' group without a name.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.in_nameless_group() {
            self.version.clone()
        } else {
            format!("{}/{}", self.qualified_group(), self.version)
        }
    }

    /// Name of the custom resource definition: `iris.test.myardyas.club`.
    #[must_use]
    pub fn crd_name(&self) -> String {
        format!("{}.{}", self.plural, self.qualified_group())
    }

    /// File of the custom resource definition: `test.myardyas.club_iris.yaml`.
    #[must_use]
    pub fn crd_file(&self) -> String {
        format!("{}_{}.yaml", self.qualified_group(), self.plural)
    }

    /// File of what stands in for another project's definition: `test.myardyas.club_iris_v1alpha1.yaml`.
    #[must_use]
    pub fn external_crd_file(&self) -> String {
        format!("{}_{}_{}.yaml", self.qualified_group(), self.plural, self.version)
    }

    /// File of the sample: `test_v1alpha1_iris.yaml`.
    #[must_use]
    pub fn sample_file(&self) -> String {
        format!("{}_{}_{}.yaml", self.group, self.version, self.lower())
    }

    /// Rust module of the kind: `iris`.
    #[must_use]
    pub fn module(&self) -> String {
        names::module(&self.kind)
    }

    /// Rust module of the version: `v1alpha1`.
    #[must_use]
    pub fn version_module(&self) -> String {
        self.version.clone()
    }

    /// Rust module of the group, in projects of several groups: `test`.
    #[must_use]
    pub fn group_module(&self) -> String {
        names::module(&self.group)
    }

    /// Rust name of the type: `Iris`, or `StringResource` where the kind's own name is taken.
    #[must_use]
    pub fn rust_type(&self) -> String {
        names::rust_type(&self.kind)
    }

    /// Start of the names of the roles for people: `iris`, or `test-iris` in projects of several groups.
    #[must_use]
    pub fn role_prefix(&self, multigroup: bool) -> String {
        if multigroup { format!("{}-{}", self.group, self.lower()) } else { self.lower() }
    }

    /// Whether it is in the group of Pods and Services.
    fn in_nameless_group(&self) -> bool {
        self.core && (self.group == "core" || self.group.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iris() -> Resource {
        Resource {
            group: "test".into(),
            version: "v1alpha1".into(),
            kind: "Iris".into(),
            plural: "iris".into(),
            domain: "myardyas.club".into(),
            namespaced: true,
            core: false,
            external: false,
            storage: true,
            has_api: true,
            controllers: vec!["iris".into()],
        }
    }

    #[test]
    fn names_of_the_article() {
        let r = iris();
        assert_eq!(r.qualified_group(), "test.myardyas.club");
        assert_eq!(r.api_version(), "test.myardyas.club/v1alpha1");
        assert_eq!(r.crd_name(), "iris.test.myardyas.club");
        assert_eq!(r.crd_file(), "test.myardyas.club_iris.yaml");
        assert_eq!(r.sample_file(), "test_v1alpha1_iris.yaml");
        assert_eq!((r.singular().as_str(), r.list_kind().as_str()), ("iris", "IrisList"));
        assert_eq!((r.module().as_str(), r.version_module().as_str()), ("iris", "v1alpha1"));
        assert_eq!(r.rust_type(), "Iris");
        assert_eq!(r.role_prefix(false), "iris");
        assert_eq!(r.role_prefix(true), "test-iris");
    }

    #[test]
    fn groups_of_kubernetes() {
        let kind = |group: &str, domain: &str, kind: &str| Resource {
            group: group.into(),
            domain: domain.into(),
            kind: kind.into(),
            version: "v1".into(),
            core: true,
            has_api: false,
            ..iris()
        };
        assert_eq!(kind("core", "", "Pod").api_version(), "v1");
        assert_eq!(kind("core", "", "Pod").qualified_group(), "");
        assert_eq!(kind("apps", "", "Deployment").api_version(), "apps/v1");
        assert_eq!(kind("networking", "k8s.io", "Ingress").api_version(), "networking.k8s.io/v1");
    }
}
