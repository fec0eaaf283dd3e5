//! How lists and maps are merged: `x-kubernetes-list-type`, `-list-map-keys` and `-map-type`.

use std::collections::HashSet;

use super::findings::Findings;
use super::schema::Schema;
use super::structural::list;
use crate::manifests::crd::place::Place;

/// Most fields that a hint names.
const FIELDS: usize = 20;

/// Checks one schema, not those in it.
pub(super) fn check(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    if let Some(kind) = schema.text("x-kubernetes-map-type") {
        map(schema, kind, place, findings);
    }
    let keys: Vec<&str> = schema.strings("x-kubernetes-list-map-keys").collect();
    let Some(kind) = schema.text("x-kubernetes-list-type") else {
        if !keys.is_empty() {
            let hint = "write `#[x_kube(merge_strategy = ListMerge::Map(…))]`, which says both";
            findings.refuse(place, "keys of a list that is not merged by keys", hint);
        }
        return;
    };
    if schema.kind() != "array" {
        findings.refuse(
            place,
            "`ListMerge` on what is not a list",
            "write `MapMerge` for a map, and nothing for a single value",
        );
        return;
    }
    match kind {
        "atomic" => {}
        "set" => set(schema, place, findings),
        "map" => by_keys(schema, &keys, place, findings),
        other => {
            let hint = format!("kinds are {}", list(&["atomic", "set", "map"]));
            findings.refuse(place, format_args!("`{other}` is no kind of list"), hint);
        }
    }
    if kind != "map" && !keys.is_empty() {
        let hint = "write `#[x_kube(merge_strategy = ListMerge::Map(…))]`, which says both";
        findings.refuse(place, "keys of a list that is not merged by keys", hint);
    }
    if kind != "atomic" && schema.items().is_some_and(|items| items.is("nullable")) {
        findings.refuse(
            &place.item(),
            "an item that may be null in a list that is merged by its items",
            "write `Vec<T>` in place of `Vec<Option<T>>`, or `ListMerge::Atomic`",
        );
    }
}

fn map(schema: Schema<'_>, kind: &str, place: &Place<'_>, findings: &mut Findings) {
    if schema.kind() != "object" {
        findings.refuse(
            place,
            "`MapMerge` on what is neither a map nor a struct",
            "write `ListMerge` for a list, and nothing for a single value",
        );
    } else if !["atomic", "granular"].contains(&kind) {
        let hint = format!("kinds are {}", list(&["atomic", "granular"]));
        findings.refuse(place, format_args!("`{kind}` is no kind of map"), hint);
    }
}

fn set(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let kind = schema.items().map(Schema::kind).unwrap_or_default();
    if ["array", "object"].contains(&kind) {
        findings.refuse(
            place,
            "a set of lists or structs, which server-side apply does not support",
            "merge by a field that names the item: `#[x_kube(merge_strategy = ListMerge::Map(vec![\"name\".into()]))]`, \
             or write `ListMerge::Atomic`",
        );
    }
}

fn by_keys(schema: Schema<'_>, keys: &[&str], place: &Place<'_>, findings: &mut Findings) {
    if keys.is_empty() {
        let hint = "name the fields: `ListMerge::Map(vec![\"name\".into()])`";
        findings.refuse(place, "a list merged by keys, but without a key", hint);
    }
    let Some(items) = schema.items() else {
        return;
    };
    if items.kind() != "object" {
        let hint = "write `ListMerge::Set` for a list of strings or numbers";
        findings.refuse(place, "merged by keys, but its items are not structs", hint);
        return;
    }
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            findings.refuse(place, format_args!("merged by `{key}` twice"), "name each key once");
            continue;
        }
        let Some(field) = items.property(key) else {
            let fields: Vec<&str> = items.properties().map(|(name, _)| name).take(FIELDS).collect();
            findings.refuse(
                place,
                format_args!("merged by `{key}`, which its items do not have"),
                format!("a key is one of the items' fields, as it is written in JSON: {}", list(&fields)),
            );
            continue;
        };
        let item = place.item();
        let at = item.field(key);
        if ["array", "object"].contains(&field.kind()) {
            let hint = "choose a string, a number or a boolean as the key";
            findings.refuse(&at, "the key of a list, but not a single value", hint);
        } else if !items.requires(key) && field.get("default").is_none() {
            findings.refuse(
                &at,
                "the key of a list, but it may be absent",
                "make it required (`String` in place of `Option<String>`) or give it a default: \
                 `#[serde(default = \"…\")]`",
            );
        }
        if field.is("nullable") {
            let hint = "write `String` in place of `Option<String>`";
            findings.refuse(&at, "the key of a list, but it may be null", hint);
        }
    }
}
