//! Tests of what is read, and of what other readers make of what is written.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Fault, document, documents, guard, one};
use crate::limits::with_stack;

fn read(text: &str) -> Result<Value, Fault> {
    one(text)
}

/// The texts that `part` makes of so many numbers.
fn joined(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

/// What can be repeated in front of something and behind it.
const NESTED: [(&str, &str); 24] = [
    ("[", "]"),
    ("[", ""),
    ("{a: ", "}"),
    ("{", "}"),
    ("[a: ", "]"),
    ("[\n", "]\n"),
    ("{? ", "}"),
    ("[[], ", "]"),
    ("- ", ""),
    ("? ", ""),
    ("- - ? ", ""),
    ("&a ", ""),
    ("&a [", "]"),
    ("!a ", ""),
    ("!a [", "]"),
    ("!!!!", ""),
    ("[ #]\n", "]"),
    ("[ ']' , ", "]"),
    ("[ \"]\\\"]\", ", "]"),
    ("'' : [", "]"),
    ("|\n [", "]"),
    ("--- [", "]"),
    ("x [\n", "]\n"),
    ("\u{feff}[", "]"),
];

#[test]
fn whatever_is_nested_gets_an_answer() {
    for depth in [10, 127, 251, 20_000] {
        for (open, close) in NESTED {
            let text = format!("{}a{}", open.repeat(depth), close.repeat(depth));
            let begin = Instant::now();
            let answer = with_stack(|| documents::<serde_yaml::Value>(&text).map(|read| read.len()));
            let took = begin.elapsed();
            assert!(took.as_secs() < 20, "{open} {depth}: {took:?}");
            let brackets = open.starts_with(['[', '{']);
            assert!(
                !brackets || depth < 250 || answer.as_ref().is_err_and(|it| it.limit),
                "{open}: {answer:?}"
            );
        }
        let stairs: String = joined(depth.min(2_000), |at| format!("{}a:\n", " ".repeat(at)));
        assert_eq!(with_stack(|| documents::<Value>(&stairs).is_err()), depth > 127, "{depth}");
    }
}

#[test]
fn whatever_is_repeated_gets_an_answer() {
    let many = |part: &str| part.repeat(100_000);
    let numbered = |part: fn(usize) -> String| joined(100_000, part);
    for text in [
        many("- a\n"),
        many("a: b\n"),
        many("---\n"),
        many("---\na: b\n"),
        many("...\n"),
        many("a "),
        many("a"),
        many("a\n\n"),
        many("'"),
        many("\""),
        many("# a\n"),
        many(" "),
        many("\t"),
        many("\n"),
        many(":"),
        many("?"),
        many("-"),
        many(", "),
        many("]"),
        many("%TAG !a! a\n"),
        many("*a "),
        format!("[{}]", many("a, ")),
        format!("[{}]", many("[a], ")),
        format!("[{}]", many("a: b, ")),
        format!("a: |\n{}", many("  [{ \n")),
        format!("a: |\n  a\n{}{}", many("\n"), many("  b\n")),
        format!("a: a\n{}{}", many("\n"), many(" b\n\n")),
        format!("a: \"a{}{}\"", many(" "), many("b c")),
        format!("{}--- a\n", numbered(|at| format!("%TAG !a{at}! a\n"))),
        format!("{}: a\n", many("a")),
        numbered(|at| format!("- &a{at} a\n- *a{at}\n")),
        format!("- &a [{}]\n{}", many("a, "), many("- *a\n")),
        format!("- &a {}\n{}", many("text"), many("- *a\n")),
        format!("{}{}\n", "[".repeat(100), "]".repeat(100)).repeat(20_000),
        format!("- {}{}\n", "[".repeat(100), "]".repeat(100)).repeat(20_000),
        joined(30, |at| format!("a{at}: &a{at} [*a{0}, *a{0}]\n", at.saturating_sub(1))),
    ] {
        let begin = Instant::now();
        let answer = with_stack(|| documents::<Value>(&text).map(|read| read.len()));
        let took = begin.elapsed();
        let start: String = text.chars().take(20).collect();
        assert!(took.as_secs() < 30, "{start:?}: {took:?} {answer:?}");
    }
}

#[test]
fn what_stands_for_too_much_is_refused() {
    for text in [
        format!("- &a {}\n{}", "text".repeat(100_000), "- *a\n".repeat(1_000)),
        format!("- &a [{}]\n{}", "a, ".repeat(100_000), "- *a\n".repeat(1_000)),
    ] {
        let fault = read(&text).expect_err("too much");
        assert!(fault.limit && fault.message.contains("stands for too much"), "{fault}");
    }
    assert_eq!(read("a: &a [1, 2]\nb: *a\n"), Ok(json!({"a": [1, 2], "b": [1, 2]})));
}

/// Brackets in texts and comments are none.
#[test]
fn large_texts_are_read() {
    let line = "intervals [0, 1), maps {a: b and 'quotes\", links ](x) [[[";
    let entry = format!(
        "- a: |\n    {line}\n\n    {line}\n  # {line}\n  b: >-\n    {line}\n  c: a {}\n    [[[ {}\n  d: '{}'\n  \
         e: \"{}\"\n  f: [1, {{a: b}}, \"]\", ']']\n  g: {{\"a\":[1,2],\"b\":{{\"c\":\"}}\"}}}}\n",
        line.replace(": ", " "),
        line.replace(": ", " "),
        line.replace('\'', "''"),
        line.replace('"', "\\\"")
    );
    let text = entry.repeat((4 << 20) / entry.len());
    let found = with_stack(|| documents::<Value>(&text)).expect("little").remove(0).expect("YAML");
    assert!(found[0]["f"][1]["a"] == "b" && found.as_array().is_some_and(|list| list.len() > 3_000));
    let json = serde_json::to_string(&found).expect("JSON");
    assert_eq!(with_stack(|| read(&json)).expect("JSON is YAML"), found);
}

#[test]
fn the_line_is_named() {
    let fault = read(&format!("a: 1\nb:\n  {}", "[".repeat(1_000))).expect_err("deep");
    assert_eq!((fault.line, fault.limit, fault.message.as_str()), (3, true, "nested deeper than 250"));
    let fault = read(&format!("a: 1\nb: {}a{}", "[".repeat(200), "]".repeat(200))).expect_err("deep");
    assert_eq!((fault.line, fault.limit, fault.message.as_str()), (2, true, "nested deeper than 128"));
    let fault = read(&format!("a: 1\n\t{}", "[".repeat(20_000))).expect_err("a tab, and then brackets");
    assert!(fault.limit && fault.line == 2, "{fault}");
    assert_eq!(read("a: b: c").map_err(|fault| fault.limit), Err(false));
}

#[test]
fn numbers_are_numbers_to_readers_of_yaml_1_1() {
    let numbers: serde_yaml::Value =
        one("[1e-7, 1e300, 1.5e300, -2.5e-9, .inf, -.inf, .nan, 0.5, 1.0, 18446744073709551615]")
            .expect("YAML");
    let expected = "- 1.0e-07\n- 1.0e+300\n- 1.5e+300\n- -2.5e-09\n- .inf\n- -.inf\n- .nan\n- 0.5\n- 1.0\n\
                    - 18446744073709551615\n";
    assert_eq!(document(&numbers), expected);
    assert_eq!(document(&json!([1e-7, 1e300, 5, -5])), "- 1.0e-07\n- 1.0e+300\n- 5\n- -5\n");
}

#[test]
fn what_only_yaml_has_is_kept() {
    let text = "\
a: !mine
  b: !x/y c
  c: !l
  - !m
    d: e
1: one
true: !t [x, y]
null: ~
? [a, b]
: - - !e {}
? {k: v}
: |
  two
  lines
";
    let value: serde_yaml::Value = one(text).expect("YAML");
    let written = document(&value);
    assert_eq!(one::<serde_yaml::Value>(&written).expect(&written), value, "{written}");
    assert_eq!(document(&one::<serde_yaml::Value>(&written).expect("YAML")), written);
    let long = json!({"a".repeat(3_000): {"b".repeat(3_000): [1]}});
    assert_eq!(read(&document(&long)), Ok(long));
}

/// `PyYAML`, the usual reader of YAML 1.1, where it is there.
fn by_python(text: &str) -> Option<Value> {
    const PROGRAM: &str = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin.read()), sys.stdout)";
    let there = std::process::Command::new("python3").args(["-c", "import yaml"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("a file");
    let input = std::fs::File::open(file.path()).expect("a file");
    let output =
        std::process::Command::new("python3").args(["-c", PROGRAM]).stdin(input).output().expect("a run");
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}\n{text}")))
}

