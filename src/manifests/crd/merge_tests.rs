//! Versions that fit together and versions that do not.

use super::super::{Names, builtin, render};
use super::*;

fn version(name: &str) -> Value {
    builtin(
        include_str!("../../../templates/kinds/blank/definition.json"),
        &Names {
            group: "example.com".into(),
            version: name.into(),
            kind: "Foo".into(),
            plural: "foos".into(),
            singular: "foo".into(),
            list_kind: "FooList".into(),
            namespaced: true,
        },
    )
}

/// Name and storage flag of each version.
fn stored(crd: &Value) -> Vec<(&str, bool)> {
    versions(std::slice::from_ref(crd)).map(|version| (name(version), version["storage"] == true)).collect()
}

fn message(result: Result<Value>) -> String {
    result.expect_err("a refusal").to_string()
}

#[test]
fn versions_are_in_order_and_one_is_stored() {
    let merged = merge(vec![version("v2"), version("v1"), version("v1alpha1")], "v1").expect("they fit");
    assert_eq!(stored(&merged), [("v1", true), ("v1alpha1", false), ("v2", false)]);
    let again = merge(vec![version("v1alpha1"), version("v2"), version("v1")], "v1").expect("they fit");
    assert_eq!(again, merged, "the order given does not matter");
}

#[test]
fn short_names_and_annotations_are_joined() {
    let (mut a, mut b) = (version("v1"), version("v2"));
    a["spec"]["names"]["shortNames"] = json!(["f"]);
    b["spec"]["names"]["shortNames"] = json!(["f", "fo"]);
    b["metadata"]["annotations"]["x"] = json!("y");
    b["metadata"]["labels"] = json!({"l": "m"});
    let merged = merge(vec![b, a], "v1").expect("they fit");
    assert_eq!(merged["spec"]["names"]["shortNames"], json!(["f", "fo"]));
    assert_eq!(merged["metadata"]["annotations"]["x"], "y");
    assert_eq!(merged["metadata"]["labels"], json!({"l": "m"}));
}

#[test]
fn refuses_versions_that_do_not_fit() {
    let mut other = version("v2");
    other["spec"]["scope"] = json!("Cluster");
    assert_eq!(
        message(merge(vec![version("v1"), other], "v1")),
        "`foos.example.com` has scope `Namespaced` in version `v1` but `Cluster` in version `v2`"
    );
    assert_eq!(
        message(merge(vec![version("v1"), version("v1")], "v1")),
        "`foos.example.com` has version `v1` twice"
    );
    assert_eq!(
        message(merge(vec![version("v1"), version("v2")], "v3")),
        "`foos.example.com` has no version `v3` to store, only `v1` and `v2`"
    );
    assert_eq!(message(merge(Vec::new(), "v1")), "there is no version to merge");
}

#[test]
fn a_version_is_added_to_the_file_on_disk() {
    let first = with_version(None, version("v1alpha1"), "v1alpha1").expect("a first version");
    assert_eq!(first, version("v1alpha1"));
    let text = render(&first);
    assert_eq!(with_version(Some(&text), version("v1alpha1"), "v1alpha1").expect("replaced"), first);
    let both = with_version(Some(&text), version("v1"), "v1alpha1").expect("a second version");
    assert_eq!(stored(&both), [("v1", false), ("v1alpha1", true)]);
    let other = with_version(Some(&render(&both)), version("v1"), "v1").expect("replaced");
    assert_eq!(stored(&other), [("v1", true), ("v1alpha1", false)]);
    for broken in ["", "a: [", "a: b", "kind: CustomResourceDefinition", "\u{0}"] {
        assert_eq!(
            message(with_version(Some(broken), version("v1"), "v1")),
            "the definition in `example.com_foos.yaml` cannot be read",
            "{broken}"
        );
    }
}

#[test]
fn the_types_and_the_files_agree() {
    let (mut raw, stored) = (version("v1"), version("v2"));
    raw["spec"]["versions"][0]["storage"] = json!(false);
    let printed = format!("{raw}\n{stored}\n");
    let from_types = from_crdgen(&printed).expect("a stream");
    let first = render(&with_version(None, version("v1"), "v1").expect("a first version"));
    let from_files = with_version(Some(&first), stored, "v2").expect("a second version");
    assert_eq!(from_types, [from_files]);
    assert_eq!(from_crdgen(" \n").expect("no kinds"), [] as [Value; 0]);
}

