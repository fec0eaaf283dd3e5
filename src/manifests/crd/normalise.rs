//! From the definition that kube-derive prints to the canonical one.
//!
//! Afterwards the document says the same as Go's controller-gen would for the same type: optional fields are not
//! nullable as well, whole numbers are integers, integer formats are those the API server knows, the fields that every
//! object has are listed, all names are there, and sets are in alphabetical order.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::depth::too_deep;
use super::overlay;

/// Marks a definition as made here. The value is the revision of this pipeline, not of the tool: it changes when the
/// same types begin to give another definition, so a new release of the tool alone changes no file of any project.
const GENERATOR: (&str, &str) = ("rust.iris-scaffold.io/manifests", "v1");

/// Lines of descriptions longer than this are broken, in characters.
const LINE: usize = 100;

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

/// Tidies one schema and all schemas in it.
fn tidy(schema: &mut Map<String, Value>) {
    overlay::complete(schema);
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
    for inner in children(schema) {
        tidy(inner);
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
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return;
    };
    // integers above 2^53 are not all exact as floats
    let exact = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
    if let Some(whole) = exact.then(|| format!("{float:.0}").parse::<i64>().ok()).flatten() {
        *number = json!(whole);
    }
}

/// The API server knows `int32` and `int64` and warns about the formats that stand for other Rust integers.
fn known_format(schema: &mut Map<String, Value>) {
    let known = match schema.get("format").and_then(Value::as_str) {
        Some("int8" | "int16" | "uint8" | "uint16") => Some("int32"),
        Some("uint32" | "uint64" | "uint" | "int") => Some("int64"),
        Some("int128" | "uint128" | "ip") => None,
        _ => return,
    };
    match known {
        Some(format) => schema.insert("format".into(), json!(format)),
        None => schema.remove("format"),
    };
}

/// Breaks long lines at spaces; keeps the breaks that are there.
fn wrap(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.trim().lines().map(str::trim_end) {
        let indent = &line[..line.len() - line.trim_start().len()];
        if indent.len() > LINE / 2 {
            // There is little room beside it, and each line would have it again.
            lines.push(line.to_owned());
            continue;
        }
        let mut current = indent.to_owned();
        for word in line.trim_start().split(' ') {
            let full = current.chars().count() + 1 + word.chars().count() > LINE;
            if full && current != indent {
                lines.push(std::mem::replace(&mut current, indent.to_owned()));
            } else if current != indent {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
}

#[cfg(test)]
#[path = "normalise_tests.rs"]
mod tests;
