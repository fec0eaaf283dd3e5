//! Whether a value is what its schema says: for defaults, which nobody else checks before the cluster does.

use std::collections::{HashMap, HashSet};

use serde_json::{Number, Value};

use super::findings::shown;
use super::formats;
use super::pattern::Pattern;
use super::schema::Schema;
use super::values::fits;
use crate::limits::{Budget, Spent};

/// What is wrong with a value, and where in it.
#[derive(Debug)]
pub(super) struct Fault {
    /// Such as `.name`; empty for the value itself.
    pub(super) path: String,
    pub(super) what: String,
}

/// Why a value is not known to be right.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault),
    /// There are no steps left to look at it.
    Spent,
}

type Verdict = Result<(), Stop>;

/// The check of values against schemas.
pub(super) struct Checker<'a> {
    pub(super) work: &'a Budget,
    /// The values of each enum, by its place in memory.
    enums: HashMap<*const Value, HashSet<Value>>,
    /// The patterns that were read, by their text.
    patterns: HashMap<&'a str, Option<Pattern>>,
}

impl From<Spent> for Stop {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

/// How many values and characters a value has, keys included.
pub(super) fn weight(value: &Value) -> u64 {
    match value {
        Value::String(text) => 1 + text.len() as u64,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<u64>(),
        Value::Object(fields) => {
            1 + fields.iter().map(|(name, value)| name.len() as u64 + weight(value)).sum::<u64>()
        }
        _ => 1,
    }
}

/// A value with numbers written in one way, so that `1` and `1.0` are the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

/// A float without a fraction as the integer that it is, where a float is exact.
fn whole(number: &Number) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|float| number.is_f64() && float.trunc().abs() < EXACT)?;
    // Without a fraction and an exponent it is written as an integer is.
    format!("{float:.0}").parse::<i64>().ok().filter(|_| float.fract().abs() <= 0.0).map(Number::from)
}

impl<'a> Checker<'a> {
    pub(super) fn new(work: &'a Budget) -> Self {
        Self { work, enums: HashMap::new(), patterns: HashMap::new() }
    }

