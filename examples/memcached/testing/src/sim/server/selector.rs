//! Selectors of labels and fields.

use serde_json::Value;

/// A selector of labels.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(Vec<Requirement>);

#[derive(Clone, Debug)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Above(String, i64),
    Below(String, i64),
}

impl Labels {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for part in split(text) {
            requirements.push(requirement(part.trim())?);
        }
        Ok(Self(requirements))
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        let number = |key: &str| label(key).and_then(|value| value.parse::<i64>().ok());
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                label(key).is_some_and(|label| values.iter().any(|value| value == label))
            }
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|label| !values.iter().any(|value| value == label))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
            Requirement::Above(key, least) => number(key).is_some_and(|number| number > *least),
            Requirement::Below(key, most) => number(key).is_some_and(|number| number < *most),
        })
    }
}

/// The parts between commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if !text.trim().is_empty() {
        parts.push(&text[start..]);
    }
    parts
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let wrong = || format!("unable to parse requirement: {part}");
    let list = |text: &str| -> Option<Vec<String>> {
        let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(|value| value.trim().to_owned()).collect())
    };
    let words = |text: &str| text.trim().to_owned();
    if let Some((key, values)) = part.split_once(" notin ") {
        return Ok(Requirement::NotIn(words(key), list(values).ok_or_else(wrong)?));
    }
    if let Some((key, values)) = part.split_once(" in ") {
        return Ok(Requirement::In(words(key), list(values).ok_or_else(wrong)?));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement::NotIn(words(key), vec![words(value)]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::In(words(key), vec![words(value)]));
    }
    if let Some((key, value)) = part.split_once('>') {
        return Ok(Requirement::Above(words(key), value.trim().parse().map_err(|_| wrong())?));
    }
    if let Some((key, value)) = part.split_once('<') {
        return Ok(Requirement::Below(words(key), value.trim().parse().map_err(|_| wrong())?));
    }
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::Absent(words(key)));
    }
    if part.is_empty() || part.contains(char::is_whitespace) {
        return Err(wrong());
    }
    Ok(Requirement::Exists(part.to_owned()))
}

/// A selector of fields: path, whether it has to be equal, and the value.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, bool, String)>);

impl Fields {
    /// `known` are the fields that a kind can be selected by, besides its name and namespace.
    pub(super) fn parse(text: &str, known: &[String]) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
                (path, false, value)
            } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (path, true, value)
            } else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            if !matches!(path, "metadata.name" | "metadata.namespace") && !known.iter().any(|one| one == path)
            {
                return Err(format!("field label not supported: {path}"));
            }
            terms.push((path.to_owned(), equal, value.to_owned()));
        }
        Ok(Self(terms))
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, equal, wanted)| {
            let value = path.split('.').fold(object, |value, name| &value[name]);
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            (text == *wanted) == *equal
        })
    }
}
