//! Patterns against Go's library for regular expressions, which the API server reads them with: the check takes those
//! that it takes, and finds them where it does.

mod common;

use std::collections::BTreeSet;
use std::process::Command;

use common::cluster::run;
use iris_scaffold::manifests::crd;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What random patterns are made of, and how many there are.
const PARTS: [&str; 92] = [
    "a",
    "b",
    "k",
    "K",
    "s",
    "ſ",
    "é",
    "É",
    "İ",
    "i",
    "ß",
    "ς",
    "\u{212a}",
    "ǅ",
    "\n",
    " ",
    "1",
    "_",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?-i:",
    "(?i-s:",
    "(?s)",
    "(?m:",
    "(?U)",
    "(?P<n>",
    "(?<n>",
    "(?-)",
    "(?",
    "(?x)",
    "(?=",
    "[",
    "[^",
    "]",
    "-",
    "a-z",
    "[a-k]",
    "[^a]",
    "[:alpha:]",
    "[[:^word:]]",
    "[[:lower:]]",
    "[[:perl space:]]",
    r"\d",
    r"\W",
    r"\w",
    r"\S",
    r"\b",
    r"\B",
    "^",
    "$",
    ".",
    "|",
    "*",
    "+",
    "?",
    "{2}",
    "{2,}",
    "{,3}",
    "{1,3}",
    "{0}",
    "{500}",
    "{1001}",
    "{01}",
    r"\x41",
    r"\x{4b}",
    r"\x{d800}",
    r"\x{110000}",
    r"\x+1",
    r"\x{+4}",
    r"\x{}",
    r"\p{Greek}",
    r"\p{greek}",
    r"\p{IsGreek}",
    r"\pL",
    r"\PN",
    r"\p{^Lu}",
    r"\p{any}",
    r"\P{ASCII}",
    r"\Q",
    r"\E",
    r"\101",
    r"\1",
    r"\0",
    r"\/",
    r"\_",
    r"\é",
    r"\z",
    r"\A",
    "&&",
];
const RANDOM: usize = 3_000;

/// Patterns that tell dialects apart.
const CHOSEN: [&str; 74] = [
    r"\p{Alpha}",
    r"\p{Letter}",
    r"\p{uppercase letter}",
    r"\p{L&}",
    r"\p{LC}",
    r"\p{lc}",
    r"\p{^^L}",
    r"\p{}",
    r"\p^L",
    r"\p",
    r"\p{",
    r"\pl",
    r"\p{Script=Greek}",
    r"\p{Old_Italic}",
    r"\p{OldItalic}",
    r"\p{SignWriting}",
    r"\p{ l_u }",
    r"\p{Latin}-\p{Han}",
    r"\P{^Any}",
    r"[\p{Any}]",
    r"[^\p{ASCII}]",
    r"(?i)\p{ascii}",
    r"[\x{d800}-\x{dfff}]",
    r"\x{00000041}",
    r"\x4",
    r"\x",
    r"\xZZ",
    r"\u0041",
    r"\N",
    r"\R",
    r"\h",
    r"\X",
    r"\K",
    r"\G",
    r"\Z",
    r"\C",
    r"\e",
    r"\cA",
    r"\8",
    r"\18",
    r"\08",
    r"\777",
    r"[\b]",
    r"[\Qa]",
    r"[a-\d]",
    r"[\d-z]",
    "[--a]",
    "[a--]",
    "[]-a]",
    "[^]]",
    "[[.a.]]",
    "[[=a=]]",
    "[[:Alpha:]]",
    "[[:alpha:]-z]",
    "[a&&b]",
    "[a||b]",
    "a**",
    "a*+",
    "a?+",
    "a{2}{3}",
    "(?>a)",
    "(?|a)",
    "(?#a)",
    "(?<n>a)(?<n>b)",
    "(?<1>a)",
    "(?<é>a)",
    "(?P=n)",
    "(?i)[^k]",
    "(?i)[k-s]+$",
    "(?i)^\\w+$",
    "(?i)^[[:^alpha:]]$",
    "(?i)ß",
    "(?i)σ",
    "(a{100}){11}",
];

/// Patterns by the size of what they mean, at the limits.
fn large() -> Vec<String> {
    let of = |part: &str, times: usize| part.repeat(times);
    vec![
        format!("(?:{}){{1000}}", of("a", 3_355)),
        format!("(?:{}){{1000}}", of("a", 3_356)),
        format!("(?:{}){{1000}}", of("(a)", 1_119)),
        format!("(?:{}){{500}}{}", of("a", 6_000), of("a{1000}", 400)),
        format!("(?:{}b){{1000}}", of("ab|", 1_000)),
        "((((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){2})".to_owned(),
        "((((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){2}){2})".to_owned(),
        "((a{1000}){0,1}){1}".to_owned(),
        "((a{2}){0}){1000}".to_owned(),
        format!("{}a{}", of("(", 200), of(")", 200)),
    ]
}

