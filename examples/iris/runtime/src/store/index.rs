//! Objects of a store by the values that a function has for each, as Go's field indexers find them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tracing::error;

use super::Store;
use crate::object::{Object, ObjectKey};

/// Finds the objects of a store by a value, as Go's field indexers do.
#[derive(Clone, Debug)]
pub struct Index<K: Object> {
    pub(super) store: Store<K>,
    pub(super) position: usize,
}

impl<K: Object> Index<K> {
    /// The objects that have this value, by namespace and name.
    #[must_use]
    pub fn get(&self, value: &str) -> Vec<Arc<K>> {
        let state = self.store.0.state.lock();
        state.find(&state.indexes[self.position].entries, value)
    }
}

/// Finds the values of an object.
type Values<K> = dyn Fn(&K) -> Vec<String> + Send + Sync;

/// The values of each object.
pub(super) struct IndexState<K> {
    values: Box<Values<K>>,
    pub(super) entries: BTreeSet<(String, ObjectKey)>,
    of: BTreeMap<ObjectKey, Vec<String>>,
}

impl<K> IndexState<K> {
    pub(super) fn new(values: Box<Values<K>>) -> Self {
        Self { values, entries: BTreeSet::new(), of: BTreeMap::new() }
    }

    pub(super) fn put(&mut self, key: &ObjectKey, object: &K) {
        let values = catch_unwind(AssertUnwindSafe(|| (self.values)(object))).unwrap_or_else(|_| {
            error!(%key, "an index function panicked, and the object is in its index under no value");
            Vec::new()
        });
        self.entries.extend(values.iter().map(|value| (value.clone(), key.clone())));
        self.of.insert(key.clone(), values);
    }

    pub(super) fn remove(&mut self, key: &ObjectKey) {
        for value in self.of.remove(key).into_iter().flatten() {
            self.entries.remove(&(value, key.clone()));
        }
    }
}
