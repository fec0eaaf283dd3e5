//! Whether an object is as it should be.

use serde::Serialize;
use serde_json::Value;

/// Whether `current` has everything that `desired` says, which Go's `equality.Semantic` calls a deep derivative. What
/// `desired` leaves out may be anything: defaults of the API server, status, and fields that belong to others.
pub(crate) fn is_derivative(desired: &Value, current: &Value) -> bool {
    contains(current, desired)
}

/// The fields to which the API server gave other values than it was sent: it need not be asked for those that are only
/// written in another form, such as `1000m` as `1`, nor for those that it does not show.
pub(crate) fn rewritten<K: Serialize>(sent: &Value, answered: &K) -> Vec<String> {
    let mut fields = Vec::new();
    differences(&serde_json::to_value(answered).unwrap_or_default(), sent, "", &mut fields);
    fields
}

fn differences(current: &Value, desired: &Value, path: &str, fields: &mut Vec<String>) {
    match (current, desired) {
        (Value::Object(current), Value::Object(desired)) => {
            for (key, value) in desired {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                // Says of which version it was meant to be a change.
                if let Some(found) = current.get(key).filter(|_| path != "metadata.resourceVersion") {
                    differences(found, value, &path, fields);
                }
            }
        }
        (Value::Array(current), Value::Array(desired)) => {
            let key = key_of(desired);
            for (index, item) in desired.iter().enumerate() {
                let found = match key {
                    Some(key) => current.iter().find(|found| found.get(key) == item.get(key)),
                    None => current.get(index).filter(|_| current.len() == desired.len()),
                };
                match found {
                    Some(found) if contains(found, item) => {}
                    Some(found) => differences(found, item, &format!("{path}[{index}]"), fields),
                    None if key.is_none() => return fields.push(path.to_owned()),
                    None => fields.push(format!("{path}[{index}]")),
                }
            }
        }
        // Where nothing is said the server chooses.
        (_, Value::String(desired)) if desired.is_empty() => {}
        (Value::String(current), Value::String(desired)) if is_same_amount(current, desired) => {}
        (current, desired) if current == desired => {}
        _ => fields.push(path.to_owned()),
    }
}

/// Whether two quantities are the same amount
/// (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).
fn is_same_amount(one: &str, other: &str) -> bool {
    amount(one).zip(amount(other)).is_some_and(|(one, other)| (one - other).abs() <= one.abs() * 1e-9)
}

fn amount(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 14] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let suffixed = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)));
    let (number, factor) = suffixed.unwrap_or((text, &1.0));
    number.parse::<f64>().ok().map(|number| number * factor)
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
    #[test]
    fn what_the_server_rewrites_is_named() {
        let sent = json!({
            "metadata": { "resourceVersion": "1" },
            "spec": {
                "replicas": 3, "cpu": "1000m", "memory": "1Gi", "image": "a", "args": ["1"], "stringData": { "a": "b" },
                "containers": [{ "name": "a", "image": "x", "ports": [{ "containerPort": 80 }] }],
            },
        });
        let mut answered = json!({
            "metadata": { "resourceVersion": "7" },
            "spec": {
                "replicas": 3, "cpu": "1", "memory": "1024Mi", "image": "a", "args": ["1"], "paused": false,
                "containers": [
                    { "name": "sidecar", "image": "y" },
                    { "name": "a", "image": "x", "ports": [{ "containerPort": 80, "protocol": "TCP" }] },
                ],
            },
        });
        assert_eq!(rewritten(&sent, &answered), [""; 0]);
        answered["spec"]["replicas"] = json!(1);
        answered["spec"]["memory"] = json!("512Mi");
        answered["spec"]["args"] = json!(["1", "2"]);
        answered["spec"]["containers"][1]["image"] = json!("z");
        let expected = ["spec.args", "spec.containers[0].image", "spec.memory", "spec.replicas"];
        let mut found = rewritten(&sent, &answered);
        found.sort();
        assert_eq!(found, expected);
        answered["spec"]["containers"] = json!([]);
        assert!(rewritten(&sent, &answered).contains(&"spec.containers[0]".to_owned()));
    }
}
