//! The check of definitions before they are written: what the API server would refuse, warn of, or not serve as it was
//! meant, said in terms of the Rust types and with what to write instead.
//!
//! The rules are those of `apiextensions-apiserver`, of Kubernetes 1.37. `tests/shapes.rs` holds the verdicts to those
//! of a real API server for each shape that Rust types can have. Few rules are stricter, and each says why: they are
//! about definitions that are accepted and then do something else than what they say.

mod cel;
mod columns;
mod defaults;
mod findings;
mod formats;
mod instance;
mod junctors;
mod lists;
mod meta;
mod names;
mod paths;
mod pattern;
mod schema;
mod size;
mod structural;
mod values;

use serde_json::Value;

pub(super) use self::structural::all as keywords;

use self::defaults::Defaults;
use self::findings::Findings;
use self::pattern::Pattern;
use self::schema::Schema;
use crate::Result;
use crate::limits::{Budget, DEPTH};
use crate::manifests::crd::depth::too_deep;
use crate::manifests::crd::place::Place;

/// The steps that all comparisons of defaults with their schemas and rules may take.
const WORK: u64 = 20_000_000;

/// Whether a regular expression describes the whole of a text. One that cannot be read, or is not known here, does not.
pub(super) fn matches_whole(pattern: &str, text: &str) -> bool {
    let whole = Pattern::parse(&format!("^(?:{pattern})$"));
    whole.is_ok_and(|pattern| pattern.is_found(text, &Budget::of(WORK)) == Ok(Some(true)))
}

/// Checks definitions in canonical form. The result is what is good to know about them.
///
/// # Errors
/// [`Error::Definitions`](crate::Error::Definitions) with every problem of every definition.
pub fn validate(crds: &[Value]) -> Result<Vec<String>> {
    let mut findings = Findings::default();
    let work = Budget::of(WORK);
    for crd in crds {
        definition(crd, &work, &mut findings);
    }
    findings.result()
}

fn definition(crd: &Value, work: &Budget, findings: &mut Findings) {
    let kind = crd["spec"]["names"]["kind"].as_str().unwrap_or_default();
    let kind = Place::kind(kind);
    if too_deep(crd) {
        let hint = "keep what is so deep as `serde_json::Value`, or flatten it into a list";
        findings.refuse(&kind, format_args!("the definition is nested more than {DEPTH} levels deep"), hint);
        return;
    }
    names::check(crd, &kind, findings);
    size::check(crd, &kind, findings);
    for version in crd["spec"]["versions"].as_array().into_iter().flatten() {
        let place = kind.version(version["name"].as_str().unwrap_or_default());
        let Some(schema) = version.pointer("/schema/openAPIV3Schema").and_then(Schema::of) else {
            let hint = "derive `CustomResource` with a schema; `schema = \"disabled\"` leaves it out";
            findings.refuse(&place, "has no schema", hint);
            continue;
        };
        let before = findings.count();
        let has_status = version.pointer("/subresources/status").is_some_and(Value::is_object);
        meta::root(schema, has_status, &place, findings);
        walk(schema, &place, Within { root: true, meta: false }, findings);
        if findings.count() == before {
            // What follows relies on the structure.
            Defaults::new(work, findings).check(schema, &place);
            cel::check(schema, &place, findings);
            paths::check(version, schema, &place, work, findings);
        }
    }
}

/// What a schema is part of.
#[derive(Clone, Copy)]
struct Within {
    /// Nothing: it is that of the object itself.
    root: bool,
    /// The `apiVersion`, `kind` or `metadata` of an object.
    meta: bool,
}

/// Checks a schema and those in it.
fn walk(schema: Schema<'_>, place: &Place<'_>, within: Within, findings: &mut Findings) {
    if !structural::check(schema, place, within.root, findings) {
        return;
    }
    if schema.embedded() {
        meta::embedded(schema, within.meta, place, findings);
    }
    values::check(schema, schema, place, findings);
    lists::check(schema, place, findings);
    junctors::check(schema, place, findings);
    let inner = Within { root: false, meta: within.meta };
    for (name, property) in schema.properties() {
        let meta = (within.root || schema.embedded()) && ["apiVersion", "kind", "metadata"].contains(&name);
        walk(property, &place.field(name), Within { meta: meta || inner.meta, ..inner }, findings);
    }
    if let Some(items) = schema.items() {
        walk(items, &place.item(), inner, findings);
    }
    if let Some(values) = schema.additional() {
        walk(values, &place.entry(), inner, findings);
    }
}

#[cfg(test)]
mod tests;
