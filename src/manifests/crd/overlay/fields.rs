//! Fields whose type their schema hides.
//!
//! The types without fields are known by their own description alone (see [`super::fingerprint`]), and the doc comment
//! of a field replaces that. A documented `Quantity` cannot be told from an `IntOrString` any more, nor a
//! `RawExtension` from a struct without fields. The sources can: they are searched for such fields, and a schema of the
//! same name and the same words in its description is one.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use syn::visit::Visit;

use super::serde_names::{of_field, of_variant, setting};
use super::{Schema, of_type};
use crate::limits::Budget;
use crate::{Error, Problem, Result, rust};

/// The types in question: Rust name, name of the definition.
const HIDDEN: [(&str, &str); 3] = [
    ("JSON", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"),
    ("Quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity"),
    ("RawExtension", "io.k8s.apimachinery.pkg.runtime.RawExtension"),
];

/// Types whose schema is never taken for one of those.
const PLAIN: [&str; 15] = [
    "String", "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "u128", "u16", "u32", "u64",
    "u8",
];

/// The documented fields of such types in the sources of a project.
#[derive(Debug, Default)]
pub struct Fields {
    /// By name in JSON and words of the doc comment: the definition of the type, or `None` for all other types.
    known: HashMap<(String, String), Option<&'static str>>,
    /// Names of fields that have the same words but different types, of which one is such a type.
    alike: BTreeSet<String>,
}

impl Fields {
    /// Reads Rust sources. What cannot be parsed has no fields: rustc has said so already.
    #[must_use]
    pub fn read<'a>(sources: impl IntoIterator<Item = &'a str>) -> Self {
        let sources: Vec<&str> = sources.into_iter().collect();
        if !sources.iter().any(|text| HIDDEN.iter().any(|(name, _)| text.contains(name))) {
            return Self::default();
        }
        let tokens = Budget::of(rust::TOKENS);
        let parse = |text: &&str| rust::parse_within(text, &tokens).ok();
        let files: Vec<syn::File> = sources.iter().filter_map(parse).collect();
        let mut names = Names::default();
        for file in &files {
            names.visit_file(file);
        }
        let mut reader = Reader { types: names.resolve(), known: HashMap::new(), alike: BTreeSet::new() };
        for file in &files {
            reader.visit_file(file);
        }
        Self { known: reader.known, alike: reader.alike }
    }

    /// Checks that all such fields can be told from others.
    ///
    /// # Errors
    /// [`Error::Definitions`] when fields of one name and one comment have different types.
    pub fn check(&self) -> Result<()> {
        let problem = |name: &String| {
            let message = format!(
                "fields `{name}` of different types have the same comment, so that a `RawExtension`, `Quantity` or \
                 `JSON` among them cannot be told from the others"
            );
            Problem::new(message).hint("give each of these fields a comment of its own")
        };
        let problems: Vec<Problem> = self.alike.iter().map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(Error::Definitions(problems)) }
    }

    /// Completes the schemas of these fields in a definition.
    pub fn complete(&self, definition: &mut Value) {
        if self.known.values().any(Option::is_some) {
            self.search(definition);
        }
    }

    fn search(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, schema) in
                    map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
                {
                    self.complete_field(name, schema);
                }
                map.values_mut().for_each(|inner| self.search(inner));
            }
            Value::Array(list) => list.iter_mut().for_each(|inner| self.search(inner)),
            _ => {}
        }
    }

    fn complete_field(&self, name: &str, schema: &mut Value) {
        let Some(schema) = schema.as_object_mut().filter(|schema| is_bare(schema)) else {
            return;
        };
        let Some(Value::String(description)) = schema.get("description").cloned() else {
            return;
        };
        if let Some(Some(definition)) = self.known.get(&(name.to_owned(), words(&description))) {
            of_type(schema, definition);
            schema.insert("description".into(), Value::String(description));
        }
    }
}

