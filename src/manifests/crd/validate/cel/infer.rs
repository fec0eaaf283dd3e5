//! The type of each part of an expression, and what does not fit together.

use std::collections::HashMap;

use super::parser::Expr;
use super::signatures::{self, join};
use super::types::Type;
use crate::limits::DEPTH;
use crate::manifests::crd::validate::pattern::Pattern;

/// The most that a type can be made of: what is nested as deep as an expression can be.
const LARGEST: usize = 2 * DEPTH;

/// The names of types, which are values as well.
const TYPES: [&str; 13] = [
    "bool",
    "bytes",
    "double",
    "duration",
    "int",
    "list",
    "map",
    "null_type",
    "optional_type",
    "string",
    "timestamp",
    "type",
    "uint",
];
const NUMBERS: [&str; 3] = ["double", "int", "uint"];
const ORDERED: [&str; 8] = ["bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"];

/// What names stand for.
pub(super) struct Scope<'a> {
    names: Vec<(String, Type<'a>)>,
    /// The type of each part of the expression, by its place in memory.
    found: Types<'a>,
    /// Whether the old value was looked at.
    pub(super) uses_old_self: bool,
}

/// The types of the parts of an expression that is not moved while they are looked up, by their places in memory.
pub(super) type Types<'a> = HashMap<*const Expr, Type<'a>>;

pub(super) type Found<'a> = Result<Type<'a>, String>;

pub(super) fn boolean<'a>() -> Type<'a> {
    Type::Plain("bool")
}

pub(super) fn list(items: Type<'_>) -> Type<'_> {
    Type::List(Box::new(items))
}

impl<'a> Scope<'a> {
    /// The names of a rule on a value of a type; an optional old value is absent when the object is new.
    pub(super) fn new(value: Type<'a>, optional_old: bool) -> Self {
        let old = if optional_old { Type::Optional(Box::new(value.clone())) } else { value.clone() };
        let names = vec![("self".into(), value), ("oldSelf".into(), old)];
        Self { names, found: Types::new(), uses_old_self: false }
    }

    /// The types found.
    pub(super) fn into_types(self) -> Types<'a> {
        self.found
    }

    /// Adds a name that hides others of its kind.
    pub(super) fn push(&mut self, name: &str, kind: Type<'a>) {
        self.names.push((name.to_owned(), kind));
    }

    /// Takes names away that were added.
    pub(super) fn pop(&mut self, count: usize) {
        self.names.truncate(self.names.len().saturating_sub(count));
    }

    /// The type of an expression.
    pub(super) fn infer(&mut self, expr: &Expr) -> Found<'a> {
        let found = self.typed(expr)?;
        if found.size(LARGEST) > LARGEST {
            return Err(format!("a value in it has a type of more than {LARGEST} parts"));
        }
        self.found.insert(expr, found.clone());
        Ok(found)
    }

    fn typed(&mut self, expr: &Expr) -> Found<'a> {
        match expr {
            Expr::Literal(kind, _) => Ok(Type::Plain(kind)),
            Expr::Ident(name) => self.ident(name),
            Expr::Select(operand, name, optional) => {
                let operand = self.infer(operand)?;
                let found = select(&operand, name)?;
                Ok(match found {
                    Type::Optional(_) => found,
                    found if *optional => Type::Optional(Box::new(found)),
                    found => found,
                })
            }
            Expr::Index(operand, index, optional) => {
                let (operand, index) = (self.infer(operand)?, self.infer(index)?);
                let found = apply("_[_]", false, &[operand, index])?;
                Ok(match found {
                    Type::Optional(_) => found,
                    found if *optional => Type::Optional(Box::new(found)),
                    found => found,
                })
            }
            Expr::List(items) => self.alike(items, "the items of a list").map(list),
            Expr::Map(entries) => {
                let keys = self.alike(entries.iter().map(|(key, _)| key), "the keys of a map")?;
                let values = self.alike(entries.iter().map(|(_, value)| value), "the values of a map")?;
                Ok(Type::Map(Box::new(keys), Box::new(values)))
            }
            Expr::Call(name, target, arguments) => self.call(name, target.as_deref(), arguments),
        }
    }

    fn ident(&mut self, name: &str) -> Found<'a> {
        if let Some((_, found)) = self.names.iter().rev().find(|(known, _)| known == name) {
            self.uses_old_self |= name == "oldSelf";
            return Ok(found.clone());
        }
        if TYPES.contains(&name) {
            return Ok(Type::Plain("type"));
        }
        let names: Vec<String> = self.names.iter().map(|(name, _)| format!("`{name}`")).collect();
        Err(format!("there is no `{name}` here, only {}", names.join(", ")))
    }

    /// The one type of several expressions.
    fn alike<'e>(&mut self, items: impl IntoIterator<Item = &'e Expr>, what: &str) -> Found<'a> {
        let mut common: Option<Type<'a>> = None;
        for item in items {
            let found = self.infer(item)?;
            common = Some(match common {
                None => found,
                Some(known) => join(&known, &found)
                    .ok_or_else(|| format!("{what} are of different types, {known} and {found}"))?,
            });
        }
        Ok(common.unwrap_or(Type::Dyn))
    }

    fn call(&mut self, name: &str, target: Option<&Expr>, arguments: &[Expr]) -> Found<'a> {
        if let Some(found) = self.r#macro(name, target, arguments) {
            return found;
        }
        if let Some(Expr::Ident(space)) = target {
            let qualified = format!("{space}.{name}");
            if signatures::exists(&qualified) && !self.names.iter().any(|(known, _)| known == space) {
                let types = self.all(arguments)?;
                return apply(&qualified, false, &types);
            }
        }
        let mut types = Vec::new();
        if let Some(target) = target {
            types.push(self.infer(target)?);
        }
        types.extend(self.all(arguments)?);
        if name.ends_with("matches")
            && let Some(Expr::Literal(_, Some(pattern))) = arguments.last()
            && let Err(why) = Pattern::parse(pattern)
        {
            return Err(format!("`{pattern}` is no regular expression of RE2: {why}"));
        }
        apply(name, target.is_some(), &types)
    }

    pub(super) fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Type<'a>>, String> {
        exprs.iter().map(|expr| self.infer(expr)).collect()
    }
}

