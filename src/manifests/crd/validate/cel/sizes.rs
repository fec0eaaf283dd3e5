//! How large a value can be, as its schema says.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::types::unescape;
use crate::manifests::crd::validate::schema::Schema;

/// The largest request, in bytes.
pub(super) const REQUEST: u64 = 3 * 1024 * 1024;

/// The least and the greatest size of a value: characters, items or entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Size {
    pub(super) const UNKNOWN: Self = Self { min: 0, max: u64::MAX };

    pub(super) fn exactly(size: u64) -> Self {
        Self { min: size, max: size }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// What holds for both.
    pub(super) fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// What a path from an object leads to.
#[derive(Clone, Copy)]
pub(super) enum Spot<'a> {
    /// A value with this schema; with `true`, it is a whole object.
    Schema(Schema<'a>, bool),
    /// The metadata of a whole object.
    Metadata,
    /// A text that every object has.
    Text,
    /// Keys are texts of whose size nothing is noted.
    Key,
    Nowhere,
}

impl<'a> Spot<'a> {
    /// What is one step further.
    pub(super) fn step(self, step: &str) -> Self {
        let Self::Schema(schema, whole) = self else {
            return match (self, step) {
                (Self::Metadata, "name" | "generateName") => Self::Text,
                (Self::Key, _) => Self::Key,
                _ => Self::Nowhere,
            };
        };
        let inner = |inner: Schema<'a>| Self::Schema(inner, inner.embedded());
        match (step, schema.additional()) {
            ("@items" | "@values", values) => schema.items().or(values).map_or(Self::Nowhere, inner),
            ("@keys", Some(_)) => Self::Key,
            ("apiVersion" | "kind", _) if whole => Self::Text,
            ("metadata", _) if whole => Self::Metadata,
            (_, Some(_)) => Self::Nowhere,
            (name, None) => {
                unescape(name).and_then(|name| schema.property(&name)).map_or(Self::Nowhere, inner)
            }
        }
    }
}

/// The sizes of schemas that were looked at, by their place in memory.
#[derive(Default)]
pub(super) struct Sizes {
    smallest: RefCell<HashMap<*const Map<String, Value>, u64>>,
    largest: RefCell<HashMap<*const Map<String, Value>, u64>>,
}

impl Sizes {
    /// The greatest size of what is at a spot, if anything is.
    pub(super) fn at(&self, spot: Spot<'_>) -> Option<u64> {
        match spot {
            Spot::Schema(schema, _) => Some(self.largest(schema)),
            Spot::Metadata | Spot::Key => Some(0),
            Spot::Text => Some(REQUEST - 2),
            Spot::Nowhere => None,
        }
    }

    fn largest(&self, schema: Schema<'_>) -> u64 {
        let key = std::ptr::from_ref(schema.0);
        let known = self.largest.borrow().get(&key).copied();
        known.unwrap_or_else(|| {
            let size = largest(schema, self);
            self.largest.borrow_mut().insert(key, size);
            size
        })
    }

    /// The bytes that the smallest value has in JSON.
    pub(super) fn smallest(&self, schema: Schema<'_>) -> u64 {
        let key = std::ptr::from_ref(schema.0);
        let known = self.smallest.borrow().get(&key).copied();
        known.unwrap_or_else(|| {
            let size = smallest(schema, self);
            self.smallest.borrow_mut().insert(key, size);
            size
        })
    }
}

fn number(schema: Schema<'_>, key: &str) -> Option<u64> {
    let number = schema.get(key)?;
    Some(number.as_u64().unwrap_or_default())
}

fn largest(schema: Schema<'_>, sizes: &Sizes) -> u64 {
    let length = number(schema, "maxLength");
    if schema.int_or_string() {
        return length.map_or(REQUEST - 2, |length| length.saturating_mul(4));
    }
    match schema.kind() {
        "array" => number(schema, "maxItems")
            .unwrap_or_else(|| (REQUEST - 2) / (schema.items().map_or(1, |items| sizes.smallest(items)) + 1)),
        "object" => match schema.additional() {
            Some(values) => number(schema, "maxProperties")
                .unwrap_or_else(|| (REQUEST - 2) / (sizes.smallest(values) + 6)),
            None => 0,
        },
        "string" => match schema.text("format") {
            Some("byte") => length.unwrap_or(REQUEST - 2),
            Some("date") => 12,
            Some("date-time" | "duration") => 32,
            _ => match (length, schema.list("enum")) {
                (Some(length), _) => length.saturating_mul(4),
                (None, []) => REQUEST - 2,
                (None, values) => {
                    values.iter().filter_map(|v| Some(v.as_str()?.len() as u64)).max().unwrap_or(0)
                }
            },
        },
        _ => 0,
    }
}

fn smallest(schema: Schema<'_>, sizes: &Sizes) -> u64 {
    if schema.int_or_string() {
        return 1;
    }
    match schema.kind() {
        "boolean" => 4,
        "string" => match schema.text("format") {
            Some("date") => 12,
            Some("date-time") => 21,
            Some("duration") => 3,
            _ => 2,
        },
        "object" if schema.additional().is_none() => {
            let required: HashSet<&str> = schema.strings("required").collect();
            let needed = |(name, field): &(&str, Schema<'_>)| {
                required.contains(name) && field.get("default").is_none()
            };
            let field = |(name, field): (&str, Schema<'_>)| name.len() as u64 + sizes.smallest(field) + 4;
            schema.properties().filter(needed).map(field).sum::<u64>() + 2
        }
        "array" | "object" => 2,
        _ => 1,
    }
}
