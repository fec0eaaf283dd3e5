//! Kubernetes' own rules for conditions, which k8s-openapi's schemas lack.

use serde_json::{Map, Value, json};

/// The fields by which the schema of a condition is known.
const FIELDS: [&str; 6] = ["lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"];

/// Completes `schema` if it is that of a `metav1.Condition`: the bounds and patterns that Go types have, and
/// descriptions that fit on a line. Bounds that are there stay.
pub fn complete(schema: &mut Map<String, Value>) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    if properties.len() != FIELDS.len() || !FIELDS.iter().all(|field| properties.contains_key(*field)) {
        return;
    }
    for (name, rules) in rules() {
        let (Some(field), Value::Object(rules)) =
            (properties.get_mut(name).and_then(Value::as_object_mut), rules)
        else {
            continue;
        };
        for (key, value) in rules {
            if key == "description" {
                field.insert(key, value);
            } else {
                field.entry(key).or_insert(value);
            }
        }
    }
    schema.insert("description".into(), json!("One aspect of the current state of the object."));
}

fn rules() -> [(&'static str, Value); 6] {
    [
        ("lastTransitionTime", json!({"description": "When the status changed last."})),
        ("message", json!({"maxLength": 32768, "description": "Details for people; may be empty."})),
        (
            "observedGeneration",
            json!({"minimum": 0, "description": "Generation of the object that this condition describes."}),
        ),
        (
            "reason",
            json!({
                "minLength": 1,
                "maxLength": 1024,
                "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                "description": "Why the status changed last, in CamelCase, for programs.",
            }),
        ),
        ("status", json!({"enum": ["True", "False", "Unknown"], "description": "Whether the aspect holds."})),
        (
            "type",
            json!({
                "maxLength": 316,
                "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?\
                            (([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                "description": "Name of the aspect, in CamelCase, optionally after a domain and a slash.",
            }),
        ),
    ]
}
