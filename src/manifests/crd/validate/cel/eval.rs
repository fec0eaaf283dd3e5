//! The value of a rule on a default, as far as it can be told here.
//!
//! The API server evaluates rules on defaults. Most rules on single fields are simple comparisons; what is beyond
//! these is left to it. So is what takes too many steps, but for what it refuses itself because of its cost.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::{Map, Number, Value, json};

use super::parser::{Expr, parse};
use super::types::unescape;
use crate::limits::{Budget, Spent};
use crate::manifests::crd::validate::instance::weight;
use crate::manifests::crd::validate::pattern::Pattern;
use crate::manifests::crd::validate::schema::Schema;

/// What a rule may cost on one value, in the API server's units. Whatever takes one here takes one there.
const COST: u64 = 1_000_000;

/// Why a value does not meet the rules on it.
#[derive(Debug, PartialEq)]
pub(in crate::manifests::crd::validate) enum Outcome<'a> {
    /// It breaks this rule.
    Broken(&'a str),
    /// The API server gives this rule up.
    Dear(&'a str),
    /// There are no steps left to evaluate this rule.
    Unchecked(&'a str),
}

/// The evaluation of rules on values.
pub(in crate::manifests::crd::validate) struct Evaluator<'a> {
    work: &'a Budget,
    /// The rules that were read, by their text.
    rules: HashMap<&'a str, Option<Expr>>,
}

impl<'a> Evaluator<'a> {
    pub(in crate::manifests::crd::validate) fn new(work: &'a Budget) -> Self {
        Self { work, rules: HashMap::new() }
    }

    /// What the rules on a value or on a part of it say against it, if anything.
    pub(in crate::manifests::crd::validate) fn on(
        &mut self,
        value: &Value,
        schema: Schema<'a>,
    ) -> Option<Outcome<'a>> {
        let rules = schema.list("x-kubernetes-validations").iter().filter_map(|rule| rule["rule"].as_str());
        for rule in rules {
            let read = self.rules.entry(rule).or_insert_with(|| parse(rule).ok());
            let Some(expr) = read else { continue };
            let cost = Budget::of(COST);
            let names = vec![("self", Cow::Borrowed(value))];
            match (Scope { names, work: self.work, cost: &cost }).eval(expr) {
                Ok(value) if value.as_bool() == Some(false) => return Some(Outcome::Broken(rule)),
                Err(Stop::Fails) => return Some(Outcome::Broken(rule)),
                Err(Stop::Dear) => return Some(Outcome::Dear(rule)),
                Err(Stop::Spent) => return Some(Outcome::Unchecked(rule)),
                Ok(_) | Err(Stop::Unknown) => {}
            }
        }
        match value {
            Value::Object(fields) => fields
                .iter()
                .find_map(|(name, value)| self.on(value, schema.property(name).or(schema.additional())?)),
            Value::Array(items) => items.iter().find_map(|item| self.on(item, schema.items()?)),
            _ => None,
        }
    }
}

/// Why there is no value.
#[derive(Debug, PartialEq)]
enum Stop {
    /// The rule fails, as for a field that is not there.
    Fails,
    /// It is not told here.
    Unknown,
    /// It costs more than the API server allows.
    Dear,
    /// It takes more steps than are left.
    Spent,
}

impl From<Spent> for Stop {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

struct Scope<'e, 'v> {
    names: Vec<(&'e str, Cow<'v, Value>)>,
    work: &'e Budget,
    cost: &'e Budget,
}

type Found<'v> = Result<Cow<'v, Value>, Stop>;

impl<'e, 'v> Scope<'e, 'v> {
    fn eval(&mut self, expr: &'e Expr) -> Found<'v> {
        self.work.take(1)?;
        match expr {
            Expr::Literal("string", Some(text)) => {
                self.work.take(text.len() as u64)?;
                Ok(Cow::Owned(json!(text)))
            }
            Expr::Literal("int" | "double" | "bool", Some(text)) => {
                self.work.take(text.len() as u64)?;
                serde_json::from_str(text).map(Cow::Owned).map_err(|_| Stop::Unknown)
            }
            Expr::Literal("null", _) => Ok(Cow::Owned(Value::Null)),
            Expr::Ident(name) => {
                self.charge()?;
                let found = self.names.iter().rev().find(|(known, _)| known == name);
                match &found.ok_or(Stop::Unknown)?.1 {
                    Cow::Borrowed(value) => Ok(Cow::Borrowed(*value)),
                    Cow::Owned(value) => {
                        self.work.take(weight(value))?;
                        Ok(Cow::Owned(value.clone()))
                    }
                }
            }
            Expr::Select(operand, name, false) => {
                self.charge()?;
                match self.eval(operand)? {
                    Cow::Borrowed(Value::Object(fields)) => field(fields, name).map(Cow::Borrowed),
                    Cow::Owned(Value::Object(fields)) => field(&fields, name).cloned().map(Cow::Owned),
                    _ => None,
                }
                .ok_or(Stop::Fails)
            }
            Expr::Index(operand, index, false) => {
                self.charge()?;
                let (operand, index) = (self.eval(operand)?, self.eval(index)?);
                match operand {
                    Cow::Borrowed(value) => entry(value, &index).map(Cow::Borrowed),
                    Cow::Owned(value) => entry(&value, &index).cloned().map(Cow::Owned),
                }
            }
            Expr::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    let value = self.eval(item)?;
                    values.push(self.owned(value)?);
                }
                Ok(Cow::Owned(Value::Array(values)))
            }
            Expr::Call(name, target, arguments) => self.call(name, target.as_deref(), arguments),
            _ => Err(Stop::Unknown),
        }
    }

