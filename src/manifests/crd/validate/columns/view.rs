//! What a path leads to, as far as the schema says.

use std::sync::OnceLock;

use serde_json::Value;

use super::jsonpath::Node;
use crate::manifests::crd::validate::schema::Schema;

/// What every object has, also where its schema says nothing of it.
const METADATA: &str = r#"{"type": "object", "properties": {
    "name": {"type": "string"}, "generateName": {"type": "string"}, "namespace": {"type": "string"},
    "selfLink": {"type": "string"}, "uid": {"type": "string"}, "resourceVersion": {"type": "string"},
    "generation": {"type": "integer"}, "deletionGracePeriodSeconds": {"type": "integer"},
    "creationTimestamp": {"type": "string", "format": "date-time"},
    "deletionTimestamp": {"type": "string", "format": "date-time"},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    "finalizers": {"type": "array", "items": {"type": "string"}},
    "ownerReferences": {"type": "array", "items": {"type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "name": {"type": "string"},
        "uid": {"type": "string"}, "controller": {"type": "boolean"}, "blockOwnerDeletion": {"type": "boolean"}}}},
    "managedFields": {"type": "array", "items": {"type": "object", "properties": {
        "manager": {"type": "string"}, "operation": {"type": "string"}, "apiVersion": {"type": "string"},
        "time": {"type": "string", "format": "date-time"}, "fieldsType": {"type": "string"},
        "fieldsV1": {"type": "object"},
        "subresource": {"type": "string"}}}}
}}"#;

/// The schema of `metadata` and of the texts beside it.
pub(super) fn of_every_object(name: &str) -> Option<Schema<'static>> {
    static READ: OnceLock<[Value; 2]> = OnceLock::new();
    let read =
        || [METADATA, r#"{"type": "string"}"#].map(|text| serde_json::from_str(text).unwrap_or_default());
    let [metadata, text] = READ.get_or_init(read);
    Schema::of(match name {
        "metadata" => metadata,
        "apiVersion" | "kind" => text,
        _ => return None,
    })
}

/// Types that a value may have, as a set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const WHOLE: Self = Self(1);
    pub(super) const FRACTION: Self = Self(2);
    pub(super) const TEXT: Self = Self(4);
    pub(super) const BOOL: Self = Self(8);
    /// Lists and objects.
    pub(super) const MORE: Self = Self(16);
    pub(super) const ANY: Self = Self(31);
    pub(super) const NUMBER: Self = Self(3);

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// A value that a path may lead to.
#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    Schema(Schema<'a>),
    /// The schema does not say what is there, but keeps it.
    Anything,
    /// What the path itself says.
    Constant(&'a Node),
}

/// One place in an object, or many alike.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) what: What<'a>,
    /// In each item of a list, or each value of a map.
    pub(super) many: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(schema: Schema<'a>) -> Self {
        Self { what: What::Schema(schema), many: false }
    }

    /// Something in it.
    pub(super) fn with(self, schema: Option<Schema<'a>>, many: bool) -> Self {
        let what = schema.map_or(What::Anything, What::Schema);
        Self { what, many: self.many || many }
    }

    pub(super) fn kinds(&self) -> Kinds {
        match self.what {
            What::Schema(schema) if schema.int_or_string() => Kinds::WHOLE.or(Kinds::TEXT),
            What::Schema(schema) => match schema.kind() {
                "integer" => Kinds::WHOLE,
                // One without a fraction is a whole number to the API server.
                "number" => Kinds::NUMBER,
                "string" => Kinds::TEXT,
                "boolean" => Kinds::BOOL,
                "array" | "object" => Kinds::MORE,
                _ => Kinds::ANY,
            },
            What::Anything => Kinds::ANY,
            What::Constant(node) => match node {
                Node::Int(_) => Kinds::WHOLE,
                Node::Float(_) => Kinds::FRACTION,
                Node::Bool(_) => Kinds::BOOL,
                _ => Kinds::TEXT,
            },
        }
    }

    /// What it is called in a message.
    pub(super) fn name(&self) -> &'static str {
        match self.what {
            What::Schema(schema) if schema.kind() == "array" => "a list",
            What::Schema(schema) if schema.int_or_string() => "a whole number or a text",
            What::Schema(schema) if schema.additional().is_some() => "a map",
            _ => match self.kinds() {
                Kinds::WHOLE => "a whole number",
                Kinds::NUMBER | Kinds::FRACTION => "a number",
                Kinds::TEXT => "a text",
                Kinds::BOOL => "a boolean",
                Kinds::MORE => "an object",
                _ => "a value of any type",
            },
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.what, What::Schema(schema) if schema.kind() == "array")
    }
}
