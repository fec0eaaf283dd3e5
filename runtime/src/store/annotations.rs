//! A bound on the annotations that are kept of an object.

use std::collections::HashSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::managed_fields::Managed;

/// Most bytes of annotations that are kept of an object, unless a store is told otherwise.
pub(super) const LIMIT: usize = 16 << 10;

/// Leaves out the longest annotations, until there are at most so many bytes. What was applied by one of `managed` stays and
/// does not count: it is compared with what is desired. So does `pause`, the one that pauses the object.
pub(super) fn limit(
    metadata: &mut ObjectMeta,
    bytes: usize,
    managed: &[Managed],
    pause: impl FnOnce() -> String,
) {
    let Some(annotations) = &mut metadata.annotations else { return };
    let length = |(name, value): (&String, &String)| name.len() + value.len();
    if annotations.iter().map(length).sum::<usize>() <= bytes {
        return;
    }
    let kept: HashSet<_> = managed.iter().flat_map(Managed::annotations).chain([pause()]).collect();
    let others = annotations.iter().filter(|(name, _)| !kept.contains(*name));
    let mut others: Vec<_> = others.map(|pair| (length(pair), pair.0.clone())).collect();
    others.sort_by_key(|(length, _)| *length);
    let mut total = 0;
    for (length, name) in others {
        total += length;
        if total > bytes {
            annotations.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managed_fields;
    use serde_json::json;

    #[test]
    fn the_longest_are_left_out_unless_they_were_applied_here_or_pause_the_object() {
        let fields = json!({ "f:metadata": { "f:annotations": { "f:example.com/ours": {} } } });
        let record = json!({ "manager": "me", "operation": "Apply", "fieldsV1": fields });
        let [ours, long, short] = [100, 90, 10].map(|length| "x".repeat(length));
        let annotations = json!({ "example.com/ours": ours, "example.com/paused": "true", "long": long, "longer": ours,
            "short": short });
        let metadata = json!({ "annotations": annotations, "managedFields": [record] });
        for (bytes, expected) in [
            (1_000, &["example.com/ours", "example.com/paused", "long", "longer", "short"][..]),
            (120, &["example.com/ours", "example.com/paused", "long", "short"]),
            (100, &["example.com/ours", "example.com/paused", "short"]),
            (0, &["example.com/ours", "example.com/paused"]),
        ] {
            let mut metadata: ObjectMeta = serde_json::from_value(metadata.clone()).expect("metadata");
            let managed = managed_fields::take(&mut metadata, &["me".to_owned()]);
            limit(&mut metadata, bytes, &managed, || "example.com/paused".to_owned());
            assert!(metadata.annotations.expect("annotations").keys().eq(expected), "{bytes}");
        }
    }
}
