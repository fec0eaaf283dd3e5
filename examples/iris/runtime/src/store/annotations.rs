//! A bound on the annotations that are kept of an object.

use std::cmp::Reverse;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::managed_fields::Managed;

/// Most bytes of annotations that are kept of an object, unless a store is told otherwise.
pub(super) const LIMIT: usize = 16 << 10;

/// Leaves out the longest annotations, until there are at most so many bytes of others. What was applied by one of
/// `managed` stays: it is compared with what is desired.
pub(super) fn limit(metadata: &mut ObjectMeta, bytes: usize, managed: &[Managed]) {
    let Some(annotations) = &mut metadata.annotations else { return };
    let length = |(name, value): (&String, &String)| name.len() + value.len();
    let mut total: usize = annotations.iter().map(length).sum();
    if total <= bytes {
        return;
    }
    let is_applied = |name: &str| managed.iter().any(|record| record.has_annotation(name));
    let others = annotations.iter().filter(|(name, _)| !is_applied(name));
    let mut others: Vec<_> = others.map(|pair| (length(pair), pair.0.clone())).collect();
    others.sort_by_key(|(length, _)| Reverse(*length));
    for (length, name) in others {
        if total <= bytes {
            break;
        }
        annotations.remove(&name);
        total -= length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managed_fields;
    use serde_json::json;

    #[test]
    fn the_longest_are_left_out_unless_they_were_applied_here() {
        let fields = json!({ "f:metadata": { "f:annotations": { "f:example.com/ours": {} } } });
        let record = json!({ "manager": "me", "operation": "Apply", "fieldsV1": fields });
        let [ours, long, short] = [100, 90, 10].map(|length| "x".repeat(length));
        let annotations = json!({ "example.com/ours": ours, "long": long, "longer": ours, "short": short });
        let metadata = json!({ "annotations": annotations, "managedFields": [record] });
        for (bytes, expected) in [
            (1_000, &["example.com/ours", "long", "longer", "short"][..]),
            (230, &["example.com/ours", "long", "short"]),
            (200, &["example.com/ours", "short"]),
            (0, &["example.com/ours"]),
        ] {
            let mut metadata: ObjectMeta = serde_json::from_value(metadata.clone()).expect("metadata");
            let managed = managed_fields::take(&mut metadata, &["me".to_owned()]);
            limit(&mut metadata, bytes, &managed);
            assert!(metadata.annotations.expect("annotations").keys().eq(expected), "{bytes}");
        }
    }
}
