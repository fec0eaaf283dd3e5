//! What a kind was made from, as PROJECT remembers it.

use std::collections::BTreeMap;

/// What the user said to a template, by the key that PROJECT has for it: `image` → `memcached:1.6`.
pub type Options = BTreeMap<String, String>;

/// The template of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its name; nothing where an older version of the tool wrote the entry, which had one template with options.
    pub name: Option<String>,
    /// What the user said to it.
    pub options: Options,
}
