//! What each rule says, and what it does not.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::manifests::crd::sources::Sources;
use crate::path::RelPath;

/// A definition with these fields of its spec.
fn definition(fields: &Value) -> Value {
    let spec = json!({ "type": "object", "properties": fields });
    json!({ "spec": { "names": { "kind": "Garden" }, "versions": [{
        "name": "v1",
        "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": spec } } },
    }] } })
}

/// The rules that say something of a definition, with the fields.
fn said(definition: &Value) -> Vec<(String, &'static str)> {
    let found = findings(std::slice::from_ref(definition)).into_iter();
    found
        .map(|it| (it.place.trim_matches('`').trim_start_matches("Garden v1 ").to_owned(), it.rule))
        .collect()
}

#[test]
fn each_rule_finds_its_fields_and_no_others() {
    let text = json!({ "type": "string" });
    let condition = json!({ "type": "object", "required": ["type"], "properties":
        { "lastTransitionTime": text, "message": text, "reason": text, "status": text, "type": text } });
    let list = |items: &Value, more: &Value| {
        let mut list = json!({ "type": "array", "items": items, "x-kubernetes-list-type": "atomic" });
        list.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        list
    };
    let named = json!({ "type": "object", "required": ["name"], "properties": { "name": text } });
    let loose = json!({ "type": "object", "properties": { "name": text } });
    let tagged =
        json!({ "type": "object", "oneOf": [{ "required": ["name"] }], "properties": { "name": text } });
    let map = json!({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });
    let mut found = BTreeSet::new();
    for (name, field, rules) in [
        ("size", json!({ "type": "integer", "format": "int32" }), &[][..]),
        ("size", json!({ "type": "integer", "format": "int64" }), &[]),
        ("size", json!({ "type": "integer" }), &["integers"]),
        ("size", json!({ "type": "number", "format": "double" }), &["nofloats"]),
        ("size", json!({ "x-kubernetes-int-or-string": true }), &[]),
        ("open", json!({ "type": "boolean" }), &["nobools"]),
        ("name", json!({ "type": "string", "nullable": true }), &["nonullable"]),
        ("wait", json!({ "type": "string", "format": "duration" }), &["nodurations"]),
        ("since", json!({ "type": "string", "format": "date-time" }), &[]),
        ("snake_case", text.clone(), &["jsontags"]),
        ("Upper", text.clone(), &["jsontags"]),
        ("requestTTL", text.clone(), &[]),
        ("growthPhase", text.clone(), &["nophase"]),
        ("seedReferences", text.clone(), &["noreferences"]),
        ("seedRef", text.clone(), &[]),
        ("plantTimestamp", text.clone(), &["notimestamp"]),
        ("plantTime", text.clone(), &[]),
        ("labels", json!({ "type": "object", "additionalProperties": text }), &[]),
        ("beds", json!({ "type": "object", "additionalProperties": named }), &["nomaps"]),
        ("beds", list(&named, &json!({})), &[]),
        ("beds", list(&tagged, &json!({})), &[]),
        ("beds", list(&loose, &json!({})), &["arrayofstruct"]),
        ("beds", list(&text, &json!({ "x-kubernetes-list-type": null })), &["ssatags"]),
        ("beds", list(&text, &json!({ "x-kubernetes-list-type": "set" })), &[]),
        ("beds", list(&named, &json!({ "x-kubernetes-list-type": "set" })), &["ssatags"]),
        ("conditions", list(&condition, &map), &[]),
        ("conditions", list(&condition, &json!({})), &["conditions"]),
        ("conditions", list(&named, &map), &["conditions"]),
    ] {
        let expected: Vec<_> = rules.iter().map(|rule| (format!(".spec.{name}"), *rule)).collect();
        assert_eq!(said(&definition(&json!({ name: field }))), expected, "{field}");
        found.extend(rules);
    }

    let mut required = definition(&json!({ "size": { "type": "string", "default": "s" } }));
    assert_eq!(said(&required), []);
    let version = "/spec/versions/0";
    let schema = format!("{version}/schema/openAPIV3Schema/properties");
    required.pointer_mut(&format!("{schema}/spec")).expect("a spec")["required"] = json!(["size"]);
    assert_eq!(said(&required), [(".spec.size".to_owned(), "defaultorrequired")]);

    let mut status = definition(&json!({}));
    status.pointer_mut(&schema).expect("properties")["status"] =
        json!({ "type": "object", "required": ["size"], "properties": { "size": text } });
    let about = |rule| ("Garden v1".to_owned(), rule);
    assert_eq!(said(&status), [about("statusoptional"), about("statussubresource")]);
    status.pointer_mut(version).expect("a version")["subresources"] = json!({ "status": {} });
    assert_eq!(said(&status), [about("statusoptional")]);

    let rule = json!([{ "rule": "true" }]);
    let mut ruled = definition(&json!({ "free": { "type": "object", "properties": { "text": text } },
        "ruled": { "type": "object", "x-kubernetes-validations": rule, "properties": {
            "text": text, "short": { "type": "string", "maxLength": 9 }, "word": { "type": "string", "enum": ["a"] },
            "list": list(&text, &json!({})) } } }));
    let long = [".spec.ruled.list", ".spec.ruled.list[]", ".spec.ruled.text"];
    assert_eq!(said(&ruled), long.map(|field| (field.to_owned(), "maxlength")));
    ruled.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").expect("a schema")["x-kubernetes-validations"] =
        rule;
    assert_eq!(said(&ruled).len(), 4, "a rule about the whole sees all fields");
    found.extend(["defaultorrequired", "statusoptional", "statussubresource", "maxlength"]);
    assert!(found.iter().eq(&RULES), "each is tested: {found:?}");
}

