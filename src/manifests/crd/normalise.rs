//! From the definition that kube-derive prints to the canonical one.
//!
//! Afterwards the document says the same as Go's controller-gen would for the same type: optional fields are not
//! nullable as well, whole numbers are integers, integer formats are those the API server knows, the fields that every
//! object has are listed, all names are there, and sets are in alphabetical order.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::depth::too_deep;
use super::keys;
use super::overlay;
use super::prose::wrap;

/// Marks a definition as made here. The value is the revision of this pipeline, not of the tool: it changes when the
/// same types begin to give another definition, so a new release of the tool alone changes no file of any project.
const GENERATOR: (&str, &str) = ("rust.iris-scaffold.io/manifests", "v1");

/// The canonical form of a definition; applying it again changes nothing. What is nested deeper than anything may be
/// stays as it is, and [`validate`](super::validate()) refuses it.
#[must_use]
pub fn normalise(mut crd: Value) -> Value {
    if too_deep(&crd) {
        return crd;
    }
    if let Some(root) = crd.as_object_mut() {
        root.remove("status");
        let metadata = root.entry("metadata").or_insert_with(|| json!({}));
        metadata["annotations"][GENERATOR.0] = json!(GENERATOR.1);
    }
    let kind = crd["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
    let plural = crd["spec"]["names"]["plural"].as_str().unwrap_or_default().to_owned();
    if let Some(names) = crd["spec"]["names"].as_object_mut() {
        names.entry("listKind").or_insert_with(|| json!(format!("{kind}List")));
        names.entry("singular").or_insert_with(|| json!(kind.to_lowercase()));
        drop_empty(names, &["shortNames", "categories"]);
    }
    for version in crd["spec"]["versions"].as_array_mut().into_iter().flatten() {
        if let Some(version) = version.as_object_mut() {
            drop_empty(version, &["additionalPrinterColumns", "selectableFields"]);
        }
        if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema").and_then(Value::as_object_mut) {
            root(schema, &kind, &plural);
            tidy(schema);
            let whole = schema.get_mut("properties").and_then(Value::as_object_mut);
            whole.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut).for_each(keep_any);
        }
    }
    crd
}

fn drop_empty(map: &mut Map<String, Value>, keys: &[&str]) {
    for key in keys {
        if map.get(*key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            map.remove(*key);
        }
    }
}

/// What only the schema of a whole object has.
fn root(schema: &mut Map<String, Value>, kind: &str, plural: &str) {
    schema.remove("title");
    let described = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    if described.is_empty() || described.starts_with("Auto-generated derived type for ") {
        schema.insert("description".into(), json!(format!("{kind} is the schema of the {plural} API.")));
    }
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    properties["apiVersion"] = json!({
        "type": "string",
        "description": "Version of the schema that this representation of the object follows.",
    });
    properties["kind"] = json!({
        "type": "string",
        "description": "Kind of REST resource that this object represents. It cannot be changed.",
    });
    properties["metadata"] = json!({"type": "object"});
}

/// Lets fields and items of which the schema says nothing be kept, as those of `serde_json::Value`: the API server would
/// refuse the definition.
fn keep_any(schema: &mut Map<String, Value>) {
    const SAYS_NOTHING: [&str; 5] = ["default", "description", "example", "nullable", "title"];
    let keep = |value: &mut Value| {
        let Some(inner) = value.as_object_mut() else { return };
        if inner.keys().all(|key| SAYS_NOTHING.contains(&key.as_str())) {
            inner.insert("x-kubernetes-preserve-unknown-fields".into(), json!(true));
        }
        keep_any(inner);
    };
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(keep);
    }
    schema.get_mut("items").into_iter().for_each(keep);
    if let Some(Value::Object(values)) = schema.get_mut("additionalProperties") {
        keep_any(values);
    }
}

/// Tidies one schema and all schemas in it.
fn tidy(schema: &mut Map<String, Value>) {
    overlay::complete(schema);
    keys::open(schema);
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    drop_empty(schema, &["required"]);
    let required: HashSet<String> = strings(schema.get("required"));
    for (name, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
    {
        if !required.contains(name) {
            drop_null(property);
        }
    }
    for key in ["minimum", "maximum", "multipleOf"] {
        if let Some(number) = schema.get_mut(key) {
            make_whole(number);
        }
    }
    known_format(schema);
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = wrap(text);
    }
    // Of values whose schema says nothing the API server keeps nothing. Said of the values, it would drop their nulls, and
    // no rule could see the map.
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) && !schema.contains_key("properties") {
        schema.remove("additionalProperties");
        schema.insert("x-kubernetes-preserve-unknown-fields".into(), json!(true));
    }
    for inner in children(schema) {
        tidy(inner);
    }
    if schema.contains_key("default") {
        let mut default = schema["default"].take();
        drop_nulls(&mut default, schema);
        schema["default"] = default;
    }
}

/// Takes the nulls out of a default that stand for fields which may be left out, and may not be null.
fn drop_nulls(default: &mut Value, schema: &Map<String, Value>) {
    match default {
        Value::Object(fields) => {
            let required = strings(schema.get("required"));
            let property = |name: &str| schema.get("properties").and_then(|properties| properties.get(name));
            // One that has a default of its own would get that in place of the null.
            let is_to_go = |property: &Value| {
                property.get("nullable") != Some(&json!(true)) && property.get("default").is_none()
            };
            fields.retain(|name, value| {
                !value.is_null() || required.contains(name) || !property(name).is_some_and(is_to_go)
            });
            for (name, value) in fields {
                let inner = property(name).or_else(|| schema.get("additionalProperties"));
                if let Some(inner) = inner.and_then(Value::as_object) {
                    drop_nulls(value, inner);
                }
            }
        }
        Value::Array(items) => {
            let Some(inner) = schema.get("items").and_then(Value::as_object) else { return };
            for item in items {
                drop_nulls(item, inner);
            }
        }
        _ => {}
    }
}

