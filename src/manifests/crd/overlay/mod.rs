//! What k8s-openapi's schemas lack of Kubernetes' own types: list types and map keys, without which server-side apply
//! replaces a whole list of containers; defaults, patterns and bounds; which fields may be left out; and that the
//! content of a `RawExtension` is kept.
//!
//! `kubernetes.json` holds it: for every type the merge patch (RFC 7396) that turns its schema into the one that Go's
//! controller-gen writes for the same type. `generate/` makes that file from the Go types themselves. What an API
//! server publishes of them would not do: it has no patterns and bounds, and a default of zero in every field that is
//! no pointer.
//!
//! schemars inlines, so that no schema says which type it is. A type is known by the names and descriptions of all its
//! fields together (see [`fingerprint`]), in any version of Kubernetes that k8s-openapi knows; a user's type has other
//! words. One choice is ours: the metadata of an embedded object, such as a pod template, has name, namespace, labels,
//! annotations and finalizers, as with controller-gen's `generateEmbeddedObjectMeta`. Without that option Go's
//! definitions have none of them, and lose the labels of every pod template; k8s-openapi's have all of them, four times
//! the text, down to `managedFields`.

mod fields;
mod fingerprint;
mod serde_names;

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use fields::Fields;
use fingerprint::fingerprint;
pub(super) use serde_names::{of_field, of_variant, setting};

const TEXT: &str = include_str!("kubernetes.json");

type Schema = Map<String, Value>;

/// What the file says of a type of Kubernetes, beside its fingerprints in base 16.
#[derive(Deserialize)]
struct Type {
    patch: Schema,
}

/// Completes `schema` if it is that of a type of Kubernetes, but not the schemas in it. What it says already stays.
pub fn complete(schema: &mut Schema) {
    if let Some(known) = fingerprint(schema).and_then(|fingerprint| data().known_by(fingerprint)) {
        apply(schema, known.patch());
    }
}

/// The same for a schema of a known type.
fn of_type(schema: &mut Schema, name: &str) {
    if let Some(known) = data().named(name) {
        apply(schema, known.patch());
    }
}

/// The file's lines: each has one type, and most are never asked for.
struct Data {
    /// By name.
    lines: Vec<Line>,
    /// Positions of lines, by fingerprint.
    fingerprints: Vec<(u64, usize)>,
}

/// The line of a type, and what it says to a schema once that was read.
struct Line {
    name: &'static str,
    text: &'static str,
    patch: OnceLock<Schema>,
}

impl Line {
    fn patch(&self) -> &Schema {
        // A test holds the file to its form, so that this is never empty.
        let read = || serde_json::from_str(self.text).map(|known: Type| known.patch).unwrap_or_default();
        self.patch.get_or_init(read)
    }
}

impl Data {
    fn named(&self, name: &str) -> Option<&Line> {
        Some(&self.lines[self.lines.binary_search_by_key(&name, |line| line.name).ok()?])
    }

    fn known_by(&self, fingerprint: u64) -> Option<&Line> {
        let found = self.fingerprints.binary_search_by_key(&fingerprint, |(known, _)| *known).ok()?;
        Some(&self.lines[self.fingerprints[found].1])
    }
}

fn data() -> &'static Data {
    static READ: OnceLock<Data> = OnceLock::new();
    READ.get_or_init(|| {
        let (mut lines, mut fingerprints) = (Vec::new(), Vec::new());
        for (name, text) in TEXT.lines().filter_map(|line| line.strip_prefix('"')?.split_once('"')) {
            let list = text.strip_prefix(":{\"is\":[").and_then(|rest| rest.split_once(']'));
            let numbers =
                list.into_iter().flat_map(|(list, _)| list.split(',')).map(|hex| hex.trim_matches('"'));
            let numbers = numbers.filter_map(|hex| u64::from_str_radix(hex, 16).ok());
            fingerprints.extend(numbers.map(|fingerprint| (fingerprint, lines.len())));
            lines.push(Line { name, text: text.trim_matches([':', ',']), patch: OnceLock::new() });
        }
        fingerprints.sort_unstable();
        Data { lines, fingerprints }
    })
}

fn apply(schema: &mut Schema, patch: &Schema) {
    for (key, change) in patch {
        match (key.as_str(), change) {
            (_, Value::Null) => {
                schema.remove(key);
            }
            ("properties", Value::Object(changes)) => {
                if let Some(Value::Object(properties)) = schema.get_mut(key) {
                    for (name, change) in changes {
                        apply_to(properties, name, change);
                    }
                }
            }
            ("items" | "additionalProperties", _) => apply_to(schema, key, change),
            ("required", Value::Array(names)) => {
                // a field may be newer than this schema
                let there = |name: &&Value| {
                    let property = name.as_str().and_then(|name| schema.get("properties")?.get(name));
                    property.is_some()
                };
                let names = names.iter().filter(there).cloned().collect();
                schema.insert(key.clone(), Value::Array(names));
            }
            ("description", _) => {
                schema.insert(key.clone(), change.clone());
            }
            _ => {
                schema.entry(key).or_insert_with(|| change.clone());
            }
        }
    }
}

/// Changes the schema at `key`, if there is one.
fn apply_to(parent: &mut Schema, key: &str, change: &Value) {
    match (parent.get_mut(key), change) {
        (_, Value::Null) => {
            parent.remove(key);
        }
        (Some(Value::Object(inner)), Value::Object(change)) => apply(inner, change),
        _ => {}
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
