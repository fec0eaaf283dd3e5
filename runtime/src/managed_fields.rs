//! Which fields of an object one field manager has applied, as the object's `managedFields` record them
//! (sigs.k8s.io/structured-merge-diff, `FieldsV1`).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value};

/// What one manager has applied to an object, or to its status.
#[derive(Clone, Debug)]
pub(crate) struct Managed {
    pub(crate) manager: String,
    /// Whether it is about the status subresource.
    pub(crate) is_status: bool,
    /// The recorded fields as JSON; dropped when it is known what they amount to.
    fields: Option<Box<str>>,
    /// The fingerprint of a desired state that is known to be fulfilled by this version of the object.
    fulfilled: Option<u64>,
}

/// Takes the records of `managers` out of the metadata; all others are dropped.
pub(crate) fn take(metadata: &mut ObjectMeta, managers: &[String]) -> Vec<Managed> {
    let records = metadata.managed_fields.take().into_iter().flatten().filter_map(|entry| {
        let manager = entry.manager.filter(|manager| managers.contains(manager))?;
        let is_status = match entry.subresource.as_deref() {
            None | Some("") => false,
            Some("status") => true,
            Some(_) => return None,
        };
        if entry.operation.as_deref() != Some("Apply") {
            return None;
        }
        let fields = entry.fields_v1.map(|fields| fields.0.to_string().into_boxed_str());
        Some(Managed { manager, is_status, fields, fulfilled: None })
    });
    records.collect()
}

impl Managed {
    /// A record of nothing but that `fingerprint` is fulfilled.
    pub(crate) fn fulfilled(manager: &str, is_status: bool, fingerprint: u64) -> Self {
        Self { manager: manager.to_owned(), is_status, fields: None, fulfilled: Some(fingerprint) }
    }

    /// Whether this version is known to fulfil `fingerprint`.
    pub(crate) fn fulfils(&self, fingerprint: u64) -> bool {
        self.fulfilled == Some(fingerprint)
    }

    /// Whether everything that is recorded is in `desired`, so that applying it would remove nothing.
    pub(crate) fn is_within(&self, desired: &Value) -> bool {
        let fields = self.fields.as_deref().and_then(|fields| serde_json::from_str(fields).ok());
        matches!(fields, Some(Value::Object(fields)) if has_all(&fields, desired))
    }

    /// The names of the annotations that are recorded.
    pub(crate) fn annotations(&self) -> Vec<String> {
        let fields: Option<Value> = self.fields.as_deref().and_then(|it| serde_json::from_str(it).ok());
        let annotations = fields.as_ref().and_then(|it| it["f:metadata"]["f:annotations"].as_object());
        let names = annotations.into_iter().flat_map(Map::keys).filter_map(|name| name.strip_prefix("f:"));
        names.map(str::to_owned).collect()
    }

    /// Remembers that this version fulfils `fingerprint`.
    pub(crate) fn set_fulfilled(&mut self, fingerprint: u64) {
        (self.fields, self.fulfilled) = (None, Some(fingerprint));
    }
}

/// Whether `desired` has every field of the set.
fn has_all(fields: &Map<String, Value>, desired: &Value) -> bool {
    fields.iter().all(|(path, below)| {
        let found = match path.split_once(':') {
            // `.` is the value itself.
            None => return true,
            Some(("f", name)) => desired.get(name),
            Some(("k", key)) => item(desired, |item| has_key(item, key)),
            Some(("v", value)) => {
                let value: Option<Value> = serde_json::from_str(value).ok();
                item(desired, |item| Some(item) == value.as_ref())
            }
            // Positions are not used in what was applied.
            Some(_) => None,
        };
        let below = below.as_object();
        found.is_some_and(|found| below.is_none_or(|below| has_all(below, found)))
    })
}

fn item(list: &Value, is_wanted: impl Fn(&Value) -> bool) -> Option<&Value> {
    list.as_array()?.iter().find(|item| is_wanted(item))
}

/// Whether a list's item has this key, of which the server fills in what has a default, such as `protocol`.
fn has_key(item: &Value, key: &str) -> bool {
    let Ok(Value::Object(key)) = serde_json::from_str(key) else { return false };
    key.iter().all(|(name, value)| item.get(name).is_none_or(|found| found == value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is_within(fields: &Value, desired: &Value) -> bool {
        let entry = json!({ "manager": "me", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": fields });
        let mut metadata: ObjectMeta =
            serde_json::from_value(json!({ "managedFields": [entry] })).expect("metadata");
        let records = take(&mut metadata, &["me".to_owned()]);
        assert!(metadata.managed_fields.is_none());
        records[0].is_within(desired)
    }

    #[test]
    fn what_is_desired_no_longer_is_noticed() {
        let fields = json!({ "f:spec": { "f:template": { "f:containers": {
            "k:{\"name\":\"a\"}": { ".": {}, "f:name": {}, "f:image": {},
                "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} } } } },
            "f:finalizers": { "v:\"x/y\"": {} } } } });
        let desired = json!({ "spec": { "template": { "finalizers": ["x/y"],
            "containers": [{ "name": "a", "image": "b", "ports": [{ "containerPort": 80 }], "tty": true }] } } });
        assert!(is_within(&fields, &desired));
        for gone in [
            "/spec/template/containers/0/image",
            "/spec/template/containers/0/ports/0",
            "/spec/template/containers/0",
            "/spec/template/finalizers/0",
        ] {
            let mut less = desired.clone();
            let (parent, last) = gone.rsplit_once('/').expect("a path");
            match less.pointer_mut(parent).expect("the parent") {
                Value::Array(items) => drop(items.remove(last.parse().expect("a number"))),
                Value::Object(fields) => drop(fields.remove(last)),
                _ => unreachable!("a leaf has nothing below"),
            }
            assert!(!is_within(&fields, &less), "{gone}");
        }
    }

    #[test]
    fn records_of_others_say_nothing() {
        let entry = |manager: &str, operation: &str, subresource: Option<&str>| json!({ "manager": manager, "operation": operation, "subresource": subresource, "fieldsV1": { "f:a": {} } });
        let entries = [
            entry("me", "Apply", None),
            entry("me", "Apply", Some("status")),
            entry("me", "Apply", Some("scale")),
            entry("me", "Update", None),
            entry("kubectl", "Apply", None),
        ];
        let mut metadata: ObjectMeta =
            serde_json::from_value(json!({ "managedFields": entries })).expect("metadata");
        let records = take(&mut metadata, &["me".to_owned()]);
        let kept: Vec<_> = records.iter().map(|record| (record.manager.as_str(), record.is_status)).collect();
        assert_eq!(kept, [("me", false), ("me", true)]);
    }
}