#[test]
fn what_a_comment_accepts_is_not_said_and_what_it_accepts_in_vain_is() {
    let source = r#"
        #[derive(CustomResource)]
        #[kube(group = "example.com", version = "v1", kind = "Garden")]
        #[serde(rename_all = "camelCase")]
        pub struct GardenSpec {
            // +iris-scaffold:lint:allow=nobools,nophase it is open or not
            /// Whether it is open.
            #[serde(default)]
            pub open: bool,
            pub closed: bool,
            // +iris-scaffold:lint:allow=nobool
            pub beds: Vec<Bed>,
        }
        #[serde(rename_all = "camelCase")]
        pub struct Bed {
            pub is_dry: bool,
        }"#;
    let sources = [(RelPath::new("api/src/v1/garden.rs").expect("a path"), source.to_owned())];
    let boolean = json!({ "type": "boolean" });
    let bed = json!({ "type": "object", "required": ["isDry"],
        "properties": { "isDry": boolean, "elsewhere": boolean } });
    let beds = json!({ "type": "array", "items": bed, "x-kubernetes-list-type": "atomic" });
    let definition = definition(&json!({ "open": boolean, "closed": boolean, "beds": beds }));
    let parsed = Sources::read(&sources).expect("sources");
    let lines = lint(&[definition.clone(), definition], &parsed.places(), &Accepted::read(&sources));
    let message = "is a boolean, which cannot grow: an enum of words can (nobools)";
    let expected = [
        format!("`api/src/v1/garden.rs:16:17`: `Garden v1 .spec.beds[].isDry` {message}"),
        format!("`api/src/v1/garden.rs:10:17`: `Garden v1 .spec.closed` {message}"),
        "`api/src/v1/garden.rs:6`: `nophase` has nothing to say here: remove the comment".to_owned(),
        "`api/src/v1/garden.rs:11`: there is no rule `nobool`; did you mean `nobools`?".to_owned(),
    ];
    assert_eq!(lines, expected, "what is in no source cannot be changed");
}
