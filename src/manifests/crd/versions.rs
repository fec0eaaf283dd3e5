//! What versions of a kind that are used beside each other cannot hold for each other.
//!
//! Without a conversion the API server takes an object of one version for one of another. It drops what the schema of
//! that one does not name, when it reads and when it stores, and so an edit through one version erases what only another
//! one has. What it keeps, the type of another version may not be able to hold, and whoever reads it there fails.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::depth::too_deep;

type Schema = Map<String, Value>;

/// The greatest values of Rust's integer types that have no format of their own.
const ENDS: [u64; 5] = [127, 255, 32_767, 65_535, 4_294_967_295];

/// What a value without a type is.
const ANY: &str = "any value";

/// What says which values are valid, and nothing of what is kept.
const CONDITIONS: [&str; 21] = [
    "allOf",
    "anyOf",
    "default",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
];

/// How two versions differ that objects pass through.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What is lost or cannot be read: the place that has it, such as `Iris v2 .spec.a` in backticks, and what is said
    /// of it, such as `is not in v1`.
    pub losses: Vec<(String, String)>,
    /// The fields that are valid in one version with values that are not in the other, or have another default.
    pub conditions: BTreeSet<String>,
}

/// How the served versions of a definition differ from the one that is stored, which may be served or not.
#[must_use]
pub fn differences(crd: &Value) -> Differences {
    let mut found = Differences::default();
    let Some(stored) = stored(crd).filter(|_| !too_deep(crd)) else { return found };
    let is_other = |version: &&Value| version["storage"] != true && version["served"] != false;
    for other in versions(crd).filter(is_other) {
        let mut comparison = Comparison {
            kind: crd["spec"]["names"]["kind"].as_str().unwrap_or_default(),
            names: [stored, other].map(|version| version["name"].as_str().unwrap_or_default()),
            found: &mut found,
        };
        let schemas = [stored, other].map(|version| version.pointer("/schema/openAPIV3Schema"));
        if let [Some(Value::Object(stored)), Some(Value::Object(other))] = schemas {
            comparison.schemas([stored, other], "");
        }
        comparison.subresource([stored, other]);
    }
    found
}

/// The version that is stored, if there is one.
pub(super) fn stored(crd: &Value) -> Option<&Value> {
    versions(crd).find(|version| version["storage"] == true)
}

fn versions(crd: &Value) -> impl Iterator<Item = &Value> {
    crd["spec"]["versions"].as_array().into_iter().flatten()
}

struct Comparison<'a> {
    kind: &'a str,
    names: [&'a str; 2],
    found: &'a mut Differences,
}

