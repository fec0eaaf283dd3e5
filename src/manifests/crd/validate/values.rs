//! Conditions on single values: bounds, enums, formats, patterns.

use std::collections::HashSet;

use serde_json::Value;

use super::findings::{Findings, shown};
use super::formats;
use super::pattern::Pattern;
use super::schema::Schema;
use crate::manifests::crd::normalise::inexact;
use crate::manifests::crd::place::Place;

/// A lower and an upper bound, and the types that they mean something for.
const BOUNDS: [(&str, &str, &[&str]); 4] = [
    ("minimum", "maximum", &["integer", "number"]),
    ("minLength", "maxLength", &["string"]),
    ("minItems", "maxItems", &["array"]),
    ("minProperties", "maxProperties", &["object"]),
];

/// Checks the conditions in `rules` on values of `structure`; the two are the same but below `allOf` and its like.
pub(super) fn check(rules: Schema<'_>, structure: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    bounds(rules, structure.kind(), place, findings);
    exact(rules, place, findings);
    format(rules, place, findings);
    enumeration(rules, structure, place, findings);
    if let Some(pattern) = rules.text("pattern")
        && let Err(why) = Pattern::parse(pattern)
    {
        findings.refuse(
            place,
            format_args!("pattern `{pattern}` is no regular expression of RE2: {why}"),
            "RE2 has no look-around and no back-references; say the rest as a rule in CEL: \
                 `#[x_kube(validation = \"…\")]`",
        );
    }
}

fn bounds(rules: Schema<'_>, kind: &str, place: &Place<'_>, findings: &mut Findings) {
    for (low, high, kinds) in BOUNDS {
        for key in [low, high] {
            without_effect(rules, key, kind, kinds, place, findings);
        }
        if let (Some(min), Some(max)) = (number(rules, low), number(rules, high)) {
            let strict = rules.is("exclusiveMinimum") || rules.is("exclusiveMaximum");
            if min > max || (low == "minimum" && strict && min >= max) {
                findings.refuse(
                    place,
                    format_args!("no value is possible: `{low}` is {min} and `{high}` is {max}"),
                    "swap the bounds",
                );
            }
        }
    }
    without_effect(rules, "pattern", kind, &["string"], place, findings);
    without_effect(rules, "multipleOf", kind, &["integer", "number"], place, findings);
    if number(rules, "multipleOf").is_some_and(|step| step <= 0.0) {
        findings.refuse(place, "`multipleOf` is not above zero", "write the step between two values");
    }
    for (strict, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if rules.is(strict) && rules.get(bound).is_none() {
            let hint = format!("add the bound: `#[schemars(extend(\"{bound}\" = 0, \"{strict}\" = true))]`");
            findings.refuse(place, format_args!("`{strict}` without `{bound}`"), hint);
        }
    }
    let object = rules.kind() == "object" && rules.additional().is_none() && !rules.preserves();
    for name in rules.strings("required").filter(|_| object) {
        if rules.property(name).is_none() {
            findings.refuse(
                place,
                format_args!("requires `{name}`, which it does not have"),
                "name only fields of the struct in `required`",
            );
        }
    }
}

/// Bounds that become another number in a definition.
fn exact(rules: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    for key in ["minimum", "maximum", "multipleOf"] {
        let Some(said) = rules.get(key) else { continue };
        let (Some(integer), Some(float)) = (inexact(said), said.as_f64()) else { continue };
        #[expect(clippy::cast_possible_truncation, reason = "it is below the end of `i128`")]
        let [below, is, above] = [float.next_down(), float, float.next_up()].map(|near| near as i128);
        let (below, above) = if is < integer { (is, above) } else { (below, is) };
        let hint = if above > i128::from(i64::MAX) {
            format!("write {below}, or leave `{key}` out")
        } else {
            format!("write {below} or {above}, the nearest that it can be")
        };
        findings.refuse(
            place,
            format_args!("`{key}` cannot be {integer}: the API server has it as a floating point number"),
            hint,
        );
    }
}

fn number(schema: Schema<'_>, key: &str) -> Option<f64> {
    schema.get(key).and_then(Value::as_f64)
}

/// Says so when a keyword is for values of other types.
fn without_effect(
    rules: Schema<'_>,
    key: &str,
    kind: &str,
    kinds: &[&str],
    place: &Place<'_>,
    findings: &mut Findings,
) {
    if rules.get(key).is_some() && !kind.is_empty() && !kinds.contains(&kind) {
        findings.refuse(
            place,
            format_args!("`{key}` has no effect on a value of type {kind}"),
            format!("take `{key}` away, or put it on what it is meant for, such as the items: `inner(…)`"),
        );
    }
}

fn format(rules: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let Some(format) = rules.text("format") else {
        return;
    };
    if !formats::is_known(format, rules.kind()) {
        findings.refuse(
            place,
            format_args!(
                "the API server knows no format `{format}` for a value of this type and warns of it"
            ),
            "use `i32` or `i64` for integers and `f64` for numbers; say what a string looks like with \
             `#[schemars(pattern(\"…\"))]`",
        );
    }
}

fn enumeration(rules: Schema<'_>, structure: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let Some(values) = rules.get("enum").and_then(Value::as_array) else {
        return;
    };
    if values.is_empty() {
        let hint = "give the enum a variant, or leave `enum` out";
        findings.refuse(place, "an enum without a value, which the API server ignores", hint);
    }
    let mut seen = HashSet::new();
    for value in values {
        if !seen.insert(value) {
            let hint = "give each variant a name of its own; see `#[serde(rename)]`";
            findings.refuse(place, format_args!("the enum has {} twice", shown(value)), hint);
        }
        if !fits(value, structure) {
            let kind = if structure.int_or_string() { "integer or string" } else { structure.kind() };
            findings.refuse(
                place,
                format_args!("the enum has {}, which is no {kind}", shown(value)),
                "list values of the field's own type",
            );
        }
    }
}

/// Whether a value has the type of a schema.
pub(super) fn fits(value: &Value, schema: Schema<'_>) -> bool {
    match (schema.kind(), value) {
        (_, Value::Null) => schema.is("nullable"),
        ("", _) if schema.int_or_string() => value.is_string() || whole(value),
        ("", _) => true,
        ("integer", value) => whole(value),
        (kind, Value::Number(_)) => kind == "number",
        (kind, Value::Bool(_)) => kind == "boolean",
        (kind, Value::String(_)) => kind == "string",
        (kind, Value::Array(_)) => kind == "array",
        (kind, Value::Object(_)) => kind == "object",
    }
}

fn whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|float| float.fract() == 0.0)
}
