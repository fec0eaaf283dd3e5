//! What the top of an object must look like: type, `apiVersion`, `kind`, `metadata`.

use serde_json::Value;

use super::findings::Findings;
use super::schema::Schema;
use crate::manifests::crd::place::Place;

/// What may stand at the top of a kind that has a status subresource, because the status is checked on its own.
const AT_ROOT: [&str; 25] = [
    "$schema",
    "description",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "id",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Checks the schema of a whole object.
pub(super) fn root(schema: Schema<'_>, has_status: bool, place: &Place<'_>, findings: &mut Findings) {
    if schema.kind() != "object" {
        let hint = "derive `CustomResource` on a struct or an enum with data";
        findings.refuse(place, "the object itself is not of type object", hint);
    }
    if schema.is("nullable") {
        findings.refuse(place, "the object itself cannot be null", "put `Option` on its fields");
    }
    if has_status {
        for (key, value) in schema.0 {
            let empty = match value {
                Value::Null | Value::Bool(false) => true,
                Value::Array(list) => list.is_empty(),
                _ => false,
            };
            if !empty && AT_ROOT.binary_search(&key.as_str()).is_err() {
                findings.refuse(
                    place,
                    format_args!("`{key}` cannot be at the top of a kind that has a status"),
                    "put it on the struct of `.spec`, or write a rule in CEL: `#[kube(validation = \"…\")]`",
                );
            }
        }
    }
    if let Some(metadata) = schema.property("metadata") {
        let other = metadata.0.keys().any(|key| !["type", "properties"].contains(&key.as_str()))
            || metadata.properties().any(|(name, _)| !["name", "generateName"].contains(&name));
        if other {
            findings.refuse(
                &place.field("metadata"),
                "says more than what `name` and `generateName` look like",
                "write a rule in CEL on the kind: `#[kube(validation = \"self.metadata.name …\")]`",
            );
        }
    }
    envelope(schema, place, findings);
}

/// Checks a schema that is marked as that of a whole object; `in_meta` when it is below the metadata of another.
pub(super) fn embedded(schema: Schema<'_>, in_meta: bool, place: &Place<'_>, findings: &mut Findings) {
    if schema.kind() != "object" {
        let hint = "put `x-kubernetes-embedded-resource` on a struct";
        findings.refuse(place, "an embedded object that is not of type object", hint);
    } else if !schema.has_properties() && !schema.preserves() {
        findings.refuse(
            place,
            "an embedded object without a field, of which nothing would be stored",
            "add `#[schemars(extend(\"x-kubernetes-preserve-unknown-fields\" = true))]`",
        );
    }
    if in_meta {
        findings.refuse(place, "an embedded object within metadata", "embed it in the spec or the status");
    }
    envelope(schema, place, findings);
}

/// The fields that every object has.
fn envelope(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    for (name, kind) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
        if schema.property(name).is_some_and(|field| field.kind() != kind) {
            findings.refuse(
                &place.field(name),
                format_args!("is of type {kind} in every object"),
                "give the field another name",
            );
        }
    }
}