const TEXTS: [&str; 20] = [
    "", "a", "b", "ab", "abab", "k", "K", "\u{212a}", "ſ", "S", "É", "i", "I", "İ", "ẞ", "ς", "Σ", "a\nb",
    "1-_", "ǆ",
];

#[derive(Deserialize)]
struct Answer {
    valid: bool,
    found: Vec<bool>,
}

fn go(argument: &[&str], input: &str) -> String {
    let mut go = Command::new("go");
    go.args(["run", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/patterns/main.go")]).args(argument);
    go.env("GOWORK", "off");
    run(go, input).expect("Go's answer")
}

/// The names of those fields that the check refuses.
fn refused(fields: &Map<String, Value>) -> BTreeSet<String> {
    let mut definition: Value =
        serde_json::from_str(include_str!("data/shapes/definition.json")).expect("JSON");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
        Value::Object(fields.clone());
    match crd::validate(&[definition]) {
        Ok(notes) => {
            assert!(!notes.iter().any(|note| note.contains("any further")), "{notes:?}");
            BTreeSet::new()
        }
        Err(error) => {
            let text = error.to_string();
            let names = text.split("`Base v1 .spec.").skip(1);
            names.filter_map(|rest| Some(rest.split_once('`')?.0.to_owned())).collect()
        }
    }
}

fn corpus() -> Vec<String> {
    let names: Vec<String> = serde_json::from_str(&go(&["names"], "")).expect("JSON");
    let mut patterns: Vec<String> = CHOSEN.into_iter().map(ToOwned::to_owned).chain(large()).collect();
    for name in &names {
        patterns.extend([
            format!(r"\p{{{name}}}"),
            format!(r"[\P{{{}}}]", name.to_uppercase().replace('_', " ")),
        ]);
    }
    let mut runner = TestRunner::deterministic();
    let random = prop::collection::vec(select(PARTS.to_vec()), 1..7);
    for _ in 0..RANDOM {
        patterns.push(random.new_tree(&mut runner).expect("parts").current().concat());
    }
    patterns
}

#[test]
fn patterns_are_those_of_go() {
    let patterns = corpus();
    let asked: String = patterns
        .iter()
        .map(|pattern| {
            json!({ "pattern": pattern, "texts": if pattern.len() < 1_000 { &TEXTS[..] } else { &[] } })
                .to_string()
                + "\n"
        })
        .collect();
    let answers = go(&[], &asked);
    let answers: Vec<Answer> =
        answers.lines().map(|line| serde_json::from_str(line).expect("an answer")).collect();
    assert_eq!(answers.len(), patterns.len());

    let field = |pattern: &String| json!({ "type": "string", "pattern": pattern });
    let all: Vec<_> = patterns.iter().zip(&answers).enumerate().collect();
    let mut wrong = Vec::new();
    for some in all.chunks(100) {
        let fields = some.iter().map(|(index, (pattern, _))| (format!("p{index}"), field(pattern))).collect();
        let refused = refused(&fields);
        for (index, (pattern, answer)) in some {
            if refused.contains(&format!("p{index}")) == answer.valid {
                wrong.push(format!("{pattern:?} is {}", if answer.valid { "valid" } else { "not valid" }));
            }
        }
    }
    assert!(wrong.is_empty(), "Go says otherwise: {wrong:#?}");

    for (_, (pattern, answer)) in all.iter().filter(|(_, (_, answer))| answer.valid) {
        let mut fields = Map::new();
        for (number, text) in TEXTS.iter().enumerate().take(answer.found.len()) {
            let mut field = field(pattern);
            field["default"] = json!(text);
            fields.insert(format!("t{number}"), field);
        }
        let refused = refused(&fields);
        for (number, found) in answer.found.iter().enumerate() {
            let said = !refused.contains(&format!("t{number}"));
            // The members of Unicode's classes are not known here.
            let unknown = pattern.contains(r"\p") || pattern.contains(r"\P");
            if said != *found && !(said && unknown) {
                wrong.push(format!(
                    "{pattern:?} is {}found in {:?}",
                    if *found { "" } else { "not " },
                    TEXTS[number]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "Go says otherwise: {wrong:#?}");
}
