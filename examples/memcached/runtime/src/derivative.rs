//! Whether an object is as it should be.

use serde_json::Value;

/// Whether `current` has everything that `desired` says, which Go's `equality.Semantic` calls a deep derivative. What
/// `desired` leaves out may be anything: defaults of the API server, status, and fields that belong to others.
pub(crate) fn is_derivative(desired: &Value, current: &Value) -> bool {
    contains(current, desired)
}

fn contains(current: &Value, desired: &Value) -> bool {
    match (current, desired) {
        (Value::Object(current), Value::Object(desired)) => desired.iter().all(|(key, value)| {
            let found = current.get(key);
            found.map_or_else(|| is_empty(value), |found| contains(found, value))
        }),
        (Value::Array(current), Value::Array(desired)) => {
            let Some(key) = key_of(desired) else {
                let mut pairs = current.iter().zip(desired);
                return current.len() == desired.len()
                    && pairs.all(|(current, item)| contains(current, item));
            };
            let matches =
                |found: &Value, item: &Value| found.get(key) == item.get(key) && contains(found, item);
            desired.iter().all(|item| current.iter().any(|found| matches(found, item)))
        }
        (current, desired) => current == desired,
    }
}

/// What tells the items of most lists of the API apart; a list without is one value. Where items share it, as mounts of
/// one volume do, any of them will do.
fn key_of(items: &[Value]) -> Option<&'static str> {
    let mut keys = ["type", "uid", "name"].into_iter().filter(|_| !items.is_empty());
    keys.find(|key| items.iter().all(|item| item.get(key).is_some()))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn others_may_add_but_not_change() {
        let containers = json!([{"name": "a", "image": "x"}]);
        let desired = json!({"spec": {"replicas": 1, "containers": containers, "args": ["1"], "labels": {}}});
        let mut current = desired.clone();
        current["spec"]["paused"] = json!(false);
        current["spec"]["containers"] =
            json!([{"name": "sidecar", "image": "y"}, {"name": "a", "image": "x", "tty": true}]);
        current["spec"].as_object_mut().expect("an object").remove("labels");
        assert!(is_derivative(&desired, &current));
        let mounts = json!([{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}]);
        assert!(is_derivative(&mounts, &mounts), "one volume is mounted twice");
        for (path, value) in [
            ("replicas", json!(2)),
            ("containers", json!([])),
            ("args", json!(["2"])),
            ("replicas", json!(null)),
        ] {
            let mut changed = current.clone();
            changed["spec"][path] = value;
            assert!(!is_derivative(&desired, &changed), "{path}");
        }
    }
}
