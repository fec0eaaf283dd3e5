//! Columns of `kubectl get`.

use serde_json::Value;

use super::findings::Findings;
use super::paths::{Found, find};
use super::place::Place;
use super::schema::Schema;
use super::structural::list;

const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

pub(super) fn check(column: &Value, schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let text = |key: &str| column[key].as_str().unwrap_or_default();
    let (name, path) = (text("name"), text("jsonPath"));
    if name.is_empty() {
        findings.refuse(place, "a printer column without a name", "add `name = \"…\"`");
    }
    if !TYPES.contains(&text("type")) {
        findings.refuse(
            place,
            format_args!("printer column `{name}` is of type `{}`", text("type")),
            format!("types of columns are {}", list(&TYPES)),
        );
    }
    if !text("format").is_empty() && !FORMATS.contains(&text("format")) {
        findings.refuse(
            place,
            format_args!("printer column `{name}` has format `{}`", text("format")),
            format!("formats of columns are {}", list(&FORMATS)),
        );
    }
    match names(path) {
        Err(why) => findings.refuse(
            place,
            format_args!("printer column `{name}` has path `{path}`: {why}"),
            "write a JSON path such as `.status.conditions[?(@.type==\"Ready\")].status`",
        ),
        Ok(names) => {
            if matches!(follow(schema, &names), Found::Nothing) {
                findings.refuse(
                    place,
                    format_args!("printer column `{name}` has path `{path}`, where no field is"),
                    "write the names as they are in JSON",
                );
            }
        }
    }
}

/// A step of a path.
enum Step<'a> {
    Field(&'a str),
    /// Some of a list's items, or of a map's values.
    Some,
}

fn follow<'a>(root: Schema<'a>, steps: &[Step<'_>]) -> Found<'a> {
    let mut schema = root;
    let mut names = Vec::new();
    for step in steps {
        if let Step::Field(name) = step {
            names.push(*name);
            continue;
        }
        let parent = match find(schema, &names) {
            Found::Field(parent) => parent,
            other => return other,
        };
        names.clear();
        schema = match parent.items().or(parent.additional()) {
            Some(inner) => inner,
            None => return Found::Anything,
        };
    }
    find(schema, &names)
}

/// The steps of a path, as far as they are known: what follows `..` is not.
fn names(path: &str) -> Result<Vec<Step<'_>>, String> {
    let mut steps = Vec::new();
    let mut rest = path;
    if !rest.starts_with('.') {
        return Err("it does not begin with a dot".into());
    }
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("..") {
            return Ok(vec![]);
        } else if first == '[' {
            let end = closing(rest).ok_or("a bracket is not closed")?;
            let inner = rest[1..end].trim();
            let quoted = inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\''));
            let quoted = quoted.filter(|name| !name.contains('\''));
            let index = inner.chars().all(|c| c.is_ascii_digit() || "-:,* ".contains(c)) && !inner.is_empty();
            match quoted {
                Some(name) => steps.push(Step::Field(name)),
                None if index || (inner.starts_with("?(") && inner.ends_with(')')) => steps.push(Step::Some),
                None => return Err(format!("`[{inner}]` selects nothing")),
            }
            rest = &rest[end + 1..];
        } else if first == '.' {
            let end = name_end(&rest[1..]) + 1;
            match &rest[1..end] {
                "" if rest.len() == 1 || rest.starts_with(".[") => {}
                "" => return Err("a name is missing".into()),
                "*" => steps.push(Step::Some),
                name => steps.push(Step::Field(name)),
            }
            rest = &rest[end..];
        } else {
            return Err(format!("`{rest}` follows no dot"));
        }
    }
    // A backslash hides a dot that belongs to a name, as in annotations; those are not followed.
    if path.contains('\\') { Ok(vec![]) } else { Ok(steps) }
}

/// Where a name ends.
fn name_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && (c == '.' || c == '[') {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Where the bracket at the beginning of `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            // what is quoted, and any other character
            _ => {}
        }
    }
    None
}
