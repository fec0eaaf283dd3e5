//! The type of each part of an expression, and what does not fit together.

use super::parser::Expr;
use super::signatures::{self, join};
use super::types::Type;
use crate::manifests::crd::validate::pattern::Pattern;

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
    /// Whether the old value was looked at.
    pub(super) uses_old_self: bool,
}

/// Whether a method goes through a list or map, with names for what it finds there.
pub(super) fn loops(name: &str) -> bool {
    [
        "all",
        "exists",
        "exists_one",
        "existsOne",
        "filter",
        "map",
        "transformList",
        "transformMap",
        "transformMapEntry",
    ]
    .contains(&name)
}

type Found<'a> = Result<Type<'a>, String>;

fn boolean<'a>() -> Type<'a> {
    Type::Plain("bool")
}

fn list(items: Type<'_>) -> Type<'_> {
    Type::List(Box::new(items))
}

impl<'a> Scope<'a> {
    /// The names of a rule on a value of a type; an optional old value is absent when the object is new.
    pub(super) fn new(value: Type<'a>, optional_old: bool) -> Self {
        let old = if optional_old { Type::Optional(Box::new(value.clone())) } else { value.clone() };
        Self { names: vec![("self".into(), value), ("oldSelf".into(), old)], uses_old_self: false }
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
                let (keys, values): (Vec<_>, Vec<_>) = entries.iter().cloned().unzip();
                let keys = self.alike(&keys, "the keys of a map")?;
                let values = self.alike(&values, "the values of a map")?;
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
    fn alike(&mut self, items: &[Expr], what: &str) -> Found<'a> {
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

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Type<'a>>, String> {
        exprs.iter().map(|expr| self.infer(expr)).collect()
    }

    /// What is written like a call but binds names, or does not look at its argument.
    fn r#macro(&mut self, name: &str, target: Option<&Expr>, arguments: &[Expr]) -> Option<Found<'a>> {
        match (name, target, arguments) {
            ("has", None, [argument]) => Some(self.has(argument)),
            // The only list whose items may be of different types.
            ("format", Some(target), [Expr::List(items)]) => Some(self.infer(target).and_then(|target| {
                self.all(items)?;
                apply(name, true, &[target, list(Type::Dyn)])
            })),
            ("optMap" | "optFlatMap", Some(target), [Expr::Ident(variable), body]) => {
                Some(self.opt_map(target, variable, body, name == "optMap"))
            }
            ("sortBy", Some(target), [Expr::Ident(variable), body]) => {
                Some(self.ranged(target).and_then(|(range, _, item)| {
                    self.with(&[(variable, item)], body)?;
                    Ok(range)
                }))
            }
            (
                "all" | "exists" | "exists_one" | "existsOne" | "filter" | "map" | "transformList"
                | "transformMap" | "transformMapEntry",
                Some(target),
                [Expr::Ident(first), rest @ ..],
            ) if !rest.is_empty() => Some(self.comprehension(name, target, first, rest)),
            _ => None,
        }
    }

    fn has(&mut self, argument: &Expr) -> Found<'a> {
        let Expr::Select(operand, name, false) = argument else {
            return Err("`has` takes a field, as in `has(self.name)`".into());
        };
        let operand = self.infer(operand)?;
        select(&operand, name).map(|_| boolean())
    }

    /// Infers an expression in which further names are known.
    fn with(&mut self, names: &[(&String, Type<'a>)], body: &Expr) -> Found<'a> {
        for (name, kind) in names {
            self.push(name, kind.clone());
        }
        let found = self.infer(body);
        self.pop(names.len());
        found
    }

    fn opt_map(&mut self, target: &Expr, variable: &String, body: &Expr, wrap: bool) -> Found<'a> {
        let inner = match self.infer(target)? {
            Type::Optional(inner) => *inner,
            Type::Dyn => Type::Dyn,
            other => return Err(format!("{other} is no optional value")),
        };
        let found = self.with(&[(variable, inner)], body)?;
        Ok(if wrap { Type::Optional(Box::new(found)) } else { found })
    }

    /// What can be gone through: itself, its keys and its values. A list has indices for keys.
    fn ranged(&mut self, target: &Expr) -> Result<(Type<'a>, Type<'a>, Type<'a>), String> {
        let range = self.infer(target)?;
        match &range {
            Type::List(items) => Ok((range.clone(), Type::Plain("int"), (**items).clone())),
            Type::Map(keys, values) => Ok((range.clone(), (**keys).clone(), (**values).clone())),
            Type::Dyn => Ok((Type::Dyn, Type::Dyn, Type::Dyn)),
            other => Err(format!("{other} is neither a list nor a map, which `all` and its like go through")),
        }
    }

    fn comprehension(&mut self, name: &str, target: &Expr, first: &String, rest: &[Expr]) -> Found<'a> {
        let (range, key, value) = self.ranged(target)?;
        let is_map = matches!(range, Type::Map(..));
        let one = if is_map { key.clone() } else { value.clone() };
        let condition = |found: Type<'a>| match found {
            Type::Dyn | Type::Plain("bool") => Ok(()),
            other => Err(format!("a condition in `{name}` is of type {other}, not bool")),
        };
        match (name, rest) {
            ("all" | "exists" | "exists_one" | "existsOne", [body]) => {
                condition(self.with(&[(first, one)], body)?)?;
                Ok(boolean())
            }
            ("all" | "exists" | "exists_one" | "existsOne", [Expr::Ident(second), body]) => {
                condition(self.with(&[(first, key), (second, value)], body)?)?;
                Ok(boolean())
            }
            ("filter", [body]) => {
                condition(self.with(&[(first, one.clone())], body)?)?;
                Ok(list(one))
            }
            ("map", [body]) => self.with(&[(first, one)], body).map(list),
            ("map", [filter, body]) => {
                condition(self.with(&[(first, one.clone())], filter)?)?;
                self.with(&[(first, one)], body).map(list)
            }
            (
                "transformList" | "transformMap" | "transformMapEntry",
                [Expr::Ident(second), more @ .., body],
            ) if more.len() < 2 => {
                let names = [(first, key.clone()), (second, value)];
                for filter in more {
                    condition(self.with(&names, filter)?)?;
                }
                let found = self.with(&names, body)?;
                Ok(match name {
                    "transformList" => list(found),
                    "transformMap" => Type::Map(Box::new(key), Box::new(found)),
                    _ => found,
                })
            }
            _ => Err(format!("`{name}` does not take {} arguments", rest.len() + 1)),
        }
    }
}

fn select<'a>(operand: &Type<'a>, name: &str) -> Found<'a> {
    operand.field(name).ok_or_else(|| match operand {
        Type::Object(object) => {
            let fields: Vec<String> = object.fields().iter().map(|field| format!("`{field}`")).collect();
            match fields.len() {
                1..=8 => format!("there is no field `{name}`, only {}", fields.join(", ")),
                _ => format!("there is no field `{name}`"),
            }
        }
        other => format!("{other} has no field `{name}`"),
    })
}

/// The type of a function's or operator's result.
fn apply<'a>(name: &str, method: bool, types: &[Type<'a>]) -> Found<'a> {
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
