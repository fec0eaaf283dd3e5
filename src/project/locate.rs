//! Where in a YAML text a value is.
//!
//! The values a parser returns no longer know their line. To report a mistake, the text is read once more down the
//! value's path, and the reading stopped there on purpose: the parser's error then has the line.

use std::fmt;

use crate::yaml;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list.
    Item(usize),
}

/// The line, counted from 1, of the value at `path` in `text`; of the closest one around it when it is missing.
pub(super) fn line(text: &str, path: &[Step]) -> usize {
    (0..=path.len())
        .rev()
        .find_map(|length| {
            let fault = yaml::probe(text, Probe(&path[..length])).err()?;
            fault.message.contains(FOUND).then_some(fault.line)
        })
        .unwrap_or(1)
}

/// What the deliberate error says, to tell it from real ones.
const FOUND: &str = "\u{1}found\u{1}";

/// Reads down a path and fails at its end.
struct Probe<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { FOUND } else { "a value with others inside" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(A::Error::custom(FOUND));
        };
        while let Some(key) = map.next_key::<serde_yaml::Value>()? {
            match step {
                Step::Key(wanted) if key.as_str() == Some(wanted) => return map.next_value_seed(Probe(rest)),
                _ => map.next_value::<IgnoredAny>()?,
            };
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(A::Error::custom(FOUND));
        };
        let mut at = 0;
        while *step != Step::Item(at) {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
            at += 1;
        }
        items.next_element_seed(Probe(rest)).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Step {
        Step::Key(key.into())
    }

    #[test]
    fn finds_values_in_every_style() {
        let text = "# head\na: 1\nlist:\n- x: y\n- x: z\n  deep:\n    on: true\nflow: {b: [1,\n  two]}\n";
        assert_eq!(line(text, &[key("a")]), 2);
        assert_eq!(line(text, &[key("list"), Step::Item(0), key("x")]), 4);
        assert_eq!(line(text, &[key("list"), Step::Item(1), key("x")]), 5);
        assert_eq!(line(text, &[key("list"), Step::Item(1), key("deep"), key("on")]), 7);
        assert_eq!(line(text, &[key("flow"), key("b"), Step::Item(1)]), 9);
    }

    #[test]
    fn falls_back_to_what_is_around() {
        let text = "a: 1\nlist:\n- x: y\n- z: 1\n";
        assert_eq!(line(text, &[key("list"), Step::Item(1), key("x")]), 4);
        assert_eq!(line(text, &[key("nothing")]), 1);
        assert_eq!(line("", &[key("nothing")]), 1);
    }
}
