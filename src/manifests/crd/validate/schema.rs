//! A view of a schema as the API server sees it: empty is the same as absent.

use serde_json::{Map, Value};

/// One schema of a definition.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a>(pub(super) &'a Map<String, Value>);

/// The keywords that join schemas, in the order in which they are looked at.
pub(super) const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

impl<'a> Schema<'a> {
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// The `type`, empty when there is none.
    pub(super) fn kind(self) -> &'a str {
        self.text("type").unwrap_or_default()
    }

    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether a keyword is true.
    pub(super) fn is(self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn list(self, key: &str) -> &'a [Value] {
        self.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(super) fn strings(self, key: &str) -> impl Iterator<Item = &'a str> {
        self.list(key).iter().filter_map(Value::as_str)
    }

    /// The schemas below `allOf` or its like.
    pub(super) fn joined(self, key: &str) -> impl Iterator<Item = Schema<'a>> {
        self.list(key).iter().filter_map(Schema::of)
    }

    pub(super) fn child(self, key: &str) -> Option<Self> {
        self.get(key).and_then(Self::of)
    }

    /// The schema of a list's items, if it is one for all.
    pub(super) fn items(self) -> Option<Self> {
        self.child("items")
    }

    /// The schema of a map's values.
    pub(super) fn additional(self) -> Option<Self> {
        self.child("additionalProperties")
    }

    pub(super) fn properties(self) -> impl Iterator<Item = (&'a str, Self)> {
        let properties = self.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.filter_map(|(name, value)| Some((name.as_str(), Self::of(value)?)))
    }

    pub(super) fn property(self, name: &str) -> Option<Self> {
        self.get("properties").and_then(|properties| properties.get(name)).and_then(Self::of)
    }

    pub(super) fn has_properties(self) -> bool {
        self.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
    }

    /// Whether unknown fields are kept.
    pub(super) fn preserves(self) -> bool {
        self.is("x-kubernetes-preserve-unknown-fields")
    }

    pub(super) fn int_or_string(self) -> bool {
        self.is("x-kubernetes-int-or-string")
    }

    pub(super) fn embedded(self) -> bool {
        self.is("x-kubernetes-embedded-resource")
    }

    pub(super) fn requires(self, name: &str) -> bool {
        self.strings("required").any(|required| required == name)
    }
}
