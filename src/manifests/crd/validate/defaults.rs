//! Defaults: they are stored with every object that leaves the field out, so they must be what the schema says.

use std::collections::HashSet;

use serde_json::Value;

use super::cel::{Evaluator, Outcome};
use super::findings::{Findings, shown};
use super::instance::{Checker, Stop, weight};
use super::schema::Schema;
use crate::limits::{Budget, Spent};
use crate::manifests::crd::place::Place;

const HINT: &str = "write a default that is allowed: `#[serde(default = \"function\")]` or \
    `#[schemars(extend(\"default\" = …))]`; or make the field an `Option` without a default";

/// The check of all defaults of a version.
pub(super) struct Defaults<'a, 'f> {
    findings: &'f mut Findings,
    checker: Checker<'a>,
    rules: Evaluator<'a>,
}

impl<'a, 'f> Defaults<'a, 'f> {
    pub(super) fn new(work: &'a Budget, findings: &'f mut Findings) -> Self {
        Self { findings, checker: Checker::new(work), rules: Evaluator::new(work) }
    }

    /// Checks the default of a schema, and those in it.
    pub(super) fn check(&mut self, schema: Schema<'a>, place: &Place<'_>) {
        if let Some(default) = schema.get("default")
            && self.one(default, schema, place).is_err()
        {
            self.findings.note(format!(
                "the default of {place} is not checked any further: it takes too many steps to compare it with its \
                 schema; the API server does when the definition is applied"
            ));
        }
        for (name, property) in schema.properties() {
            self.check(property, &place.field(name));
        }
        if let Some(items) = schema.items() {
            self.check(items, &place.item());
        }
        if let Some(values) = schema.additional() {
            self.check(values, &place.entry());
        }
    }

    fn one(&mut self, default: &'a Value, schema: Schema<'a>, place: &Place<'_>) -> Result<(), Spent> {
        match self.checker.check(default, schema) {
            Ok(()) => {}
            Err(Stop::Spent) => return Err(Spent),
            Err(Stop::Fault(fault)) => {
                let at = if fault.path.is_empty() { String::new() } else { format!(" at `{}`", fault.path) };
                self.findings.refuse(place, format_args!("the default{at} {}", fault.what), HINT);
            }
        }
        if let Some(path) = unknown(default, schema) {
            let hint = "set only fields of the struct in a default, by their names in JSON";
            self.findings.refuse(place, format_args!("the default has `{path}`, which is no field"), hint);
        }
        if let Some(twice) = repeated(default, schema, self.checker.work)? {
            let hint = "list each item once, or write `ListMerge::Atomic`";
            let twice = shown(&twice);
            self.findings.refuse(
                place,
                format_args!("the default has item {twice} twice, which no object may"),
                hint,
            );
        }
        match self.rules.on(default, schema) {
            None => {}
            Some(Outcome::Broken(rule)) => {
                self.findings.refuse(place, format_args!("the default breaks rule `{rule}`"), HINT);
            }
            Some(Outcome::Dear(rule)) => self.findings.refuse(
                place,
                format_args!("rule `{rule}` costs more on the default than the API server allows"),
                "write a rule that goes through less, or a smaller default",
            ),
            Some(Outcome::Unchecked(rule)) => self.findings.note(format!(
                "the default of {place} is not compared with rule `{rule}`, nor with those after it: that takes too \
                 many steps; the API server does when the definition is applied"
            )),
        }
        Ok(())
    }
}

/// A field in the value that the schema does not have, which the API server would drop.
fn unknown(value: &Value, schema: Schema<'_>) -> Option<String> {
    if schema.preserves() {
        return None;
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let known = schema.property(name).or(schema.additional());
            match known {
                Some(inner) => unknown(value, inner).map(|path| format!(".{name}{path}")),
                None if schema.is("additionalProperties") => None,
                None if schema.embedded() && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) => {
                    None
                }
                None => Some(format!(".{name}")),
            }
        }),
        Value::Array(items) => {
            let schema = schema.items()?;
            items.iter().find_map(|item| unknown(item, schema)).map(|path| format!("[]{path}"))
        }
        _ => None,
    }
}

/// An item, or its keys, that a list of distinct items has more than once.
fn repeated(value: &Value, schema: Schema<'_>, work: &Budget) -> Result<Option<Value>, Spent> {
    work.take(1)?;
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let Some(schema) = schema.property(name).or(schema.additional()) else { continue };
                if let Some(twice) = repeated(value, schema, work)? {
                    return Ok(Some(twice));
                }
            }
        }
        Value::Array(items) => {
            let keys: Vec<&str> = schema.strings("x-kubernetes-list-map-keys").collect();
            let kind = schema.text("x-kubernetes-list-type");
            let mut known: HashSet<Vec<&Value>> = HashSet::new();
            for item in items {
                let identity = match kind {
                    Some("set") => vec![item],
                    Some("map") => keys.iter().map(|key| &item[*key]).collect(),
                    _ => break,
                };
                work.take(identity.iter().map(|part| weight(part)).sum())?;
                if known.contains(&identity) {
                    let keys = || identity.iter().map(|part| (*part).clone()).collect();
                    return Ok(Some(if kind == Some("set") { item.clone() } else { keys() }));
                }
                known.insert(identity);
            }
            let Some(schema) = schema.items() else { return Ok(None) };
            for item in items {
                if let Some(twice) = repeated(item, schema, work)? {
                    return Ok(Some(twice));
                }
            }
        }
        _ => {}
    }
    Ok(None)
}
