//! Words for any kind of object: its key, its scope and who controls it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::{Api, Client, Resource};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// Names one object of a kind.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectKey {
    /// `None` for kinds of the cluster scope.
    pub namespace: Option<String>,
    pub name: String,
}

impl ObjectKey {
    /// The key of an object; the name is empty as long as the API server has not given one.
    pub fn of(object: &impl Resource) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.clone(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A kind that the manager can watch and write.
pub trait Object:
    Resource<DynamicType = (), Scope: Scope>
    + Clone
    + fmt::Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope: Scope>
        + Clone
        + fmt::Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static
{
}

/// How objects of a kind are addressed: by namespace and name, or by name alone.
pub trait Scope: Sized {
    const NAMESPACED: bool;

    /// The kind's API in one namespace, or in the whole cluster without one.
    fn api<K: Resource<DynamicType = (), Scope = Self>>(client: Client, namespace: Option<&str>) -> Api<K>;
}

impl Scope for NamespaceResourceScope {
    const NAMESPACED: bool = true;

    fn api<K: Resource<DynamicType = (), Scope = Self>>(client: Client, namespace: Option<&str>) -> Api<K> {
        match namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        }
    }
}

impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;

    fn api<K: Resource<DynamicType = (), Scope = Self>>(client: Client, _: Option<&str>) -> Api<K> {
        Api::all(client)
    }
}

/// The reference to the one owner that controls the object, if there is one.
pub fn controller_of(object: &impl Resource) -> Option<&OwnerReference> {
    object
        .meta()
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
}

/// Whether `owner`, and not an older object of its name, controls the object.
pub fn is_controlled_by(object: &impl Resource, owner: &impl Resource) -> bool {
    owner.meta().uid.is_some() && controller_of(object).map(|owner| &owner.uid) == owner.meta().uid.as_ref()
}

/// The key of the controlling owner, when it is of kind `K`.
pub fn owner_key<K: Object>(object: &impl Resource) -> Option<ObjectKey> {
    let owner = controller_of(object)?;
    let group = owner.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    (owner.kind == K::kind(&()) && group == K::group(&())).then(|| ObjectKey {
        namespace: if K::Scope::NAMESPACED {
            object.meta().namespace.clone()
        } else {
            None
        },
        name: owner.name.clone(),
    })
}
