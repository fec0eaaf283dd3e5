//! Events are one resource with two faces: `events.k8s.io` and the core group.

use serde_json::{Map, Value};

/// Names in the core group, and in `events.k8s.io`.
const NAMES: [(&str, &str); 6] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
];

/// An event as a group has it.
pub(super) fn converted(event: &Value, group: &str) -> Value {
    let core = group.is_empty();
    let mut converted = Map::new();
    for (name, value) in event.as_object().into_iter().flatten() {
        let pair = NAMES.iter().find(|(old, new)| if core { new == name } else { old == name });
        let renamed = match pair {
            Some((old, new)) => (if core { *old } else { *new }).to_owned(),
            None if core && name == "deprecatedCount" => "count".to_owned(),
            None if !core && name == "count" => "deprecatedCount".to_owned(),
            None => name.clone(),
        };
        converted.insert(renamed, value.clone());
    }
    Value::Object(converted)
}
