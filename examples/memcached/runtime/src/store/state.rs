//! What a store knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use tokio::time::Instant;

use crate::managed_fields::Managed;
use crate::object::{Object, ObjectKey, controller_of};

use super::index::IndexState;
use super::taken::Taken;

pub(super) struct State<K> {
    pub(super) objects: BTreeMap<ObjectKey, Entry<K>>,
    /// What was deleted here, until a watch tells of that.
    pub(super) deleted: BTreeMap<ObjectKey, Entry<K>>,
    /// The uids of controlling owners, and what each owns.
    pub(super) owned: BTreeSet<(String, ObjectKey)>,
    pub(super) indexes: Vec<IndexState<K>>,
    /// The watches that keep this up to date.
    pub(super) places: Vec<Place>,
    /// Whether the watches tell of some objects only.
    pub(super) is_selective: bool,
    /// Whether everything is kept, or only what an owner of one of the `owners`, each a group and kind, controls.
    pub(super) keeps_all: bool,
    pub(super) owners: Vec<(String, String)>,
    /// Whose records of applied fields are kept.
    pub(super) managers: Vec<String>,
    pub(super) taken: Taken,
}

pub(super) struct Entry<K> {
    pub(super) object: Arc<K>,
    /// When it was heard of.
    pub(super) heard: Instant,
    pub(super) told: Told<K>,
    pub(super) managed: Vec<Managed>,
}

/// Where a watch is, and how far.
pub(super) struct Place {
    /// `None` for everywhere.
    pub(super) namespace: Option<String>,
    /// It has told of all versions up to this one.
    pub(super) told: u128,
}

impl Place {
    pub(super) fn has(&self, key: &ObjectKey) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
    }
}

/// Whether handlers have heard of an object as it is.
pub(super) enum Told<K> {
    Yes,
    /// It was written here, and no watch has told of it yet. This is what was told last.
    Not(Option<Arc<K>>),
}

impl<K> Entry<K> {
    /// As handlers have heard of it.
    pub(super) fn last_told(&self) -> Option<Arc<K>> {
        match &self.told {
            Told::Yes => Some(self.object.clone()),
            Told::Not(last) => last.clone(),
        }
    }

    /// All of it whose end they have to hear of.
    pub(super) fn ends(&self) -> impl Iterator<Item = Arc<K>> {
        self.last_told().into_iter().chain(self.untold())
    }

    /// As it is, unless they have heard of that.
    pub(super) fn untold(&self) -> Option<Arc<K>> {
        matches!(self.told, Told::Not(_)).then(|| self.object.clone())
    }
}

impl<K: Object> State<K> {
    pub(super) fn reached(&mut self, namespace: Option<&str>, version: u128) {
        let watched = self.places.iter_mut().find(|place| place.namespace.as_deref() == namespace);
        if let Some(place) = watched {
            place.told = version;
        }
    }

    pub(super) fn keeps(&self, metadata: &ObjectMeta) -> bool {
        let is_owner = |owner: &OwnerReference| {
            let group = owner.api_version.rsplit_once('/').map_or("", |(group, _)| group);
            self.owners.iter().any(|(of, kind)| of == group && *kind == owner.kind)
        };
        self.keeps_all || controller_of(metadata).is_some_and(is_owner)
    }

    pub(super) fn find(&self, among: &BTreeSet<(String, ObjectKey)>, value: &str) -> Vec<Arc<K>> {
        let first = (value.to_owned(), ObjectKey::default());
        let found = among.range(first..).take_while(|(found, _)| found == value);
        found.filter_map(|(_, key)| self.objects.get(key)).map(|entry| entry.object.clone()).collect()
    }

    pub(super) fn forget(&mut self, key: &ObjectKey) -> Option<Entry<K>> {
        let entry = self.objects.remove(key)?;
        if let Some(owner) = controller_of(entry.object.meta()) {
            self.owned.remove(&(owner.uid.clone(), key.clone()));
        }
        for index in &mut self.indexes {
            index.remove(key);
        }
        Some(entry)
    }
}
