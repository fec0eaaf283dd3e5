//! JSON values as YAML text that every YAML reader understands the same way.
//!
//! Keys are sorted, lists are not indented below their key and texts of several lines are literal blocks, as in the
//! files that Go tools write. Strings that YAML 1.1 readers (kustomize and kubectl among them) would take for
//! something else, such as `On`, `no`, `1_000` or `2020-01-01`, are quoted; the usual YAML writers for Rust follow
//! YAML 1.2 and leave them bare.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// One YAML document without a `---` line, ending with a newline.
#[must_use]
pub fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_map(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => write_list(&mut out, items, 0),
        scalar => {
            out.push_str(&inline(scalar, 0));
            out.push('\n');
        }
    }
    out
}

fn write_map(out: &mut String, map: &Map<String, Value>, indent: usize) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| key.as_str());
    for (position, (key, value)) in entries.into_iter().enumerate() {
        if position > 0 {
            pad(out, indent);
        }
        out.push_str(&quoted_if_needed(key));
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                pad(out, indent + 2);
                write_map(out, inner, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                pad(out, indent);
                write_list(out, items, indent);
            }
            scalar => {
                out.push(' ');
                out.push_str(&inline(scalar, indent + 2));
                out.push('\n');
            }
        }
    }
}

fn write_list(out: &mut String, items: &[Value], indent: usize) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            pad(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => write_map(out, inner, indent + 2),
            Value::Array(inner) if !inner.is_empty() => write_list(out, inner, indent + 2),
            scalar => {
                out.push_str(&inline(scalar, indent + 2));
                out.push('\n');
            }
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A value that needs no block of its own; `indent` is where the lines of a literal text go.
fn inline(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) if is_literal(text) => literal(text, indent),
        Value::String(text) => quoted_if_needed(text),
        Value::Object(_) => "{}".into(),
        Value::Array(_) => "[]".into(),
        other => other.to_string(),
    }
}

/// Whether a text of several lines can be written as a literal block without loss.
fn is_literal(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && !text.lines().any(|line| line.ends_with([' ', '\t', '\r']))
        && text.chars().all(|c| c == '\n' || is_bare(c))
}

fn literal(text: &str, indent: usize) -> String {
    let body = text.trim_end_matches('\n');
    let mut out = String::from(match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(&mut out, indent);
            out.push_str(line);
        }
    }
    // `|+` keeps the newlines that end the text; the caller adds the last one
    out.extend(std::iter::repeat_n('\n', (text.len() - body.len()).saturating_sub(1)));
    out
}

fn quoted_if_needed(text: &str) -> String {
    if !text.chars().all(is_bare) {
        return double_quoted(text);
    }
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_bare(c) => out.push(c),
            c => {
                // writing to a string cannot fail
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Whether a character needs no escape in YAML.
fn is_bare(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Whether `text` can stand bare and means this string to readers of YAML 1.1 and 1.2.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let indicator = "-?:,[]{}#&*!|>'\"%@`=<~".contains(first);
    let spaced = text.starts_with(' ') || text.ends_with([' ', ':']);
    !indicator
        && !spaced
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_number_like(text)
        && !is_word(text)
}

/// Anything that begins as a number and has no character that numbers and dates cannot have.
fn is_number_like(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '.']);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || "+-._:xXoOTtZz ".contains(c))
}

/// The words that some YAML reader takes for a boolean, null or number.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", "+.inf", ".nan"];
    WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        serde_yaml::from_str(text).expect(text)
    }

    #[test]
    fn looks_as_go_tools_write_it() {
        let value = json!({
            "spec": {"versions": [{"name": "v1", "served": true}, {"name": "v2"}], "empty": {}, "none": []},
            "about": "two\nlines\n\nand a third", "count": 3, "nested": [["a"], []], "null": null,
        });
        let expected = "\
about: |-
  two
  lines

  and a third
count: 3
nested:
- - a
- []
'null': null
spec:
  empty: {}
  none: []
  versions:
  - name: v1
    served: true
  - name: v2
";
        assert_eq!(document(&value), expected);
        assert_eq!(read(expected), value);
    }

    #[test]
    fn quotes_what_some_reader_would_misread() {
        for text in [
            "On",
            "off",
            "yes",
            "No",
            "y",
            "N",
            "true",
            "null",
            "~",
            "1",
            "1_000",
            "0x1F",
            "0o7",
            "12:30:00",
            "2020-01-01",
            "1e3",
            ".5",
            ".inf",
            "<<",
            "=",
            "",
            "- a",
            "a: b",
            "a #b",
            "a:",
            "'",
            "\"",
            "*",
            "&a",
            " a",
            "a ",
            "{a",
            "[a",
            "+1",
            "2020-01-01T00:00:00Z",
            "0b1",
        ] {
            let written = document(&json!(text));
            assert!(written.starts_with('\''), "{written}");
            assert_eq!(read(&written), json!(text));
        }
        for text in
            ["apps", "v1alpha1", "a-b.c/d", "x]", "\\d+", "^[a-z]$", "once", "1st", "é", ".spec.replicas"]
        {
            assert_eq!(document(&json!(text)), format!("{text}\n"));
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_it_was(texts in prop::collection::vec("([ -~éß\t\r]|\n|[a-z]{1,4} ?){0,12}", 1..4)) {
            let value = json!({"list": texts, "map": {texts[0].as_str(): texts[0]}, "deep": {"x": [[texts[0]]]}});
            prop_assert_eq!(read(&document(&value)), value);
        }
    }
}