#[test]
fn python_reads_what_was_meant() {
    let words = [
        "on",
        "On",
        "ON",
        "off",
        "yes",
        "No",
        "y",
        "N",
        "true",
        "null",
        "~",
        "=",
        "<<",
        "1",
        "1_000",
        "0x1F",
        "0o7",
        "017",
        "0b1",
        "1e3",
        "1.5e3",
        "1E+3",
        ".5",
        "1.",
        "-1",
        "+1",
        "12:30",
        "12:30:00",
        "1:30.5",
        "2020-01-01",
        "2020-01-01T00:00:00Z",
        "2001-12-14 21:59:43.10 -5",
        ".inf",
        "-.inf",
        "+.INF",
        ".NaN",
        "",
        "...",
        "---",
        "- a",
        "a: b",
        "a #b",
        "%a",
        "@a",
        "`a",
        "0.1.0",
        "1.2.3.4",
        "1a",
        "v1",
        "2d",
        "é",
        "\u{85}",
        "\u{fffe}",
        "\u{feff}a",
        "a\tb",
        "two\nlines",
        " a",
        "a ",
        "1__0",
        "0.",
        "_1",
        "190:20:30",
        "685_230.15",
    ];
    let map: serde_json::Map<_, _> = words.iter().map(|word| ((*word).to_owned(), json!(word))).collect();
    let value = json!({"keys": map, "list": words[..], "numbers": [1e-7, 1e300, 0.5, 1, 1e16, 123_456_789_012_345_i64]});
    let text = document(&value);
    assert_eq!(read(&text), Ok(value.clone()));
    if let Some(read) = by_python(&text) {
        assert_eq!(read, value, "{text}");
    }
    let same: serde_yaml::Value = one(&text).expect("YAML");
    assert_eq!(document(&same), text, "both kinds of values are written alike");
    assert!(["0.1.0", "1a", "v1", "1.2.3.4"].iter().all(|word| text.contains(&format!("- {word}\n"))));
}

