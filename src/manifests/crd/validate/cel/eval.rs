//! The value of a rule on a default, as far as it can be told here.
//!
//! The API server evaluates rules on defaults. Most rules on single fields are simple comparisons; what is beyond
//! these is left to it.

use serde_json::{Map, Value, json};

use super::parser::{Expr, parse};
use super::types::escape;
use crate::manifests::crd::validate::pattern::Pattern;
use crate::manifests::crd::validate::schema::Schema;

/// The rule that a value breaks, on itself or on a part of it.
pub(in crate::manifests::crd::validate) fn broken<'a>(value: &Value, schema: Schema<'a>) -> Option<&'a str> {
    let rules = schema.list("x-kubernetes-validations").iter().filter_map(|rule| rule["rule"].as_str());
    let holds = |rule: &str| {
        let expr = parse(rule).ok()?;
        match (Scope { names: vec![("self".into(), value.clone())] }).eval(&expr) {
            Ok(value) => value.as_bool(),
            Err(Stop::Fails) => Some(false),
            Err(Stop::Unknown) => None,
        }
    };
    let mut rules = rules.filter(|rule| holds(rule) == Some(false));
    rules.next().or_else(|| match value {
        Value::Object(fields) => {
            let inner = |(name, value): (&String, &Value)| {
                broken(value, schema.property(name).or(schema.additional())?)
            };
            fields.iter().find_map(inner)
        }
        Value::Array(items) => items.iter().find_map(|item| broken(item, schema.items()?)),
        _ => None,
    })
}

/// Why there is no value.
#[derive(Debug, PartialEq)]
enum Stop {
    /// The rule fails, as for a field that is not there.
    Fails,
    /// It is not told here.
    Unknown,
}

struct Scope {
    names: Vec<(String, Value)>,
}

type Found = Result<Value, Stop>;

impl Scope {
    fn eval(&mut self, expr: &Expr) -> Found {
        match expr {
            Expr::Literal("string", Some(text)) => Ok(json!(text)),
            Expr::Literal("int" | "double" | "bool", Some(text)) => {
                serde_json::from_str(text).map_err(|_| Stop::Unknown)
            }
            Expr::Literal("null", _) => Ok(Value::Null),
            Expr::Ident(name) => {
                let found = self.names.iter().rev().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone()).ok_or(Stop::Unknown)
            }
            Expr::Select(operand, name, false) => {
                let operand = self.eval(operand)?;
                let fields = operand.as_object().ok_or(Stop::Fails)?;
                field(fields, name).cloned().ok_or(Stop::Fails)
            }
            Expr::Index(operand, index, false) => match (self.eval(operand)?, self.eval(index)?) {
                (Value::Array(items), Value::Number(at)) => {
                    let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
                    at.and_then(|at| items.get(at).cloned()).ok_or(Stop::Fails)
                }
                (Value::Object(entries), Value::String(key)) => entries.get(&key).cloned().ok_or(Stop::Fails),
                _ => Err(Stop::Unknown),
            },
            Expr::List(items) => {
                items.iter().map(|item| self.eval(item)).collect::<Result<_, _>>().map(Value::Array)
            }
            Expr::Call(name, target, arguments) => self.call(name, target.as_deref(), arguments),
            _ => Err(Stop::Unknown),
        }
    }

    fn call(&mut self, name: &str, target: Option<&Expr>, arguments: &[Expr]) -> Found {
        match (name, target, arguments) {
            ("_&&_" | "_||_", None, [left, right]) => {
                let decisive = json!(name == "_||_");
                // Either side can decide, whatever the other is.
                match (self.eval(left), self.eval(right)) {
                    (Ok(value), _) | (_, Ok(value)) if value == decisive => Ok(value),
                    (Err(Stop::Unknown), _) | (_, Err(Stop::Unknown)) => Err(Stop::Unknown),
                    (Err(Stop::Fails), _) | (_, Err(Stop::Fails)) => Err(Stop::Fails),
                    (Ok(_), Ok(value)) => Ok(value),
                }
            }
            ("_?_:_", None, [condition, yes, no]) => match self.eval(condition)? {
                Value::Bool(true) => self.eval(yes),
                Value::Bool(false) => self.eval(no),
                _ => Err(Stop::Unknown),
            },
            ("has", None, [Expr::Select(operand, name, false)]) => {
                let operand = self.eval(operand)?;
                // What is no object has no field, as an integer in place of a string.
                Ok(json!(operand.as_object().is_some_and(|fields| field(fields, name).is_some())))
            }
            ("all" | "exists" | "exists_one" | "existsOne", Some(target), [Expr::Ident(variable), body]) => {
                self.quantified(name, target, variable, body)
            }
            _ => {
                let values = target.into_iter().chain(arguments).map(|expr| self.eval(expr));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                if unsuited(name, &values) {
                    return Err(Stop::Fails);
                }
                apply(name, &values).ok_or(Stop::Unknown)
            }
        }
    }

    fn quantified(&mut self, name: &str, target: &Expr, variable: &str, body: &Expr) -> Found {
        let items = match self.eval(target)? {
            Value::Array(items) => items,
            Value::Object(entries) => entries.into_iter().map(|(key, _)| json!(key)).collect(),
            _ => return Err(Stop::Unknown),
        };
        let count = items.len();
        let mut held = 0;
        for item in items {
            self.names.push((variable.to_owned(), item));
            let value = self.eval(body);
            self.names.pop();
            // Another item could make up for a failure; that is rare.
            held += usize::from(value.map_err(|_| Stop::Unknown)?.as_bool().ok_or(Stop::Unknown)?);
        }
        Ok(json!(match name {
            "all" => held == count,
            "exists" => held > 0,
            _ => held == 1,
        }))
    }
}

/// A field by the name that it has in rules.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(key, _)| escape(key).as_deref() == Some(name)).map(|(_, v)| v))
}

/// The value of a function or operator; none when it is not known here.
fn apply(name: &str, values: &[Value]) -> Option<Value> {
    let order = |a: &Value, b: &Value| match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
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
        ("matches", [Value::String(text), Value::String(pattern)]) => {
            json!(Pattern::parse(pattern).ok()?.is_found(text)?)
        }
        _ => return None,
    })
}

/// Whether an operator is not for values of these types, which only a value of a type not known before can have.
fn unsuited(name: &str, values: &[Value]) -> bool {
    match (name, values) {
        ("size", [value]) => value.is_number() || value.is_boolean(),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => a.is_number() != b.is_number(),
        ("startsWith" | "endsWith" | "contains" | "matches", [value, _]) => !value.is_string(),
        _ => false,
    }
}

/// Numbers are equal by their value, `1` and `1.0`.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
        _ => a == b,
    }
}