#[test]
fn exactly_one_version_is_stored() {
    let mut unstored = version("v2");
    unstored["spec"]["versions"][0]["storage"] = json!(false);
    assert_eq!(storage_version(&[version("v1"), unstored.clone()]).expect("one"), "v1");
    let none = storage_version(&[unstored]).expect_err("none");
    assert_eq!(none.to_string(), "`foos.example.com` has no storage version");
    let two = storage_version(&[version("v1"), version("v2")]).expect_err("two");
    assert_eq!(two.to_string(), "`foos.example.com` has 2 storage versions, `v1` and `v2`");
    assert!(two.hints()[0].contains("`storage = false`"), "{:?}", two.hints());
}

#[test]
fn garbage_from_crdgen_is_refused() {
    for garbage in [
        "hello",
        "{",
        "[]",
        "null",
        "{\"kind\": \"Secret\"}",
        "{\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\"}",
        "{\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\", \"metadata\": 1}",
        "{\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\", \
          \"metadata\": {\"name\": \"a.b\"}, \"spec\": \"x\"}",
        "{\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\", \
          \"metadata\": {\"name\": \"a.b\"}, \"spec\": {\"versions\": [null]}}",
    ] {
        let error = from_crdgen(garbage).expect_err(garbage).to_string();
        assert!(error.starts_with('`'), "{error}");
    }
}

/// What is said of definitions that `crdgen` printed.
fn said(crds: &[Value]) -> String {
    let stream: String = crds.iter().map(ToString::to_string).collect();
    from_crdgen(&stream).expect_err("a refusal").to_string()
}

#[test]
fn versions_of_a_kind_have_one_plural() {
    let mut other = version("v2");
    other["spec"]["names"]["plural"] = json!("fooz");
    other["metadata"]["name"] = json!("fooz.example.com");
    let expected = "`Foo` has plural `foos` in version `v1` but `fooz` in version `v2`";
    assert_eq!(said(&[version("v1"), other.clone()]), expected);
    other["spec"]["group"] = json!("example.org");
    other["metadata"]["name"] = json!("fooz.example.org");
    let stream = format!("{}{other}", version("v1"));
    assert_eq!(from_crdgen(&stream).expect("two groups").len(), 2);
}

#[test]
fn kinds_of_a_group_have_names_of_their_own() {
    let named = |names: Value| {
        let mut other = version("v1");
        other["metadata"]["name"] = json!("bars.example.com");
        other["spec"]["names"] =
            json!({ "kind": "Bar", "listKind": "BarList", "plural": "bars", "singular": "bar" });
        other["spec"]["names"]
            .as_object_mut()
            .expect("names")
            .extend(names.as_object().expect("names").clone());
        other
    };
    for (names, name) in [
        (json!({ "singular": "foo" }), "foo"),
        (json!({ "shortNames": ["b", "foos"] }), "foos"),
        (json!({ "listKind": "Foo" }), "Foo"),
        (json!({ "kind": "FooList" }), "FooList"),
    ] {
        let expected = format!("`bars.example.com` and `foos.example.com` are both called `{name}`");
        assert_eq!(said(&[version("v1"), named(names)]), expected);
    }
    let stream = format!("{}{}", version("v1"), named(json!({ "categories": ["foo"] })));
    assert_eq!(from_crdgen(&stream).expect("categories are shared").len(), 2);
}

/// What `crdgen` prints may be any JSON.
#[test]
fn whatever_json_nests_or_repeats_gets_an_answer() {
    crate::limits::with_stack(|| {
        for depth in [10, 127, 251, 20_000] {
            for (open, close) in
                [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]"), ("[", ""), ("{\"a\":", "")]
            {
                let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                assert!(from_crdgen(&nested).is_err());
                let mut inside = version("v1");
                inside["spec"]["deep"] = json!("DEEP");
                let inside = inside.to_string().replace("\"DEEP\"", &nested);
                let answer = from_crdgen(&inside);
                assert!(answer.is_err() || !close.is_empty(), "{open} {depth}");
            }
        }
        for part in ["1 ", "[] ", "{} ", "\"\" ", "\"\\u0000", "-", "1e9", "null ", "{\"a\":1,", "[1,"] {
            assert!(from_crdgen(&part.repeat(20_000)).is_err(), "{part}");
        }
    });
}
