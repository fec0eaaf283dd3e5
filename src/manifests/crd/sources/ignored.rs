//! Attributes that the derives accept and that do not reach the definition, or reach another field.

use syn::visit::Visit;

use super::attributes::{Entry, Place, Shape, entries, keys, shape, split};
use crate::manifests::crd::validate::keywords;
use crate::nearest::nearest;

/// An attribute without the effect that it is there for.
pub struct Ignored {
    /// Where it is.
    pub place: Place,
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// All such attributes in a file.
pub fn attributes(file: &syn::File) -> Vec<Ignored> {
    let mut search = Search { found: Vec::new() };
    search.visit_file(file);
    search.found
}

struct Search {
    found: Vec<Ignored>,
}

impl Search {
    fn report(&mut self, place: Place, what: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Ignored { place, what: what.into(), hint: hint.into() });
    }

    /// Keys of `extend` that no definition has.
    fn extensions(&mut self, attributes: &[syn::Attribute]) {
        for entry in entries(attributes, "schemars").iter().filter(|entry| entry.name == "extend") {
            for (key, place) in keys(entry.arguments()) {
                if key == "uniqueItems" {
                    let hint =
                        "write `#[x_kube(merge_strategy = ListMerge::Set)]` for a list of distinct values";
                    self.report(place, "`uniqueItems` is not allowed in definitions and is left out", hint);
                } else if !keywords().any(|known| known == key) {
                    let hint = nearest(&key, keywords()).map_or_else(
                        || "definitions have the keywords of `JSONSchemaProps` only".to_owned(),
                        |known| format!("did you mean `{known}`?"),
                    );
                    self.report(
                        place,
                        format!("`{key}` is no keyword of a definition and is left out"),
                        hint,
                    );
                }
            }
        }
    }

    fn fields(&mut self, owner: &str, attributes: &[syn::Attribute], fields: &syn::Fields) {
        let all_default = entries(attributes, "serde").iter().any(|entry| entry.name == "default");
        for field in fields {
            let name = field.ident.as_ref().map(ToString::to_string);
            let name = name.map_or_else(|| owner.to_owned(), |name| format!("{owner}.{name}"));
            self.extensions(&field.attrs);
            self.field(&name, field, all_default);
        }
    }

    fn field(&mut self, name: &str, field: &syn::Field, all_default: bool) {
        let serde = entries(&field.attrs, "serde");
        let has = |list: &[Entry], word: &str| list.iter().any(|entry| entry.name == word);
        for entry in entries(&field.attrs, "x_kube") {
            let place = entry.name.span().start();
            if has(&serde, "flatten") {
                let what = format!("`x_kube` on the flattened `{name}` lands on another field");
                self.report(
                    place,
                    what,
                    "write the attribute on the struct, or on the fields of the inner type",
                );
            } else if entry.value().contains("StructMerge::Atomic") {
                let what = format!(
                    "`StructMerge` on `{name}` has no effect: kube-derive writes a key that does not exist"
                );
                self.report(
                    place,
                    what,
                    "write `#[schemars(extend(\"x-kubernetes-map-type\" = \"atomic\"))]`",
                );
            }
        }
        let schemars = entries(&field.attrs, "schemars");
        let optional = super::attributes::named(&field.ty).is_some_and(|(name, _)| name == "Option");
        let defaulted = all_default || has(&serde, "default") || has(&schemars, "default");
        if let Some(with) = schemars.iter().find(|entry| entry.name == "schema_with")
            && optional
            && !(defaulted || has(&serde, "flatten") || has(&serde, "skip") || has(&schemars, "required"))
        {
            let what = format!("`schema_with` makes `{name}` required, though it is an `Option`");
            self.report(
                with.name.span().start(),
                what,
                "add `#[serde(default)]`, or `required` if that is meant",
            );
        }
        let replaced = ["with", "schema_with"].iter().any(|word| has(&schemars, word))
            || schemars.iter().any(|entry| {
                entry.name == "extend" && keys(entry.arguments()).iter().any(|(key, _)| key == "type")
            });
        if !replaced {
            self.bounds(name, schemars, shape(&field.ty));
        }
    }

    /// Bounds that are not for values of such a type.
    fn bounds(&mut self, name: &str, entries: Vec<Entry>, shape: Shape<'_>) {
        for entry in entries {
            let word = entry.name.to_string();
            let hint = match (word.as_str(), shape) {
                ("inner", Shape::List(Some(item))) => {
                    self.bounds(name, split(entry.arguments()), super::attributes::shape(item));
                    continue;
                }
                (_, Shape::Unknown | Shape::List(None)) => continue,
                ("transform", Shape::Text | Shape::Number | Shape::Bool | Shape::IntOrString)
                    if entry.value().contains("rules::values(") =>
                {
                    "it is for lists and maps; write the keywords with `extend(…)`"
                }
                ("inner", Shape::Map) => "write `#[schemars(transform = rules::values(json!({ … })))]`",
                ("length", Shape::Map) => {
                    "write `#[schemars(extend(\"minProperties\" = …, \"maxProperties\" = …))]`"
                }
                ("length", Shape::Number) => "write `range(min = …, max = …)` for a number",
                ("range", Shape::Text | Shape::List(_)) => {
                    "write `length(min = …, max = …)` for a text or a list, `inner(range(…))` for the items of a list"
                }
                ("range", Shape::Map) => "write `#[schemars(extend(\"maxProperties\" = …))]`",
                ("pattern" | "regex" | "range" | "length", Shape::IntOrString) => {
                    "write a rule, such as `#[x_kube(validation = \"type(self) != string || self.matches('^a')\")]`"
                }
                ("pattern" | "regex", Shape::List(_)) => "write `inner(pattern(…))` for the items of a list",
                ("pattern" | "regex", Shape::Map) => {
                    "write `#[schemars(transform = rules::values(json!({ \"pattern\": … })))]`"
                }
                ("pattern" | "regex" | "length" | "range", Shape::Bool)
                | ("pattern" | "regex", Shape::Number)
                | ("inner", _) => "take it away",
                _ => continue,
            };
            let what = format!("`{word}` on `{name}` has no effect on a value of this type");
            self.report(entry.name.span().start(), what, hint);
        }
    }
}

impl Visit<'_> for Search {
    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        if has_schema(&item.attrs) {
            self.extensions(&item.attrs);
            let kube = entries(&item.attrs, "kube");
            if let Some(scale) = kube.iter().find(|entry| entry.name == "scale")
                && !kube.iter().any(|entry| entry.name == "status")
            {
                let what = format!("`scale` of `{}` is left out without a `status`", item.ident);
                self.report(scale.name.span().start(), what, "add `status = \"…Status\"` to `#[kube(…)]`");
            }
            self.fields(&item.ident.to_string(), &item.attrs, &item.fields);
        }
    }

    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        if has_schema(&item.attrs) {
            self.extensions(&item.attrs);
            for variant in &item.variants {
                self.extensions(&variant.attrs);
                self.fields(&format!("{}::{}", item.ident, variant.ident), &[], &variant.fields);
            }
        }
    }
}

/// Whether the type derives a schema.
fn has_schema(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|derive| {
        let tokens = derive.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        tokens.contains("JsonSchema") || tokens.contains("KubeSchema")
    })
}
