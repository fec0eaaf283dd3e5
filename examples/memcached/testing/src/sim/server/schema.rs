//! What is known of a kind's fields: enough to own, merge, default and check them. Built-in kinds have it from
//! `types.txt`, custom ones from their definitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::rules::Rules;

/// The type of a value.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) shape: Shape,
    /// What a definition says beyond the shape; none for built-in kinds.
    pub(super) rules: Option<Box<Rules>>,
}

/// How a value is put together, which decides who owns what of it.
#[derive(Debug, Default)]
pub(super) enum Shape {
    /// Anything: maps are merged, lists are not.
    #[default]
    Any,
    Scalar(Scalar),
    List {
        items: Arc<Schema>,
        relation: Relation,
    },
    Map(Map),
}

#[derive(Debug, Default)]
pub(super) struct Map {
    pub(super) fields: BTreeMap<String, Field>,
    /// The type of what is under any other key; none if there must not be any.
    pub(super) element: Option<Arc<Schema>>,
    /// Owned as a whole.
    pub(super) atomic: bool,
}

/// A named field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) schema: Arc<Schema>,
    /// Absent and zero are different things.
    pub(super) pointer: bool,
    /// Written even when it is empty.
    pub(super) always: bool,
    /// For keys of lists.
    pub(super) default: Option<Value>,
    /// The key by which a strategic merge patch merges a list; empty for a set.
    pub(super) merge_key: Option<String>,
    /// A strategic merge patch replaces it.
    pub(super) replace: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
    Quantity,
    Time,
    MicroTime,
    Bytes,
}

/// What a list is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// One value.
    Atomic,
    /// Values, each owned by itself.
    Set,
    /// Objects, each owned by itself, with these fields as their key.
    Map(Vec<String>),
}

impl Schema {
    pub(super) fn new(shape: Shape) -> Arc<Self> {
        Arc::new(Self { shape, rules: None })
    }

    /// The type of what is under `key` of a map.
    pub(super) fn under(&self, key: &str) -> Option<&Arc<Schema>> {
        match &self.shape {
            Shape::Map(map) => map.under(key),
            _ => None,
        }
    }
}

impl Map {
    pub(super) fn under(&self, key: &str) -> Option<&Arc<Schema>> {
        self.fields.get(key).map(|field| &field.schema).or(self.element.as_ref())
    }
}
