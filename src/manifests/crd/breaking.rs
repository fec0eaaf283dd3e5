//! What a new definition of a kind breaks for those who use the old one.
//!
//! The rules are those of Kubernetes' API conventions: whatever an old version accepted or promised, it still must.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::depth::too_deep;
use super::versions::{differences, stored};
use crate::limits::DEPTH;

/// Bounds that are stricter when they are greater, and those that are stricter when they are smaller.
const LOWER: [&str; 4] = ["minimum", "minItems", "minLength", "minProperties"];
const UPPER: [&str; 4] = ["maximum", "maxItems", "maxLength", "maxProperties"];
/// What must stay as it is once it is there; when it is new, values that were fine may no longer be.
const EXACT: [&str; 10] = [
    "type",
    "format",
    "pattern",
    "multipleOf",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
];
/// How server-side apply merges; with the value that it has when it is not said.
const MERGING: [(&str, &str); 3] = [
    ("x-kubernetes-list-type", "atomic"),
    ("x-kubernetes-list-map-keys", "none"),
    ("x-kubernetes-map-type", "granular"),
];

/// Every change from `old` to `new` that objects or clients may not survive, a line each.
#[must_use]
pub fn breaking(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let kind = old["spec"]["names"]["kind"].as_str().unwrap_or_default();
    if too_deep(old) || too_deep(new) {
        return vec![format!("`{kind}`: nested more than {DEPTH} levels deep, which is not compared")];
    }
    for (pointer, what) in [("/spec/names/kind", "kind"), ("/spec/scope", "scope")] {
        let (old, new) = (old.pointer(pointer), new.pointer(pointer));
        if old != new {
            found.push(format!("`{kind}`: the {what} is {} now, it was {}", shown(new), shown(old)));
        }
    }
    let mut versions: HashMap<&Value, &Value> = HashMap::new();
    for new in new["spec"]["versions"].as_array().into_iter().flatten() {
        versions.entry(&new["name"]).or_insert(new);
    }
    for old in old["spec"]["versions"].as_array().into_iter().flatten() {
        let name = old["name"].as_str().unwrap_or_default();
        let at = format!("`{kind}` {name}");
        if old["served"] == false {
            continue;
        }
        let Some(new) = versions.get(&old["name"]).copied() else {
            found.push(format!("{at}: the version is gone"));
            continue;
        };
        if new["served"] == false {
            found.push(format!("{at}: the version is no longer served"));
        }
        for subresource in keys(old.get("subresources")).difference(&keys(new.get("subresources"))) {
            found.push(format!("{at}: the subresource `{subresource}` is gone"));
        }
        let selectable = |version: &Value| -> BTreeSet<String> {
            let fields = version["selectableFields"].as_array();
            fields
                .into_iter()
                .flatten()
                .filter_map(|field| Some(field["jsonPath"].as_str()?.to_owned()))
                .collect()
        };
        for field in selectable(old).difference(&selectable(new)) {
            found.push(format!("{at}: objects cannot be selected by `{field}` any more"));
        }
        let schema = "/schema/openAPIV3Schema";
        let mut comparison = Comparison { at, found: &mut found };
        comparison.schemas(old.pointer(schema), new.pointer(schema), "");
    }
    found
}

/// What objects lose that are stored as `old` says when `new` has them stored as another version, a line each. A
/// conversion may keep it.
#[must_use]
pub fn moved(old: &Value, new: &Value) -> Vec<String> {
    let (Some(before), Some(mut now)) = (stored(old), stored(new).cloned()) else { return Vec::new() };
    if before["name"] == now["name"] {
        return Vec::new();
    }
    (now["storage"], now["served"]) = (false.into(), true.into());
    let name = |version: &Value| version["name"].as_str().unwrap_or_default().to_owned();
    let (was, is) = (name(before), name(&now));
    let kind = &new["spec"]["names"]["kind"];
    let both = json!({ "spec": { "names": { "kind": kind }, "versions": [before, now] } });
    let kind = kind.as_str().unwrap_or_default();
    let old = format!("`{kind} {was} ");
    let losses = differences(&both).losses.into_iter().filter(|(place, _)| place.starts_with(&old));
    losses
        .map(|(place, what)| {
            format!("`{kind}`: {is} is stored now, and objects that were stored as {was} lose what it lacks: {place} {what}")
        })
        .collect()
}

struct Comparison<'a> {
    at: String,
    found: &'a mut Vec<String>,
}

