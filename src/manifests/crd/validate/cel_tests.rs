//! What the check says of rules, without a server.

use serde_json::{Value, json};

use super::super::findings::Findings;
use super::super::place::Place;
use super::super::schema::Schema;
use super::check;

/// What the check says of rules on the object that `tests/rules.rs` has them on.
fn said(rules: &Value) -> String {
    let mut object: Value =
        serde_json::from_str(include_str!("../../../../tests/data/shapes/object.json")).expect("JSON");
    object["x-kubernetes-validations"] = rules.clone();
    let mut findings = Findings::default();
    check(Schema::of(&object).expect("a schema"), &Place::kind("Rule"), &mut findings);
    findings.result().map_or_else(|error| error.to_string(), |_| String::new())
}

fn of(rule: &str) -> String {
    said(&json!([{ "rule": rule, "message": "no" }]))
}

/// A test in `tests/rules.rs` holds the signs to a real API server.
#[test]
fn passes_and_refuses_what_it_should() {
    let rules = include_str!("../../../../tests/data/shapes/rules.txt");
    for line in rules.lines().filter(|line| !line.starts_with('#')) {
        assert_eq!(of(&line[2..]).is_empty(), line.starts_with('+'), "{line}\n{}", of(&line[2..]));
    }
}

#[test]
fn says_what_is_wrong() {
    for (rule, what) in [
        ("self.part.nmae == ''", "there is no field `nmae`, only `name`"),
        ("self.txt == ''", "there is no field `txt`"),
        ("self.number == ''", "operator `==` is not for int and string"),
        ("self.text.begins('a')", "there is no function `begins`"),
        ("self.text.size('a') > 1", "function `size` is not for string and string"),
        ("it > 1", "there is no `it` here, only `self`, `oldSelf`"),
        ("self.names.all(n, m)", "there is no `m` here, only `self`, `oldSelf`, `n`"),
        ("self.number", "its value is of type int, not bool"),
        ("(self.flag", "`)` is missing before its end"),
        ("self.flag or true", "`or` is not expected"),
        ("self.text == 'a", "a text is not closed"),
        ("self.text == `a`", "a value is missing before ```"),
        ("[1, 'a'] == []", "the items of a list are of different types, int and string"),
        ("self.text.matches('(')", "`(` is no regular expression of RE2: a parenthesis is not closed"),
        ("string(self.number) + 'a' == string(self.number)", "it could cost more than 100 times"),
    ] {
        assert!(of(rule).contains(what), "{rule}: {}", of(rule));
    }
}

#[test]
fn no_text_makes_it_panic() {
    let words = [
        "self", ".", "text", "(", ")", "[", "]", "'", "\"", "\\", "1", "0x", "1e", "é", "?", ":", "{", "in",
        "!", "-", "`", "b'",
    ];
    let mut state = 7_usize;
    for _ in 0..20_000 {
        let mut rule = String::new();
        for _ in 0..state % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            rule.push_str(words[(state >> 33) % words.len()]);
        }
        state = state.wrapping_add(1);
        of(&rule);
    }
    assert!(of(&"(".repeat(100_000)).contains("nested too deeply"));
    assert!(of(&"!".repeat(100_000)).contains("a value is missing"));
    assert!(of(&format!("self{}", ".a".repeat(10_000))).contains("nested too deeply"));
    assert!(of(&format!("1{} == 2", " + 1".repeat(10_000))).contains("nested too deeply"));
    assert_eq!(of(&format!("self.flag{}", " && self.flag".repeat(10_000))), "");
    assert_eq!(of(&format!("{}self.flag{}", "!(".repeat(190), ")".repeat(190))), "");
    assert!(of(&format!("{}1{}", "[".repeat(190), "]".repeat(190))).contains("not bool"));
    assert!(of(&format!("{}1{}", "size(".repeat(190), ")".repeat(190))).contains("`size`"));
}
