//! How large a value can be, as its schema says.

use super::types::escape;
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

/// The greatest size of what a path from an object leads to; none when the path leads nowhere.
pub(super) fn at(root: Schema<'_>, whole: bool, path: &[String]) -> Option<u64> {
    let Some((step, rest)) = path.split_first() else {
        return Some(largest(root));
    };
    match (step.as_str(), root.items(), root.additional()) {
        ("@items" | "@values", Some(inner), _) | ("@items" | "@values", None, Some(inner)) => {
            at(inner, inner.embedded(), rest)
        }
        // Keys are texts of whose size nothing is noted.
        ("@keys", _, Some(_)) => Some(0),
        ("apiVersion" | "kind", ..) if whole => rest.is_empty().then_some(REQUEST - 2),
        ("metadata", ..) if whole => match rest {
            [] => Some(0),
            [name] if name == "name" || name == "generateName" => Some(REQUEST - 2),
            _ => None,
        },
        ("@items" | "@values", ..) | (_, _, Some(_)) => None,
        (name, ..) => {
            let mut fields = root.properties();
            let (_, field) = fields.find(|(field, _)| escape(field).as_deref() == Some(name))?;
            at(field, field.embedded(), rest)
        }
    }
}

fn number(schema: Schema<'_>, key: &str) -> Option<u64> {
    let number = schema.get(key)?;
    Some(number.as_u64().unwrap_or_default())
}

fn largest(schema: Schema<'_>) -> u64 {
    let length = number(schema, "maxLength");
    if schema.int_or_string() {
        return length.map_or(REQUEST - 2, |length| length.saturating_mul(4));
    }
    match schema.kind() {
        "array" => number(schema, "maxItems")
            .unwrap_or_else(|| (REQUEST - 2) / (schema.items().map_or(1, smallest) + 1)),
        "object" => match schema.additional() {
            Some(values) => {
                number(schema, "maxProperties").unwrap_or_else(|| (REQUEST - 2) / (smallest(values) + 6))
            }
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

/// The bytes that the smallest value has in JSON.
pub(super) fn smallest(schema: Schema<'_>) -> u64 {
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
            let needed =
                |(name, field): &(&str, Schema<'_>)| schema.requires(name) && field.get("default").is_none();
            schema
                .properties()
                .filter(needed)
                .map(|(name, field)| name.len() as u64 + smallest(field) + 4)
                .sum::<u64>()
                + 2
        }
        "array" | "object" => 2,
        _ => 1,
    }
}
