//! What the check says of rules, without a server.

use serde_json::{Value, json};

use super::super::findings::Findings;
use super::super::schema::Schema;
use super::check;
use crate::limits::{DEPTH, with_stack};
use crate::manifests::crd::place::Place;

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
}

#[test]
fn depth_is_that_of_the_api_server() {
    with_stack(|| {
        assert!(of(&"(".repeat(100_000)).contains("nested too deeply"));
        assert!(of(&"!".repeat(100_000)).contains("a value is missing"));
        assert!(of(&format!("self{}", ".a".repeat(10_000))).contains("nested too deeply"));
        assert!(of(&format!("1{} == 2", " + 1".repeat(10_000))).contains("nested too deeply"));
        assert_eq!(of(&format!("self.flag{}", " && self.flag".repeat(10_000))), "");
        assert_eq!(of(&format!("{}self.flag{}", "!(".repeat(190), ")".repeat(190))), "");
        assert!(of(&format!("{}1{}", "[".repeat(190), "]".repeat(190))).contains("not bool"));
        assert!(of(&format!("{}1{}", "size(".repeat(190), ")".repeat(190))).contains("`size`"));
    });
}

/// What nests in a rule: what stands before, in and after it.
const NESTS: [(&str, &str, &str); 30] = [
    ("(", "self.flag", ")"),
    ("!(", "self.flag", ")"),
    ("-(", "1", ")"),
    ("!", "self.flag", ""),
    ("-", "1", ""),
    ("", "self", ".a"),
    ("", "self", ".?a"),
    ("", "self", "[0]"),
    ("", "self", "[?0]"),
    ("", "self", ".size()"),
    ("", "self.text", ".replace('a', 'b')"),
    ("self[", "0", "]"),
    ("self.flag ? true : ", "true", ""),
    ("self.flag ? (", "true", ") : false"),
    ("1 + ", "1", ""),
    ("1 + (", "1", ")"),
    ("2 * (1 + ", "1", ")"),
    ("true && (", "true", ")"),
    ("true && (false || ", "true", ")"),
    ("1 in [", "1", "]"),
    ("[", "1", "]"),
    ("[?", "1", "]"),
    ("{1: ", "1", "}"),
    ("{", "1", ": 1}"),
    ("size(", "1", ")"),
    ("has(", "self.flag", ")"),
    ("[1].all(x, ", "true", ")"),
    ("[1].map(x, ", "x", ")"),
    ("", "[1]", ".map(x, {x: x})"),
    ("[", "1", "].sortBy(x, x)"),
];

#[test]
fn nests_of_every_kind_end() {
    with_stack(|| {
        for (before, middle, after) in NESTS {
            let signs = ["!", "-"].contains(&before);
            for depth in [10, DEPTH - 1, DEPTH + 1, 20_000] {
                // By themselves, and in other nests: depths add up.
                let text = format!("{}{middle}{}", before.repeat(depth), after.repeat(depth));
                let said = of(&text);
                assert!(
                    signs || depth < DEPTH || said.contains("nested too deeply"),
                    "{before}{after}: {said}"
                );
                of(&format!("{}({text}){}", "!(".repeat(190), ")".repeat(190)));
            }
        }
    });
}

#[test]
fn depths_of_different_nests_add_up() {
    with_stack(|| {
        let chain = format!("({})", format_args!("self{}", ".a".repeat(100)));
        let nested = (0..100).fold(chain, |inner, _| format!("({inner}{})", ".a".repeat(100)));
        assert!(of(&nested).contains("nested too deeply"));
    });
}

#[test]
fn long_rules_take_time_in_proportion() {
    with_stack(|| {
        for (part, between) in [
            ("self.flag", " && "),
            ("self.flag", " || "),
            ("1", " + "),
            ("1", ", "),
            ("1", " < "),
            ("'a'", " + "),
            ("true", " ? "),
            ("[1]", ", "),
            ("{1: 1}", ", "),
            ("size('a')", ", "),
            ("'", ""),
            ("\"\"\"", ""),
            ("r'", ""),
            ("b", ""),
            ("//", ""),
            ("// a\n", ""),
            ("\\", ""),
            ("1", ""),
            ("1e", ""),
            ("a", "."),
            (",", ""),
            ("[1].all(x, x == 1)", " && "),
            ("'a'.matches('a')", " && "),
            ("?", ""),
            ("`", ""),
        ] {
            let long = vec![part; 100_000].join(between);
            of(&format!("[{long}] == []"));
            of(&long);
        }
    });
}

#[test]
fn four_hundred_operands_of_and_are_fine() {
    assert_eq!(of(&vec!["self.flag"; 400].join(" && ")), "");
    assert_eq!(of(&vec!["self.flag"; 400].join(" || ")), "");
}

#[test]
fn types_that_double_are_refused() {
    let rule = format!("[1]{} == []", ".map(x, {x: x})".repeat(60));
    assert!(of(&rule).contains("a type of more than 500 parts"), "{}", of(&rule));
}
