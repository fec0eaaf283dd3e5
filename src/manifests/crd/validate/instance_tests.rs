//! Values against schemas.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::*;

fn said(value: &Value, schema: &Value, steps: u64) -> String {
    let work = Budget::of(steps);
    let mut checker = Checker::new(&work);
    match checker.check(value, Schema::of(schema).expect("a schema")) {
        Ok(()) => "fine".into(),
        Err(Stop::Fault(fault)) => fault.path + " " + &fault.what,
        Err(Stop::Spent) => "spent".into(),
    }
}

/// By hand from `MultipleOfNativeType` and `IsFloat64AJSONInteger`.
#[test]
fn multiples_are_those_of_the_api_server() {
    for (kind, factor, value, fine) in [
        ("number", json!(0.1), json!(0.3), true),
        ("number", json!(0.1), json!(0.35), false),
        ("number", json!(0.01), json!(4.35), true),
        ("number", json!(0.5), json!(-1.5), true),
        ("number", json!(2.5), json!(7.5), true),
        ("number", json!(2.5), json!(7.6), false),
        ("number", json!(0.1), json!(0.0), true),
        ("number", json!(1), json!(1e-12), false),
        ("number", json!(1), json!(1e16), false),
        ("number", json!(1), json!(2.000_000_000_1), true),
        ("number", json!(1.5), json!(4), true),
        ("number", json!(0.1), json!(3), false),
        ("number", json!(-1), json!(3.0), false),
        ("integer", json!(3), json!(9), true),
        ("integer", json!(3), json!(-9), true),
        ("integer", json!(3), json!(10), false),
        ("integer", json!(3), json!(9.0), true),
        ("integer", json!(-3), json!(9), false),
        ("integer", json!(0.5), json!(9), false),
        ("integer", json!(10), json!(9_007_199_254_740_993_i64), false),
    ] {
        let schema = json!({ "type": kind, "multipleOf": factor });
        assert_eq!(said(&value, &schema, 10) == "fine", fine, "{value} of {factor}");
    }
}

#[test]
fn steps_are_in_proportion_to_the_value_and_the_schema() {
    let names: Vec<String> = (0..20_000).map(|index| format!("n{index}")).collect();
    let schema = json!({ "type": "array", "items": { "type": "string", "enum": names } });
    assert_eq!(said(&json!(names), &schema, 500_000), "fine");
    let mut schema = json!({ "type": "object", "required": names });
    schema["additionalProperties"] = json!({ "type": "integer" });
    let object: Value = names.iter().map(|name| (name.clone(), json!(1))).collect();
    assert_eq!(said(&object, &schema, 100_000), "fine");
    assert_eq!(said(&object, &schema, 100), "spent");
}

#[test]
fn what_stands_in_a_message_is_short() {
    let mut long = String::new();
    (0..100_000).for_each(|index| write!(long, "{index} ").expect("text"));
    let schema = json!({ "type": "string", "anyOf": [{ "enum": ["a"] }, { "pattern": "^a$" }] });
    assert_eq!(said(&json!(long), &schema, 100_000_000), " meets no condition of `anyOf`");
    let schema = json!({ "type": "string", "enum": ["a"] });
    assert!(said(&json!(long), &schema, 1_000_000).len() < 300);
}

#[test]
fn an_enum_compares_numbers_by_value() {
    let fits = |default: Value, values: Value| {
        let schema = json!({"type": "number", "enum": values});
        said(&default, &schema, 1_000) == "fine"
    };
    for (default, values) in [
        (json!(1.0), json!([1, 2.5])),
        (json!(1), json!([1.0, 2])),
        (json!(0), json!([-0.0])),
        (json!(100), json!([100.0])),
        (json!(2.5), json!([1, 2.5])),
    ] {
        assert!(fits(default.clone(), values.clone()), "{default} in {values}");
    }
    assert!(
        !fits(json!(1.5), json!([1, 2]))
            && !fits(json!(9_007_199_254_740_993_i64), json!([9_007_199_254_740_992_i64]))
    );
}
