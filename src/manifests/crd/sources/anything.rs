//! Values of any kind inside of maps, which kube-derive leaves without a schema: it panics on them, and names no field.

use std::collections::{HashMap, HashSet};

use syn::visit::{self, Visit};

use super::attributes::{Place, entries, named};

/// Types that are maps in JSON.
const MAPS: [&str; 4] = ["BTreeMap", "HashMap", "IndexMap", "Map"];

/// The fields in the files that have such a value and no attribute that gives it a schema.
pub fn in_maps(file: &[&syn::File]) -> Vec<(usize, String, Place)> {
    let mut search = Search::default();
    for (index, file) in file.iter().enumerate() {
        search.file = index;
        search.visit_file(file);
    }
    // Types in the values of maps, and those in their fields.
    let mut open: Vec<String> =
        search.fields.iter().flat_map(|field| field.in_maps.iter().cloned()).collect();
    let mut reached = HashSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            let inner = search.types.get(&name).into_iter().flatten();
            open.extend(inner.flat_map(|index| search.fields[*index].names.iter().cloned()));
        }
    }
    let is_one = |field: &&Field| {
        !field.has_schema && (field.any_in_map || (field.has_any && reached.contains(&field.owner)))
    };
    let found = search.fields.iter().filter(is_one);
    found.map(|field| (field.file, field.shown.clone(), field.place)).collect()
}

struct Field {
    file: usize,
    owner: String,
    /// With the type that it is of.
    shown: String,
    place: Place,
    /// The types in its type, and those of them in the values of maps.
    names: Vec<String>,
    in_maps: Vec<String>,
    has_any: bool,
    any_in_map: bool,
    has_schema: bool,
}

#[derive(Default)]
struct Search {
    file: usize,
    /// The type, and the type or variant, that fields are of.
    owner: Option<(String, syn::Ident)>,
    fields: Vec<Field>,
    /// The fields of types, by name.
    types: HashMap<String, Vec<usize>>,
}

impl Visit<'_> for Search {
    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        self.owner = Some((item.ident.to_string(), item.ident.clone()));
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        for variant in &item.variants {
            self.owner = Some((item.ident.to_string(), variant.ident.clone()));
            visit::visit_variant(self, variant);
        }
    }

    fn visit_field(&mut self, field: &syn::Field) {
        let Some((owner, around)) = self.owner.clone() else { return };
        let attributes = ["schemars", "serde"].into_iter().flat_map(|name| entries(&field.attrs, name));
        let words = ["extend", "flatten", "schema_with", "skip", "transform", "with"];
        let has_schema = attributes.into_iter().any(|entry| words.iter().any(|word| entry.name == word));
        let name = field.ident.as_ref();
        let mut found = Field {
            file: self.file,
            shown: name.map_or_else(|| around.to_string(), |name| format!("{around}.{name}")),
            place: name.unwrap_or(&around).span().start(),
            owner: owner.clone(),
            names: Vec::new(),
            in_maps: Vec::new(),
            has_any: false,
            any_in_map: false,
            has_schema,
        };
        found.look(&field.ty, false, false);
        self.types.entry(owner).or_default().push(self.fields.len());
        self.fields.push(found);
    }
}

impl Field {
    /// Notes the types in a type, which may be in a map, and there may be in something else.
    fn look(&mut self, of: &syn::Type, in_map: bool, deeper: bool) {
        match of {
            syn::Type::Array(array) => self.look(&array.elem, in_map, in_map),
            syn::Type::Slice(slice) => self.look(&slice.elem, in_map, in_map),
            syn::Type::Paren(inner) => self.look(&inner.elem, in_map, deeper),
            syn::Type::Reference(inner) => self.look(&inner.elem, in_map, deeper),
            syn::Type::Tuple(tuple) => tuple.elems.iter().for_each(|one| self.look(one, in_map, in_map)),
            _ => {
                let Some((name, arguments)) = named(of) else { return };
                if name == "Value" && arguments.is_empty() {
                    self.has_any = true;
                    // Of the values of a map themselves it is known that they are any.
                    self.any_in_map |= in_map && deeper;
                    return;
                }
                let holds_pairs = MAPS.iter().any(|map| name == map);
                let is_same = ["Arc", "Box", "Option", "Rc"].iter().any(|same| name == same);
                if in_map {
                    self.in_maps.push(name.to_string());
                }
                self.names.push(name.to_string());
                for inner in arguments {
                    if holds_pairs {
                        self.look(inner, true, false);
                    } else {
                        self.look(inner, in_map, in_map && (deeper || !is_same));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let file = syn::parse_str(text).expect("Rust");
        in_maps(&[&file]).into_iter().map(|(_, name, _)| name).collect()
    }

    #[test]
    fn values_in_maps_are_found() {
        for field in [
            "BTreeMap<String, Vec<Value>>",
            "Option<HashMap<String, Option<Vec<serde_json::Value>>>>",
            "Vec<BTreeMap<String, Vec<Vec<Value>>>>",
            "BTreeMap<String, [Value; 3]>",
            "BTreeMap<String, (Value, i32)>",
        ] {
            assert_eq!(found(&format!("struct Spec {{ pub a: {field} }}")), ["Spec.a"], "{field}");
        }
        for field in
            ["Value", "Vec<Value>", "Map<String, Value>", "BTreeMap<String, BTreeMap<String, Value>>"]
        {
            assert_eq!(found(&format!("struct Spec {{ pub a: {field} }}")), [] as [String; 0], "{field}");
        }
        let types = "struct Spec { a: BTreeMap<String, Part>, b: Vec<Value> } struct Part { c: Option<Inner> } \
                     enum Inner { One { d: Vec<Value> }, Two(Value), Three(String) } struct Other { e: Vec<Value> }";
        assert_eq!(found(types), ["One.d", "Two"]);
        let given = "struct Spec { #[schemars(transform = rules::any)] a: BTreeMap<String, Vec<Value>> }";
        assert_eq!(found(given), [] as [String; 0]);
    }
}