/// Whether nothing is said of the content.
fn is_bare(schema: &Schema) -> bool {
    let object = schema.get("type").is_some_and(|kind| kind == "object")
        && !["properties", "additionalProperties"].iter().any(|key| schema.contains_key(*key));
    object || schema.contains_key("x-kubernetes-int-or-string")
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What types are called in the sources.
#[derive(Default)]
struct Names {
    /// Type aliases, renaming imports and structs of one unnamed field, which look like the type in them.
    same: BTreeMap<String, String>,
    /// Types of the project's own.
    own: Vec<String>,
}

impl Names {
    fn resolve(self) -> HashMap<String, &'static str> {
        let mut types: HashMap<String, &'static str> =
            HIDDEN.iter().map(|(name, definition)| ((*name).to_owned(), *definition)).collect();
        types.retain(|name, _| !self.own.contains(name));
        // Names of names, each once: they may go round in a circle.
        let mut names: HashMap<&str, Vec<&String>> = HashMap::new();
        for (name, of) in &self.same {
            names.entry(of).or_default().push(name);
        }
        let mut found: Vec<(String, &'static str)> =
            types.iter().map(|(name, definition)| (name.clone(), *definition)).collect();
        while let Some((of, definition)) = found.pop() {
            for name in names.remove(of.as_str()).unwrap_or_default() {
                types.insert(name.clone(), definition);
                found.push((name.clone(), definition));
            }
        }
        types
    }
}

impl Visit<'_> for Names {
    fn visit_item_type(&mut self, item: &syn::ItemType) {
        self.same.extend(inner(&item.ty).map(|of| (item.ident.to_string(), of)));
    }

    fn visit_use_rename(&mut self, rename: &syn::UseRename) {
        self.same.insert(rename.rename.to_string(), rename.ident.to_string());
    }

    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        match &item.fields {
            syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                self.same.extend(inner(&fields.unnamed[0].ty).map(|of| (item.ident.to_string(), of)));
            }
            _ => self.own.push(item.ident.to_string()),
        }
    }

    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        self.own.push(item.ident.to_string());
    }
}

/// Collects documented fields.
struct Reader {
    types: HashMap<String, &'static str>,
    known: HashMap<(String, String), Option<&'static str>>,
    alike: BTreeSet<String>,
}

impl Reader {
    fn fields(&mut self, fields: &syn::Fields, rule: Option<&str>) {
        for field in fields {
            if let Some(name) = &field.ident {
                let name = setting(&field.attrs, "rename").unwrap_or_else(|| of_field(name, rule));
                self.add(name, &field.attrs, &field.ty);
            }
        }
    }

    fn add(&mut self, name: String, attributes: &[syn::Attribute], of: &syn::Type) {
        let words = words(&setting(attributes, "description").unwrap_or_else(|| doc(attributes)));
        if words.is_empty() {
            return;
        }
        // Lists, maps and plain values have a schema that no such type has.
        let Some(name_of) = inner(of).filter(|name| !PLAIN.contains(&name.as_str())) else {
            return;
        };
        let hidden = self.types.get(&name_of).copied();
        // Two fields of one name and one description, but of different types, stay as they are.
        match self.known.entry((name.clone(), words)) {
            Entry::Vacant(entry) => {
                entry.insert(hidden);
            }
            Entry::Occupied(mut entry) if *entry.get() != hidden => {
                entry.insert(None);
                self.alike.insert(name);
            }
            Entry::Occupied(_) => {}
        }
    }
}

impl Visit<'_> for Reader {
    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        self.fields(&item.fields, setting(&item.attrs, "rename_all").as_deref());
    }

    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        let (rule, inner) = (setting(&item.attrs, "rename_all"), setting(&item.attrs, "rename_all_fields"));
        for variant in &item.variants {
            self.fields(&variant.fields, setting(&variant.attrs, "rename_all").or(inner.clone()).as_deref());
            if let syn::Fields::Unnamed(fields) = &variant.fields
                && fields.unnamed.len() == 1
            {
                let name = setting(&variant.attrs, "rename");
                let name = name.unwrap_or_else(|| of_variant(&variant.ident, rule.as_deref()));
                self.add(name, &variant.attrs, &fields.unnamed[0].ty);
            }
        }
    }
}

/// The last part of a type's path; that of `T` in `Option<T>` and `Box<T>`, whose schema is the one of `T`.
fn inner(of: &syn::Type) -> Option<String> {
    let syn::Type::Path(path) = of else {
        return None;
    };
    let last = path.path.segments.last()?;
    match (&last.arguments, last.ident.to_string()) {
        (syn::PathArguments::AngleBracketed(arguments), name) if name == "Option" || name == "Box" => {
            match arguments.args.first()? {
                syn::GenericArgument::Type(argument) => inner(argument),
                _ => None,
            }
        }
        (syn::PathArguments::None, name) => Some(name),
        _ => None,
    }
}

/// The doc comment.
fn doc(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