#[test]
fn what_holds_itself_is_an_error() {
    for text in ["&a {*a: ", "&a [*a]\n", "a: &a\n  b: *a\n"] {
        let fault = documents::<serde_yaml::Value>(text).expect_err(text);
        assert!(fault.limit, "{text:?}");
    }
}

proptest! {
    /// Whatever the library reads without an error, the guard has seen to its end.
    #[test]
    fn no_text_misleads_the_guard(parts in prop::collection::vec(0_usize..26, 0..14)) {
        const PARTS: [&str; 26] = [
            "a", ": ", "- ", "? ", "[", "]", "{", "}", ", ", "\n", "\n  ", "\n ", "\n    ", "|\n", ">-\n", "'", "\"",
            " #", "&a ", "*a", "!t ", "---\n", "\t", "\\", "''", "|2\n",
        ];
        let text: String = parts.iter().map(|part| PARTS[*part]).collect();
        // Three hundred brackets more in front of the first would be too deep, if that is one.
        let read = documents::<serde_yaml::Value>(&text);
        prop_assert!(guard::check(&text).is_ok(), "{text:?}");
        // What holds itself has no end, which is for the library to find.
        let may_hold_itself = text.find("&a ").zip(text.rfind("*a")).is_some_and(|(anchor, alias)| anchor < alias);
        let is_ended = read.as_ref().is_err_and(|fault| fault.limit);
        prop_assert!(read.is_ok() || may_hold_itself && is_ended, "{text:?}");
        for (at, _) in text.match_indices('[') {
            let deep = format!("{}{}{}", &text[..at], "[".repeat(300), &text[at..]);
            let lists = |text: &str| serde_yaml::from_str::<serde_yaml::Value>(text).map_err(|it| it.to_string());
            if lists(&deep).is_err_and(|error| error.contains("recursion limit")) {
                prop_assert!(guard::check(&deep).is_err(), "{deep:?}");
            }
        }
    }
}
