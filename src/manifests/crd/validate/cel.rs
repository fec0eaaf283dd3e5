//! Rules in CEL: `x-kubernetes-validations`.
//!
//! Read, given types and compared with the schema here, because no crate does the last: `cel` and `kube-cel` 0.8 find
//! a syntax error but no unknown field, and bring 20 to 46 crates with them.

mod infer;
mod lexer;
mod parser;
mod signatures;
mod types;

use serde_json::Value;

use self::infer::Scope;
use self::types::Type;
use super::findings::Findings;
use super::paths::{Found, find};
use super::place::Place;
use super::schema::Schema;
use super::structural::list;

const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// What the rules of a schema depend on beyond it.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// It is that of a whole object.
    pub(super) whole: bool,
    /// Some list or map above is replaced as a whole, so no value in it has an old one.
    pub(super) replaced: bool,
}

/// Checks the rules of a schema and of those in it.
pub(super) fn check(schema: Schema<'_>, place: &Place<'_>, around: Around, findings: &mut Findings) {
    for rule in schema.list("x-kubernetes-validations") {
        one(rule, schema, place, around, findings);
    }
    let atomic = schema.text("x-kubernetes-map-type") == Some("atomic");
    for (name, property) in schema.properties() {
        let inner = Around { whole: property.embedded(), replaced: around.replaced || atomic };
        check(property, &place.field(name), inner, findings);
    }
    if let Some(items) = schema.items() {
        let kept = schema.text("x-kubernetes-list-type") == Some("map");
        let inner = Around { whole: items.embedded(), replaced: around.replaced || !kept };
        check(items, &place.item(), inner, findings);
    }
    if let Some(values) = schema.additional() {
        check(values, &place.entry(), Around { whole: values.embedded(), ..around }, findings);
    }
}

fn one(rule: &Value, schema: Schema<'_>, place: &Place<'_>, around: Around, findings: &mut Findings) {
    let text = |key: &str| rule[key].as_str();
    let source = text("rule").unwrap_or_default();
    if source.trim().is_empty() {
        findings.refuse(place, "a rule that says nothing", "write what must hold, such as `self != ''`");
        return;
    }
    let mut refuse =
        |what: String, hint: &str| findings.refuse(place, format_args!("rule `{source}`: {what}"), hint);
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
    let optional = rule["optionalOldSelf"] == true;
    let mut scope = Scope::new(value.clone(), optional);
    let hint = "see https://kubernetes.io/docs/reference/using-api/cel/ for what a rule can say; fields are named as in \
                JSON, and `has(self.field)` asks for an optional one";
    match typed(source, &mut scope) {
        Err(why) => refuse(why, hint),
        Ok(Type::Plain("bool")) => {}
        Ok(other) => refuse(format!("its value is of type {other}, not bool"), hint),
    }
    if scope.uses_old_self && around.replaced {
        refuse(
            "`oldSelf` within a list or map that is replaced as a whole".into(),
            "merge the list by a key: `#[x_kube(merge_strategy = ListMerge::Map(vec![\"name\".into()]))]`, or put the \
             rule on the list itself",
        );
    } else if !scope.uses_old_self && !rule["optionalOldSelf"].is_null() {
        refuse("`optionalOldSelf` without `oldSelf`".into(), "take `.optional_old_self(…)` away");
    }
    if let Some(message) = text("messageExpression").filter(|message| !message.trim().is_empty()) {
        match typed(message, &mut Scope::new(value, optional)) {
            Err(why) => refuse(format!("its message `{message}`: {why}"), hint),
            Ok(Type::Plain("string")) => {}
            Ok(other) => refuse(format!("its message `{message}` is of type {other}, not string"), hint),
        }
    }
}

fn typed<'a>(source: &str, scope: &mut Scope<'a>) -> Result<Type<'a>, String> {
    scope.infer(&parser::parse(source)?)
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
