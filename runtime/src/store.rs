//! Objects as the watches tell of them, found by name, owner or index without asking the API server. Go's informers call
//! it an indexer.

mod annotations;
mod index;
mod state;
mod taken;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::error;

use crate::contention::Contention;
use crate::derivative::is_derivative;
use crate::managed_fields::{self, Managed};
use crate::object::{Object, ObjectKey, controller_of, number, version};
use crate::pause;
use crate::queue::{Priority, WorkQueue};
use crate::unanswered::Unanswered;

use index::IndexState;
use state::{Entry, Place, State, Told};
use taken::{Taken, Waiting};

pub use index::Index;
pub(crate) use taken::is_held_alike;

/// What `kubectl apply` remembers.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What happened to an object that is watched.
#[derive(Debug)]
pub struct Change<'a, K> {
    /// As it was known before; `None` when it is new here.
    pub old: Option<&'a K>,
    /// As it is now; `None` when it is gone, or cannot be decoded any more.
    pub new: Option<&'a K>,
    /// Of the new one, or of the one that is gone.
    pub metadata: &'a ObjectMeta,
}

/// Is told of every change.
pub(crate) type Handler<K> = Box<dyn Fn(&Change<'_, K>, Priority) + Send + Sync>;

/// Changes an object before it is kept.
pub(crate) type Transform<K> = Box<dyn Fn(&mut K) + Send + Sync>;

/// A copy of the objects of one type that the manager watches, shared by everybody who asks for it. What the operator
/// itself writes through a [`Context`](crate::Context) shows up at once.
pub struct Store<K: Object>(Arc<Inner<K>>);

struct Inner<K: Object> {
    dynamic_type: K::DynamicType,
    is_namespaced: bool,
    state: Mutex<State<K>>,
    handlers: RwLock<Vec<Handler<K>>>,
    transform: RwLock<Option<Transform<K>>>,
    /// Most bytes of annotations that are kept of an object.
    annotations: AtomicUsize,
    /// How many watches have not completed their first list.
    unlisted: watch::Sender<usize>,
    /// What was written here without an answer.
    unanswered: Unanswered<K>,
    /// What was written here again and again.
    contention: Contention,
}

impl<K: Object> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Object> std::fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = K::kind(self.dynamic_type());
        f.debug_struct("Store")
            .field("kind", &kind)
            .field("objects", &self.0.state.lock().objects.len())
            .finish()
    }
}

/// What is looked for.
impl<K: Object> Store<K> {
    /// The object of that key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.0.state.lock().objects.get(key).map(|entry| entry.object.clone())
    }

    /// Whether there is an object of that key.
    #[must_use]
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.0.state.lock().objects.contains_key(key)
    }

    /// All objects, by namespace and name.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        self.0.state.lock().objects.values().map(|entry| entry.object.clone()).collect()
    }

    /// The objects in `namespace`, by name.
    #[must_use]
    pub fn list_in(&self, namespace: &str) -> Vec<Arc<K>> {
        let state = self.0.state.lock();
        let here = state.objects.range(ObjectKey::new(namespace, "")..);
        here.take_while(|(key, _)| key.namespace == namespace)
            .map(|(_, entry)| entry.object.clone())
            .collect()
    }

    /// The objects that the owner with this uid controls, by namespace and name.
    #[must_use]
    pub fn owned_by(&self, uid: &str) -> Vec<Arc<K>> {
        let state = self.0.state.lock();
        state.find(&state.owned, uid)
    }

    /// Whether the first lists of all its watches are complete.
    #[must_use]
    pub fn has_synced(&self) -> bool {
        *self.0.unlisted.borrow() == 0
    }

    /// Changes each object before it is kept, for instance to drop what nobody reads. What a controller applies to the
    /// objects has to stay, or it is applied again and again.
    pub fn transform(&self, transform: impl Fn(&mut K) + Send + Sync + 'static) {
        *self.0.transform.write() = Some(Box::new(transform));
    }

    /// Keeps at most so many bytes of annotations, names and values together, of each object; 16 KiB when not said. Of an
    /// object that has more, the longest are left out, as if it had none of these names, except what a controller here has
    /// applied and what pauses the object. Whoever may edit an object can write 256 KiB into it, and all that is kept takes memory.
    pub fn limit_annotations(&self, bytes: usize) {
        self.0.annotations.store(bytes, Ordering::Relaxed);
    }

    /// Finds objects by the values that `values` has for each, such as the names of the Secrets that it uses. An object
    /// for which it panics has none.
    pub fn index(&self, values: impl Fn(&K) -> Vec<String> + Send + Sync + 'static) -> Index<K> {
        let mut state = self.0.state.lock();
        let mut index = IndexState::new(Box::new(values));
        for (key, entry) in &state.objects {
            index.put(key, &entry.object);
        }
        state.indexes.push(index);
        state.keeps_all = true;
        Index { store: self.clone(), position: state.indexes.len() - 1 }
    }
}

