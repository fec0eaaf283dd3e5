//! What is below `allOf`, `anyOf`, `oneOf` and `not`: nothing but conditions on values, and only on fields that the
//! schema has outside of them.

use serde_json::Value;

use super::findings::Findings;
use super::schema::{JUNCTORS, Schema};
use super::{structural, values};
use crate::manifests::crd::place::Place;

/// Keywords that say what a value is.
const STRUCTURE: [&str; 10] = [
    "default",
    "description",
    "nullable",
    "title",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Checks all schemas joined to `schema`, which is at `place`.
pub(super) fn check(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    joined(schema, schema, place, findings);
}

/// Checks what is joined to `rules`, a schema that talks about values of `structure`.
fn joined(rules: Schema<'_>, structure: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let own = std::ptr::eq(rules.0, structure.0);
    for keyword in JUNCTORS {
        if keyword == "anyOf" && own && integer_or_string(rules) {
            continue;
        }
        for (index, inner) in rules.joined(keyword).enumerate() {
            if keyword == "allOf" && index == 0 && own && inner.0.len() == 1 && integer_or_string(inner) {
                continue;
            }
            nested(inner, Some(structure), &place.junctor(keyword, Some(index)), findings);
        }
    }
    if let Some(inner) = rules.child("not") {
        nested(inner, Some(structure), &place.junctor("not", None), findings);
    }
}

/// `anyOf: [{type: integer}, {type: string}]`, which may name types: at a schema itself or first in its `allOf`.
fn integer_or_string(schema: Schema<'_>) -> bool {
    let types: Vec<_> = schema.joined("anyOf").map(|s| if s.0.len() == 1 { s.kind() } else { "" }).collect();
    types == ["integer", "string"]
}

fn nested(rules: Schema<'_>, structure: Option<Schema<'_>>, place: &Place<'_>, findings: &mut Findings) {
    let Some(structure) = structure else {
        let hint = "declare every field that a condition talks about in the struct itself";
        findings.refuse(place, "a condition on something that the type does not have", hint);
        return;
    };
    if !structural::keywords(rules, place, findings) {
        return;
    }
    if !rules.kind().is_empty() {
        findings.refuse(
            place,
            "names a type, where only conditions on the value may be",
            "take `type` out of the inner schema: the field's own type holds there too",
        );
    }
    for keyword in STRUCTURE {
        let set = match rules.get(keyword) {
            None | Some(Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(list)) => !list.is_empty(),
            Some(_) => true,
        };
        if set {
            let what = format!("says `{keyword}`, where only conditions on the value may be");
            findings.refuse(place, what, format!("move `{keyword}` out of the inner schema"));
        }
    }
    if rules.get("additionalProperties").is_some_and(|value| *value != Value::Bool(false)) {
        let what = "says `additionalProperties`, where only conditions on the value may be";
        findings.refuse(place, what, "move `additionalProperties` out of the inner schema");
    }
    values::check(rules, structure, place, findings);
    if let Some(items) = rules.items() {
        nested(items, structure.items(), &place.item(), findings);
    }
    for (name, inner) in rules.properties() {
        let field = place.field(name);
        if name == "metadata" {
            let hint = "write a rule in CEL on the kind: `#[kube(validation = \"…\")]`";
            findings.refuse(&field, "no condition may talk about metadata here", hint);
        } else {
            nested(inner, structure.property(name), &field, findings);
        }
    }
    joined(rules, structure, place, findings);
}
