//! What the check says of whole definitions.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::validate;
use crate::limits::with_stack;

/// A definition that is in order.
fn base() -> Value {
    serde_json::from_str(include_str!("../../../../tests/data/shapes/definition.json")).expect("JSON")
}

/// Each change of the list, its sign, and the definition that it makes. A test in `tests/definitions.rs` holds the
/// signs to a real API server.
fn changed() -> Vec<(char, &'static str, Value)> {
    let lines = include_str!("../../../../tests/data/shapes/definitions.txt").lines();
    let change = |line: &'static str| {
        let (place, value) = line[2..].split_once(' ').expect("a place and a value");
        let place = place.replacen('~', "/spec/versions/0/schema/openAPIV3Schema/properties/spec", 1);
        let (parent, key) = place.rsplit_once('/').expect("a pointer");
        let mut crd = base();
        crd.pointer_mut(parent).expect("a place")[key] = serde_json::from_str(value).expect(value);
        (line.chars().next().unwrap_or_default(), line, crd)
    };
    lines.filter(|line| !line.starts_with('#')).map(change).collect()
}

fn said(crd: &Value) -> Result<Vec<String>, String> {
    validate(std::slice::from_ref(crd)).map_err(|error| error.to_string())
}

#[test]
fn passes_and_refuses_what_it_should() {
    assert_eq!(said(&base()), Ok(Vec::new()));
    for (sign, line, crd) in changed() {
        assert_eq!(said(&crd).is_ok(), sign == '+', "{line}\n{:?}", said(&crd));
    }
}

#[test]
fn reports_every_problem_at_once_with_its_place_and_a_hint() {
    let mut crd = base();
    let spec = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"]["a"] = serde_json::json!({});
    spec["properties"]["b"] =
        serde_json::json!({ "type": "array", "items": { "type": "string", "default": 1 } });
    spec["properties"]["c"] = serde_json::json!({ "type": "array", "items": [{ "type": "string" }] });
    crd["spec"]["names"]["shortNames"] = serde_json::json!(["B"]);
    let other = crd.clone();
    let error = validate(&[crd, other]).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "`Base`: `B` cannot be a short name\n\
         `Base v1 .spec.a`: a value without a type\n\
         `Base v1 .spec.c`: a tuple, which no definition can describe"
    );
    assert_eq!(error.hints().len(), 4, "one each, and that nothing was written: {:#?}", error.hints());
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn bounds_that_would_become_other_numbers_are_refused() {
    for (field, what, hint) in [
        (
            json!({ "type": "integer", "maximum": 9_007_199_254_740_993_i64 }),
            "`maximum` cannot be 9007199254740993",
            "write 9007199254740992 or 9007199254740994,",
        ),
        (
            json!({ "type": "integer", "minimum": -9_007_199_254_740_993_i64 }),
            "`minimum` cannot be -9007199254740993",
            "write -9007199254740994 or -9007199254740992,",
        ),
        (
            json!({ "type": "integer", "format": "int64", "maximum": i64::MAX - 1 }),
            "`maximum` cannot be 9223372036854775806",
            "write 9223372036854774784, or leave `maximum` out",
        ),
        (
            json!({ "type": "integer", "multipleOf": 9_007_199_254_740_993_i64 }),
            "`multipleOf` cannot be 9007199254740993",
            "write 9007199254740992 or 9007199254740994,",
        ),
    ] {
        let mut crd = base();
        let fields = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        crd.pointer_mut(fields).expect("fields")["large"] = field;
        let error = validate(&[crd]).expect_err(what);
        assert!(error.to_string().starts_with(&format!("`Base v1 .spec.large`: {what}:")), "{error}");
        assert!(error.hints()[0].starts_with(hint), "{:?}", error.hints());
    }
    let mut crd = base();
    let exact = json!({ "type": "integer", "minimum": -9_007_199_254_740_994_i64, "maximum": 1_i64 << 62 });
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["large"] =
        exact;
    assert_eq!(said(&crd), Ok(Vec::new()));
}