pub(super) fn select<'a>(operand: &Type<'a>, name: &str) -> Found<'a> {
    operand.field(name).ok_or_else(|| match operand {
        Type::Object(object) => {
            let fields: Vec<String> = object.fields(9).iter().map(|field| format!("`{field}`")).collect();
            match fields.len() {
                1..=8 => format!("there is no field `{name}`, only {}", fields.join(", ")),
                _ => format!("there is no field `{name}`"),
            }
        }
        other => format!("{other} has no field `{name}`"),
    })
}

/// The type of a function's or operator's result.
pub(super) fn apply<'a>(name: &str, method: bool, types: &[Type<'a>]) -> Found<'a> {
    if let ["_<_" | "_<=_" | "_>_" | "_>=_", ..] = [name] {
        return match types {
            [Type::Dyn, _] | [_, Type::Dyn] => Ok(boolean()),
            [Type::Plain(a), Type::Plain(b)]
                if (a == b && ORDERED.contains(a)) || (NUMBERS.contains(a) && NUMBERS.contains(b)) =>
            {
                Ok(boolean())
            }
            _ => Err(mismatch(name, types)),
        };
    }
    match signatures::call(name, method, types) {
        Some(found) => Ok(found),
        None if signatures::exists(name) => Err(mismatch(name, types)),
        None => Err(format!("there is no function `{name}`")),
    }
}

fn mismatch(name: &str, types: &[Type<'_>]) -> String {
    let types: Vec<String> = types.iter().map(ToString::to_string).collect();
    let operator = name.trim_matches('_');
    let (what, name) = if operator == name { ("function", name) } else { ("operator", operator) };
    format!("{what} `{name}` is not for {}", types.join(" and "))
}
