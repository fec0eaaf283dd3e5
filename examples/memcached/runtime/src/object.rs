//! What every watched object has: where it is, which version of it this is, and who controls it.

use std::any::TypeId;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Objects that can be watched: types of k8s-openapi, kinds of one's own, [`kube::api::DynamicObject`], and the metadata of
/// any of them ([`kube::core::PartialObjectMeta`]).
pub trait Object:
    Resource<DynamicType: Clone + Eq + Send + Sync + 'static>
    + Clone
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType: Clone + Eq + Send + Sync + 'static>
        + Clone
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static
{
}

/// Where an object is found: Go's `types.NamespacedName`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Empty for objects that live in none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// The key of the object `name` in `namespace`, which is empty for objects that live in none.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of `object`.
    pub fn of<K: Resource>(object: &K) -> Self {
        Self::from(object.meta())
    }
}

impl From<&ObjectMeta> for ObjectKey {
    fn from(metadata: &ObjectMeta) -> Self {
        Self::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// Resource versions are numbers that grow, unless the server's data is restored from a backup.
pub(crate) fn version(metadata: &ObjectMeta) -> u128 {
    number(metadata.resource_version.as_deref())
}

pub(crate) fn number(version: Option<&str>) -> u128 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// Whether objects of the type live in no namespace, as far as the type says.
pub(crate) fn is_cluster_scoped<K: Object>() -> bool {
    TypeId::of::<K::Scope>() == TypeId::of::<kube::core::ClusterResourceScope>()
}

/// The owner that controls an object.
pub(crate) fn controller_of(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// The key of the controlling owner, if it is a `K`. It is in the same namespace or has none.
pub(crate) fn owner_key<K: Object>(
    metadata: &ObjectMeta,
    dynamic_type: &K::DynamicType,
    is_namespaced: bool,
) -> Option<ObjectKey> {
    let owner = controller_of(metadata)?;
    let group = owner.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let namespace = metadata.namespace.clone().filter(|_| is_namespaced).unwrap_or_default();
    (owner.kind == K::kind(dynamic_type) && group == K::group(dynamic_type))
        .then(|| ObjectKey::new(namespace, owner.name.clone()))
}