    /// Checks a value against a schema; conditions that cannot be decided here hold.
    pub(super) fn check(&mut self, value: &Value, schema: Schema<'a>) -> Verdict {
        self.work.take(1)?;
        if value.is_null() && schema.is("nullable") {
            return Ok(());
        }
        if !fits(value, schema) {
            let kind = if schema.int_or_string() { "integer or string" } else { schema.kind() };
            return fault(format!("is {}, which is no {kind}", shown(value)));
        }
        self.conditions(value, schema)?;
        match value {
            Value::String(text) => self.string(text, schema),
            Value::Array(items) => {
                within(items.len(), schema, "minItems", "maxItems", "items")?;
                let Some(schema) = schema.items() else { return Ok(()) };
                items.iter().enumerate().try_for_each(|(index, item)| {
                    self.check(item, schema).map_err(|stop| stop.below(|| format!("[{index}]")))
                })
            }
            Value::Object(fields) => {
                if schema.embedded()
                    && let Some(missing) =
                        ["apiVersion", "kind"].into_iter().find(|name| !filled(fields.get(*name)))
                {
                    return fault(format!("is an object without `{missing}`"));
                }
                within(fields.len(), schema, "minProperties", "maxProperties", "entries")?;
                self.work.take(schema.list("required").len() as u64)?;
                if let Some(missing) = schema.strings("required").find(|name| !fields.contains_key(*name)) {
                    return fault(format!("lacks `{missing}`"));
                }
                fields.iter().try_for_each(|(name, value)| {
                    let Some(schema) = schema.property(name).or(schema.additional()) else { return Ok(()) };
                    self.check(value, schema).map_err(|stop| stop.below(|| format!(".{name}")))
                })
            }
            Value::Number(number) => bounds(number, schema),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    /// Whether a value meets a schema.
    fn holds(&mut self, value: &Value, schema: Schema<'a>) -> Result<bool, Spent> {
        match self.check(value, schema) {
            Ok(()) => Ok(true),
            Err(Stop::Fault(_)) => Ok(false),
            Err(Stop::Spent) => Err(Spent),
        }
    }

    /// What holds for values of every type.
    fn conditions(&mut self, value: &Value, schema: Schema<'a>) -> Verdict {
        if let Some(first) = schema.list("enum").first() {
            self.work.take(weight(value))?;
            let values =
                self.enums.entry(first).or_insert_with(|| schema.list("enum").iter().map(plain).collect());
            if !values.contains(&plain(value)) {
                return fault(format!("is {}, which is not in the enum", shown(value)));
            }
        }
        if let (Some(format), "", false) =
            (schema.text("format"), schema.kind(), value.is_string() || value.is_array())
        {
            return fault(format!("is {}, which is no {format}", shown(value)));
        }
        schema.joined("allOf").try_for_each(|inner| self.check(value, inner))?;
        if !schema.list("anyOf").is_empty() {
            let mut any = false;
            for inner in schema.joined("anyOf") {
                any = any || self.holds(value, inner)?;
            }
            if !any {
                return fault("meets no condition of `anyOf`");
            }
        }
        if !schema.list("oneOf").is_empty() {
            let mut held = 0;
            for inner in schema.joined("oneOf") {
                held += usize::from(self.holds(value, inner)?);
            }
            if held != 1 {
                return fault("does not meet exactly one condition of `oneOf`");
            }
        }
        if let Some(inner) = schema.child("not")
            && self.holds(value, inner)?
        {
            return fault("meets the condition of `not`");
        }
        Ok(())
    }

    fn string(&mut self, text: &str, schema: Schema<'a>) -> Verdict {
        self.work.take(text.len() as u64)?;
        within(text.chars().count(), schema, "minLength", "maxLength", "characters")?;
        if let Some(pattern) = schema.text("pattern")
            && self.found(pattern, text)? == Some(false)
        {
            return fault(format!("is `{}`, which does not match `{pattern}`", beginning(text)));
        }
        match schema.text("format") {
            Some(format) if !formats::may_have(text, format, self.work)? => {
                fault(format!("is `{}`, which is no {format}", beginning(text)))
            }
            _ => Ok(()),
        }
    }

    /// Whether a pattern is found in a text, if that is known.
    fn found(&mut self, pattern: &'a str, text: &str) -> Result<Option<bool>, Spent> {
        let read = self.patterns.entry(pattern).or_insert_with(|| Pattern::parse(pattern).ok());
        read.as_ref().map_or(Ok(None), |pattern| pattern.is_found(text, self.work))
    }
}

impl Stop {
    /// The same for what the value is in.
    fn below(self, step: impl FnOnce() -> String) -> Self {
        match self {
            Self::Fault(fault) => Self::Fault(Fault { path: step() + &fault.path, ..fault }),
            Self::Spent => Self::Spent,
        }
    }
}

/// The beginning of a text, for messages.
fn beginning(text: &str) -> String {
    text.chars().take(200).collect()
}

fn filled(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

fn fault<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fault(Fault { path: String::new(), what: what.into() }))
}

fn within(length: usize, schema: Schema<'_>, min: &str, max: &str, what: &str) -> Verdict {
    let bound = |key| {
        schema.get(key).and_then(Value::as_u64).map(|bound| usize::try_from(bound).unwrap_or(usize::MAX))
    };
    match (bound(min), bound(max)) {
        (Some(min), _) if length < min => fault(format!("has {length} {what}, fewer than {min}")),
        (_, Some(max)) if length > max => fault(format!("has {length} {what}, more than {max}")),
        _ => Ok(()),
    }
}

fn bounds(value: &Number, schema: Schema<'_>) -> Verdict {
    let bound = |key| schema.get(key).and_then(Value::as_f64);
    let number = value.as_f64().unwrap_or_default();
    if let Some(min) =
        bound("minimum").filter(|min| number < *min || (schema.is("exclusiveMinimum") && number <= *min))
    {
        return fault(format!("is {number}, below the minimum of {min}"));
    }
    if let Some(max) =
        bound("maximum").filter(|max| number > *max || (schema.is("exclusiveMaximum") && number >= *max))
    {
        return fault(format!("is {number}, above the maximum of {max}"));
    }
    match bound("multipleOf") {
        Some(factor) if !is_multiple(value, factor, schema.kind()) => {
            fault(format!("is {number}, no multiple of {factor}"))
        }
        _ => Ok(()),
    }
}

/// Whether a number is a multiple of another one, as the library of the API server has it (`values.go` of kube-openapi):
/// whole numbers exactly and by the whole part of the factor, others but for a small error in proportion.
fn is_multiple(value: &Number, factor: f64, kind: &str) -> bool {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    // No whole number is compared with a factor that is none: that is a fault of its own.
    if factor <= 0.0 || (kind == "integer" && factor.fract() != 0.0) {
        return false;
    }
    if let Some(whole) = value.as_i64() {
        #[expect(clippy::cast_possible_truncation, reason = "so does the API server")]
        let factor = factor as i64;
        return factor > 0 && whole % factor == 0;
    }
    let number = value.as_f64().unwrap_or_default();
    let times = if factor < 1.0 { 1.0 / factor * number } else { number / factor };
    let rounded = times.round();
    times.abs() <= LARGEST && (times - rounded).abs() <= 1e-9 * rounded.abs()
}

#[cfg(test)]
#[path = "instance_tests.rs"]
mod tests;
