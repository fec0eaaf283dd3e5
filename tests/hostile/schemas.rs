//! Definitions that a stranger's types give: patterns, rules, defaults, descriptions and names.

use serde_json::{Value, json};

use super::world::definition;
use super::{Tree, stand};

const NOISE: &str = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{202e}\u{9b}31m\nhint: pwned";

/// The definition that the project has, with one more field.
fn with_field(schema: &Value) -> String {
    let mut definition = definition();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["evil"] =
        schema.clone();
    definition.to_string()
}

fn patterns() -> Vec<(&'static str, Value)> {
    let pattern =
        |pattern: &str, value: &str| json!({ "type": "string", "pattern": pattern, "default": value });
    let nested = |before: &str, after: &str| format!("{}a{}", before.repeat(20_000), after.repeat(20_000));
    vec![
        ("nested groups", pattern(&nested("(", ")"), "a")),
        ("groups that do not end", pattern(&"(".repeat(200_000), "a")),
        ("nested classes", pattern(&nested("[", "]"), "a")),
        ("stars of stars", pattern(&format!("^{}$", "(a*)*".repeat(20)), &format!("{}b", "a".repeat(40)))),
        (
            "nested stars",
            pattern(
                &format!("^{}a{}$", "(".repeat(100), ")*".repeat(100)),
                &format!("{}b", "a".repeat(5_000)),
            ),
        ),
        ("repetitions of repetitions", pattern("^((((a{1,100}){1,100}){1,100}){1,100})$", "a")),
        ("a long repetition", pattern("^(a{1000}){1000}$", &"a".repeat(10_000))),
        ("100,000 alternatives", pattern(&"a|".repeat(100_000), "b")),
        ("a long text", pattern("^(a|b|ab)*$", &format!("{}c", "ab".repeat(500_000)))),
        ("counts without end", pattern(&format!("a{{{}}}", "9".repeat(10_000)), "a")),
        ("control characters", pattern(NOISE, NOISE)),
        ("a lookahead", pattern("^(?=.*[A-Z])(?!a)\\k<pwned>.*$", "A")),
        ("classes of all of Unicode", pattern(&"[\\p{L}\\P{N}\u{0}-\u{10ffff}]".repeat(10_000), "a")),
    ]
}

fn rules() -> Vec<(&'static str, Value)> {
    let rule = |rule: &str| {
        let message = "m".repeat(10);
        json!({ "type": "string", "default": "a", "x-kubernetes-validations": [{ "rule": rule, "message": message }] })
    };
    let list = |rule: &str, length: usize| {
        let items: Vec<_> = (0..length).collect();
        json!({ "type": "array", "items": { "type": "integer" }, "default": items, "x-kubernetes-validations": [{ "rule": rule }] })
    };
    let nested = |before: &str, inner: &str, after: &str| {
        format!("{}{inner}{}", before.repeat(20_000), after.repeat(20_000))
    };
    let doubled = (0..40).fold("self".to_owned(), |inner, _| format!("[{inner}].map(x, x + x)[0]"));
    vec![
        ("nested parentheses", rule(&nested("(", "true", ")"))),
        ("parentheses that do not end", rule(&"(".repeat(200_000))),
        ("nested lists", rule(&nested("[", "1", "]"))),
        ("nested maps", rule(&nested("{'a': ", "1", "}"))),
        ("negations", rule(&nested("!", "true", ""))),
        ("minuses", rule(&format!("{} == 1", nested("-", "1", "")))),
        ("conditions", rule(&nested("true ? true : ", "true", ""))),
        ("sums", rule(&format!("{} > 0", nested("1 + ", "1", "")))),
        ("conjunctions", rule(&nested("true && ", "true", ""))),
        ("members", rule(&nested("", "self", ".a"))),
        ("calls", rule(&nested("size(", "self", ")"))),
        ("indices", rule(&nested("", "self", "[0]"))),
        ("texts that double", rule(&format!("size({doubled}) > 0"))),
        (
            "loops in loops",
            list("self.all(a, self.all(b, self.all(c, self.all(d, a + b + c + d >= 0))))", 1_000),
        ),
        ("lists that grow", list("self.map(a, self.map(b, self.map(c, self))).size() > 0", 1_000)),
        ("a list of a million", list("self.exists(a, a < 0)", 1_000_000)),
        ("large numbers", rule("9223372036854775807 + 1 > 0 && -9223372036854775808 / -1 > 0 && 1 % 0 == 0")),
        (
            "patterns",
            rule(&format!(
                "self.matches('{}') || self.matches('{}')",
                "(".repeat(20_000),
                "(a*)*".repeat(1_000)
            )),
        ),
        ("a text that does not end", rule(&format!("'{}", "a".repeat(1_000_000)))),
        ("control characters", rule(&format!("{NOISE} == '{NOISE}'"))),
        (
            "durations",
            rule(
                "duration('999999999999999999999h') > duration('-1ns') && timestamp('99999-99-99T99:99:99Z') != self",
            ),
        ),
    ]
}

