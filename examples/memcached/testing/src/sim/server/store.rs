//! The objects of a cluster, one version for each change of any of them, and the history that watches tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

/// A change of one object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) key: Arc<str>,
    /// What was there before.
    pub(super) before: Option<Arc<Value>>,
    /// What is there now; the last state, at the version of the deletion, if nothing is.
    pub(super) object: Arc<Value>,
    pub(super) deleted: bool,
}

#[derive(Debug)]
pub(super) struct Store {
    objects: BTreeMap<Arc<str>, Arc<Value>>,
    history: Vec<Change>,
    version: u64,
    /// The history begins after this version.
    compacted: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), history: Vec::new(), version: 1, compacted: 0 }
    }
}

impl Store {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(super) fn get(&self, key: &str) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.objects.values()
    }

    /// The objects whose keys begin with `prefix`, sorted by key.
    pub(super) fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Arc<Value>)> {
        self.objects.range(Arc::from(prefix)..).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// The same as of an older version.
    pub(super) fn under_at(&self, prefix: &str, version: u64) -> BTreeMap<Arc<str>, Arc<Value>> {
        let mut objects: BTreeMap<_, _> =
            self.under(prefix).map(|(key, object)| (key.clone(), object.clone())).collect();
        let later = self.history.iter().rev().take_while(|change| change.version > version);
        for change in later.filter(|change| change.key.starts_with(prefix)) {
            match &change.before {
                Some(before) => drop(objects.insert(change.key.clone(), before.clone())),
                None => drop(objects.remove(&change.key)),
            }
        }
        objects
    }

    /// Changes after a version.
    pub(super) fn since(&self, version: u64) -> &[Change] {
        let start = self.history.partition_point(|change| change.version <= version);
        &self.history[start..]
    }

    pub(super) fn put(&mut self, key: &str, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(object);
        let key: Arc<str> = Arc::from(key);
        let before = self.objects.insert(key.clone(), object.clone());
        self.history.push(Change {
            version: self.version,
            key,
            before,
            object: object.clone(),
            deleted: false,
        });
        object
    }

    /// Returns the last state, at the version of the deletion.
    pub(super) fn delete(&mut self, key: &str) -> Option<Arc<Value>> {
        let (key, before) = self.objects.remove_entry(key)?;
        self.version += 1;
        let mut object = Value::clone(&before);
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(object);
        let change = Change {
            version: self.version,
            key,
            before: Some(before),
            object: object.clone(),
            deleted: true,
        };
        self.history.push(change);
        Some(object)
    }

    pub(super) fn compact(&mut self) {
        self.compacted = self.version;
        self.history.clear();
    }
}
