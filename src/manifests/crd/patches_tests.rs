//! Patches in every form, and whom they are for.

use std::convert::Infallible;

use serde_json::json;

use super::*;

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "irises.example.com", "annotations": { "a": "b" } },
        "spec": { "group": "example.com" },
    })
}

const MERGE: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
                     irises.example.com\nspec:\n  conversion:\n    strategy: Webhook\n";
const OPERATIONS: &str = "- {op: add, path: /spec/conversion, value: {strategy: Webhook}}\n";

/// The strategy that a kustomization gives the definition, with `MERGE` in a file and `OPERATIONS` in another.
fn strategy(kustomization: &str) -> Value {
    let load = |path: &str| {
        Ok::<_, Infallible>(match path {
            "merge.yaml" => Some(MERGE.to_owned()),
            "operations.yaml" => Some(OPERATIONS.to_owned()),
            "operations.json" => {
                Some(r#"[{"op":"add","path":"/spec/conversion","value":{"strategy":"Webhook"}}]"#.into())
            }
            _ => None,
        })
    };
    let Ok(patches) = Patches::read(kustomization, load);
    patches.expect("YAML").conversion(&definition())["strategy"].clone()
}

/// `text` as a block of YAML, so much further in.
fn block(text: &str, indent: usize) -> String {
    text.lines().map(|line| format!("{:indent$}{line}\n", "")).collect()
}

#[test]
fn patches_are_known_in_every_form() {
    for kustomization in [
        "patches:\n- path: merge.yaml\n".to_owned(),
        "resources:\n- bases/a.yaml\npatches:\n# +kubebuilder:scaffold:crdkustomizewebhookpatch\n- path: merge.yaml\n".into(),
        format!("patches:\n- patch: |-\n{}", block(MERGE, 4)),
        "patchesStrategicMerge:\n- merge.yaml\n".into(),
        format!("patchesStrategicMerge:\n- |-\n{}", block(MERGE, 4)),
        "patches:\n- path: operations.yaml\n  target: {kind: CustomResourceDefinition}\n".into(),
        "patches:\n- path: operations.json\n  target: {name: irises.example.com}\n".into(),
        format!("patches:\n- patch: |-\n{}  target:\n    kind: CustomResourceDefinition\n", block(OPERATIONS, 4)),
        "patchesJson6902:\n- path: operations.yaml\n  target: {group: apiextensions.k8s.io, version: v1, kind: \
         CustomResourceDefinition, name: irises.example.com}\n"
            .into(),
        "patches:\n- target: {kind: CustomResourceDefinition}\n  patch: '[{op: add, path: /spec/conversion, value: \
         {}}, {op: add, path: /spec/conversion/strategy, value: Webhook}]'\n"
            .into(),
    ] {
        assert_eq!(strategy(&kustomization), "Webhook", "{kustomization}");
    }
}

#[test]
fn targets_select_by_patterns_and_labels() {
    let with = |target: &str| strategy(&format!("patches:\n- path: merge.yaml\n  target: {{{target}}}\n"));
    for target in [
        "name: iris.*",
        "kind: Custom.*",
        "annotationSelector: a=b",
        "annotationSelector: 'a!=c,!x'",
        "kind: ''",
    ] {
        assert_eq!(with(target), "Webhook", "{target}");
    }
    for target in
        ["name: iris", "kind: Deployment", "group: example.com", "labelSelector: a=b", "namespace: x"]
    {
        assert_eq!(with(target), Value::Null, "{target}");
    }
}

#[test]
fn what_sets_no_conversion_is_none() {
    for kustomization in [
        "",
        "patches:\n",
        "resources:\n- merge.yaml\n",
        "patches:\n- path: missing.yaml\n",
        // A JSON patch without a target is for nothing.
        "patches:\n- path: operations.yaml\n",
        "patches:\n- patch: '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: \
         other}, spec: {conversion: {strategy: Webhook}}}'\n",
        "patches:\n- path: merge.yaml\n- target: {name: irises.example.com}\n  patch: '[{op: remove, path: \
         /spec/conversion}]'\n",
        "patches:\n- path: merge.yaml\n- target: {name: irises.example.com}\n  patch: '{spec: {conversion: null}}'\n",
    ] {
        assert_eq!(strategy(kustomization), Value::Null, "{kustomization}");
    }
    assert_eq!(
        strategy(
            "patches:\n- path: merge.yaml\n- target: {}\n  patch: '{spec: {conversion: {strategy: None}}}'\n"
        ),
        "None"
    );
}

#[test]
fn what_is_no_kustomization_is_a_fault() {
    for text in ["patches: 5\n", "a: [\n", "patches:\n- patch: 'a: ['\n"] {
        let Ok(read) = Patches::read(text, |_| Ok::<_, Infallible>(None));
        assert!(read.is_err(), "{text}");
    }
}
