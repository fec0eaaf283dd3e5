//! Shapes that kube-derive and schemars give, and what becomes of them.

use super::*;

/// A definition with this schema of `spec`.
fn crd(spec: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Foo", "plural": "foos", "singular": "foo"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "title": "Foo",
                    "description": "Auto-generated derived type for FooSpec via `CustomResource`",
                    "type": "object",
                    "required": ["spec"],
                    "properties": {"spec": spec, "status": {"type": "object", "nullable": true}},
                }},
            }],
        },
    })
}

fn normalised(spec: &Value) -> Value {
    let once = normalise(crd(spec));
    assert_eq!(normalise(once.clone()), once, "normalising twice changes nothing");
    once["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
}

#[test]
fn completes_the_whole() {
    let whole = normalise(crd(&json!({"type": "object"})));
    assert_eq!(whole["metadata"]["annotations"], json!({GENERATOR.0: GENERATOR.1}));
    assert_eq!(whole["spec"]["names"]["listKind"], "FooList");
    let schema = &whole["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    assert_eq!(schema["title"], Value::Null);
    assert_eq!(schema["description"], "Foo is the schema of the foos API.");
    assert_eq!(schema["properties"]["metadata"], json!({"type": "object"}));
    assert_eq!(schema["properties"]["apiVersion"]["type"], "string");
    assert_eq!(schema["properties"]["status"], json!({"type": "object"}));
}

#[test]
fn keeps_what_the_user_said_of_the_kind() {
    let mut given = crd(&json!({"type": "object"}));
    given["metadata"]["annotations"] = json!({"a": "b"});
    given["spec"]["names"]["listKind"] = json!("Fooes");
    given["spec"]["names"]["shortNames"] = json!(["fo"]);
    given["spec"]["names"]["categories"] = json!([]);
    given["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = json!("About foos.");
    let whole = normalise(given);
    assert_eq!(whole["metadata"]["annotations"]["a"], "b");
    assert_eq!(
        whole["spec"]["names"],
        json!({"kind": "Foo", "plural": "foos", "singular": "foo", "listKind": "Fooes", "shortNames": ["fo"]})
    );
    assert_eq!(whole["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"], "About foos.");
}

#[test]
fn what_may_be_left_out_is_not_null_too() {
    let spec = normalised(&json!({
        "type": "object",
        "required": ["z", "must"],
        "properties": {
            "may": {"type": "string", "nullable": true, "enum": ["a", null]},
            "must": {"type": "string", "nullable": true, "enum": ["a", null]},
            "z": {"type": "array", "items": {"type": "string", "nullable": true}},
            "map": {"type": "object", "nullable": true, "additionalProperties": {"type": "object", "properties": {
                "deep": {"type": "integer", "nullable": true, "default": null},
            }}},
        },
    }));
    assert_eq!(
        spec,
        json!({
            "type": "object",
            "required": ["must", "z"],
            "properties": {
                "may": {"type": "string", "enum": ["a"]},
                "must": {"type": "string", "nullable": true, "enum": ["a", null]},
                "z": {"type": "array", "items": {"type": "string", "nullable": true}},
                "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {
                    "deep": {"type": "integer"},
                }}},
            },
        })
    );
}

#[test]
fn numbers_and_formats_are_the_api_servers() {
    for (given, expected) in [
        (json!({"minimum": 0.0, "maximum": 10.0}), json!({"minimum": 0, "maximum": 10})),
        (json!({"minimum": -0.5, "multipleOf": 1e300}), json!({"minimum": -0.5, "multipleOf": 1e300})),
        (json!({"format": "uint8"}), json!({"format": "int32", "minimum": 0, "maximum": 255})),
        (json!({"format": "int16"}), json!({"format": "int32", "minimum": -32768, "maximum": 32767})),
        (
            json!({"format": "uint32", "minimum": 1.0}),
            json!({"format": "int64", "minimum": 1, "maximum": 4_294_967_295_u32}),
        ),
        (
            json!({"format": "uint32", "minimum": -5, "maximum": 1e10}),
            json!({"format": "int64", "minimum": 0, "maximum": 4_294_967_295_u32}),
        ),
        (json!({"format": "uint16", "maximum": 9}), json!({"format": "int32", "minimum": 0, "maximum": 9})),
        (json!({"format": "uint"}), json!({"format": "int64", "minimum": 0})),
        (json!({"format": "int64", "maximum": 9.223_372_036_854_776e18}), json!({"format": "int64"})),
        (json!({"format": "int64", "minimum": -9.223_372_036_854_776e18}), json!({"format": "int64"})),
        (json!({"format": "int64", "maximum": 1e18}), json!({"format": "int64", "maximum": 1e18})),
        (json!({"format": "int64", "minimum": i64::MIN, "maximum": i64::MAX}), json!({"format": "int64"})),
        // Which the check refuses: each of them would become another number.
        (
            json!({"format": "int64", "maximum": i64::MAX - 1}),
            json!({"format": "int64", "maximum": i64::MAX - 1}),
        ),
        (
            json!({"format": "int64", "minimum": -9_007_199_254_740_993_i64, "multipleOf": 9_007_199_254_740_993_i64}),
            json!({"format": "int64", "minimum": -9_007_199_254_740_993_i64, "multipleOf": 9_007_199_254_740_993_i64}),
        ),
        (json!({"format": "uint64", "maximum": u64::MAX}), json!({"format": "int64", "minimum": 0})),
        (
            json!({"format": "uint32", "maximum": 9_007_199_254_740_993_i64}),
            json!({"format": "int64", "minimum": 0, "maximum": 4_294_967_295_u32}),
        ),
        (json!({"format": "int32", "maximum": 2_147_483_647_i64}), json!({"format": "int32"})),
        (
            json!({"format": "int64", "maximum": 9.223_372_036_854_776e18, "exclusiveMaximum": true}),
            json!({"format": "int64"}),
        ),
        (
            json!({"format": "int32", "minimum": -2_147_483_648_i64, "exclusiveMinimum": true}),
            json!({"format": "int32", "minimum": -2_147_483_648_i64, "exclusiveMinimum": true}),
        ),
        (json!({"format": "int32", "maximum": 3e9, "exclusiveMaximum": true}), json!({"format": "int32"})),
        (
            json!({"format": "int32", "minimum": 0.5, "maximum": 7.5, "exclusiveMaximum": true}),
            json!({"format": "int32", "minimum": 1, "maximum": 7}),
        ),
        (json!({"format": "int128"}), json!({})),
        (json!({"format": "uint128", "maximum": 1.844_674_407_370_955_2e19}), json!({"minimum": 0})),
        (json!({"format": "date-time"}), json!({"format": "date-time"})),
        (json!({"format": "partial-date-time"}), json!({})),
        (
            json!({"items": {"type": "string", "format": "zoned-date-time"}}),
            json!({"items": {"type": "string"}}),
        ),
        (
            json!({"additionalProperties": {"type": "string", "format": "partial-time"}}),
            json!({"additionalProperties": {"type": "string"}}),
        ),
        (json!({"required": []}), json!({})),
    ] {
        assert_eq!(normalised(&given), expected, "{given}");
    }
}

