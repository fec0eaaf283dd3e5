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

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use fields::Fields;
use fingerprint::fingerprint;
pub(super) use serde_names::{of_field, of_variant, setting};

const TEXT: &str = include_str!("kubernetes.json");

type Schema = Map<String, Value>;

/// A type of Kubernetes.
#[derive(Deserialize)]
struct Type {
    /// Fingerprints, in base 16.
    is: Vec<String>,
    patch: Schema,
}

/// Completes `schema` if it is that of a type of Kubernetes, but not the schemas in it. What it says already stays.
pub fn complete(schema: &mut Schema) {
    let data = data();
    if let Some(known) = fingerprint(schema).and_then(|fingerprint| data.names.get(&fingerprint)) {
        of_type(schema, known);
    }
}

/// The same for a schema of a known type.
fn of_type(schema: &mut Schema, name: &str) {
    if let Some(known) = data().types.get(name) {
        apply(schema, &known.patch);
    }
}

/// The file, read.
struct Data {
    types: HashMap<&'static str, Type>,
    /// By fingerprint.
    names: HashMap<u64, &'static str>,
}

fn data() -> &'static Data {
    static READ: OnceLock<Data> = OnceLock::new();
    READ.get_or_init(|| {
        // A test holds the file to its form, so that this is never empty.
        let types: HashMap<&str, Type> = serde_json::from_str(TEXT).unwrap_or_default();
        let names = types.iter().flat_map(|(name, known)| {
            known.is.iter().filter_map(|hex| Some((u64::from_str_radix(hex, 16).ok()?, *name)))
        });
        Data { names: names.collect(), types }
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
