//! How much evaluations take.

use serde_json::{Value, json};

use super::*;

/// What comes of a rule on a value with so many steps.
fn on(rule: &str, value: &Value, steps: u64) -> Option<String> {
    assert_eq!(parse(rule).err(), None, "{rule}");
    let schema = json!({ "type": "object", "x-kubernetes-validations": [{ "rule": rule }] });
    let work = Budget::of(steps);
    let outcome = Evaluator::new(&work).on(value, Schema::of(&schema).expect("a schema"));
    outcome.map(|outcome| match outcome {
        Outcome::Broken(_) => "broken".to_owned(),
        Outcome::Dear(_) => "dear".to_owned(),
        Outcome::Unchecked(_) => "unchecked".to_owned(),
    })
}

fn nested(levels: usize, range: &str, body: &str) -> String {
    (0..levels).rev().fold(body.to_owned(), |inner, level| format!("{range}.all(x{level}, {inner})"))
}

#[test]
fn rules_that_go_through_a_list_again_and_again_are_given_up() {
    let value = json!({ "list": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] });
    let said = |rule: &str, steps| on(rule, &value, steps);
    assert_eq!(said(&nested(8, "self.list", "x0 < 99"), 20_000_000).as_deref(), Some("dear"));
    assert_eq!(said(&nested(8, "[0,1,2,3,4,5,6,7,8,9]", "true"), 20_000_000).as_deref(), Some("dear"));
    assert_eq!(said(&nested(3, "self.list", "x0 < 99"), 20_000_000), None);
    assert_eq!(said(&nested(3, "self.list", "x0 < 99"), 1_000).as_deref(), Some("unchecked"));
    assert_eq!(said(&nested(8, "self.list", "x0 < 5"), 20_000_000).as_deref(), Some("dear"));
    assert_eq!(said("self.list.all(x, x < 0) || true", 1_000), None);
}

#[test]
fn texts_that_double_are_charged_by_their_size() {
    for twice in ["x + x", "[x, x]"] {
        let inner = (0..60).fold("x != ''".to_owned(), |inner, _| format!("[{twice}].all(x, {inner})"));
        let rule = format!("['aaaaaaaa'].all(x, {inner})");
        assert_eq!(on(&rule, &json!({}), 1_000_000).as_deref(), Some("unchecked"), "{twice}");
    }
}

#[test]
fn values_are_looked_at_where_they_are() {
    let large: Vec<Value> = (0..10_000).map(|index| json!({ "name": format!("n{index}") })).collect();
    let rule = "self.list.all(x, size(self.list) > 1 && x.name != '')";
    assert_eq!(on(rule, &json!({ "list": large }), 300_000), None);
}

/// What an API server says of the same rules and values.
#[test]
fn numbers_are_compared_exactly() {
    for (rule, value, holds) in [
        ("self.n != 0.30000000000000004", json!(0.3), true),
        ("self.n != 1e-17", json!(0.0), true),
        ("self.n == 0.0", json!(1e-17), false),
        ("self.n < 9007199254740993", json!(9_007_199_254_740_992_i64), true),
        ("self.n != 9007199254740992", json!(9_007_199_254_740_993_i64), true),
        ("self.n == 9007199254740992", json!(9_007_199_254_740_993_i64), false),
        ("self.n == 1", json!(1.0), true),
    ] {
        let said = on(rule, &json!({ "n": value }), 1_000);
        assert_eq!(said.is_none(), holds, "{rule} of {value}: {said:?}");
    }
}
