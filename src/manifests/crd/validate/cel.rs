//! Rules in CEL: `x-kubernetes-validations`.
//!
//! Read, given types and compared with the schema here, because no crate does the last: `cel` and `kube-cel` 0.8 find
//! a syntax error but no unknown field, and bring 20 to 46 crates with them.

mod charges;
mod cost;
mod eval;
mod infer;
mod lexer;
mod macros;
mod parser;
mod signatures;
mod sizes;
mod types;

use serde_json::Value;

pub(super) use self::eval::{Evaluator, Outcome};

use self::cost::Coster;
use self::infer::Scope;
use self::parser::Expr;
use self::sizes::Sizes;
use self::types::Type;
use super::findings::Findings;
use super::paths::{Found, find};
use super::schema::Schema;
use super::structural::list;
use crate::manifests::crd::place::Place;

const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// What the rules of a schema depend on beyond it.
#[derive(Clone, Copy)]
struct Around {
    /// It is that of a whole object.
    whole: bool,
    /// Some list above is replaced as a whole, so no value in it has an old one.
    replaced: bool,
    /// How many such values an object has at most; none when there is no bound.
    count: Option<u64>,
}

/// The check of all rules of a version.
struct Rules<'f> {
    findings: &'f mut Findings,
    sizes: Sizes,
    cost: u64,
}

/// Checks every rule in the schema of a whole object.
pub(super) fn check(schema: Schema<'_>, place: &Place<'_>, findings: &mut Findings) {
    let before = findings.count();
    let mut rules = Rules { findings, sizes: Sizes::default(), cost: 0 };
    rules.walk(schema, place, Around { whole: true, replaced: false, count: Some(1) });
    if rules.cost > cost::VERSION && findings.count() == before {
        findings.refuse(place, "all rules together could cost too much", CHEAPER);
    }
}

const HELP: &str = "see https://kubernetes.io/docs/reference/using-api/cel/ for what a rule can say; fields are named as \
    in JSON, and `has(self.field)` asks for an optional one";
const CHEAPER: &str = "bound what the rule goes through: `#[schemars(length(max = …))]` on lists and strings, \
    `#[schemars(extend(\"maxProperties\" = …))]` on maps; also on the lists around the field";

impl Rules<'_> {
    fn walk(&mut self, schema: Schema<'_>, place: &Place<'_>, around: Around) {
        for rule in schema.list("x-kubernetes-validations") {
            self.one(rule, schema, place, around);
        }
        let count = around.count.zip(most(schema)).map(|(count, each)| count.saturating_mul(each));
        for (name, property) in schema.properties() {
            self.walk(property, &place.field(name), Around { whole: property.embedded(), count, ..around });
        }
        if let Some(items) = schema.items() {
            let replaced = around.replaced || schema.text("x-kubernetes-list-type") != Some("map");
            self.walk(items, &place.item(), Around { whole: items.embedded(), replaced, count });
        }
        if let Some(values) = schema.additional() {
            self.walk(values, &place.entry(), Around { whole: values.embedded(), count, ..around });
        }
    }

    fn one(&mut self, rule: &Value, schema: Schema<'_>, place: &Place<'_>, around: Around) {
        let text = |key: &str| rule[key].as_str();
        let source = text("rule").unwrap_or_default();
        if source.trim().is_empty() {
            let hint = "write what must hold, such as `self != ''`";
            self.findings.refuse(place, "a rule that says nothing", hint);
            return;
        }
        let mut refuse = |what: String, hint: &str| {
            self.findings.refuse(place, format_args!("rule `{source}`: {what}"), hint);
        };
        phrases(rule, source, &mut refuse);
        if let Some(path) = text("fieldPath")
            && !leads_somewhere(path, schema)
        {
            let hint =
                "write the path of a field below the rule, as it is in JSON: `.field_path(\".spec.name\")`";
            refuse(format!("no field is at `{path}`"), hint);
        }
        let Some(value) = Type::of(schema, around.whole) else {
            let hint = "put the rule on a field whose type is known, or use the CEL of an admission policy";
            refuse("no rule can look at a value whose type is not known".into(), hint);
            return;
        };
        let scope = || Scope::new(value.clone(), rule["optionalOldSelf"] == true);
        let estimate = |expr: &Expr, types| Coster::new(schema, around.whole, types, &self.sizes).cost(expr);
        let mut seen = scope();
        let rule_type = typed(source, &mut seen);
        let uses_old_self = seen.uses_old_self;
        match rule_type {
            Err(why) => refuse(why, HELP),
            Ok((expr, Type::Plain("bool"))) => {
                let count =
                    around.count.unwrap_or_else(|| sizes::REQUEST / (self.sizes.smallest(schema) + 1));
                let cost = estimate(&expr, seen.into_types()).saturating_mul(count);
                self.cost = self.cost.saturating_add(cost);
                if cost > cost::RULE {
                    refuse(format!("it could cost {}", times(cost)), CHEAPER);
                }
            }
            Ok((_, other)) => refuse(format!("its value is of type {other}, not bool"), HELP),
        }
        if uses_old_self && around.replaced {
            refuse(
                "`oldSelf` within a list that is replaced as a whole".into(),
                "merge the list by a key: `#[x_kube(merge_strategy = ListMerge::Map(vec![\"name\".into()]))]`, or put \
                 the rule on the list itself",
            );
        } else if !uses_old_self && !rule["optionalOldSelf"].is_null() {
            refuse("`optionalOldSelf` without `oldSelf`".into(), "take `.optional_old_self(…)` away");
        }
        let Some(message) = text("messageExpression").filter(|message| !message.trim().is_empty()) else {
            return;
        };
        let mut seen = scope();
        match typed(message, &mut seen) {
            Err(why) => refuse(format!("its message `{message}`: {why}"), HELP),
            Ok((expr, Type::Plain("string"))) => {
                let cost = estimate(&expr, seen.into_types());
                self.cost = self.cost.saturating_add(cost);
                if cost > cost::RULE {
                    let hint = "join texts of bounded length only: a number as a text (`string(self)`) has no bound, \
                                so use `'%d'.format([self])`";
                    refuse(format!("its message `{message}` could cost {}", times(cost)), hint);
                }
            }
            Ok((_, other)) => refuse(format!("its message `{message}` is of type {other}, not string"), HELP),
        }
    }
}

