//! Who owns which fields: `metadata.managedFields`, and what updates and applies do to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::field_set::FieldSet;
use super::schema::Schema;
use super::typed;

/// How many managers may own fields by updates.
const UPDATERS: usize = 10;

/// The version of scales.
const SCALE: &str = "autoscaling/v1";

/// Who owns fields: a name and the way they were set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Manager {
    name: String,
    operation: &'static str,
    /// An apply owns in all versions.
    version: String,
    subresource: String,
}

#[derive(Clone, Debug)]
struct Owned {
    version: String,
    set: FieldSet,
    time: Value,
}

/// Every manager's fields of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Managers(BTreeMap<Manager, Owned>);

/// An operation by a manager, on an object of a kind.
pub(super) struct Operation<'a> {
    pub(super) schema: &'a Schema,
    pub(super) api_version: &'a str,
    pub(super) manager: &'a str,
    pub(super) subresource: &'a str,
    /// What this way of writing does not write; nobody owns it by it.
    pub(super) ignored: &'a FieldSet,
    pub(super) now: &'a str,
}

/// What others own that an apply would change.
#[derive(Debug)]
pub(super) struct Conflicts(pub(super) Vec<(String, Vec<String>)>);

impl Managers {
    pub(super) fn read(object: &Value) -> Option<Self> {
        let mut managers = BTreeMap::new();
        for entry in object["metadata"]["managedFields"].as_array().into_iter().flatten() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            let operation = match entry["operation"].as_str() {
                Some("Apply") => "Apply",
                Some("Update") => "Update",
                _ => return None,
            };
            if entry["fieldsType"] != "FieldsV1" || text("apiVersion").is_empty() {
                return None;
            }
            let version = if operation == "Apply" { String::new() } else { text("apiVersion") };
            let manager =
                Manager { name: text("manager"), operation, version, subresource: text("subresource") };
            let owned = Owned {
                version: text("apiVersion"),
                set: FieldSet::read(&entry["fieldsV1"]),
                time: entry["time"].clone(),
            };
            managers.insert(manager, owned);
        }
        Some(Self(managers))
    }

    /// Those of an object that is written: its own if it says any, else those of the object that was there.
    pub(super) fn of_update(old: &Value, new: &Value, subresource: bool) -> Self {
        let entries = new["metadata"]["managedFields"].as_array();
        let reset = entries.is_some_and(|entries| match entries.as_slice() {
            [] => true,
            [only] => only.as_object().is_some_and(serde_json::Map::is_empty),
            _ => false,
        });
        if !subresource && reset {
            return Self::default();
        }
        let own = Self::read(new).filter(|own| !subresource && !own.0.is_empty());
        own.or_else(|| Self::read(old)).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn write(&self) -> Vec<Value> {
        written(self.0.iter().collect())
    }

    /// The entries of a scale: those of the replicas of its object, which are at `path`.
    pub(super) fn of_scale(&self, path: &str) -> Vec<Value> {
        let replicas = FieldSet::of(&[&path.split('.').collect::<Vec<_>>()]);
        let owners = self.0.iter().filter(|(_, owned)| !owned.set.intersection(&replicas).is_empty());
        let set = FieldSet::of(&[&["spec", "replicas"]]);
        let owners: Vec<_> = owners
            .map(|(manager, owned)| {
                (
                    manager.clone(),
                    Owned { version: SCALE.to_owned(), set: set.clone(), time: owned.time.clone() },
                )
            })
            .collect();
        written(owners.iter().map(|(manager, owned)| (manager, owned)).collect())
    }

    /// The entries of an object whose replicas are owned as those of `scale` are. The API server takes no updater of the
    /// two for the same, as it compares them with their versions, and knows no time of who is new.
    pub(super) fn rescaled(self, scale: &Value, path: &str, api_version: &str) -> Vec<Value> {
        let replicas = FieldSet::of(&[&path.split('.').collect::<Vec<_>>()]);
        let of_scale = FieldSet::of(&[&["spec", "replicas"]]);
        let mut left = Self::read(scale).unwrap_or_default().0;
        let mut entries: Vec<(Manager, Owned)> = Vec::new();
        let parents: Vec<Manager> = self.0.keys().cloned().collect();
        for (manager, mut owned) in self.0 {
            let owns = !owned.set.intersection(&replicas).is_empty();
            if owns && left.remove(&manager).is_none() {
                owned.set = owned.set.difference(&replicas);
            }
            if !owned.set.is_empty() {
                entries.push((manager, owned));
            }
        }
        for (manager, owned) in left {
            if owned.set.intersection(&of_scale).is_empty() {
                continue;
            }
            let known = parents.contains(&manager).then(|| {
                entries.iter().find(|(other, _)| *other == manager).map(|(_, owned)| owned.time.clone())
            });
            let time = known.flatten().unwrap_or_default();
            entries.retain(|(other, _)| *other != manager);
            entries.push((manager, Owned { version: api_version.to_owned(), set: replicas.clone(), time }));
        }
        written(entries.iter().map(|(manager, owned)| (manager, owned)).collect())
    }

    fn manager(operation: &Operation<'_>, way: &'static str) -> Manager {
        Manager {
            name: if operation.manager.is_empty() { "unknown" } else { operation.manager }.to_owned(),
            operation: way,
            version: if way == "Apply" { String::new() } else { operation.api_version.to_owned() },
            subresource: operation.subresource.to_owned(),
        }
    }

    /// The others lose what is changed or gone. Conflicts are an error unless `force`d.
    fn take(
        &mut self,
        operation: &Operation<'_>,
        old: &Value,
        new: &Value,
        myself: Option<&Manager>,
        force: bool,
    ) -> Result<typed::Comparison, Conflicts> {
        let mut compared = typed::compare(operation.schema, old, new);
        compared.removed = compared.removed.without(operation.ignored);
        compared.modified = compared.modified.without(operation.ignored);
        compared.added = compared.added.without(operation.ignored);
        let changed = compared.modified.union(&compared.added);
        let others = |managers: &Self| -> Vec<Manager> {
            managers.0.keys().filter(|manager| Some(*manager) != myself).cloned().collect()
        };
        let mut conflicts = Vec::new();
        for manager in others(self) {
            let both = self.0[&manager].set.intersection(&changed);
            if !both.is_empty() {
                conflicts.push((manager, both));
            }
        }
        if !force && !conflicts.is_empty() {
            let said = conflicts.into_iter().map(|(manager, set)| (self.describe(&manager), set.paths()));
            return Err(Conflicts(said.collect()));
        }
        for (manager, both) in conflicts {
            if let Some(owned) = self.0.get_mut(&manager) {
                owned.set = owned.set.difference(&both);
            }
        }
        for manager in others(self) {
            if let Some(owned) = self.0.get_mut(&manager) {
                owned.set = owned.set.difference(&compared.removed);
            }
        }
        self.0.retain(|manager, owned| Some(manager) == myself || !owned.set.is_empty());
        Ok(compared)
    }

    fn describe(&self, manager: &Manager) -> String {
        let Some(owned) = self.0.get(manager) else { return manager.name.clone() };
        let mut text = format!("\"{}\"", manager.name);
        if !manager.subresource.is_empty() {
            text = format!("{text} with subresource \"{}\"", manager.subresource);
        }
        if manager.operation == "Update" {
            text = format!("{text} using {}", owned.version);
            if let Some(time) = owned.time.as_str() {
                text = format!("{text} at {time}");
            }
        }
        text
    }

    /// Writes who owns what after an update from `old` to `new`, neither of which has managers.
    pub(super) fn update(&mut self, operation: &Operation<'_>, old: &Value, new: &Value) {
        let manager = Self::manager(operation, "Update");
        let Ok(compared) = self.take(operation, old, new, None, true) else { return };
        let set = compared.modified.union(&compared.added).without(operation.ignored).difference(&unowned());
        if !set.is_empty() {
            let time = Value::from(operation.now);
            let owned = self.0.entry(manager).or_insert_with(|| Owned {
                version: operation.api_version.to_owned(),
                set: FieldSet::default(),
                time: Value::Null,
            });
            owned.set = owned.set.union(&set);
            owned.time = time;
        }
        self.cap();
    }

    /// Merges the oldest updaters' fields when there are too many.
    fn cap(&mut self) {
        let mut updaters: Vec<_> =
            self.0.iter().filter(|(manager, _)| manager.operation == "Update").collect();
        let mut count = updaters.len();
        if count <= UPDATERS {
            return;
        }
        updaters.sort_by_key(|(manager, owned)| {
            (owned.time.as_str().unwrap_or_default().to_owned(), (*manager).clone())
        });
        let updaters: Vec<Manager> = updaters.into_iter().map(|(manager, _)| manager.clone()).collect();
        let mut first: BTreeMap<String, Manager> = BTreeMap::new();
        for manager in updaters {
            if count <= UPDATERS {
                break;
            }
            let version = self.0[&manager].version.clone();
            let Some(first) = first.get(&version) else {
                first.insert(version, manager);
                continue;
            };
            let bucket = Manager {
                name: "ancient-changes".to_owned(),
                operation: "Update",
                version,
                subresource: String::new(),
            };
            if !self.0.contains_key(&bucket)
                && let Some(owned) = self.0.remove(first)
            {
                self.0.insert(bucket.clone(), owned);
            }
            if let Some(owned) = self.0.remove(&manager)
                && let Some(all) = self.0.get_mut(&bucket)
            {
                all.set = all.set.union(&owned.set);
                all.time = owned.time;
            }
            count -= 1;
        }
    }

    /// Merges `config` into `old`. Returns the new object, or none if it is the same.
    pub(super) fn apply(
        &mut self,
        operation: &Operation<'_>,
        old: &Value,
        config: &Value,
        force: bool,
    ) -> Result<Option<Value>, Conflicts> {
        let manager = Self::manager(operation, "Apply");
        let merged = typed::merge(operation.schema, Some(old), Some(config)).unwrap_or_default();
        let set = typed::fields_of(operation.schema, config).without(operation.ignored);
        let owned = Owned { version: operation.api_version.to_owned(), set, time: Value::Null };
        let last = self.0.insert(manager.clone(), owned);
        let new = match &last {
            Some(last) if !last.set.is_empty() => self.prune(operation.schema, &merged, &last.set),
            _ => merged,
        };
        if let Some(last) = &last
            && let Some(owned) = self.0.get_mut(&manager)
        {
            owned.time = last.time.clone();
        }
        self.take(operation, old, &new, Some(&manager), force)?;
        let same = *old == new;
        if let Some(owned) = self.0.get_mut(&manager) {
            owned.set = owned.set.difference(&unowned());
            if !same {
                owned.time = Value::from(operation.now);
            }
            if owned.set.is_empty() {
                self.0.remove(&manager);
            }
        }
        Ok((!same).then_some(new))
    }

    /// Removes what the manager applied last and does not apply any more, unless somebody else owns it.
    fn prune(&self, schema: &Schema, merged: &Value, last: &FieldSet) -> Value {
        let with_parents = |set: &FieldSet| set.with_parents(Some(schema));
        let fields = |value: &Value| with_parents(&typed::fields_of(schema, value));
        let remove = |set: &FieldSet| typed::remove(schema, merged, set).unwrap_or_default();
        let pruned = remove(&with_parents(last));
        let all = self.0.values().fold(FieldSet::default(), |all, owned| all.union(&owned.set));
        let merged_set = fields(merged);
        let pruned = remove(&merged_set.difference(&fields(&pruned).union(&with_parents(&all))));
        remove(&merged_set.difference(&fields(&pruned)).intersection(&with_parents(last)))
    }
}

fn written(mut entries: Vec<(&Manager, &Owned)>) -> Vec<Value> {
    entries.sort_by_key(|(manager, owned)| {
        let time = owned.time.as_str().unwrap_or_default().to_owned();
        (manager.operation, time, manager.name.clone(), owned.version.clone(), manager.subresource.clone())
    });
    let entries = entries.into_iter().map(|(manager, owned)| {
        let mut entry = json!({
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": owned.version,
            "fieldsType": "FieldsV1",
            "fieldsV1": owned.set.write(),
        });
        if !manager.subresource.is_empty() {
            entry["subresource"] = json!(manager.subresource);
        }
        if !owned.time.is_null() {
            entry["time"] = owned.time.clone();
        }
        entry
    });
    entries.collect()
}

/// What nobody owns.
fn unowned() -> FieldSet {
    FieldSet::of(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}
