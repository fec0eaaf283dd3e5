//! What is written like a call but binds names, or does not look at its argument.

use super::infer::{Found, Scope, apply, boolean, list, select};
use super::parser::Expr;
use super::types::Type;

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

impl<'a> Scope<'a> {
    /// What is written like a call but binds names, or does not look at its argument.
    pub(super) fn r#macro(
        &mut self,
        name: &str,
        target: Option<&Expr>,
        arguments: &[Expr],
    ) -> Option<Found<'a>> {
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