/// How it is set up.
impl<K: Object> Store<K> {
    pub(crate) fn new(dynamic_type: K::DynamicType, is_namespaced: bool) -> Self {
        let state = State {
            objects: BTreeMap::new(),
            deleted: BTreeMap::new(),
            owned: BTreeSet::new(),
            indexes: Vec::new(),
            places: Vec::new(),
            is_selective: false,
            keeps_all: false,
            owners: Vec::new(),
            managers: Vec::new(),
            taken: Taken::default(),
        };
        Self(Arc::new(Inner {
            dynamic_type,
            is_namespaced,
            state: Mutex::new(state),
            handlers: RwLock::default(),
            transform: RwLock::default(),
            annotations: AtomicUsize::new(annotations::LIMIT),
            unlisted: watch::channel(0).0,
            unanswered: Unanswered::default(),
            contention: Contention::default(),
        }))
    }

    pub(crate) fn dynamic_type(&self) -> &K::DynamicType {
        &self.0.dynamic_type
    }

    pub(crate) fn is_namespaced(&self) -> bool {
        self.0.is_namespaced
    }

    pub(crate) fn unanswered(&self) -> &Unanswered<K> {
        &self.0.unanswered
    }

    pub(crate) fn contention(&self) -> &Contention {
        &self.0.contention
    }

    pub(crate) fn leaves_out(&self) {
        self.0.state.lock().is_selective = true;
    }

    pub(crate) fn keep_all(&self) {
        self.0.state.lock().keeps_all = true;
    }

    pub(crate) fn keep_owned_by(&self, group: &str, kind: &str) {
        self.0.state.lock().owners.push((group.to_owned(), kind.to_owned()));
    }

    pub(crate) fn record_fields_of(&self, manager: &str) {
        self.0.state.lock().managers.push(manager.to_owned());
    }

    pub(crate) fn handle(&self, handler: Handler<K>) {
        self.0.handlers.write().push(handler);
    }

    /// From now on a watch of this namespace, or of all, tells of objects.
    pub(crate) fn watched_in(&self, place: Option<String>) {
        self.0.state.lock().places.push(Place { namespace: place, told: 0 });
        self.0.unlisted.send_modify(|count| *count += 1);
    }

    /// How many watches keep this up to date.
    pub(crate) fn watches(&self) -> usize {
        self.0.state.lock().places.len()
    }

    /// A watch has completed its first list, or been told that there is nothing to list.
    pub(crate) fn listed(&self) {
        self.0.unlisted.send_modify(|count| *count = count.saturating_sub(1));
    }