#[test]
fn says_when_a_definition_is_large() {
    let mut crd = base();
    let description = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/description";
    let (parent, key) = description.rsplit_once('/').expect("a pointer");
    crd.pointer_mut(parent).expect("a place")[key] = "x".repeat(262_144).into();
    let notes = said(&crd).expect("a note only");
    assert!(notes[0].contains("--server-side"), "{notes:?}");
    crd.pointer_mut(parent).expect("a place")[key] = "x".repeat(1_572_864).into();
    assert!(said(&crd).expect_err("too large").contains("etcd takes"));
}

#[test]
fn rules_that_are_cheap_alone_can_be_dear_together() {
    let rule = serde_json::json!({ "rule": "self.all(x, x == 'a')", "message": "no" });
    let list = |count: usize| {
        let rules = vec![rule.clone(); count];
        serde_json::json!({
            "type": "array",
            "maxItems": 700_000,
            "items": { "type": "string", "maxLength": 9 },
            "x-kubernetes-validations": rules,
        })
    };
    let with = |count| {
        let mut crd = base();
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] =
            list(count);
        said(&crd)
    };
    assert_eq!(with(20), Ok(Vec::new()));
    assert_eq!(with(30), Err("`Base v1`: all rules together could cost too much".into()));
}

/// The definition with this as its `.spec.x`.
fn with_field(field: Value) -> Value {
    let mut crd = base();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] = field;
    crd
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    with_stack(|| {
        for depth in [300, 20_000] {
            let field = (0..depth).fold(json!({ "type": "string" }), |inner, _| {
                [("type".to_owned(), json!("array")), ("items".to_owned(), inner)].into_iter().collect()
            });
            let mut crd = with_field(json!(0));
            let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/x";
            *crd.pointer_mut(spec).expect("the field") = field;
            let error = said(&crd).expect_err("too deep");
            assert!(error.contains("nested more than 250 levels deep"), "{error}");
        }
    });
}

#[test]
fn rules_on_defaults_are_given_up_as_the_api_server_does() {
    let open: String = (0..8).fold(String::new(), |mut open, level| {
        let _ = write!(open, "self.all(x{level}, ");
        open
    });
    let field = json!({
        "type": "array",
        "maxItems": 10,
        "items": { "type": "integer" },
        "default": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        "x-kubernetes-validations": [{ "rule": format!("{open}x0 < 99{}", ")".repeat(8)), "message": "no" }],
    });
    let error = said(&with_field(field)).expect_err("too dear");
    assert!(error.contains("costs more on the default than the API server allows"), "{error}");
}

#[test]
fn what_is_not_compared_is_said() {
    let long = "a".repeat(1_000);
    let field = json!({
        "type": "array",
        "maxItems": 1000,
        "items": { "type": "string", "maxLength": 1000, "pattern": "(?:a{100}){9}(?:b|a{90})" },
        "default": vec![long; 1000],
    });
    let notes = said(&with_field(field)).expect("notes only");
    assert!(notes.iter().any(|note| note.contains("is not checked any further")), "{notes:?}");
}

#[test]
fn large_definitions_take_time_in_proportion() {
    let names: Vec<String> = (0..20_000).map(|index| format!("n{index}")).collect();
    let properties: Value = names.iter().map(|name| (name.clone(), json!({ "type": "boolean" }))).collect();
    let rules: Vec<Value> = names
        .iter()
        .map(|name| json!({ "rule": format!("has(self.{name}) || !has(self.{name})"), "message": "no" }))
        .collect();
    let many = |rules: &[Value]| {
        json!({
            "type": "object",
            "properties": properties,
            "required": names,
            "x-kubernetes-validations": rules,
        })
    };
    assert!(said(&with_field(many(&rules))).expect_err("too large for etcd").contains("etcd takes"));
    let wrong: Vec<Value> = names.iter().map(|name| json!({ "rule": format!("self.{name}x") })).collect();
    assert!(said(&with_field(many(&wrong))).is_err());
    let field = json!({ "type": "array", "items": { "type": "string", "enum": names }, "default": names,
        "x-kubernetes-list-type": "set" });
    assert_eq!(said(&with_field(field)).map(|notes| notes.len()), Ok(1), "that it is large");
}
