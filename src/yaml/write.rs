//! Values as YAML text that every YAML reader understands the same way.
//!
//! Lists are not indented below their key and texts of several lines are literal blocks, as in the files that Go tools
//! write. Strings that YAML 1.1 readers (kustomize and kubectl among them) would take for something else, such as `On`,
//! `no`, `1_000` or `2020-01-01`, are quoted, and numbers have the form that these readers take for numbers; the usual
//! YAML writers for Rust follow YAML 1.2 in both.

use std::fmt::Write as _;

/// A value that can be written.
pub trait Node: Sized {
    /// What it is.
    fn view(&self) -> View<'_, Self>;
}

/// What a value is.
pub enum View<'a, N> {
    /// A number, boolean or null, as it is written.
    Bare(String),
    /// A text.
    Text(&'a str),
    /// A list.
    List(&'a [N]),
    /// Keys with values, in the order in which they are written.
    Map(Vec<(Key<'a, N>, &'a N)>),
    /// A value with a tag, which has no `!` in front.
    Tagged(String, &'a N),
}

/// A key, which is a text in JSON and may be anything in YAML.
pub enum Key<'a, N> {
    /// A text.
    Text(&'a str),
    /// Anything.
    Node(&'a N),
}

impl Node for serde_json::Value {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Bare("null".into()),
            Self::Bool(value) => View::Bare(value.to_string()),
            Self::Number(number) => View::Bare(exponent(&number.to_string())),
            Self::String(text) => View::Text(text),
            Self::Array(items) => View::List(items),
            Self::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| key.as_str());
                View::Map(entries.into_iter().map(|(key, value)| (Key::Text(key), value)).collect())
            }
        }
    }
}

impl Node for serde_yaml::Value {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Bare("null".into()),
            Self::Bool(value) => View::Bare(value.to_string()),
            Self::Number(number) => View::Bare(match number.as_f64().filter(|_| number.is_f64()) {
                // As in JSON, which has no words for these.
                Some(float) if float.is_finite() => exponent(&serde_json::Value::from(float).to_string()),
                _ => number.to_string(),
            }),
            Self::String(text) => View::Text(text),
            Self::Sequence(items) => View::List(items),
            Self::Mapping(map) => View::Map(map.iter().map(|(key, value)| (Key::Node(key), value)).collect()),
            Self::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                View::Tagged(tag.trim_start_matches('!').to_owned(), &tagged.value)
            }
        }
    }
}

/// A number of JSON; with an exponent YAML 1.1 takes only `1.0e+300` for one, not `1e300`.
fn exponent(number: &str) -> String {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else { return number.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent.trim_start_matches('+')),
    };
    format!("{mantissa}{point}e{sign}{digits:0>2}")
}

/// One YAML document without a `---` line, ending with a newline.
#[must_use]
pub fn document<N: Node>(value: &N) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, Behind::Nothing);
    out
}

/// What is in front of a value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// A colon.
    Key,
    /// A dash or question mark, and a space.
    Sign,
}

/// Writes a value that is `indent` deep, and of a list or map where it stands below that.
fn write<N: Node>(out: &mut String, value: &N, indent: usize, behind: Behind) {
    let (tag, value) = match value.view() {
        View::Tagged(tag, value) => (Some(tag), value.view()),
        value => (None, value),
    };
    if let Some(tag) = &tag {
        out.push_str(if behind == Behind::Key { " !" } else { "!" });
        write_tag(out, tag);
    }
    let deeper = if behind == Behind::Nothing { indent } else { indent + 2 };
    let mut begin = |indent: usize| {
        if behind == Behind::Key || tag.is_some() {
            out.push('\n');
            pad(out, indent);
        }
    };
    match value {
        View::Map(entries) if !entries.is_empty() => {
            begin(deeper);
            write_map(out, &entries, deeper);
        }
        View::List(items) if !items.is_empty() => {
            let at = if behind == Behind::Key { indent } else { deeper };
            begin(at);
            write_list(out, items, at);
        }
        scalar => {
            if behind == Behind::Key || tag.is_some() {
                out.push(' ');
            }
            out.push_str(&inline(&scalar, deeper));
            out.push('\n');
        }
    }
}

fn write_map<N: Node>(out: &mut String, entries: &[(Key<'_, N>, &N)], indent: usize) {
    for (position, (key, value)) in entries.iter().enumerate() {
        if position > 0 {
            pad(out, indent);
        }
        let text = match key {
            Key::Text(text) => Some(quoted_if_needed(text)),
            Key::Node(key) => match key.view() {
                View::Text(text) => Some(quoted_if_needed(text)),
                View::Bare(text) => Some(text),
                _ => None,
            },
        };
        match (text, key) {
            (Some(text), _) if text.len() <= LONGEST_KEY => out.push_str(&text),
            (Some(text), _) => {
                let _ = writeln!(out, "? {text}");
                pad(out, indent);
            }
            (None, Key::Node(key)) => {
                out.push_str("? ");
                write(out, *key, indent, Behind::Sign);
                pad(out, indent);
            }
            (None, Key::Text(_)) => {}
        }
        out.push(':');
        write(out, *value, indent, Behind::Key);
    }
}

fn write_list<N: Node>(out: &mut String, items: &[N], indent: usize) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            pad(out, indent);
        }
        out.push_str("- ");
        write(out, item, indent, Behind::Sign);
    }
}

/// A reader need not look further for the colon behind a key, in characters.
const LONGEST_KEY: usize = 1000;

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A tag, with what tags cannot have as in addresses.
fn write_tag(out: &mut String, tag: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_;/?:@&=+$.~*'()".contains(c);
    for c in tag.chars() {
        if plain(c) {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// A value that needs no block of its own; `indent` is where the lines of a literal text go.
fn inline<N>(value: &View<'_, N>, indent: usize) -> String {
    match value {
        View::Text(text) if is_literal(text) => literal(text, indent),
        View::Text(text) => quoted_if_needed(text),
        View::Bare(text) => text.clone(),
        View::Map(_) => "{}".into(),
        View::List(_) => "[]".into(),
        // There is one tag at most.
        View::Tagged(..) => "null".into(),
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

fn is_bare(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
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
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_number_like(text)
        && !is_word(text)
}

/// Anything that begins as a number and has no character that numbers and dates cannot have. Of dots they have one.
fn is_number_like(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let based = unsigned.len() > 2
        && ["0x", "0o", "0b"].iter().any(|base| unsigned.to_ascii_lowercase().starts_with(base));
    let letter =
        |c: char| if based { c.is_ascii_hexdigit() || "xXoO".contains(c) } else { "eETtZz".contains(c) };
    unsigned.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit())
        && unsigned.matches('.').count() < 2
        && unsigned.chars().all(|c| c.is_ascii_digit() || letter(c) || "+-._: ".contains(c))
}

/// The words that some YAML reader takes for a boolean, null or number.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", "+.inf", ".nan"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

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
