//! What there is in a namespace, without all that differs from one telling to the next.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What somebody else writes into objects to get in the operator's way.
pub(crate) const TOUCHED: &str = "operator-testing/touched";
/// What the API server keeps about objects, which differs every time.
const BOOKKEEPING: [&str; 5] = ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"];
/// Where the API server writes what it has allotted to a Service.
const ALLOTTED: [&str; 4] = ["clusterIP", "clusterIPs", "healthCheckNodePort", "nodePort"];

/// Objects by kind and name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot(BTreeMap<String, Value>);

impl Snapshot {
    /// Of the objects of a telling in `namespace`; what stands at the `ignored` pointers of a kind is left out.
    pub(crate) fn new(objects: Vec<Value>, namespace: &str, ignored: &[(String, String)]) -> Self {
        let mut plain: Vec<_> = objects.into_iter().map(|object| plain(object, namespace, ignored)).collect();
        // Of names that the API server made up only the beginning is known.
        plain.sort_by_key(ToString::to_string);
        let mut snapshot = BTreeMap::new();
        for object in plain {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let name = format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
            let same = snapshot.keys().filter(|key: &&String| key.split('#').next() == Some(&name)).count();
            let key = if same == 0 { name } else { format!("{name}#{}", same + 1) };
            snapshot.insert(key, object);
        }
        Self(snapshot)
    }

    /// What `seen` has otherwise, in at most this many lines.
    pub(crate) fn differences(&self, seen: &Self, limit: usize) -> Vec<String> {
        let mut differences = Vec::new();
        for (key, object) in &self.0 {
            match seen.0.get(key) {
                None => differences.push(format!("{key} is missing")),
                Some(other) => compare(object, other, key, &mut differences),
            }
        }
        let more = seen.0.keys().filter(|key| !self.0.contains_key(*key));
        differences.extend(more.map(|key| format!("{key} is one too many")));
        let rest = differences.len().saturating_sub(limit);
        differences.truncate(limit);
        if rest > 0 {
            differences.push(format!("and {rest} more"));
        }
        differences
    }
}

/// Says where `seen` is not `expected`.
fn compare(expected: &Value, seen: &Value, place: &str, differences: &mut Vec<String>) {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => {
            let mut keys: Vec<_> = expected.keys().chain(seen.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let of = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
                compare(&of(expected), &of(seen), &format!("{place} {key}"), differences);
            }
        }
        _ if expected == seen => {}
        _ => differences.push(format!("{place} is {seen}, not {expected}")),
    }
}

/// The object without what differs every time.
fn plain(mut object: Value, namespace: &str, ignored: &[(String, String)]) -> Value {
    let generation = object["metadata"]["generation"].clone();
    let kind = object["kind"].clone();
    for (_, pointer) in ignored.iter().filter(|(ignored, _)| kind == ignored.as_str()) {
        if let Some(value) = object.pointer_mut(pointer) {
            *value = Value::Null;
        }
    }
    if let Some(fields) = object["metadata"].as_object_mut() {
        fields.retain(|key, _| !BOOKKEEPING.contains(&key.as_str()));
        if let Some(begin) = fields.get("generateName").and_then(Value::as_str) {
            let name = format!("{begin}*");
            fields.insert("name".to_owned(), name.into());
        }
        if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(TOUCHED);
            if annotations.is_empty() {
                fields.remove("annotations");
            }
        }
    }
    if object["kind"] == "Service" {
        without_allotted(&mut object["spec"]);
    }
    if object["status"].is_object() {
        relate(&mut object["status"], &generation);
    }
    rewrite(&mut object, namespace);
    object
}

fn without_allotted(spec: &mut Value) {
    let Some(fields) = spec.as_object_mut() else { return };
    let is_headless = fields.get("clusterIP").is_some_and(|address| address == "None");
    fields.retain(|key, _| is_headless || !ALLOTTED.contains(&key.as_str()));
    for port in fields.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        port.as_object_mut().map(|port| port.remove("nodePort"));
    }
}

/// Says of each generation that was observed whether it is the object's own.
fn relate(status: &mut Value, generation: &Value) {
    match status {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "observedGeneration" {
                    *value = json!(if value == generation { "current" } else { "old" });
                } else {
                    relate(value, generation);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| relate(item, generation)),
        _ => {}
    }
}

