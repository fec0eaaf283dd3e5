//! Sets of fields, as `managedFields` has them. An element of a path is kept as it is written there: `f:name` for a field,
//! `k:{"name":"x"}` for an item of a list by its key, `v:"x"` for an item of a set.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema::{Schema, Shape};

/// A set of paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FieldSet {
    members: BTreeSet<String>,
    children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// Reads `fieldsV1`.
    pub(super) fn read(fields: &Value) -> Self {
        let mut set = Self::default();
        for (element, below) in fields.as_object().into_iter().flatten() {
            let Some(map) = below.as_object() else { continue };
            if map.is_empty() || map.contains_key(".") {
                set.members.insert(element.clone());
            }
            let mut child = Self::read(below);
            child.members.remove(".");
            if !child.is_empty() {
                set.children.insert(element.clone(), child);
            }
        }
        set
    }

    /// Writes `fieldsV1`.
    pub(super) fn write(&self) -> Value {
        let mut map = Map::new();
        for member in &self.members {
            map.insert(member.clone(), Value::Object(Map::new()));
        }
        for (element, child) in &self.children {
            let mut below = child.write();
            if let (true, Value::Object(below)) = (self.members.contains(element), &mut below) {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            map.insert(element.clone(), below);
        }
        Value::Object(map)
    }

    pub(super) fn of(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<_> = path.iter().map(|name| format!("f:{name}")).collect();
            set.insert(&path);
        }
        set
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// The whole object, the empty path, is not a member of any set.
    pub(super) fn insert(&mut self, path: &[String]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    pub(super) fn has(&self, element: &str) -> bool {
        self.members.contains(element)
    }

    pub(super) fn below(&self, element: &str) -> Option<&Self> {
        self.children.get(element).filter(|child| !child.is_empty())
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.members.extend(other.members.iter().cloned());
        for (element, child) in &other.children {
            match all.children.get_mut(element) {
                Some(own) => *own = own.union(child),
                None => drop(all.children.insert(element.clone(), child.clone())),
            }
        }
        all
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let members = self.members.intersection(&other.members).cloned().collect();
        let children = self.children.iter().filter_map(|(element, child)| {
            let both = child.intersection(other.children.get(element)?);
            (!both.is_empty()).then(|| (element.clone(), both))
        });
        Self { members, children: children.collect() }
    }

    pub(super) fn difference(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        let children = self.children.iter().filter_map(|(element, child)| {
            let left = match other.children.get(element) {
                Some(theirs) => child.difference(theirs),
                None => child.clone(),
            };
            (!left.is_empty()).then(|| (element.clone(), left))
        });
        Self { members, children: children.collect() }
    }

    /// Without the paths of `other` and all below them.
    pub(super) fn without(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        let children = self.children.iter().filter_map(|(element, child)| {
            if other.members.contains(element) {
                return None;
            }
            let left = match other.children.get(element) {
                Some(theirs) => child.without(theirs),
                None => child.clone(),
            };
            (!left.is_empty()).then(|| (element.clone(), left))
        });
        Self { members, children: children.collect() }
    }

    /// With every declared field of which something below is a member.
    pub(super) fn with_parents(&self, schema: Option<&Schema>) -> Self {
        let mut members = self.members.clone();
        let mut children = BTreeMap::new();
        for (element, child) in &self.children {
            let below = match (schema.map(|schema| &schema.shape), element.strip_prefix("f:")) {
                (Some(Shape::Map(map)), Some(name)) => {
                    if map.fields.contains_key(name) {
                        members.insert(element.clone());
                    }
                    map.under(name).map(AsRef::as_ref)
                }
                (Some(Shape::List { items, .. }), _) => Some(items.as_ref()),
                (Some(Shape::Any), _) => schema,
                _ => None,
            };
            children.insert(element.clone(), child.with_parents(below));
        }
        Self { members, children }
    }

    /// The paths as people read them: `.spec.containers[name="x"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, prefix: &str, paths: &mut Vec<String>) {
        for element in &self.members {
            paths.push(format!("{prefix}{}", readable(element)));
        }
        for (element, child) in &self.children {
            child.collect(&format!("{prefix}{}", readable(element)), paths);
        }
    }
}

fn readable(element: &str) -> String {
    match element.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("v", value)) => format!("[={value}]"),
        Some(("k", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let fields: Vec<_> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", fields.join(","))
        }
        _ => format!("[{element}]"),
    }
}
