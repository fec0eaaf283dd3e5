//! The objects in a schema, and what their fields are.

use serde_json::{Map, Value};

use super::markdown::code;
use super::text;

/// An object in a schema whose fields are known: each has a part of the page.
pub(super) struct Section<'a> {
    /// Where it is, such as `spec.volumes[]`; values of a map are `{}`.
    pub(super) path: String,
    pub(super) schema: &'a Value,
}

/// A field of such an object.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Value,
    pub(super) is_required: bool,
    path: String,
}

/// All objects below the one that `schema` describes, each before those in it. What is known of every object is left out.
pub(super) fn sections(schema: &Value) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let known = ["apiVersion", "kind", "metadata"];
    for (name, schema) in properties(schema).filter(|(name, _)| !known.contains(name)) {
        add(name.to_owned(), schema, &mut sections);
    }
    sections
}

fn add<'a>(path: String, schema: &'a Value, sections: &mut Vec<Section<'a>>) {
    if let Some(items) = schema.get("items") {
        return add(path + "[]", items, sections);
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        return add(path + "{}", values, sections);
    }
    let is_top = !path.contains(['.', '[', '{']);
    if properties(schema).next().is_none() && !is_top {
        return;
    }
    sections.push(Section { path: path.clone(), schema });
    for (name, schema) in properties(schema) {
        add(format!("{path}.{name}"), schema, sections);
    }
}

impl<'a> Section<'a> {
    /// Required ones first.
    pub(super) fn fields(&self) -> Vec<Field<'a>> {
        let required: Vec<_> = super::list(&self.schema["required"]).map(text).collect();
        let field = |(name, schema): (&'a str, &'a Value)| Field {
            name,
            schema,
            is_required: required.contains(&name),
            path: format!("{}.{name}", self.path),
        };
        let mut fields: Vec<_> = properties(self.schema).map(field).collect();
        fields.sort_by_key(|field| !field.is_required);
        fields
    }
}

impl Field<'_> {
    /// Whether it has a part of its own.
    pub(super) fn has_section(&self) -> bool {
        properties(self.schema).next().is_some()
    }

    /// Its type in words, with a link to the part about it, if there is one.
    pub(super) fn type_name(&self, anchor: impl Fn(&str) -> String) -> String {
        let (mut schema, mut path, mut words) = (self.schema, self.path.clone(), String::new());
        loop {
            if let Some(items) = schema.get("items") {
                words.push_str("list of ");
                (schema, path) = (items, path + "[]");
            } else if let Some(values) = schema.get("additionalProperties").filter(|it| it.is_object()) {
                words.push_str("map of ");
                (schema, path) = (values, path + "{}");
            } else {
                break;
            }
        }
        if properties(schema).next().is_some() {
            return format!("{words}[object](#{})", anchor(&path));
        }
        words + &plain(schema)
    }
}

/// The type of what has no fields of its own.
fn plain(schema: &Value) -> String {
    let (name, format) = (text(&schema["type"]), text(&schema["format"]));
    if schema["x-kubernetes-int-or-string"] == true {
        return "integer or string".to_owned();
    }
    if schema["x-kubernetes-embedded-resource"] == true {
        return "Kubernetes object".to_owned();
    }
    match (name, format) {
        ("" | "object", _) if schema["x-kubernetes-preserve-unknown-fields"] == true => "anything".to_owned(),
        ("", _) => "anything".to_owned(),
        (name, "") => name.to_owned(),
        (name, format) => format!("{name} ({})", code(format)),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(Map::iter).map(|(name, schema)| (name.as_str(), schema))
}
