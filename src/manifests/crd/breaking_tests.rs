//! Changes that break, and changes that do not.

use serde_json::json;

use super::*;

fn crd(spec: &Value) -> Value {
    json!({ "spec": {
        "names": { "kind": "Iris" },
        "scope": "Namespaced",
        "versions": [{
            "name": "v1",
            "served": true,
            "subresources": { "status": {} },
            "selectableFields": [{ "jsonPath": ".spec.a" }],
            "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": spec } } },
        }],
    }})
}

/// What breaks when a field `a` with the one schema gets the other.
fn field(old: &Value, new: &Value) -> Vec<String> {
    let spec = |field: &Value| crd(&json!({ "type": "object", "properties": { "a": field } }));
    breaking(&spec(old), &spec(new))
}

#[test]
fn stricter_fields_break_and_wider_ones_do_not() {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer", "minimum": 1, "maximum": 5 });
    let choice = json!({ "type": "string", "enum": ["x", "y"] });
    for (wide, narrow, what) in [
        (text.clone(), json!({ "type": "string", "maxLength": 5 }), "there is a `maxLength` now, `5`"),
        (text.clone(), json!({ "type": "string", "pattern": "^a" }), "there is a `pattern` now, `\"^a\"`"),
        (text.clone(), choice.clone(), "there is an `enum` now, `[\"x\",\"y\"]`"),
        (choice, json!({ "type": "string", "enum": ["x"] }), "the value `\"y\"` is gone"),
        (
            number.clone(),
            json!({ "type": "integer", "minimum": 2, "maximum": 5 }),
            "`minimum` is 2 now, it was 1",
        ),
        (number, json!({ "type": "integer", "minimum": 1, "maximum": 4 }), "`maximum` is 4 now, it was 5"),
        (
            text,
            json!({ "type": "string", "x-kubernetes-validations": [{ "rule": "self != ''" }] }),
            "there is a rule now, `self != ''`",
        ),
        (
            json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
            json!({ "type": "object" }),
            "unknown fields are no longer kept",
        ),
    ] {
        assert_eq!(field(&wide, &narrow), [format!("`Iris` v1 `.spec.a`: {what}")]);
        assert_eq!(field(&narrow, &wide), [] as [String; 0], "{wide} accepts more");
    }
}

#[test]
fn what_clients_rely_on_stays() {
    let list = |kind: &str| json!({ "type": "array", "items": {}, "x-kubernetes-list-type": kind });
    let both_ways = |a: Value, b: Value| {
        assert_eq!(field(&a, &b).len(), 1, "{a} to {b}");
        assert_eq!(field(&b, &a).len(), 1, "{b} to {a}");
    };
    both_ways(json!({ "type": "string" }), json!({ "type": "integer" }));
    both_ways(list("atomic"), list("set"));
    both_ways(json!({ "type": "integer", "default": 1 }), json!({ "type": "integer", "default": 2 }));
    assert_eq!(field(&list("atomic"), &json!({ "type": "array", "items": {} })), [] as [String; 0]);
}

#[test]
fn fields_go_and_come() {
    let with = |required: Value, properties: Value| {
        crd(&json!({ "type": "object", "required": required, "properties": properties }))
    };
    let (a, b) = (json!({ "type": "string" }), json!({ "type": "string", "default": "x" }));
    let one = with(json!([]), json!({ "a": a }));
    let two = with(json!([]), json!({ "a": a, "b": a }));
    assert_eq!(breaking(&one, &two), [] as [String; 0]);
    assert_eq!(
        breaking(&two, &one),
        ["`Iris` v1 `.spec.b`: the field is gone, and what objects have there is lost"]
    );
    let needed = with(json!(["b"]), json!({ "a": a, "b": a }));
    assert_eq!(
        breaking(&one, &needed),
        ["`Iris` v1 `.spec.b`: the field is required now, and has no default"]
    );
    assert_eq!(breaking(&one, &with(json!(["b"]), json!({ "a": a, "b": b }))), [] as [String; 0]);
}

#[test]
fn versions_and_subresources_stay() {
    let old = crd(&json!({ "type": "object" }));
    let changed = |change: fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        breaking(&old, &new)
    };
    assert_eq!(changed(|new| new["spec"]["versions"] = json!([])), ["`Iris` v1: the version is gone"]);
    assert_eq!(
        changed(|new| new["spec"]["versions"][0]["served"] = json!(false)),
        ["`Iris` v1: the version is no longer served"]
    );
    assert_eq!(
        changed(|new| new["spec"]["versions"][0]["subresources"] = json!({})),
        ["`Iris` v1: the subresource `status` is gone"]
    );
    assert_eq!(
        changed(|new| new["spec"]["versions"][0]["selectableFields"] = json!([])),
        ["`Iris` v1: objects cannot be selected by `.spec.a` any more"]
    );
    assert_eq!(
        changed(|new| new["spec"]["scope"] = json!("Cluster")),
        ["`Iris`: the scope is `\"Cluster\"` now, it was `\"Namespaced\"`"]
    );
    assert_eq!(changed(|_| {}), [] as [String; 0]);
}

#[test]
fn what_was_stored_loses_what_the_stored_version_lacks() {
    let version = |name: &str, stored: bool, fields: &Value| {
        json!({ "name": name, "served": true, "storage": stored, "schema": { "openAPIV3Schema": {
            "type": "object",
            "properties": { "spec": { "type": "object", "properties": fields } },
        } } })
    };
    let crd = |versions: Value| json!({ "spec": { "names": { "kind": "Iris" }, "versions": versions } });
    let (a, b) = (json!({ "a": {}, "b": {} }), json!({ "a": {}, "c": {} }));
    let old = crd(json!([version("v1", true, &a)]));
    let mut unserved = version("v1", false, &a);
    unserved["served"] = json!(false);
    let new = crd(json!([unserved, version("v2", true, &b)]));
    assert_eq!(
        moved(&old, &new),
        [
            "`Iris`: v2 is stored now, and objects that were stored as v1 lose what it lacks: `Iris v1 .spec.b` is not in v2"
        ]
    );
    assert_eq!(moved(&old, &crd(json!([version("v2", true, &a)]))), [] as [String; 0]);
    assert_eq!(moved(&new, &new), [] as [String; 0]);
}