fn schemas() -> Vec<(&'static str, Value)> {
    let wrapped = |depth: usize, wrap: fn(Value) -> Value| {
        (0..depth).fold(json!({ "type": "string" }), |inner, _| wrap(inner))
    };
    let values: Vec<_> = (0..300_000).map(|number| json!(number.to_string())).collect();
    let many: serde_json::Map<_, _> =
        (0..20_000).map(|n| (format!("f{n}"), json!({ "type": "string" }))).collect();
    vec![
        ("a description of control characters", json!({ "type": "string", "description": NOISE })),
        ("a description of 15 MB", json!({ "type": "string", "description": "d".repeat(15 << 20) })),
        ("a default of control characters", json!({ "type": "string", "default": NOISE, "enum": ["a"] })),
        ("a type of control characters", json!({ "type": NOISE, "format": NOISE, NOISE: NOISE })),
        ("lists in lists", wrapped(110, |inner| json!({ "type": "array", "items": inner }))),
        ("fields in fields", wrapped(55, |inner| json!({ "type": "object", "properties": { "a": inner } }))),
        ("junctors in junctors", wrapped(55, |inner| json!({ "type": "string", "allOf": [inner] }))),
        ("junctors that double", wrapped(14, |inner| json!({ "anyOf": [inner.clone(), inner] }))),
        ("300,000 values", json!({ "type": "string", "enum": values })),
        ("20,000 fields", json!({ "type": "object", "properties": many })),
        (
            "numbers without measure",
            json!({ "type": "integer", "minimum": 1e308, "maximum": -1e308, "multipleOf": 0, "default": 1e300 }),
        ),
        (
            "keys of a list without end",
            json!({ "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": vec!["a"; 100_000] }),
        ),
        (
            "references",
            json!({ "$ref": "#/definitions/pwned", "$schema": NOISE, "definitions": { "a": { "$ref": "#" } } }),
        ),
    ]
}

/// Whole definitions.
fn definitions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (what, value) in [
        ("a way out", "../../../../outside/x"),
        ("a hook", "../../../.git/hooks/x"),
        ("an absolute path", "PLACE/outside/x"),
        ("control characters", NOISE),
        ("nothing", ""),
    ] {
        for path in [
            "/metadata/name",
            "/spec/group",
            "/spec/names/plural",
            "/spec/names/kind",
            "/spec/versions/0/name",
        ] {
            let mut second = definition();
            if let Some(field) = second.pointer_mut(path) {
                *field = json!(value);
            }
            found.push((format!("{what} as {path}"), format!("{}\n{second}", definition())));
        }
    }
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let columns: Vec<_> = (0..2_000)
        .map(|n| json!({ "name": NOISE, "type": "string", "jsonPath": format!(".{n}{}", "[".repeat(2_000)) }))
        .collect();
    let mut column = definition();
    column["spec"]["versions"][0]["additionalPrinterColumns"] = json!(columns);
    found.extend([
        ("deep JSON".to_owned(), deep),
        ("the same ten thousand times".to_owned(), format!("{}\n", definition()).repeat(10_000)),
        ("no JSON".to_owned(), NOISE.to_owned()),
        ("a list of a list".to_owned(), format!("[[{}]]", definition())),
        ("columns without end".to_owned(), column.to_string()),
    ]);
    found
}

pub(super) fn trees() -> Vec<Tree> {
    let fields = [("a pattern", patterns()), ("a rule", rules()), ("a schema", schemas())];
    let fields = fields.into_iter().flat_map(|(kind, cases)| {
        cases.into_iter().map(move |(what, schema)| (format!("{kind}: {what}"), with_field(&schema)))
    });
    let tree = |(what, text): (String, String)| {
        Tree::new(format!("a definition with {what}"), move |world| {
            let place = world.place().display().to_string();
            world.defines(&text.replace("PLACE", &place));
        })
        .only("manifests")
        .every(2)
    };
    fields.chain(definitions()).map(tree).collect()
}

#[test]
fn corpus_definitions_of_a_stranger() {
    stand(&trees());
}