    /// Resolves when the first lists are complete.
    pub(crate) async fn synced(&self) {
        // The sender lives as long as this.
        let _ = self.0.unlisted.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// What is told.
impl<K: Object> Store<K> {
    /// A watch, whose latest list was begun at `since`, tells of an object, or of one that is gone or cannot be decoded.
    pub(crate) fn observe(&self, object: Result<K, &ObjectMeta>, since: Instant, priority: Priority) {
        let mut state = self.0.state.lock();
        let metadata = object.as_ref().map_or_else(|gone| *gone, kube::Resource::meta);
        let key = ObjectKey::from(metadata);
        let told = version(metadata);
        let is_same = |known: &Entry<K>| {
            object.as_ref().is_ok_and(|object| object.meta().uid == known.object.meta().uid)
        };
        // What was deleted here, and is now told to be gone, or to be there in spite of that.
        let is_over = |it: &Entry<K>| told > version(it.object.meta()) || it.heard < since;
        let deleted =
            if state.deleted.get(&key).is_some_and(is_over) { state.deleted.remove(&key) } else { None };
        let mut ended = Vec::new();
        if let Some(known) = state.objects.get_mut(&key) {
            ended.extend(deleted.iter().flat_map(Entry::ends));
            let known_version = version(known.object.meta());
            // A write may have been answered ahead of the watch. But a list is right about what was heard before it,
            // because versions start over when the server's data is restored from a backup.
            let is_old = known.heard >= since && known_version > told;
            let is_this = known_version == told && is_same(known);
            if is_this {
                known.heard = Instant::now();
            }
            if is_old || (is_this && matches!(known.told, Told::Yes)) {
                drop(state);
                return self.tell_ends(&ended, priority);
            }
        } else if state.deleted.contains_key(&key) {
            return;
        }
        let known = state.objects.get(&key).or(deleted.as_ref());
        let old = known.and_then(Entry::last_told);
        // What was written here is gone, or another one has its place, before a watch has told of it. Reconciles have
        // seen it.
        ended.extend(known.filter(|known| !is_same(known)).and_then(Entry::untold));
        let woken = state.taken.changed(&key, object.as_ref().ok().map(kube::Resource::meta));
        match object {
            Ok(object) => {
                let new = self.put(&mut state, object, Told::Yes);
                drop(state);
                self.tell(old.as_deref(), Some(&new), new.meta(), priority);
            }
            Err(gone) => {
                state.forget(&key);
                drop(state);
                self.tell(old.as_deref(), None, gone, priority);
            }
        }
        self.tell_ends(&ended, priority);
        woken.into_iter().for_each(Waiting::wake);
    }

    /// A watch of `namespace`, or of all, has told of all versions before this one, which it tells of next.
    pub(crate) fn reached(&self, namespace: Option<&str>, version: Option<&str>) {
        self.0.state.lock().reached(namespace, number(version));
    }

    /// Forgets what is not among the objects in `namespace`, or everywhere, that a watch knows of: it has told of all
    /// versions up to `told`, and its latest list was begun at `since`.
    pub(crate) fn replace(
        &self,
        namespace: Option<&str>,
        known: &BTreeSet<ObjectKey>,
        told: u128,
        since: Instant,
    ) {
        let mut state = self.0.state.lock();
        state.reached(namespace, told);
        let is_here = |key: &ObjectKey| namespace.is_none_or(|namespace| namespace == key.namespace);
        let is_gone = |key: &ObjectKey, entry: &Entry<K>| {
            let is_unknown = is_here(key) && !known.contains(key);
            is_unknown && (entry.heard < since || version(entry.object.meta()) <= told)
        };
        let gone = |of: &BTreeMap<ObjectKey, Entry<K>>| {
            let gone = of.iter().filter(|(key, entry)| is_gone(key, entry));
            gone.map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        let (here, deleted) = (gone(&state.objects), gone(&state.deleted));
        let mut gone: Vec<_> = here.iter().filter_map(|key| state.forget(key)).collect();
        gone.extend(deleted.iter().filter_map(|key| state.deleted.remove(key)));
        let mut free = state.taken.names();
        free.retain(|name| is_here(name) && !known.contains(name));
        let woken: Vec<_> = free.iter().flat_map(|name| state.taken.changed(name, None)).collect();
        drop(state);
        woken.into_iter().for_each(Waiting::wake);
        let ended: Vec<_> = gone.iter().flat_map(Entry::ends).collect();
        self.tell_ends(&ended, Priority::High);
    }

    /// Takes over what the API server answered to a write, ahead of the watch. `fulfils` names who applied it, whether to
    /// the status, and the fingerprint of what. Handlers hear of it from the watch.
    pub(crate) fn mutation(&self, object: K, fulfils: Option<(&str, bool, u64)>) -> Arc<K> {
        let mut state = self.0.state.lock();
        let key = ObjectKey::of(&object);
        // What no watch tells of would never change here. Something newer may be known, of the object or of one that
        // has taken its place, or that it is gone: the answer may have come late.
        let place = state.places.iter().find(|place| place.has(&key));
        let known = state.objects.get(&key);
        let written = version(object.meta());
        let is_newest = match (known, place) {
            (Some(known), _) => version(known.object.meta()) <= written,
            (None, place) => {
                let deleted = state.deleted.get(&key).map(|it| version(it.object.meta()));
                place.is_some_and(|place| place.told < written) && deleted < Some(written)
            }
        };
        let told = match known {
            None => Told::Not(None),
            // Something else was written before, of which no watch has told yet either.
            Some(Entry { told: Told::Not(last), .. }) => Told::Not(last.clone()),
            // What changes nothing no watch tells of.
            Some(known) if known.object.meta().resource_version == object.meta().resource_version => {
                Told::Yes
            }
            Some(known) => Told::Not(Some(known.object.clone())),
        };
        if place.is_none() || !is_newest {
            return Arc::new(self.trimmed(object, &state.managers).0);
        }
        // One that nobody has heard of has made room for this one. The watch tells of neither any more.
        let replaced = known.filter(|known| known.object.meta().uid != object.meta().uid);
        let ended = Vec::from_iter(replaced.and_then(Entry::untold));
        let object = self.put(&mut state, object, told);
        if let (Some((manager, is_status, fingerprint)), Some(entry)) = (fulfils, state.objects.get_mut(&key))
        {
            entry.managed.retain(|record| record.manager != manager || record.is_status != is_status);
            entry.managed.push(Managed::fulfilled(manager, is_status, fingerprint));
        }
        drop(state);
        self.tell_ends(&ended, Priority::High);
        object
    }

    /// Calls for a reconcile of `key` when what has the name `name` now goes, or changes hands.
    pub(crate) fn wait_for(
        &self,
        name: &ObjectKey,
        now: &ObjectMeta,
        queue: &Arc<WorkQueue>,
        key: ObjectKey,
    ) {
        self.0.state.lock().taken.wait(name.clone(), now, queue.clone(), key);
    }

    /// Whether this would know a child of that name, of an owner of this group and kind: if it is kept here and nowhere left
    /// out.
    pub(crate) fn keeps_children(&self, key: &ObjectKey, group: &str, kind: &str) -> bool {
        let state = self.0.state.lock();
        let has_owner = state.owners.iter().any(|(of, owner)| of == group && owner == kind);
        let is_kept = !state.is_selective && (state.keeps_all || has_owner);
        is_kept && state.places.iter().any(|place| place.has(key))
    }

    /// Whether a reconcile waits until nothing, or another object, has this name.
    pub(crate) fn is_waited_for(&self, name: &ObjectKey) -> bool {
        self.0.state.lock().taken.is_waited_for(name)
    }

    /// Forgets an object that was deleted, ahead of the watch. Handlers hear of it from the watch.
    pub(crate) fn deletion(&self, object: &K) {
        let (mut state, key) = (self.0.state.lock(), ObjectKey::of(object));
        // Another object of that name may have taken its place.
        if state.objects.get(&key).is_some_and(|known| known.object.meta().uid == object.meta().uid)
            && let Some(entry) = state.forget(&key)
        {
            state.deleted.insert(key, entry);
        }
    }

    /// Whether `object`, of exactly this version, has all that `manager` desires and nothing that it applied and
    /// desires no more.
    pub(crate) fn fulfils(
        &self,
        object: &K,
        manager: &str,
        is_status: bool,
        desired: &Value,
        fingerprint: u64,
    ) -> bool {
        let mut state = self.0.state.lock();
        let Some(entry) = state.objects.get_mut(&ObjectKey::of(object)) else { return false };
        let (known, asked) = (entry.object.meta(), object.meta());
        if known.uid != asked.uid || known.resource_version != asked.resource_version {
            return false;
        }
        let is_ours = |record: &&mut Managed| record.manager == manager && record.is_status == is_status;
        let Some(record) = entry.managed.iter_mut().find(is_ours) else { return false };
        if record.fulfils(fingerprint) {
            return true;
        }
        let current = serde_json::to_value(&*entry.object).unwrap_or_default();
        let fulfilled = is_derivative(desired, &current) && record.is_within(desired);
        if fulfilled {
            record.set_fulfilled(fingerprint);
        }
        fulfilled
    }

    /// Without what nobody reads and is most of an object; and the records of what was applied.
    fn trimmed(&self, mut object: K, managers: &[String]) -> (K, Vec<Managed>) {
        let metadata = object.meta_mut();
        let managed = managed_fields::take(metadata, managers);
        metadata.annotations.as_mut().map(|annotations| annotations.remove(LAST_APPLIED));
        if let Some(transform) = &*self.0.transform.read() {
            transform(&mut object);
        }
        let bytes = self.0.annotations.load(Ordering::Relaxed);
        let pause = || pause::annotation::<K>(&self.0.dynamic_type);
        annotations::limit(object.meta_mut(), bytes, &managed, pause);
        (object, managed)
    }

    fn put(&self, state: &mut State<K>, object: K, told: Told<K>) -> Arc<K> {
        let (object, managed) = self.trimmed(object, &state.managers);
        let key = ObjectKey::of(&object);
        let object = Arc::new(object);
        let kept = state.objects.get(&key).filter(|known| {
            known.object.meta().uid == object.meta().uid
                && known.object.meta().resource_version == object.meta().resource_version
        });
        // What is known of this very version stays known.
        let managed = kept.map_or(managed, |known| known.managed.clone());
        state.forget(&key);
        if !state.keeps(object.meta()) {
            return object;
        }
        if let Some(owner) = controller_of(object.meta()) {
            state.owned.insert((owner.uid.clone(), key.clone()));
        }
        for index in &mut state.indexes {
            index.put(&key, &object);
        }
        state.objects.insert(key, Entry { object: object.clone(), heard: Instant::now(), told, managed });
        object
    }

    fn tell_ends(&self, ended: &[Arc<K>], priority: Priority) {
        for object in ended {
            self.tell(Some(object), None, object.meta(), priority);
        }
    }

    /// Tells the handlers, which may read stores.
    fn tell(&self, old: Option<&K>, new: Option<&K>, metadata: &ObjectMeta, priority: Priority) {
        let change = Change { old, new, metadata };
        for handler in &*self.0.handlers.read() {
            if catch_unwind(AssertUnwindSafe(|| handler(&change, priority))).is_err() {
                let (kind, key) = (K::kind(&self.0.dynamic_type), ObjectKey::from(metadata));
                error!(%kind, %key, "a predicate or mapper panicked, and nothing is reconciled because of this change");
            }
        }
    }
}