#[test]
fn values_of_any_kind_are_kept() {
    let open = json!({"type": "object", "additionalProperties": true});
    let kept = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    assert_eq!(normalised(&open), kept);
    let within = |map: &Value| {
        json!({"type": "object", "properties": {"list": {"type": "array", "items": map}},
        "required": ["list"]})
    };
    assert_eq!(normalised(&within(&open)), within(&kept));
    let maps = |map: &Value| json!({"type": "object", "additionalProperties": map});
    assert_eq!(normalised(&maps(&open)), maps(&kept));
    // Of a value that is not in a map nothing is said at all.
    let any = json!({"description": "Anything.", "x-kubernetes-preserve-unknown-fields": true});
    let said = json!({"description": "Anything."});
    let list = |items: &Value| json!({"type": "array", "items": items});
    let places: [&dyn Fn(&Value) -> Value; 3] = [&within, &maps, &list];
    for around in places {
        assert_eq!(normalised(&around(&list(&said))), around(&list(&any)));
    }
    assert_eq!(normalised(&within(&said)), within(&any));
    let condition = json!({"type": "object", "anyOf": [{"properties": {"a": {}}}]});
    assert_eq!(normalised(&condition), condition, "what says nothing there stays");
}

#[test]
fn defaults_have_no_null_where_none_may_be() {
    let schema = |default: &Value| {
        json!({"type": "object", "default": default, "required": ["must"], "properties": {
            "may": {"type": "string", "nullable": true},
            "must": {"type": "string", "nullable": true},
            "five": {"type": "integer", "nullable": true, "default": 5},
            "deep": {"type": "object", "properties": {"may": {"type": "integer", "nullable": true}}},
            "list": {"type": "array", "items": {"type": "object",
                "properties": {"may": {"type": "integer", "nullable": true}}}},
            "map": {"type": "object", "additionalProperties": {"type": "string", "nullable": true}},
        }})
    };
    // The API server would put five in the place of that null, and Rust would not.
    let given = json!({"may": null, "must": null, "five": null, "deep": {"may": null}, "list": [{"may": null}, {"may": 1}],
        "map": {"a": null}, "unknown": null});
    let expected = json!({"must": null, "five": null, "deep": {}, "list": [{}, {"may": 1}], "map": {"a": null},
        "unknown": null});
    assert_eq!(normalised(&schema(&given))["default"], expected);
}

#[test]
fn values_of_the_user_are_left_alone() {
    for value in [
        json!({"default": {"properties": {"a": {"nullable": true}}, "minimum": 1.0}}),
        json!({"enum": [1.0, null], "example": {"format": "uint8"}}),
        json!({"default": 9_007_199_254_740_993_i64, "enum": [9_007_199_254_740_993_i64], "example": u64::MAX}),
        json!({"x-kubernetes-validations": [{"rule": "self == null"}], "properties": {"format": {"type": "string"}}}),
    ] {
        assert_eq!(normalised(&value), value);
    }
}

#[test]
fn a_type_like_a_condition_is_not_taken_for_one() {
    let other = json!({"type": "object", "properties": {
        "status": {"type": "string"}, "type": {"type": "string"}, "reason": {"type": "string"},
    }});
    assert_eq!(normalised(&other), other);
}
