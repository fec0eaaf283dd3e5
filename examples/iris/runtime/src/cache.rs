//! Objects as the watches tell of them, found by name or by owner without asking the API server.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::Queue;
use crate::watch::{Key, Watched, is_namespaced, key, trim, version};

/// A copy of all objects of one type that a controller watches, indexed by the uid of their controlling owner.
/// What the controller itself writes shows up at once when it is passed to [`Cache::wrote`].
#[derive(Clone)]
pub struct Cache<C>(Arc<Mutex<State<C>>>);

struct State<C> {
    /// Each object, and when it was heard of.
    objects: BTreeMap<Key, (Arc<C>, Instant)>,
    /// The uids of controlling owners, and what each owns.
    owned: BTreeSet<(String, Key)>,
    /// Where is said what has to be reconciled after a change, and how that is found.
    subscribers: Vec<(Queue, Concerned)>,
    /// Where the watches are that keep this up to date; `None` for everywhere.
    watched: Vec<Option<String>>,
}

/// Finds the object of a controller that a change of another one, or of itself, concerns.
pub(crate) type Concerned = fn(&ObjectMeta) -> Option<Key>;

impl<C> Default for Cache<C> {
    fn default() -> Self {
        let (objects, owned) = (BTreeMap::new(), BTreeSet::new());
        let state = State { objects, owned, subscribers: Vec::new(), watched: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl<C: Watched> Cache<C> {
    /// The objects that the owner with this uid controls, by namespace and name.
    #[must_use]
    pub fn owned_by(&self, uid: &str) -> Vec<Arc<C>> {
        let state = self.0.lock();
        let owned =
            state.owned.range((uid.to_owned(), Key::default())..).take_while(|(owner, _)| owner == uid);
        owned.filter_map(|(_, key)| state.objects.get(key)).map(|(object, _)| object.clone()).collect()
    }

    /// The object of that name, whoever owns it.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<C>> {
        let state = self.0.lock();
        state.objects.get(&(namespace.to_owned(), name.to_owned())).map(|(object, _)| object.clone())
    }

    /// Takes over what the API server answered to a write, ahead of the watch.
    pub fn wrote(&self, mut object: C) {
        trim(object.meta_mut());
        let mut state = self.0.lock();
        // What no watch tells of would never change here.
        let namespace = &object.meta().namespace;
        if !state.watched.iter().any(|place| place.is_none() || place == namespace) {
            return;
        }
        // Something newer may be known, of the object or of one that has taken its place.
        let known = state.objects.get(&key(object.meta()));
        if known.is_none_or(|(known, _)| version(known.meta()) <= version(object.meta())) {
            state.put(object);
        }
    }

    /// Forgets an object that was deleted, ahead of the watch.
    pub fn deleted(&self, object: &C) {
        let (mut state, key) = (self.0.lock(), key(object.meta()));
        // Another object of that name may have taken its place.
        if state.objects.get(&key).is_some_and(|(known, _)| known.meta().uid == object.meta().uid) {
            state.forget(&key);
        }
    }

    /// From now on watches of these namespaces tell of objects, and `queue` is told whom a change concerns.
    pub(crate) fn subscribe(&self, namespaces: &[Option<String>], queue: Queue, concerned: Concerned) {
        let mut state = self.0.lock();
        state.watched.extend_from_slice(namespaces);
        state.subscribers.push((queue, concerned));
    }

    /// A watch, whose latest list was begun at `since`, tells of an object, or of one that is gone or cannot be
    /// decoded.
    pub(crate) fn told(&self, object: Result<C, &ObjectMeta>, since: Instant) {
        let mut state = self.0.lock();
        let metadata = object.as_ref().map_or_else(|gone| *gone, Resource::meta);
        let key = key(metadata);
        state.touch(metadata);
        if let Some((previous, heard)) = state.objects.get(&key) {
            // A change of owner concerns the old one too.
            state.touch(previous.meta());
            // A write may have been answered ahead of the watch. But a list is right about what was heard before it,
            // because versions start over when the server's data is restored from a backup.
            if *heard >= since && version(previous.meta()) > version(metadata) {
                return;
            }
        }
        match object {
            Ok(object) => state.put(object),
            Err(_) => state.forget(&key),
        }
    }

    /// Forgets what is not among the objects in `namespace`, or everywhere, that a watch knows of: it has told of all
    /// versions up to `told`, and its latest list was begun at `since`. Such is what was deleted before the answer to
    /// its creation came.
    pub(crate) fn sweep(&self, namespace: Option<&str>, known: &HashSet<Key>, told: u128, since: Instant) {
        let mut state = self.0.lock();
        let here =
            state.objects.iter().filter(|(key, _)| namespace.is_none_or(|namespace| namespace == key.0));
        let unknown = here.filter(|(key, _)| !known.contains(key)).map(|(_, entry)| entry);
        let gone = unknown.filter(|(object, heard)| *heard < since || version(object.meta()) <= told);
        for (object, _) in gone.cloned().collect::<Vec<_>>() {
            state.touch(object.meta());
            state.forget(&key(object.meta()));
        }
    }
}

impl<C: Watched> State<C> {
    /// Queues whom a change of an object concerns.
    fn touch(&self, metadata: &ObjectMeta) {
        for (queue, concerned) in &self.subscribers {
            // Nobody receives any more when the controller stops.
            let _ = concerned(metadata).map(|key| queue.unbounded_send(key));
        }
    }

    fn put(&mut self, object: C) {
        let key = key(object.meta());
        self.forget(&key);
        if let Some(owner) = controller(object.meta()) {
            self.owned.insert((owner.uid.clone(), key.clone()));
        }
        self.objects.insert(key, (Arc::new(object), Instant::now()));
    }

    fn forget(&mut self, key: &Key) {
        let Some((object, _)) = self.objects.remove(key) else { return };
        if let Some(owner) = controller(object.meta()) {
            self.owned.remove(&(owner.uid.clone(), key.clone()));
        }
    }
}

fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// The controlling owner, if it is a `K`. It is in the same namespace or has none.
pub(crate) fn owner<K: Watched>(metadata: &ObjectMeta) -> Option<Key> {
    let owner = controller(metadata)?;
    let group = owner.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let namespace = metadata.namespace.clone().filter(|_| is_namespaced::<K>()).unwrap_or_default();
    (owner.kind == K::kind(&()) && group == K::group(&())).then(|| (namespace, owner.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::mpsc::{UnboundedReceiver, unbounded};
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
    use serde_json::json;

    fn child(name: &str, uid: &str, version: u32) -> ConfigMap {
        let owner = json!({ "apiVersion": "v1", "kind": "Namespace", "name": "owner", "uid": "1",
            "controller": true });
        let metadata = json!({ "namespace": "a", "name": name, "uid": uid, "ownerReferences": [owner],
            "resourceVersion": version.to_string() });
        serde_json::from_value(json!({ "metadata": metadata })).expect("an object")
    }

    fn cache() -> (Cache<ConfigMap>, UnboundedReceiver<Key>) {
        let (cache, (queue, owners)) = (Cache::default(), unbounded());
        cache.subscribe(&[Some("a".to_owned())], queue, owner::<Namespace>);
        (cache, owners)
    }

    fn versions(cache: &Cache<ConfigMap>) -> Vec<u128> {
        cache.owned_by("1").iter().map(|child| version(&child.metadata)).collect()
    }

    #[test]
    fn an_owner_without_a_namespace_is_always_the_same() {
        let (cache, mut owners) = cache();
        cache.told(Ok(child("x", "2", 1)), Instant::now());
        assert_eq!(owners.try_recv().expect("an owner"), (String::new(), "owner".to_owned()));
    }

    #[test]
    fn what_was_written_is_ahead_of_the_watch_and_lists_are_right_about_all_else() {
        let (cache, _owners) = cache();
        let since = Instant::now();
        cache.wrote(child("x", "2", 5));
        cache.told(Ok(child("x", "2", 4)), since);
        assert_eq!(versions(&cache), [5], "an old change");
        cache.deleted(&child("x", "2", 5));
        cache.wrote(child("x", "3", 7));
        cache.told(Err(&child("x", "2", 6).metadata), since);
        cache.told(Ok(child("x", "2", 6)), since);
        assert_eq!(versions(&cache), [7], "another one has taken its place");
        // The server's data is restored from a backup.
        cache.wrote(child("y", "4", 8));
        let since = Instant::now();
        cache.told(Ok(child("x", "3", 2)), since);
        cache.wrote(child("z", "5", 3));
        cache.sweep(Some("b"), &HashSet::new(), 9, Instant::now());
        assert_eq!(versions(&cache), [2, 8, 3], "the list of another namespace says nothing");
        cache.sweep(Some("a"), &HashSet::from([key(&child("x", "3", 2).metadata)]), 2, since);
        assert_eq!(versions(&cache), [2, 3], "what was not listed is gone, unless it was made since");
    }

    #[test]
    fn what_nobody_tells_of_is_not_kept() {
        let (cache, _owners) = cache();
        let known = HashSet::from([key(&child("x", "2", 1).metadata)]);
        let since = Instant::now();
        cache.told(Ok(child("x", "2", 1)), since);
        cache.wrote(child("y", "3", 4));
        cache.sweep(Some("a"), &known, 3, since);
        assert_eq!(versions(&cache), [1, 4], "the watch may not have got there yet");
        cache.sweep(Some("a"), &known, 4, since);
        assert_eq!(versions(&cache), [1], "it was gone before the answer to its creation came");
        let mut elsewhere = child("y", "3", 4);
        elsewhere.metadata.namespace = Some("b".into());
        cache.wrote(elsewhere);
        assert_eq!(versions(&cache), [1], "nobody watches there");
    }
}