/// Takes namespaces, times and uids out of all texts, and the uids of owners.
fn rewrite(value: &mut Value, namespace: &str) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(|value| rewrite(value, namespace));
            if fields.keys().any(|key| key.contains(namespace)) {
                let fields_then = std::mem::take(fields);
                fields.extend(
                    fields_then.into_iter().map(|(key, value)| (key.replace(namespace, "NAMESPACE"), value)),
                );
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, namespace)),
        Value::String(text) if is_time(text) => "TIME".clone_into(text),
        Value::String(text) if is_uid(text) => "UID".clone_into(text),
        Value::String(text) if text.contains(namespace) => *text = text.replace(namespace, "NAMESPACE"),
        _ => {}
    }
}

/// Whether it is a time as Kubernetes writes it, such as `2026-01-02T03:04:05Z`.
fn is_time(text: &str) -> bool {
    let form: String =
        text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    let rest = form.strip_prefix("0000-00-00T00:00:00").and_then(|rest| rest.strip_suffix('Z'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && rest[1..].chars().all(|it| it == '0'))
}

fn is_uid(text: &str) -> bool {
    let is_part = |(part, length): (&str, usize)| {
        part.len() == length && part.chars().all(|letter| letter.is_ascii_hexdigit())
    };
    text.len() == 36 && text.split('-').zip([8, 4, 4, 4, 12]).all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(objects: &[Value], namespace: &str) -> Snapshot {
        Snapshot::new(objects.to_vec(), namespace, &[("Secret".to_owned(), "/data/password".to_owned())])
    }

    #[test]
    fn what_differs_from_telling_to_telling_is_not_compared() {
        let told = |namespace: &str, number: i64, uid: &str| {
            let owner = json!([{ "kind": "Web", "name": "a", "uid": uid }]);
            let metadata = json!({ "name": format!("{namespace}-web"), "uid": uid, "resourceVersion": number.to_string(),
                "generation": number, "ownerReferences": owner, "annotations": { TOUCHED: "1" } });
            let child = json!({ "kind": "Service", "metadata": metadata,
                "spec": { "clusterIP": format!("10.0.0.{number}"), "ports": [{ "port": 1, "nodePort": number }] },
                "status": { "observedGeneration": number, "at": format!("2026-01-02T03:04:0{number}Z") } });
            let made_up = |name: &str, role: &str| {
                json!({ "kind": "Pod",
                "metadata": { "name": format!("{name}-{number}"), "generateName": "web-" }, "spec": { "role": role } })
            };
            let mut pods = [made_up("web-x", "first"), made_up("web-y", "second")];
            pods.rotate_left(usize::try_from(number % 2).expect("small"));
            let secret =
                json!({ "kind": "Secret", "metadata": { "name": "s" }, "data": { "password": uid } });
            snapshot(&[&[child, secret], &pods[..]].concat(), namespace)
        };
        let one = told("one", 4, "0e4a5f0c-95c6-4b6e-8d3b-55f0e3f2a001");
        assert_eq!(one, told("another", 7, "11111111-95c6-4b6e-8d3b-55f0e3f2a001"));
        assert_eq!(one.0.keys().count(), 4, "{one:?}");
    }

    #[test]
    fn what_differs_otherwise_is_named() {
        let expected = snapshot(
            &[
                json!({ "kind": "Pod", "metadata": { "name": "a" }, "spec": { "hosts": ["x"], "count": 1 } }),
                json!({ "kind": "Pod", "metadata": { "name": "b" } }),
            ],
            "story-one",
        );
        let seen = snapshot(
            &[
                json!({ "kind": "Pod", "metadata": { "name": "a" }, "spec": { "hosts": ["y"], "count": 1 } }),
                json!({ "kind": "Pod", "metadata": { "name": "c" } }),
            ],
            "story-one",
        );
        assert_eq!(
            expected.differences(&seen, 9),
            ["Pod a spec hosts is [\"y\"], not [\"x\"]", "Pod b is missing", "Pod c is one too many"]
        );
        assert_eq!(expected.differences(&seen, 1).last().map(String::as_str), Some("and 2 more"));
        assert!(expected.differences(&expected, 9).is_empty());
    }

    #[test]
    fn a_generation_counts_as_the_objects_own_or_as_an_old_one() {
        let object = |generation: i64, observed: i64| {
            let status = json!({ "conditions": [{ "observedGeneration": observed }] });
            snapshot(
                &[
                    json!({ "kind": "Web", "metadata": { "name": "a", "generation": generation }, "status": status }),
                ],
                "story-one",
            )
        };
        assert_eq!(object(3, 3), object(1, 1));
        assert_ne!(object(3, 3), object(3, 2));
    }
}
