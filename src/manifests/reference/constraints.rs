//! What the API server asks of values, in words.

use serde_json::Value;

use super::markdown::code;
use super::{list, text};

/// What a field's value fulfils, and what it is when it is not given. Elements of lists and values of maps are part of it.
pub(super) fn of_field(schema: &Value) -> Vec<String> {
    let mut facts = of_value(schema);
    let inner =
        ["items", "additionalProperties"].iter().find_map(|key| schema.get(key).filter(|it| it.is_object()));
    if let Some(inner) = inner {
        facts.extend(of_inner(inner).into_iter().map(|fact| format!("each {fact}")));
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

fn of_inner(schema: &Value) -> Vec<String> {
    if schema.get("properties").is_some() {
        return Vec::new();
    }
    let mut facts = of_value(schema);
    facts.extend(rules(schema));
    let inner =
        ["items", "additionalProperties"].iter().find_map(|key| schema.get(key).filter(|it| it.is_object()));
    facts.extend(inner.into_iter().flat_map(of_inner).map(|fact| format!("of which each {fact}")));
    facts
}

/// What an object with a part of its own fulfils.
pub(super) fn of_object(schema: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    for (key, words) in [("oneOf", "exactly one of"), ("anyOf", "at least one of"), ("allOf", "")] {
        let names: Vec<_> =
            list(&schema[key]).flat_map(|branch| list(&branch["required"])).map(text).collect();
        if !names.is_empty() && !words.is_empty() {
            facts.push(format!("{words} {}", names.into_iter().map(code).collect::<Vec<_>>().join(", ")));
        }
    }
    facts.extend(rules(schema));
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        facts.push("other fields are kept as they are".to_owned());
    }
    facts
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
        ("minLength", "maxLength", "character"),
        ("minItems", "maxItems", "item"),
        ("minProperties", "maxProperties", "entr"),
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
fn count(least: Option<u64>, most: Option<u64>, what: &str) -> Option<String> {
    let number = |number: u64| {
        let end = match (what, number) {
            ("entr", 1) => "y",
            ("entr", _) => "ies",
            (_, 1) => "",
            _ => "s",
        };
        format!("{number} {what}{end}")
    };
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