impl Comparison<'_> {
    /// Reports what version number `at` of the two has, in words for the other one.
    fn lose(&mut self, at: usize, path: &str, what: &str) {
        let path = if path.is_empty() { "." } else { path };
        let place = format!("`{} {} {path}`", self.kind, self.names[at]);
        self.found.losses.push((place, format!("{what} in {}", self.names[1 - at])));
    }

    fn schemas(&mut self, both: [&Schema; 2], path: &str) {
        let kinds = both.map(kind);
        if kinds[0] != kinds[1] {
            // Everything else follows from that.
            return self.lose(0, path, &format!("is {}, but {}", kinds[0], kinds[1]));
        }
        self.values(both, path);
        self.fields(both, path);
        self.others(both, path);
        if let [Some(Value::Object(one)), Some(Value::Object(other))] = both.map(|schema| schema.get("items"))
        {
            self.schemas([one, other], &format!("{path}[]"));
        }
        if CONDITIONS.iter().any(|key| both[0].get(*key) != both[1].get(*key)) {
            self.found.conditions.insert(if path.is_empty() { "." } else { path }.to_owned());
        }
    }

    /// Which values there are.
    fn values(&mut self, both: [&Schema; 2], path: &str) {
        let formats = both.map(|schema| schema.get("format").and_then(Value::as_str).unwrap_or("none"));
        if formats[0] != formats[1] {
            let what = format!("has the format {}, but {}", formats[0], formats[1]);
            self.lose(0, path, &what);
        }
        for (key, what) in [
            ("nullable", "may be null, but not"),
            ("x-kubernetes-embedded-resource", "is a whole object, but not"),
        ] {
            let is = both.map(|schema| schema.get(key) == Some(&Value::Bool(true)));
            if is[0] != is[1] {
                self.lose(usize::from(is[1]), path, what);
            }
        }
        let ends = both.map(|schema| schema.get("maximum").and_then(Value::as_u64));
        for at in [0, 1] {
            let narrow = ends[at].filter(|end| ENDS.contains(end));
            if let Some(end) = narrow.filter(|end| ends[1 - at].is_none_or(|other| other > *end)) {
                self.lose(1 - at, path, &format!("has numbers above {end}, which is the end"));
            }
        }
        let listed = both.map(|schema| schema.get("enum").and_then(Value::as_array));
        for at in [0, 1] {
            match (listed[at], listed[1 - at]) {
                (None, Some(_)) => self.lose(at, path, "has any value, but only some"),
                (Some(values), Some(others)) => {
                    for value in values.iter().filter(|value| !others.contains(value)) {
                        self.lose(at, path, &format!("has the value `{value}`, which is not"));
                    }
                }
                _ => {}
            }
        }
    }

    /// Fields, and whether they are there.
    fn fields(&mut self, both: [&Schema; 2], path: &str) {
        let all = both.map(properties);
        let names: BTreeSet<&str> = all.iter().flat_map(|fields| fields.keys().copied()).collect();
        for name in names {
            let inner = format!("{path}.{name}");
            match all.each_ref().map(|fields| fields.get(name).copied()) {
                [Some(one), Some(other)] => self.schemas([one, other], &inner),
                [Some(one), None] => self.only(0, one, both[1], &inner),
                [None, Some(other)] => self.only(1, other, both[0], &inner),
                [None, None] => {}
            }
        }
        let required = both.map(required);
        for at in [0, 1] {
            let has_default = |version: usize, name: &str| {
                all[version].get(name).is_some_and(|field| field.contains_key("default"))
            };
            for name in required[1 - at].difference(&required[at]).copied() {
                let known = all[at].contains_key(name);
                if known && !has_default(at, name) && !has_default(1 - at, name) {
                    self.lose(at, &format!("{path}.{name}"), "may be left out, but not");
                }
            }
        }
    }

    /// A field that only version number `at` names; `other` is the schema without it.
    fn only(&mut self, at: usize, field: &Schema, other: &Schema, path: &str) {
        match other.get("additionalProperties") {
            Some(Value::Object(value)) => {
                let both = if at == 0 { [field, value] } else { [value, field] };
                self.schemas(both, path);
            }
            _ if is_open(other) => {
                if kind(field) != ANY {
                    self.lose(at, path, &format!("is {}, but {ANY}", kind(field)));
                }
            }
            _ => self.lose(at, path, "is not"),
        }
    }

    /// Keys that no field is named after.
    fn others(&mut self, both: [&Schema; 2], path: &str) {
        let values = both.map(|schema| schema.get("additionalProperties").and_then(Value::as_object));
        if let [Some(one), Some(other)] = values {
            return self.schemas([one, other], &format!("{path}[*]"));
        }
        for at in [0, 1] {
            if is_open(both[at])
                && let Some(value) = values[1 - at].filter(|value| kind(value) != ANY)
            {
                self.lose(at, &format!("{path}[*]"), &format!("is {ANY}, but {}", kind(value)));
            }
            let (is_kept, is_kept_there) = (
                is_open(both[at]) || values[at].is_some(),
                is_open(both[1 - at]) || values[1 - at].is_some(),
            );
            if is_kept && !is_kept_there {
                self.lose(at, path, "keeps keys of any name, which are dropped");
            }
        }
    }

    /// Of a status that only one version has on its own, writes through the other take what they find.
    fn subresource(&mut self, both: [&Value; 2]) {
        let has = both.map(|version| version.pointer("/subresources/status").is_some());
        let known =
            both.map(|version| version.pointer("/schema/openAPIV3Schema/properties/status").is_some());
        if has[0] != has[1] && known == [true, true] {
            self.lose(usize::from(has[1]), ".status", "is a subresource, but a field like others");
        }
    }
}

/// What a value is, in words.
fn kind(schema: &Schema) -> String {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        return "an integer or string".into();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some(name @ ("array" | "integer" | "object")) => format!("an {name}"),
        Some(name) => format!("a {name}"),
        None => ANY.into(),
    }
}

fn properties(schema: &Schema) -> BTreeMap<&str, &Schema> {
    let all = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(name, field)| Some((name.as_str(), field.as_object()?))).collect()
}

fn required(schema: &Schema) -> BTreeSet<&str> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

/// Whether keys that the schema does not name are kept, whatever they hold.
fn is_open(schema: &Schema) -> bool {
    let is = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    is("x-kubernetes-preserve-unknown-fields") || is("additionalProperties")
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
