//! YAML texts as values. Every text that is read goes through here: the library takes any text, and takes its time.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess as _,
    Visitor,
};

use super::guard::{self, NODES};
use crate::limits::{Budget, LENGTH};

/// Most documents of a text.
const DOCUMENTS: usize = 10_000;

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
    /// Whether it would be too much, rather than no YAML.
    pub limit: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl From<serde_yaml::Error> for Fault {
    fn from(error: serde_yaml::Error) -> Self {
        let line = error.location().map_or(1, |location| location.line());
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or(&said);
        let limit = said.contains("recursion limit") || said.contains("repetition limit");
        let message = match said {
            _ if said.contains(SPENT) => "repeats itself without end: `*name` stands for too much",
            _ if said.contains("recursion limit") => "nested deeper than 128",
            _ if said.contains("repetition limit") => {
                "repeats itself without end: `*name` stands for too much"
            }
            said => said,
        };
        Self { line, message: message.to_owned(), limit: limit || said.contains(SPENT) }
    }
}

/// The values of all documents in a text.
///
/// # Errors
/// A [`Fault`] when it would be too much; that a document is no YAML is said in its place.
pub fn documents<T: DeserializeOwned>(text: &str) -> Result<Vec<Result<T, Fault>>, Fault> {
    check(text)?;
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        match T::deserialize(document).map_err(Fault::from) {
            Err(fault) if fault.limit => return Err(fault),
            Err(fault) => {
                found.push(Err(fault));
                // What follows an error has no beginning.
                break;
            }
            read => found.push(read),
        }
        if found.len() > DOCUMENTS {
            let line = 1;
            return Err(Fault { line, message: format!("more than {DOCUMENTS} documents"), limit: true });
        }
    }
    Ok(found)
}

/// The value of a text with one document.
///
/// # Errors
/// A [`Fault`] when it would be too much, or is no YAML, or is more than one document.
pub fn one<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    check(text)?;
    Ok(T::deserialize(serde_yaml::Deserializer::from_str(text))?)
}

/// What `seed` makes of a text.
///
/// # Errors
/// A [`Fault`] as with [`one`], or the one that the seed has made, with its line.
pub fn probe<'a, S: DeserializeSeed<'a>>(text: &'a str, seed: S) -> Result<S::Value, Fault> {
    check(text)?;
    Ok(seed.deserialize(serde_yaml::Deserializer::from_str(text))?)
}

/// Checks that all values of a text take little time and space.
fn check(text: &str) -> Result<(), Fault> {
    if u64::try_from(text.len()).is_ok_and(|length| length > LENGTH) {
        let message = format!("longer than {} MiB", LENGTH >> 20);
        return Err(Fault { line: 1, message, limit: true });
    }
    if !guard::check(text)?.aliases {
        return Ok(());
    }
    // What has a name may stand for much more than its text.
    let (nodes, bytes) = (Budget::of(NODES), Budget::of(LENGTH));
    for document in serde_yaml::Deserializer::from_str(text) {
        if let Err(error) = Count(&nodes, &bytes).deserialize(document) {
            let fault = Fault::from(error);
            return if fault.limit { Err(fault) } else { Ok(()) };
        }
    }
    Ok(())
}

/// What the error says that stops the counting.
const SPENT: &str = "\u{1}spent\u{1}";

/// Counts values and their bytes.
#[derive(Clone, Copy)]
struct Count<'a>(&'a Budget, &'a Budget);

impl Count<'_> {
    fn take<E: serde::de::Error>(self, bytes: usize) -> Result<(), E> {
        let spent = |_| E::custom(SPENT);
        self.0.take(1).map_err(spent)?;
        self.1.take(u64::try_from(bytes).unwrap_or(u64::MAX)).map_err(spent)
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.take(1)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.take(8)
    }

    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<(), E> {
        self.take(16)
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.take(8)
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<(), E> {
        self.take(16)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.take(8)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.take(text.len())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.take(0)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.take(0)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.take(0)?;
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.take(0)?;
        while map.next_key_seed(self)?.is_some() {
            map.next_value_seed(self)?;
        }
        Ok(())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        self.take(tag.len())?;
        value.newtype_variant_seed(self)
    }
}
