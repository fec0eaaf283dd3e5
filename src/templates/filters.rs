//! Filters that the templates use.

/// Words that a YAML 1.1 reader, such as kustomize, takes for something other than a string.
const NOT_STRINGS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

pub use filter::*;

/// What the attribute makes of a filter is not to clippy's taste.
#[expect(clippy::inline_always, clippy::unused_self, clippy::unnecessary_wraps, reason = "askama's code")]
mod filter {
    use std::fmt::Display;

    /// A scalar that YAML reads back as the same string: plain where that is safe, else in double quotes.
    #[askama::filter_fn]
    pub fn yaml(value: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(super::yaml_string(&value.to_string()))
    }
}

/// See [`yaml`](fn@yaml).
#[must_use]
pub fn yaml_string(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/');
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(safe);
    if word && !NOT_STRINGS.iter().any(|other| text.eq_ignore_ascii_case(other)) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::yaml_string;

    #[test]
    fn strings_stay_strings() {
        for text in ["iris", "Yes", "on", "123", "1.5", "a b", "-x", "a\"b\\c", "", "~", "null", "a/b:1.0"] {
            let document = format!("key: {}\n", yaml_string(text));
            let value: serde_yaml::Value = serde_yaml::from_str(&document).expect(text);
            assert_eq!(value["key"].as_str(), Some(text), "{document}");
        }
        assert_eq!(yaml_string("iris"), "iris");
        assert_eq!(yaml_string("123"), "\"123\"");
        assert_eq!(yaml_string("Yes"), "\"Yes\"");
    }
}