/// The schemas directly inside a schema.
pub(super) fn children(schema: &mut Map<String, Value>) -> Vec<&mut Map<String, Value>> {
    let mut found = Vec::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                found.extend(properties.values_mut().filter_map(Value::as_object_mut));
            }
            ("items" | "additionalProperties" | "not", Value::Object(inner)) => found.push(inner),
            ("allOf" | "anyOf" | "oneOf", Value::Array(options)) => {
                found.extend(options.iter_mut().filter_map(Value::as_object_mut));
            }
            _ => {}
        }
    }
    found
}

fn strings(list: Option<&Value>) -> HashSet<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// A field that may be left out need not be allowed to be null too. One that is required and nullable was meant so.
fn drop_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else {
        return;
    };
    property.remove("nullable");
    if let Some(Value::Array(values)) = property.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if property.get("default").is_some_and(Value::is_null) {
        property.remove("default");
    }
}

/// `10.0` becomes `10`.
fn make_whole(number: &mut Value) {
    if let Some(float) = number.as_f64().filter(|_| number.is_f64()) {
        *number = whole(float);
    }
}

/// The number as an integer, if it is one.
fn whole(number: f64) -> Value {
    // Integers above 2^53 are not all exact as floats.
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    exact
        .then(|| format!("{number:.0}").parse::<i64>().ok())
        .flatten()
        .map_or_else(|| json!(number), Value::from)
}

/// The integer, if no floating point number is equal to it. The API server has such numbers as bounds.
pub(super) fn inexact(number: &Value) -> Option<i128> {
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is below the end of `i128`")]
    let is_exact = number.as_f64().is_some_and(|float| float as i128 == integer);
    (!is_exact).then_some(integer)
}

/// The API server knows `int32` and `int64` and warns about the formats that stand for other Rust integers, whose range
/// is said by bounds instead, and about some that crates have for texts.
fn known_format(schema: &mut Map<String, Value>) {
    let (known, least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int8") => (Some("int32"), Some(f64::from(i8::MIN)), Some(f64::from(i8::MAX))),
        Some("int16") => (Some("int32"), Some(f64::from(i16::MIN)), Some(f64::from(i16::MAX))),
        Some("uint8") => (Some("int32"), Some(0.0), Some(f64::from(u8::MAX))),
        Some("uint16") => (Some("int32"), Some(0.0), Some(f64::from(u16::MAX))),
        Some("uint32") => (Some("int64"), Some(0.0), Some(f64::from(u32::MAX))),
        Some("uint64" | "uint") => (Some("int64"), Some(0.0), None),
        Some("int" | "int64") => (Some("int64"), None, None),
        Some("int32") => (Some("int32"), None, None),
        Some("int128") => (None, None, None),
        Some("uint128") => (None, Some(0.0), None),
        // Of IP addresses, and of times without a zone or with the name of one in the crates chrono and jiff.
        Some("ip" | "partial-date-time" | "partial-time" | "zoned-date-time") => {
            schema.remove("format");
            return;
        }
        _ => return,
    };
    match known {
        Some(known) => schema.insert("format".into(), json!(known)),
        None => schema.remove("format"),
    };
    // The last value of the format, and the first that is none: the end of `int64` is no floating point number.
    let (first, end, beyond) = if known == Some("int32") {
        (-2_147_483_648.0, 2_147_483_647.0, 2_147_483_648.0)
    } else {
        (-9_223_372_036_854_775_808.0, f64::INFINITY, 9_223_372_036_854_775_808.0)
    };
    bound(
        schema,
        ("minimum", "exclusiveMinimum"),
        least,
        |said, least| said < least,
        (first, |said| said < first),
    );
    bound(
        schema,
        ("maximum", "exclusiveMaximum"),
        most,
        |said, most| said > most,
        (end, |said| said >= beyond),
    );
}

/// Sets a bound to that of the type if it is looser, and drops one that says no more than the format: the API server
/// refuses every value where a bound is not of the format.
fn bound(
    schema: &mut Map<String, Value>,
    (key, exclusive): (&str, &str),
    of_type: Option<f64>,
    is_looser: impl Fn(f64, f64) -> bool,
    (of_format, is_beyond): (f64, impl Fn(f64) -> bool),
) {
    // What no floating point number is equal to is refused later; the end of the format is one of those.
    let inexact = schema.get(key).and_then(inexact);
    if of_type.is_none() && inexact.is_some_and(|said| said < i128::from(i64::MAX)) {
        return;
    }
    // A whole number has no use for a bound between two.
    if let Some(said) = schema.get(key).and_then(Value::as_f64).filter(|said| said.fract() != 0.0) {
        schema.insert(key.into(), whole(if key == "minimum" { said.ceil() } else { said.floor() }));
        schema.remove(exclusive);
    }
    let said = schema.get(key).and_then(Value::as_f64);
    if let Some(end) = of_type
        && said.is_none_or(|said| is_looser(said, end))
    {
        schema.insert(key.into(), whole(end));
        schema.remove(exclusive);
        return;
    }
    let Some(said) = said else { return };
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    let is_end = said == of_format && schema.get(exclusive) != Some(&json!(true));
    if is_end || is_beyond(said) {
        schema.remove(key);
        schema.remove(exclusive);
    }
}

#[cfg(test)]
#[path = "normalise_tests.rs"]
mod tests;