    /// Takes what the API server charges for a name, a field, an entry or a function, at least.
    fn charge(&self) -> Result<(), Stop> {
        self.cost.take(1).map_err(|Spent| Stop::Dear)
    }

    /// A value to keep.
    fn owned(&self, value: Cow<'v, Value>) -> Result<Value, Stop> {
        if let Cow::Borrowed(value) = &value {
            self.work.take(weight(value))?;
        }
        Ok(value.into_owned())
    }

    fn call(&mut self, name: &str, target: Option<&'e Expr>, arguments: &'e [Expr]) -> Found<'v> {
        match (name, target, arguments) {
            ("_&&_" | "_||_", None, [left, right]) => {
                let decides = |found: &Found<'_>| matches!(found, Ok(v) if **v == json!(name == "_||_"));
                let left = self.eval(left);
                if decides(&left) || matches!(left, Err(Stop::Dear | Stop::Spent)) {
                    return left;
                }
                // Either side can decide, whatever the other is.
                let right = self.eval(right);
                match (left, right) {
                    (_, right) if decides(&right) => right,
                    (_, Err(stop @ (Stop::Dear | Stop::Spent))) => Err(stop),
                    (Err(Stop::Unknown), _) | (_, Err(Stop::Unknown)) => Err(Stop::Unknown),
                    (Err(stop), _) => Err(stop),
                    (Ok(_), right) => right,
                }
            }
            ("_?_:_", None, [condition, yes, no]) => match *self.eval(condition)? {
                Value::Bool(true) => self.eval(yes),
                Value::Bool(false) => self.eval(no),
                _ => Err(Stop::Unknown),
            },
            ("has", None, [Expr::Select(operand, name, false)]) => {
                let operand = self.eval(operand)?;
                // What is no object has no field, as an integer in place of a string.
                let has = operand.as_object().is_some_and(|fields| field(fields, name).is_some());
                Ok(Cow::Owned(json!(has)))
            }
            ("all" | "exists" | "exists_one" | "existsOne", Some(target), [Expr::Ident(variable), body]) => {
                self.quantified(name, target, variable, body)
            }
            _ => {
                let mut values = Vec::new();
                for expr in target.into_iter().chain(arguments) {
                    values.push(self.eval(expr)?);
                }
                self.charge()?;
                let values: Vec<&Value> = values.iter().map(AsRef::as_ref).collect();
                if unsuited(name, &values) {
                    return Err(Stop::Fails);
                }
                match (name, values.as_slice()) {
                    ("size", [Value::Array(_) | Value::Object(_)]) | ("_in_", [_, Value::Object(_)]) => {}
                    _ => self.work.take(values.iter().map(|value| weight(value)).sum())?,
                }
                if let ("matches", [Value::String(text), Value::String(pattern)]) = (name, values.as_slice())
                {
                    let pattern = Pattern::parse(pattern).map_err(|_| Stop::Unknown)?;
                    let found = pattern.is_found(text, self.work)?.ok_or(Stop::Unknown)?;
                    return Ok(Cow::Owned(json!(found)));
                }
                apply(name, &values).map(Cow::Owned).ok_or(Stop::Unknown)
            }
        }
    }

    fn quantified(&mut self, name: &str, target: &'e Expr, variable: &'e str, body: &'e Expr) -> Found<'v> {
        let items: Vec<Cow<'v, Value>> = match self.eval(target)? {
            Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
            Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
            value => match value.as_object() {
                Some(entries) => entries.keys().map(|key| Cow::Owned(json!(key))).collect(),
                None => return Err(Stop::Unknown),
            },
        };
        self.work.take(items.len() as u64)?;
        let mut held = 0;
        let mut all = true;
        for item in items {
            self.charge()?;
            self.names.push((variable, item));
            let value = self.eval(body);
            self.names.pop();
            // Another item could make up for a failure; that is rare.
            let holds = match value {
                Ok(value) => value.as_bool().ok_or(Stop::Unknown)?,
                Err(stop @ (Stop::Dear | Stop::Spent)) => return Err(stop),
                Err(Stop::Fails | Stop::Unknown) => return Err(Stop::Unknown),
            };
            held += usize::from(holds);
            all &= holds;
            if (name == "all" && !holds) || (name == "exists" && holds) {
                break;
            }
        }
        Ok(Cow::Owned(json!(match name {
            "all" => all,
            "exists" => held > 0,
            _ => held == 1,
        })))
    }
}

