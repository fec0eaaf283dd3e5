//! Structural schemas: each value has one type, and the whole tree of fields can be seen without evaluating anything.
//!
//! See <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>.

use serde_json::Value;

use super::findings::Findings;
use super::schema::Schema;
use crate::manifests::crd::place::Place;

/// Every keyword of a schema in a definition.
const KEYWORDS: [&str; 43] = [
    "$ref",
    "$schema",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "definitions",
    "dependencies",
    "description",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "id",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
];
const VALIDATIONS: &str = "x-kubernetes-validations";

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What to write for a value of any shape.
const ANY: &str = "for a value of any shape, keep `serde_json::Value` and add \
    `#[schemars(extend(\"x-kubernetes-preserve-unknown-fields\" = true))]`";

/// Every keyword of a schema in a definition.
pub(in crate::manifests::crd) fn all() -> impl Iterator<Item = &'static str> {
    KEYWORDS.into_iter().chain([VALIDATIONS])
}

/// Checks one schema, not those in it. Whether it is worth looking into it any further.
pub(super) fn check(schema: Schema<'_>, place: &Place<'_>, root: bool, findings: &mut Findings) -> bool {
    if !keywords(schema, place, findings) {
        return false;
    }
    let kind = schema.kind();
    if kind == "null" || !(kind.is_empty() || TYPES.contains(&kind)) {
        findings.refuse(
            place,
            format_args!("`{kind}` is no type of a field"),
            format!("types are {}; what may be null is an `Option`", list(&TYPES)),
        );
        return false;
    }
    if kind.is_empty() && !schema.int_or_string() && !schema.preserves() {
        untyped(schema, place, findings);
        return false;
    }
    if kind == "array" && schema.get("items").is_none() {
        findings.refuse(
            place,
            "a list without a type of its items",
            "name the type of the items: `Vec<String>`, `Vec<MyStruct>`",
        );
    }
    if schema.get("additionalProperties").is_some() {
        additional(schema, place, root, findings);
    }
    if schema.int_or_string() && (schema.preserves() || schema.embedded()) {
        findings.refuse(
            place,
            "an integer or a string has no fields to preserve",
            "use `IntOrString` of `k8s_openapi`, or `serde_json::Value`, but not both",
        );
    }
    true
}

/// Checks that all keywords of a schema are allowed in definitions, also in those below `allOf` and its like.
pub(super) fn keywords(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) -> bool {
    let before = findings.count();
    for (key, value) in schema.0 {
        let (what, hint) = match (key.as_str(), value) {
            ("$ref", _) => (
                "a recursive type, which no definition can describe".to_owned(),
                "break the circle: keep the inner part as `serde_json::Value` with \
                 `#[schemars(extend(\"x-kubernetes-preserve-unknown-fields\" = true))]`, or flatten it into a list",
            ),
            ("items", Value::Array(_)) => (
                "a tuple, which no definition can describe".to_owned(),
                "write a struct with named fields in place of a tuple",
            ),
            // comes with a tuple
            ("additionalItems", _) if schema.get("items").is_some_and(Value::is_array) => continue,
            ("patternProperties", Value::Object(patterns)) if !patterns.is_empty() => (
                "a map whose keys are not strings".to_owned(),
                "write `BTreeMap<String, T>` and parse the keys where they are used",
            ),
            ("uniqueItems", Value::Bool(true)) => (
                "`uniqueItems` is not allowed".to_owned(),
                "write `#[x_kube(merge_strategy = ListMerge::Set)]` for a list of distinct values",
            ),
            ("x-kubernetes-preserve-unknown-fields", Value::Bool(false)) => (
                "`x-kubernetes-preserve-unknown-fields` can be true or absent".to_owned(),
                "leave it out: unknown fields are dropped without it",
            ),
            ("$schema" | "id", Value::String(text)) if text.is_empty() => continue,
            ("definitions" | "patternProperties", Value::Object(inner)) if inner.is_empty() => continue,
            (
                "$schema" | "id" | "definitions" | "dependencies" | "additionalItems" | "patternProperties",
                _,
            ) => (format!("`{key}` is not allowed"), "leave the keyword out of the schema"),
            (VALIDATIONS, _) => continue,
            (key, _) if KEYWORDS.binary_search(&key).is_ok() => continue,
            (key, _) => (
                format!("`{key}` is no keyword of a definition's schema"),
                "take the keyword out of `#[schemars(extend(…))]`; the API server knows those of \
                 `JSONSchemaProps` only",
            ),
        };
        findings.refuse(place, what, hint);
    }
    findings.count() == before
}

fn untyped(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let null_alone = schema.list("enum").iter().all(Value::is_null) && !schema.list("enum").is_empty();
    if null_alone {
        let hint = "leave the field out, or write a struct with braces: `struct Nothing {}`";
        findings.refuse(place, "a unit type, which is always null", hint);
    } else if !schema.list("anyOf").is_empty() || !schema.list("oneOf").is_empty() {
        findings.refuse(
            place,
            "an enum whose variants have different types",
            "take away `#[serde(untagged)]`, so that the variant's name is a field; for a number or a string use \
             `IntOrString` of `k8s_openapi`",
        );
    } else {
        findings.refuse(place, "a value without a type", ANY);
    }
}

fn additional(schema: Schema<'_>, place: &Place<'_>, root: bool, findings: &mut Findings) {
    if root {
        let hint = "keep free fields in a map of their own: `pub data: BTreeMap<String, String>`";
        findings.refuse(place, "an object of the API cannot be a map", hint);
    } else if schema.has_properties() && schema.get("additionalProperties") != Some(&Value::Bool(true)) {
        findings.refuse(
            place,
            "has fields of its own and is a map as well",
            "keep free fields in a field of type `BTreeMap<String, T>`, or flatten a \
             `BTreeMap<String, serde_json::Value>`",
        );
    } else if schema.embedded() {
        findings.refuse(place, "an embedded object cannot be a map", "describe its fields");
    }
}

/// "`a`, `b`".
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
