//! Defaults: they are stored with every object that leaves the field out, so they must be what the schema says.

use serde_json::Value;

use super::findings::Findings;
use super::place::Place;
use super::schema::Schema;
use super::{cel, instance};

const HINT: &str = "write a default that is allowed: `#[serde(default = \"function\")]` or \
    `#[schemars(extend(\"default\" = …))]`; or make the field an `Option` without a default";

/// Checks the default of a schema, and those in it.
pub(super) fn check(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    if let Some(default) = schema.get("default") {
        one(default, schema, place, findings);
    }
    for (name, property) in schema.properties() {
        check(property, &place.field(name), findings);
    }
    if let Some(items) = schema.items() {
        check(items, &place.item(), findings);
    }
    if let Some(values) = schema.additional() {
        check(values, &place.entry(), findings);
    }
}

fn one(default: &Value, schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    if let Err(fault) = instance::check(default, schema) {
        let at = if fault.path.is_empty() { String::new() } else { format!(" at `{}`", fault.path) };
        findings.refuse(place, format_args!("the default{at} {}", fault.what), HINT);
    }
    if let Some(rule) = cel::broken(default, schema) {
        findings.refuse(place, format_args!("the default breaks rule `{rule}`"), HINT);
    }
    if let Some(path) = unknown(default, schema) {
        let hint = "set only fields of the struct in a default, by their names in JSON";
        findings.refuse(place, format_args!("the default has `{path}`, which is no field"), hint);
    }
    if let Some(twice) = repeated(default, schema) {
        let hint = "list each item once, or write `ListMerge::Atomic`";
        findings.refuse(place, format_args!("the default has item {twice} twice, which no object may"), hint);
    }
}

/// A field in the value that the schema does not have, which the API server would drop.
fn unknown(value: &Value, schema: Schema<'_>) -> Option<String> {
    if schema.preserves() {
        return None;
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let known = schema.property(name).or(schema.additional());
            match known {
                Some(inner) => unknown(value, inner).map(|path| format!(".{name}{path}")),
                None if schema.is("additionalProperties") => None,
                None if schema.embedded() && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) => {
                    None
                }
                None => Some(format!(".{name}")),
            }
        }),
        Value::Array(items) => {
            let schema = schema.items()?;
            items.iter().find_map(|item| unknown(item, schema)).map(|path| format!("[]{path}"))
        }
        _ => None,
    }
}

/// An item, or its keys, that a list of distinct items has more than once.
fn repeated(value: &Value, schema: Schema<'_>) -> Option<Value> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| repeated(value, schema.property(name).or(schema.additional())?)),
        Value::Array(items) => {
            let keys: Vec<&str> = schema.strings("x-kubernetes-list-map-keys").collect();
            let identity = |item: &Value| match schema.text("x-kubernetes-list-type") {
                Some("set") => Some(item.clone()),
                Some("map") => Some(keys.iter().map(|key| item[*key].clone()).collect()),
                _ => None,
            };
            let known: Vec<Value> = items.iter().filter_map(identity).collect();
            let twice = known.iter().enumerate().find(|(index, item)| known[..*index].contains(item));
            let inner = || items.iter().find_map(|item| repeated(item, schema.items()?));
            twice.map(|(_, item)| item.clone()).or_else(inner)
        }
        _ => None,
    }
}
