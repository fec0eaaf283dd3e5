//! Versions that can hold each other's objects, and versions that cannot.

use serde_json::json;

use super::*;

/// A definition with a stored and another version, whose specs these are.
fn crd(stored: &Value, other: &Value) -> Value {
    let version = |name: &str, spec: &Value| {
        json!({
            "name": name, "served": true, "storage": name == "v1", "subresources": { "status": {} },
            "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                "spec": spec, "status": { "type": "object" },
            } } },
        })
    };
    json!({ "spec": { "names": { "kind": "Iris" }, "versions": [version("v1", stored), version("v2", other)] } })
}

/// What is lost between versions whose specs these are.
fn losses(stored: &Value, other: &Value) -> Vec<String> {
    let losses = differences(&crd(stored, other)).losses;
    losses.into_iter().map(|(place, what)| format!("{place} {what}")).collect()
}

/// What is lost between versions that have these schemas of a field `a`.
fn field(stored: &Value, other: &Value) -> Vec<String> {
    let spec = |field: &Value| json!({ "type": "object", "properties": { "a": field } });
    losses(&spec(stored), &spec(other))
}

#[test]
fn fields_of_one_version_are_lost_in_the_other() {
    let with = |properties: Value| json!({ "type": "object", "properties": properties });
    let (one, two) = (with(json!({ "a": {} })), with(json!({ "a": {}, "b": {} })));
    assert_eq!(losses(&one, &two), ["`Iris v2 .spec.b` is not in v1"]);
    assert_eq!(losses(&two, &one), ["`Iris v1 .spec.b` is not in v2"]);
    assert_eq!(losses(&two, &two), [] as [String; 0]);
    // Deep inside, too.
    let within = |fields: &Value| json!({ "type": "array", "items": { "type": "object", "additionalProperties": fields } });
    assert_eq!(field(&within(&one), &within(&two)), ["`Iris v2 .spec.a[][*].b` is not in v1"]);
    // Who keeps what is not known keeps that, too.
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    assert_eq!(
        field(&open, &with(json!({ "b": {} }))),
        ["`Iris v1 .spec.a` keeps keys of any name, which are dropped in v2"]
    );
    let map = |of: &Value| json!({ "type": "object", "additionalProperties": of });
    let text = json!({ "type": "string" });
    assert_eq!(
        field(&map(&text), &with(json!({ "b": text }))),
        ["`Iris v1 .spec.a` keeps keys of any name, which are dropped in v2"]
    );
    assert_eq!(
        field(&map(&text), &with(json!({ "b": { "type": "integer" } }))),
        [
            "`Iris v1 .spec.a.b` is a string, but an integer in v2",
            "`Iris v1 .spec.a` keeps keys of any name, which are dropped in v2"
        ]
    );
    assert_eq!(field(&map(&text), &open), ["`Iris v2 .spec.a[*]` is any value, but a string in v1"]);
    assert_eq!(field(&open, &open), [] as [String; 0]);
}

#[test]
fn values_that_the_other_type_cannot_hold_are_lost() {
    let integer =
        |more: &str| serde_json::from_str(&format!("{{\"type\": \"integer\"{more}}}")).expect("JSON");
    let (plain, both): (Value, Value) = (integer(""), json!({ "x-kubernetes-int-or-string": true }));
    let text = |values: &[&str]| json!({ "type": "string", "enum": values });
    for (stored, other, what) in [
        (plain.clone(), json!({ "type": "string" }), "`Iris v1 .spec.a` is an integer, but a string in v2"),
        (plain, both, "`Iris v1 .spec.a` is an integer, but an integer or string in v2"),
        (
            integer(r#", "format": "int64""#),
            integer(r#", "format": "int32""#),
            "`Iris v1 .spec.a` has the format int64, but int32 in v2",
        ),
        (
            integer(r#", "format": "int32", "maximum": 255"#),
            integer(r#", "format": "int32", "maximum": 65535"#),
            "`Iris v2 .spec.a` has numbers above 255, which is the end in v1",
        ),
        (text(&["x", "y"]), text(&["x"]), "`Iris v1 .spec.a` has the value `\"y\"`, which is not in v2"),
        (json!({ "type": "string" }), text(&["x"]), "`Iris v1 .spec.a` has any value, but only some in v2"),
        (
            json!({ "type": "string", "nullable": true }),
            json!({ "type": "string" }),
            "`Iris v1 .spec.a` may be null, but not in v2",
        ),
    ] {
        assert_eq!(field(&stored, &other), [what]);
    }
    let required = |more: Value| {
        let mut field = json!({ "type": "string" });
        field.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        json!({ "type": "object", "required": ["a"], "properties": { "a": field } })
    };
    let optional = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    assert_eq!(losses(&required(json!({})), &optional), ["`Iris v2 .spec.a` may be left out, but not in v1"]);
    assert_eq!(losses(&required(json!({ "default": "x" })), &optional), [] as [String; 0]);
}

#[test]
fn conditions_lose_nothing() {
    let text = |more: &str| serde_json::from_str(&format!("{{\"type\": \"string\"{more}}}")).expect("JSON");
    let plain: Value = text("");
    for more in [r#", "maxLength": 5"#, r#", "pattern": "^a""#, r#", "default": "x""#] {
        let spec = |field: &Value| json!({ "type": "object", "properties": { "a": field } });
        let found = differences(&crd(&spec(&plain), &spec(&text(more))));
        assert_eq!(found.losses, []);
        assert_eq!(found.conditions, [".spec.a".to_owned()].into());
    }
    let said = |description: &str| json!({ "type": "object", "description": description });
    assert_eq!(differences(&crd(&said("a"), &said("b"))), Differences::default());
}

#[test]
fn the_versions_that_count_are_those_served_and_the_one_stored() {
    let with = |properties: Value| json!({ "type": "object", "properties": properties });
    let (one, two) = (with(json!({ "a": {} })), with(json!({ "b": {} })));
    let mut crd = crd(&one, &two);
    assert_eq!(differences(&crd).losses.len(), 2);
    crd["spec"]["versions"][1]["deprecated"] = json!(true);
    assert_eq!(differences(&crd).losses.len(), 2, "who is deprecated is served");
    crd["spec"]["versions"][0]["served"] = json!(false);
    assert_eq!(differences(&crd).losses.len(), 2, "what is stored passes through it");
    crd["spec"]["versions"][0]["served"] = json!(true);
    crd["spec"]["versions"][1]["served"] = json!(false);
    assert_eq!(differences(&crd), Differences::default());
}

#[test]
fn a_status_of_one_version_is_lost() {
    let spec = json!({ "type": "object" });
    let mut crd = crd(&spec, &spec);
    let version = &mut crd["spec"]["versions"][1];
    version["subresources"] = json!({});
    let status = |crd: &Value| differences(crd).losses;
    let place = "`Iris v1 .status`".to_owned();
    assert_eq!(status(&crd), [(place.clone(), "is a subresource, but a field like others in v2".to_owned())]);
    let fields = "/spec/versions/1/schema/openAPIV3Schema/properties";
    crd.pointer_mut(fields).and_then(Value::as_object_mut).expect("fields").remove("status");
    assert_eq!(status(&crd), [(place, "is not in v2".to_owned())]);
}
