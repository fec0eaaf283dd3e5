//! The objects in a schema, and what their fields are.

use serde_json::{Map, Value};

use super::markdown::code;
use super::text;

/// An object in a schema whose fields are known: each has a part of the page.
pub(super) struct Section<'a> {
    /// Where it is, such as `spec.volumes[]`; values of a map are `{}`. That of the whole is empty.
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

/// What every object has.
const KNOWN: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The objects in `schema`, each before those in it.
pub(super) fn sections(schema: &Value) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    add(String::new(), schema, &mut sections);
    // `spec` and `status` have parts of their own.
    if sections.first().is_some_and(|whole| whole.fields().is_empty()) {
        sections.remove(0);
    }
    sections
}

fn add<'a>(path: String, schema: &'a Value, sections: &mut Vec<Section<'a>>) {
    if let Some((step, inner)) = inner(schema) {
        return add(path + step, inner, sections);
    }
    if has_fields(schema) {
        let section = Section { path, schema };
        let below: Vec<_> = section.all_fields().collect();
        sections.push(section);
        for field in below {
            add(field.path, field.schema, sections);
        }
    }
}

/// What the items of a list or the values of a map are, and how a path says that it is about these.
pub(super) fn inner(schema: &Value) -> Option<(&'static str, &Value)> {
    let steps = [("[]", "items"), ("{}", "additionalProperties")].into_iter();
    steps.filter_map(|(step, key)| Some((step, schema.get(key)?))).find(|(_, inner)| inner.is_object())
}

impl<'a> Section<'a> {
    /// Required ones first. Of the whole, those that have no part of their own.
    pub(super) fn fields(&self) -> Vec<Field<'a>> {
        let is_whole = self.path.is_empty();
        let mut fields: Vec<_> = self.all_fields().filter(|it| !is_whole || !it.has_section()).collect();
        fields.sort_by_key(|field| !field.is_required);
        fields
    }

    fn all_fields(&self) -> impl Iterator<Item = Field<'a>> {
        let (schema, path) = (self.schema, &self.path);
        let required: Vec<_> = super::list(&schema["required"]).map(text).collect();
        let properties = schema["properties"].as_object().into_iter().flat_map(Map::iter);
        let properties = properties.filter(|(name, _)| !path.is_empty() || !KNOWN.contains(&name.as_str()));
        properties.map(move |(name, schema)| Field {
            name,
            schema,
            is_required: required.contains(&name.as_str()),
            path: if path.is_empty() { name.clone() } else { format!("{path}.{name}") },
        })
    }
}

impl Field<'_> {
    /// Whether it has a part of its own.
    pub(super) fn has_section(&self) -> bool {
        has_fields(self.schema)
    }

    /// Its type in words, with a link to the part about it, if there is one.
    pub(super) fn type_name(&self, anchor: impl Fn(&str) -> String) -> String {
        let (mut schema, mut path, mut words) = (self.schema, self.path.clone(), String::new());
        let mut end = "";
        while let Some((step, inner)) = inner(schema) {
            let name = if step == "[]" { "list" } else { "map" };
            words.push_str(&format!("{name}{end} of "));
            (schema, path, end) = (inner, path + step, "s");
        }
        if has_fields(schema) {
            return format!("{words}[object{end}](#{})", anchor(&path));
        }
        words + &plain(schema, end)
    }
}

/// The type of what has no fields of its own, with the end of a singular or plural.
fn plain(schema: &Value, end: &str) -> String {
    let (name, format) = (text(&schema["type"]), text(&schema["format"]));
    if schema["x-kubernetes-int-or-string"] == true {
        return format!("integer{end} or string{end}");
    }
    if schema["x-kubernetes-embedded-resource"] == true {
        return format!("Kubernetes object{end}");
    }
    match (name, format) {
        ("" | "object", _) if schema["x-kubernetes-preserve-unknown-fields"] == true => "anything".to_owned(),
        ("", _) => "anything".to_owned(),
        (name, "") => format!("{name}{end}"),
        (name, format) => format!("{name}{end} ({})", code(format)),
    }
}

fn has_fields(schema: &Value) -> bool {
    schema["properties"].as_object().is_some_and(|properties| !properties.is_empty())
}