impl Comparison<'_> {
    fn report(&mut self, path: &str, what: &str) {
        let path = if path.is_empty() { "." } else { path };
        self.found.push(format!("{} `{path}`: {what}", self.at));
    }

    fn schemas(&mut self, old: Option<&Value>, new: Option<&Value>, path: &str) {
        let (Some(Value::Object(old)), Some(Value::Object(new))) = (old, new) else { return };
        if old.get("type") != new.get("type") {
            // Everything else follows from that.
            let what =
                format!("the type is {} now, it was {}", shown(new.get("type")), shown(old.get("type")));
            return self.report(path, &what);
        }
        self.values(old, new, path);
        self.merging(old, new, path);
        self.properties(old, new, path);
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            self.schemas(old.get(key), new.get(key), &format!("{path}{step}"));
        }
    }

    /// Which values are accepted, and what stands for one that is not given.
    fn values(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        for (key, is_stricter) in LOWER
            .map(|key| (key, f64::gt as fn(&f64, &f64) -> bool))
            .into_iter()
            .chain(UPPER.map(|key| (key, f64::lt as _)))
        {
            let number = |schema: &Map<String, Value>| schema.get(key).and_then(Value::as_f64);
            match (number(old), number(new)) {
                // What `u32` cannot hold nobody could use before either.
                (None, Some(_)) if key == "maximum" && new.get(key) == Some(&Value::from(u32::MAX)) => {}
                (None, Some(_)) => {
                    self.report(path, &format!("there is a `{key}` now, {}", shown(new.get(key))));
                }
                (Some(was), Some(is)) if is_stricter(&is, &was) => {
                    self.report(path, &format!("`{key}` is {is} now, it was {was}"));
                }
                _ => {}
            }
        }
        for key in EXACT {
            match (old.get(key), new.get(key)) {
                (was, is) if was == is => {}
                (_, None | Some(Value::Bool(false))) => {}
                (None, is) => self.report(path, &format!("there is a `{key}` now, {}", shown(is))),
                (was, is) => {
                    self.report(path, &format!("`{key}` is {} now, it was {}", shown(is), shown(was)));
                }
            }
        }
        if let Some(Value::Array(now)) = new.get("enum") {
            match old.get("enum") {
                Some(Value::Array(were)) => {
                    let now: HashSet<&Value> = now.iter().collect();
                    for gone in were.iter().filter(|value| !now.contains(value)) {
                        self.report(path, &format!("the value {} is gone", shown(Some(gone))));
                    }
                }
                _ => self.report(path, &format!("there is an `enum` now, {}", shown(new.get("enum")))),
            }
        }
        if old.get("nullable") == Some(&Value::Bool(true)) && new.get("nullable") != old.get("nullable") {
            self.report(path, "`null` is no longer accepted");
        }
        if old.contains_key("default") && old.get("default") != new.get("default") {
            let (was, is) = (shown(old.get("default")), shown(new.get("default")));
            self.report(path, &format!("the default is {is} now, it was {was}"));
        }
        let rules = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
            rules.into_iter().flatten().filter_map(|rule| rule["rule"].as_str().map(str::to_owned)).collect()
        };
        for rule in rules(new).difference(&rules(old)) {
            self.report(path, &format!("there is a rule now, `{rule}`"));
        }
    }

    fn merging(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        for (key, default) in MERGING {
            let default = Value::from(default);
            let (was, is) = (old.get(key).unwrap_or(&default), new.get(key).unwrap_or(&default));
            if was != is {
                self.report(
                    path,
                    &format!("`{key}` is {} now, it was {}", shown(Some(is)), shown(Some(was))),
                );
            }
        }
    }

    fn properties(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        const UNKNOWN: &str = "x-kubernetes-preserve-unknown-fields";
        let open = |schema: &Map<String, Value>| schema.get(UNKNOWN) == Some(&Value::Bool(true));
        if open(old) && !open(new) {
            self.report(path, "unknown fields are no longer kept");
        }
        if old.contains_key("additionalProperties") && !new.contains_key("additionalProperties") && !open(new)
        {
            self.report(path, "other keys are no longer kept");
        }
        for name in keys(old.get("properties")).difference(&keys(new.get("properties"))) {
            if !open(new) && !new.contains_key("additionalProperties") {
                self.report(
                    &format!("{path}.{name}"),
                    "the field is gone, and what objects have there is lost",
                );
            }
        }
        let required = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let names = schema.get("required").and_then(Value::as_array);
            names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        };
        for name in required(new).difference(&required(old)) {
            let field = new.get("properties").and_then(|properties| properties.get(name));
            if field.is_none_or(|field| field.get("default").is_none()) {
                self.report(&format!("{path}.{name}"), "the field is required now, and has no default");
            }
        }
        for name in keys(old.get("properties")) {
            let (was, is) = (field(old, &name), field(new, &name));
            self.schemas(was, is, &format!("{path}.{name}"));
        }
    }
}

fn field<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    schema.get("properties").and_then(|all| all.get(name))
}

fn keys(map: Option<&Value>) -> BTreeSet<String> {
    map.and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

/// A value as text for a message.
fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "not set".to_owned(), |value| format!("`{value}`"))
}

#[cfg(test)]
#[path = "breaking_tests.rs"]
mod tests;