/// A field by the name that it has in rules.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).or_else(|| fields.get(&unescape(name)?))
}

fn entry<'a>(value: &'a Value, index: &Value) -> Result<&'a Value, Stop> {
    match (value, index) {
        (Value::Array(items), Value::Number(at)) => {
            let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
            at.and_then(|at| items.get(at)).ok_or(Stop::Fails)
        }
        (Value::Object(entries), Value::String(key)) => entries.get(key).ok_or(Stop::Fails),
        _ => Err(Stop::Unknown),
    }
}

/// The value of a function or operator; none when it is not known here.
fn apply(name: &str, values: &[&Value]) -> Option<Value> {
    let order = |a: &Value, b: &Value| match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    };
    Some(match (name, values) {
        ("!_", [Value::Bool(value)]) => json!(!value),
        ("-_", [Value::Number(number)]) => json!(number.as_i64()?.checked_neg()?),
        ("_==_", [a, b]) => json!(equal(a, b)),
        ("_!=_", [a, b]) => json!(!equal(a, b)),
        ("_<_", [a, b]) => json!(order(a, b)?.is_lt()),
        ("_<=_", [a, b]) => json!(order(a, b)?.is_le()),
        ("_>_", [a, b]) => json!(order(a, b)?.is_gt()),
        ("_>=_", [a, b]) => json!(order(a, b)?.is_ge()),
        ("_+_", [Value::String(a), Value::String(b)]) => json!(format!("{a}{b}")),
        ("_+_", [Value::Number(a), Value::Number(b)]) => json!(a.as_i64()?.checked_add(b.as_i64()?)?),
        ("_-_", [Value::Number(a), Value::Number(b)]) => json!(a.as_i64()?.checked_sub(b.as_i64()?)?),
        ("_*_", [Value::Number(a), Value::Number(b)]) => json!(a.as_i64()?.checked_mul(b.as_i64()?)?),
        ("_%_", [Value::Number(a), Value::Number(b)]) => json!(a.as_i64()?.checked_rem(b.as_i64()?)?),
        ("_in_", [a, Value::Array(items)]) => json!(items.iter().any(|item| equal(a, item))),
        ("_in_", [Value::String(key), Value::Object(entries)]) => json!(entries.contains_key(key)),
        ("size", [Value::String(text)]) => json!(text.chars().count()),
        ("size", [Value::Array(items)]) => json!(items.len()),
        ("size", [Value::Object(entries)]) => json!(entries.len()),
        ("startsWith", [Value::String(text), Value::String(part)]) => json!(text.starts_with(part.as_str())),
        ("endsWith", [Value::String(text), Value::String(part)]) => json!(text.ends_with(part.as_str())),
        ("contains", [Value::String(text), Value::String(part)]) => json!(text.contains(part.as_str())),
        _ => return None,
    })
}

/// Whether an operator is not for values of these types, which only a value of a type not known before can have.
fn unsuited(name: &str, values: &[&Value]) -> bool {
    match (name, values) {
        ("size", [value]) => value.is_number() || value.is_boolean(),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => a.is_number() != b.is_number(),
        ("startsWith" | "endsWith" | "contains" | "matches", [value, _]) => !value.is_string(),
        _ => false,
    }
}

/// Numbers are equal by their value, `1` and `1.0`.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b) == Some(Ordering::Equal),
        _ => a == b,
    }
}

/// The order of two numbers, exact for whole ones.
fn numbers(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

#[cfg(test)]
#[path = "eval_tests.rs"]
mod tests;
