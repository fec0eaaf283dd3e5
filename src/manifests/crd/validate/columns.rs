//! Columns of `kubectl get`: what the API server refuses of them, and what it takes and then shows otherwise than it
//! seems. The paths are read as its library does ([`jsonpath`]), and followed through the schema ([`follow`]).

mod follow;
mod jsonpath;
mod unquote;
mod view;

use serde_json::Value;

use self::follow::{Follower, Stop};
use self::jsonpath::Node;
use self::view::{Kinds, View, What};
use super::findings::Findings;
use super::schema::Schema;
use super::structural::list;
use crate::limits::Budget;
use crate::manifests::crd::place::Place;

const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

pub(super) fn check(
    column: &Value,
    schema: Schema<'_>,
    place: &Place<'_>,
    work: &Budget,
    findings: &mut Findings,
) {
    let text = |key: &str| column[key].as_str().unwrap_or_default();
    let (name, path, kind) = (text("name"), text("jsonPath"), text("type"));
    if name.is_empty() {
        findings.refuse(place, "a printer column without a name", "add `name = \"…\"`");
    }
    if !TYPES.contains(&kind) {
        findings.refuse(
            place,
            format_args!("printer column `{name}` is of type `{kind}`"),
            format!("types of columns are {}", list(&TYPES)),
        );
    }
    if !text("format").is_empty() && !FORMATS.contains(&text("format")) {
        findings.refuse(
            place,
            format_args!("printer column `{name}` has format `{}`", text("format")),
            format!("formats of columns are {}", list(&FORMATS)),
        );
    }
    if !path.starts_with('.') {
        findings.refuse(
            place,
            format_args!("printer column `{name}` has path `{path}`: it does not begin with a dot"),
            "write a JSON path such as `.status.conditions[?(@.type==\"Ready\")].status`",
        );
        return;
    }
    let read = match jsonpath::parse(path) {
        Ok(read) => read,
        Err(why) => {
            // Stricter than the API server, which takes it and then shows a table without these columns.
            findings.refuse(
                place,
                format_args!(
                    "printer column `{name}` has path `{path}`, which `kubectl get` shows no column for, nor for those \
                     after it: {why}"
                ),
                "write a JSON path such as `.status.conditions[?(@.type==\"Ready\")].status`",
            );
            return;
        }
    };
    let mut note = |what: String| {
        findings.note(format!("{place}: printer column `{name}` with path `{path}` {what}"));
    };
    if read.cut {
        note("ends at its first `}`".into());
    }
    let mut follower = Follower::new(work);
    let leads_to = follower.follow(schema, &read.nodes);
    for what in follower.notes {
        note(format!("shows otherwise than it seems: {what}"));
    }
    match leads_to {
        Ok(views) => {
            if let Some(what) = several(kind, &views).or_else(|| unfit(kind, &views)) {
                note(what);
            }
        }
        Err(Stop::Never(why)) => note(format!("is always empty: {why}")),
        // Stricter than the API server as well: the column would be empty.
        Err(Stop::NoField { what, hint }) => findings.refuse(
            place,
            format_args!("printer column `{name}` has path `{path}`, where no field is: {what}"),
            hint.unwrap_or_else(|| "write the names as they are in JSON".into()),
        ),
        Err(Stop::Spent) => {}
    }
}

/// What is to be said of a path that leads to more than one value, or to none of the object's.
fn several(column: &str, views: &[View<'_>]) -> Option<String> {
    if column != "string" && views.iter().any(|view| matches!(view.what, What::Constant(Node::Int(_)))) {
        return Some("is always empty: a number that its path says itself is shown as a text alone".into());
    }
    if views.iter().any(|view| matches!(view.what, What::Constant(_))) {
        return Some("shows the same for every object, which its path says itself".into());
    }
    (views.len() > 1 || views.iter().any(|view| view.many))
        .then(|| "shows one value alone, where there may be several".into())
}

/// What a column does not show of values whose type is another.
fn unfit(column: &str, views: &[View<'_>]) -> Option<String> {
    let view = views.first()?;
    let kinds = view.kinds();
    let (shown, what) = match column {
        "integer" | "number" => (Kinds::NUMBER, "numbers"),
        "boolean" => (Kinds::BOOL, "booleans"),
        "date" => (Kinds::TEXT, "points in time"),
        _ => return None,
    };
    if !kinds.meets(shown) {
        return Some(format!(
            "is always empty: a column of type `{column}` shows {what}, and this is {}",
            view.name()
        ));
    }
    if kinds == Kinds::ANY {
        return None;
    }
    if !kinds.is_within(shown) {
        return Some(format!("is empty where the value is a text: a column of type `{column}` shows {what}"));
    }
    match (column, view.what) {
        ("integer", _) if kinds.meets(Kinds::FRACTION) => {
            Some("shows numbers without their fraction: a column of type `number` shows all of it".into())
        }
        ("date", What::Schema(schema)) if schema.text("format") != Some("date-time") => Some(
            "shows `<invalid>` where the text is not as in RFC 3339, `2006-01-02T15:04:05Z`: write its type with \
             format `date-time`, or a column of type `string`"
                .into(),
        ),
        _ => None,
    }
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
