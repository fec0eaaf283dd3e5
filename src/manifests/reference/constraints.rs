//! What the API server asks of values, in words.

use serde_json::Value;

use super::markdown::code;
use super::types::inner;
use super::{list, text};

/// What a field's value fulfils, and what it is when it is not given. Elements of lists and values of maps are part of it.
pub(super) fn of_field(schema: &Value) -> Vec<String> {
    let mut facts = of_value(schema);
    if let Some((_, inner)) = inner(schema) {
        facts.extend(of_inner(inner));
    }
    // What has fields tells its rules where it has a part of its own.
    if schema.get("properties").is_none() {
        facts.extend(rules(schema));
    }
    if let Some(default) = schema.get("default") {
        facts.push(format!("by default {}", code(&default.to_string())));
    }
    facts
}

/// What each item or value fulfils.
fn of_inner(schema: &Value) -> Vec<String> {
    if schema.get("properties").is_some() {
        return Vec::new();
    }
    let mut facts = of_value(schema);
    facts.extend(rules(schema));
    let mut facts: Vec<_> = facts.into_iter().map(|fact| format!("each {fact}")).collect();
    if let Some((_, inner)) = inner(schema) {
        facts.extend(of_inner(inner).into_iter().map(|fact| format!("in each one, {fact}")));
    }
    facts
}

/// What an object with a part of its own fulfils.
pub(super) fn of_object(schema: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    for (key, words) in [("oneOf", "exactly one of"), ("anyOf", "at least one of")] {
        let branches: Vec<_> = list(&schema[key]).map(only_field).collect();
        match branches.into_iter().collect::<Option<Vec<_>>>() {
            Some(names) if names.is_empty() => {}
            Some(names) => {
                facts.push(format!("{words} {}", names.into_iter().map(code).collect::<Vec<_>>().join(", ")));
            }
            None => facts.push(format!("{words} several forms, which the definition has under `{key}`")),
        }
    }
    facts.extend(rules(schema));
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        facts.push("other fields are kept as they are".to_owned());
    }
    facts
}

/// The field that a branch asks for, if it asks for nothing else.
fn only_field(branch: &Value) -> Option<&str> {
    let asked = branch.as_object().filter(|asked| asked.len() == 1)?;
    let [name] = asked.get("required")?.as_array()?.as_slice() else { return None };
    name.as_str()
}

/// Rules in CEL, each with what is said when it is broken.
pub(super) fn rules(schema: &Value) -> Vec<String> {
    let rule = |rule: &Value| {
        let (cel, message) = (code(text(&rule["rule"])), text(&rule["message"]));
        if message.is_empty() {
            format!("{cel} holds")
        } else {
            format!("{} ({cel})", message.trim_end_matches('.'))
        }
    };
    list(&schema["x-kubernetes-validations"]).map(rule).collect()
}

fn of_value(schema: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    let values: Vec<_> = list(&schema["enum"]).map(value).collect();
    if !values.is_empty() {
        facts.push(format!("one of {}", values.join(", ")));
    }
    let bound = |key: &str, is_exclusive: &str, [plain, exclusive]: [&str; 2]| {
        let bound = schema.get(key).filter(|bound| bound.is_number())?;
        Some(format!("{} {bound}", if schema[is_exclusive] == true { exclusive } else { plain }))
    };
    facts.extend(bound("minimum", "exclusiveMinimum", ["at least", "more than"]));
    facts.extend(bound("maximum", "exclusiveMaximum", ["at most", "less than"]));
    if let Some(factor) = schema.get("multipleOf") {
        facts.push(format!("a multiple of {factor}"));
    }
    for (least, most, what) in [
        ("minLength", "maxLength", ["character", "characters"]),
        ("minItems", "maxItems", ["item", "items"]),
        ("minProperties", "maxProperties", ["entry", "entries"]),
    ] {
        facts.extend(count(schema[least].as_u64(), schema[most].as_u64(), what));
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        facts.push(format!("matches {}", code(pattern)));
    }
    match text(&schema["x-kubernetes-list-type"]) {
        "set" => facts.push("no item twice".to_owned()),
        "map" => {
            let keys: Vec<_> =
                list(&schema["x-kubernetes-list-map-keys"]).map(|key| code(text(key))).collect();
            facts.push(format!("one item for each {}", keys.join(" and ")));
        }
        _ => {}
    }
    if schema["nullable"] == true {
        facts.push("or `null`".to_owned());
    }
    facts
}

/// How many there may be of something.
fn count(least: Option<u64>, most: Option<u64>, [one, several]: [&str; 2]) -> Option<String> {
    let number = |number: u64| format!("{number} {}", if number == 1 { one } else { several });
    match (least.filter(|least| *least > 0), most) {
        (None, None) => None,
        (Some(least), None) => Some(format!("at least {}", number(least))),
        (None, Some(most)) => Some(format!("at most {}", number(most))),
        (Some(least), Some(most)) if least == most => Some(format!("exactly {}", number(most))),
        (Some(least), Some(most)) => Some(format!("{least} to {}", number(most))),
    }
}

/// A value as YAML has it in one line.
fn value(value: &Value) -> String {
    value.as_str().map_or_else(|| code(&value.to_string()), code)
}
