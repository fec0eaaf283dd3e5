//! API conventions: what the API server takes and users regret. The rules are those of kube-api-linter that can be seen in
//! a definition; `docs/markers.md` says of each why, or why not.

mod accepted;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::Value;

use super::place::Place;
use super::sources::{Declaration, Places};

pub use accepted::{ALLOW, Accepted};
pub use rules::RULES;

/// Most findings that are listed.
const SHOWN: usize = 200;

/// What a convention advises against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field, such as ``Iris v1 .spec.items[].name``, with the quotes.
    pub place: String,
    /// The name of the rule.
    pub rule: &'static str,
    /// What is wrong, and what is usual.
    pub message: &'static str,
}

/// All findings in definitions, in the order of their fields.
#[must_use]
pub fn findings(definitions: &[Value]) -> Vec<Finding> {
    let mut found = Vec::new();
    for definition in definitions {
        let kind = Place::kind(definition["spec"]["names"]["kind"].as_str().unwrap_or_default());
        for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
            let place = kind.version(version["name"].as_str().unwrap_or_default());
            rules::of_version(version, &mut at(&place, &mut found));
            let schema = &version["schema"]["openAPIV3Schema"];
            for part in ["spec", "status"] {
                let below = &schema["properties"][part];
                walk(below, &place.field(part), has_rules(schema), &mut found);
            }
        }
    }
    found
}

/// What the sources do not accept, each with its place in them, and what they accept in vain. Of a field that no source
/// declares, such as one of Kubernetes' own types, nothing is said: who reads this could not change it.
#[must_use]
pub fn lint(definitions: &[Value], places: &Places<'_>, accepted: &Accepted) -> Vec<String> {
    let (mut said, mut used) = (HashSet::new(), HashSet::new());
    let by_declaration = accepted.by_declaration(places);
    let mut lines = Vec::new();
    for Finding { place, rule, message } in findings(definitions) {
        let Some(Declaration { path, line, column }) = places.declaration(&place) else { continue };
        if let Some(comment) = by_declaration.get(&(path, line, rule)) {
            used.insert((*comment, rule));
        } else if said.insert((path, line, column, rule)) {
            lines.push(format!("`{path}:{line}:{column}`: {place} {message} ({rule})"));
        }
    }
    lines.extend(accepted.in_vain(&used));
    let more = lines.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.truncate(SHOWN);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Adds what a rule says to the findings, as one about this place.
fn at(place: &Place<'_>, found: &mut Vec<Finding>) -> impl FnMut(&'static str, &'static str) {
    move |rule, message| found.push(Finding { place: place.to_string(), rule, message })
}

fn has_rules(schema: &Value) -> bool {
    schema["x-kubernetes-validations"].as_array().is_some_and(|rules| !rules.is_empty())
}

/// Looks at a schema and all below it; `ruled` when a rule in CEL sees it.
fn walk(schema: &Value, place: &Place<'_>, ruled: bool, found: &mut Vec<Finding>) {
    let ruled = ruled || has_rules(schema);
    rules::of_schema(schema, ruled, &mut at(place, found));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = place.field(name);
        rules::of_field(name, field, is_required(schema, name), &mut at(&place, found));
        walk(field, &place, ruled, found);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &place.item(), ruled, found);
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &place.entry(), ruled, found);
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name))
}
