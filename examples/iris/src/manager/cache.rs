//! What the watches saw last, found by key and by owner without asking the API server.
//!
//! The answers to our own writes go in as well, so that a reconcile never acts on a state from before them: resource
//! versions decide which of two states is the newer one.

use super::object::{Object, ObjectKey, controller_of};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Every object of a kind that is watched. Copies share their content.
#[derive(Debug)]
pub struct Cache<K>(Arc<RwLock<State<K>>>);

#[derive(Debug)]
struct State<K> {
    objects: HashMap<ObjectKey, Arc<K>>,
    /// Keys of the objects that an owner controls, by its uid.
    owned: HashMap<String, BTreeSet<ObjectKey>>,
    /// Who wants to hear of the next change of a key.
    waiting: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
}

/// What became of one object.
#[derive(Debug)]
pub struct Change<K> {
    pub before: Option<Arc<K>>,
    pub after: Option<Arc<K>>,
    /// Who waited for it, see [`Cache::wait_for`].
    pub waiting: BTreeSet<ObjectKey>,
}

impl<K> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Cache<K> {
    fn default() -> Self {
        let state = State {
            objects: HashMap::new(),
            owned: HashMap::new(),
            waiting: HashMap::new(),
        };
        Self(Arc::new(RwLock::new(state)))
    }
}

impl<K: Object> Cache<K> {
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.read().objects.get(key).cloned()
    }

    /// The objects that the owner of this uid controls, by name.
    #[must_use]
    pub fn owned_by(&self, uid: &str) -> Vec<Arc<K>> {
        let state = self.read();
        state
            .owned
            .get(uid)
            .into_iter()
            .flatten()
            .filter_map(|key| state.objects.get(key).cloned())
            .collect()
    }

    /// Asks that `who` be named in the next change of `key`, whoever controls that object.
    pub fn wait_for(&self, key: &ObjectKey, who: &ObjectKey) {
        self.write()
            .waiting
            .entry(key.clone())
            .or_default()
            .insert(who.clone());
    }

    /// Takes in a state of an object, unless a newer one is known.
    pub fn put(&self, object: K) -> Change<K> {
        self.write().put(object)
    }

    /// Takes out the object, unless another one has taken its name.
    pub fn remove(&self, key: &ObjectKey, uid: Option<&String>) -> Change<K> {
        let mut state = self.write();
        match state.objects.get(key) {
            Some(known) if known.meta().uid.as_ref() == uid => state.remove(key),
            known => Change {
                before: known.cloned(),
                after: known.cloned(),
                waiting: BTreeSet::new(),
            },
        }
    }

    /// Takes in a complete list of the objects in a namespace (`None`: of all) and returns what changed by it or may
    /// have: what the list holds, and what it no longer does.
    pub fn replace(&self, namespace: Option<&String>, list: Vec<K>) -> Vec<Change<K>> {
        let mut state = self.write();
        let listed: BTreeSet<_> = list.iter().map(|object| ObjectKey::of(object)).collect();
        let in_scope = |key: &&ObjectKey| namespace.is_none() || key.namespace.as_ref() == namespace;
        let gone: Vec<_> = state
            .objects
            .keys()
            .filter(in_scope)
            .filter(|key| !listed.contains(key))
            .cloned()
            .collect();

        let mut changes: Vec<_> = gone.iter().map(|key| state.remove(key)).collect();
        changes.extend(list.into_iter().map(|object| state.put(object)));
        changes
    }

    // A panic cannot leave the maps half changed in a way that a later list does not mend.
    fn read(&self) -> RwLockReadGuard<'_, State<K>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<K>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Object> State<K> {
    fn put(&mut self, object: K) -> Change<K> {
        let key = ObjectKey::of(&object);
        let before = self.objects.get(&key).cloned();
        if let Some(known) = &before
            && is_older(&object, known)
        {
            return Change {
                after: before.clone(),
                before,
                waiting: BTreeSet::new(),
            };
        }
        if let Some(known) = &before {
            self.forget_owner(&key, known);
        }
        if let Some(owner) = controller_of(&object) {
            self.owned
                .entry(owner.uid.clone())
                .or_default()
                .insert(key.clone());
        }
        let waiting = self.waiting.remove(&key).unwrap_or_default();
        let after = Arc::new(object);
        self.objects.insert(key, Arc::clone(&after));
        Change {
            before,
            after: Some(after),
            waiting,
        }
    }

    fn remove(&mut self, key: &ObjectKey) -> Change<K> {
        let before = self.objects.remove(key);
        if let Some(known) = &before {
            self.forget_owner(key, known);
        }
        Change {
            before,
            after: None,
            waiting: self.waiting.remove(key).unwrap_or_default(),
        }
    }

    fn forget_owner(&mut self, key: &ObjectKey, object: &K) {
        let Some(owner) = controller_of(object) else {
            return;
        };
        if let Some(keys) = self.owned.get_mut(&owner.uid) {
            keys.remove(key);
            if keys.is_empty() {
                self.owned.remove(&owner.uid);
            }
        }
    }
}

/// Whether `object` is from before `known`. Resource versions of a kind can be compared since Kubernetes 1.35 by
/// promise, and before it in fact; where one is no number, the later arrival counts.
fn is_older<K: Object>(object: &K, known: &K) -> bool {
    let version = |object: &K| object.meta().resource_version.as_ref()?.parse::<u64>().ok();
    version(object)
        .zip(version(known))
        .is_some_and(|(new, old)| new < old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    fn object(name: &str, version: u32, owner: &str) -> ConfigMap {
        let owner =
            json!([{"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": owner, "controller": true}]);
        serde_json::from_value(json!({"metadata": {
            "namespace": "ns", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(), "ownerReferences": owner,
        }}))
        .expect("a config map")
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            namespace: Some("ns".to_owned()),
            name: name.to_owned(),
        }
    }

    fn version(cache: &Cache<ConfigMap>, name: &str) -> Option<String> {
        cache.get(&key(name))?.metadata.resource_version.clone()
    }

    #[test]
    fn old_states_do_not_replace_newer_ones() {
        let cache = Cache::default();
        cache.put(object("a", 9, "x"));
        cache.put(object("a", 10, "x"));
        cache.put(object("a", 9, "x"));
        assert_eq!(version(&cache, "a").as_deref(), Some("10"));
    }

    #[test]
    fn children_are_found_by_owner() {
        let cache = Cache::default();
        cache.put(object("a", 1, "x"));
        cache.put(object("b", 2, "x"));
        assert_eq!(cache.owned_by("x").len(), 2);
        cache.put(object("b", 3, "y"));
        cache.remove(&key("a"), Some(&"uid-other".to_owned()));
        assert_eq!((cache.owned_by("x").len(), cache.owned_by("y").len()), (1, 1));
        cache.remove(&key("a"), Some(&"uid-a".to_owned()));
        assert!(cache.owned_by("x").is_empty());
    }

    #[test]
    fn a_list_tells_what_is_gone_and_who_waited() {
        let cache = Cache::default();
        cache.put(object("a", 1, "x"));
        cache.wait_for(&key("b"), &key("me"));
        let changes = cache.replace(None, vec![object("b", 2, "y")]);
        assert_eq!(changes.len(), 2);
        assert!(changes[0].before.is_some() && changes[0].after.is_none());
        assert!(changes[1].waiting.contains(&key("me")));
        assert!(
            cache
                .replace(Some(&"elsewhere".to_owned()), Vec::new())
                .is_empty()
        );
        assert!(cache.get(&key("b")).is_some());
    }
}