/// How many values a schema has of each in it, if there is a bound.
fn most(schema: Schema<'_>) -> Option<u64> {
    let bound = |key| schema.get(key).map(|bound| bound.as_u64().unwrap_or_default());
    match schema.kind() {
        "object" if schema.get("additionalProperties").is_some() => bound("maxProperties"),
        "array" => bound("maxItems"),
        _ => Some(1),
    }
}

/// By how much a cost is above the limit.
fn times(cost: u64) -> String {
    match cost / cost::RULE {
        0 | 1 => "more than the API server allows".into(),
        factor @ 2..=100 => format!("{factor} times of what the API server allows"),
        _ => "more than 100 times of what the API server allows".into(),
    }
}

/// A rule and its type; the types of its parts are known by their places, so these must not change.
fn typed<'a>(source: &str, scope: &mut Scope<'a>) -> Result<(Box<Expr>, Type<'a>), String> {
    let expr = Box::new(parser::parse(source)?);
    let found = scope.infer(&expr)?;
    Ok((expr, found))
}

/// Checks what a rule says to people.
fn phrases(rule: &Value, source: &str, refuse: &mut impl FnMut(String, &str)) {
    let text = |key: &str| rule[key].as_str().filter(|text| !text.is_empty());
    let blank = |key: &str| text(key).is_some_and(|text| text.trim().is_empty());
    let lines = |text: &str| text.trim().contains(['\n', '\r']);
    for key in ["message", "messageExpression", "fieldPath"] {
        if blank(key) {
            refuse(format!("`{key}` is blank"), "leave it out, or say something");
        }
    }
    if text("message").is_some_and(lines) {
        refuse("its message has a line break".into(), "write the message on one line");
    } else if lines(source) && text("message").is_none_or(|message| message.trim().is_empty()) {
        refuse("it has a line break and no message".into(), "add a message of one line");
    }
    if let Some(reason) = text("reason").filter(|reason| !REASONS.contains(reason)) {
        refuse(format!("`{reason}` is no reason"), &format!("reasons are {}", list(&REASONS)));
    }
}

/// Whether a path such as `.a.b['c']` is that of a field.
fn leads_somewhere(path: &str, schema: Schema<'_>) -> bool {
    let mut names = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("['") {
            let Some((name, after)) = after.split_once("']") else {
                return false;
            };
            names.push(name);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            names.push(&after[..end]);
            rest = &after[end..];
        } else {
            return false;
        }
    }
    matches!(find(schema, &names), Found::Field(_))
}

#[cfg(test)]
#[path = "cel_tests.rs"]
mod tests;
