//! Reads and writes of one kind, as a controller should do them.
//!
//! Reads come from the cache where that is safe. Writes are server-side applies with a field manager of the
//! controller's own, bound to the one object they mean.

use super::cache::Cache;
use super::object::{Object, ObjectKey, Scope, is_controlled_by};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The objects of a kind that a controller watches.
#[derive(Clone, Debug)]
pub struct Objects<K> {
    client: ClientHandle,
    cache: Cache<K>,
    /// The field manager of what is applied; that of the status has `-status` behind.
    field_manager: Arc<str>,
}

/// A client that prints as nothing.
#[derive(Clone)]
struct ClientHandle(Client);

impl std::fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl<K: Object> Objects<K> {
    pub(super) fn new(client: Client, cache: Cache<K>, field_manager: Arc<str>) -> Self {
        Self {
            client: ClientHandle(client),
            cache,
            field_manager,
        }
    }

    /// The object as the watch saw it last.
    #[must_use]
    pub fn cached(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.cache.get(key)
    }

    /// Every object that the owner controls, as the watch saw them last.
    #[must_use]
    pub fn controlled_by(&self, owner: &impl Object) -> Vec<Arc<K>> {
        owner
            .meta()
            .uid
            .as_ref()
            .map_or_else(Vec::new, |uid| self.cache.owned_by(uid))
    }

    /// The object of this name, whoever controls it. Unless the cache holds it as the owner's, the API server is asked:
    /// whether to create an object is not decided by a cache. The owner is then reconciled when the object changes.
    pub async fn find(&self, key: &ObjectKey, owner: &impl Object) -> Result<Option<Arc<K>>, kube::Error> {
        if let Some(object) = self
            .cache
            .get(key)
            .filter(|object| is_controlled_by(object.as_ref(), owner))
        {
            return Ok(Some(object));
        }
        self.cache.wait_for(key, &ObjectKey::of(owner));
        Ok(self.api(key).get_opt(&key.name).await?.map(Arc::new))
    }

    /// Creates the object. Fails with a conflict rather than take over one that came in between.
    pub async fn create(&self, desired: &K) -> Result<Arc<K>, kube::Error> {
        self.apply(desired, &PatchParams::apply(&self.field_manager))
            .await
    }

    /// Sets every field that `desired` names and removes those set earlier that it no longer names. Other fields stay.
    /// Fails if `existing` has been replaced by another object of its name.
    pub async fn update(&self, existing: &K, desired: &K) -> Result<Arc<K>, kube::Error> {
        let mut desired = desired.clone();
        desired.meta_mut().uid.clone_from(&existing.meta().uid);
        self.apply(&desired, &PatchParams::apply(&self.field_manager).force())
            .await
    }

    async fn apply(&self, desired: &K, params: &PatchParams) -> Result<Arc<K>, kube::Error> {
        let key = ObjectKey::of(desired);
        let written = self
            .api(&key)
            .patch(&key.name, params, &Patch::Apply(desired))
            .await?;
        Ok(self.keep(written))
    }

    /// Deletes the object if `owner` still controls it, and says whether that was so.
    pub async fn delete(&self, object: &K, owner: &impl Object) -> Result<bool, kube::Error> {
        let key = ObjectKey::of(object);
        let api = self.api(&key);
        let is_same = |found: &K| found.meta().uid == object.meta().uid && is_controlled_by(found, owner);
        let deleted = match api.get_opt(&key.name).await?.filter(is_same) {
            Some(found) => {
                let preconditions = Preconditions {
                    uid: found.meta().uid.clone(),
                    resource_version: found.meta().resource_version.clone(),
                };
                let params = DeleteParams::background().preconditions(preconditions);
                match api.delete(&key.name, &params).await {
                    Ok(_) => true,
                    Err(kube::Error::Api(status)) if status.is_not_found() => false,
                    Err(error) => return Err(error),
                }
            }
            None => false,
        };
        self.cache.remove(&key, object.meta().uid.as_ref());
        Ok(deleted)
    }

    /// Sets the status. Conditions and fields that `status` does not name stay as other managers set them.
    pub async fn set_status(&self, object: &K, status: &impl Serialize) -> Result<(), kube::Error> {
        let key = ObjectKey::of(object);
        let patch = Patch::Apply(json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {"name": key.name, "uid": object.meta().uid},
            "status": status,
        }));
        let params = PatchParams::apply(&format!("{}-status", self.field_manager)).force();
        let written = self.api(&key).patch_status(&key.name, &params, &patch).await?;
        self.keep(written);
        Ok(())
    }

    fn keep(&self, mut written: K) -> Arc<K> {
        written.meta_mut().managed_fields = None;
        let answer = Arc::new(written.clone());
        self.cache.put(written);
        answer
    }

    fn api(&self, key: &ObjectKey) -> Api<K> {
        K::Scope::api(self.client.0.clone(), key.namespace.as_deref())
    }
}

/// Whether `live` has every field of `desired` with its value. Fields that `desired` does not name do not count.
pub fn is_current(live: &impl Serialize, desired: &impl Serialize) -> bool {
    match (serde_json::to_value(live), serde_json::to_value(desired)) {
        (Ok(live), Ok(desired)) => covers(&live, &desired),
        _ => false,
    }
}

/// Lists whose items have a `type`, `uid` or `name` are compared item by item under that key, as the API server merges
/// them; all other lists as a whole.
fn covers(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => desired
            .iter()
            .all(|(name, value)| live.get(name).is_some_and(|live| covers(live, value))),
        (Value::Array(live), Value::Array(desired)) => {
            let key = ["type", "uid", "name"]
                .into_iter()
                .find(|key| !desired.is_empty() && desired.iter().all(|item| item[key].is_string()));
            match key {
                Some(key) => desired.iter().all(|item| {
                    live.iter()
                        .find(|live| live[key] == item[key])
                        .is_some_and(|live| covers(live, item))
                }),
                None => live == desired,
            }
        }
        _ => live == desired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_fields_do_not_count() {
        let live =
            json!({"a": 1, "b": 2, "list": [{"name": "x", "v": 1, "w": 2}, {"name": "y"}], "args": ["-v"]});
        assert!(is_current(
            &live,
            &json!({"a": 1, "list": [{"name": "x", "v": 1}], "args": ["-v"]})
        ));
        assert!(!is_current(&live, &json!({"a": 2})));
        assert!(!is_current(&live, &json!({"list": [{"name": "x", "v": 2}]})));
        assert!(!is_current(&live, &json!({"list": [{"name": "z"}]})));
        assert!(!is_current(&live, &json!({"args": []})));
        assert!(!is_current(&live, &json!({"c": {}})));
    }
}
