//! What a rule costs at most, in the API server's own units; it refuses rules that could keep it busy.
//!
//! An estimate from the largest sizes that the schema allows, by the arithmetic of `cel-go` and of Kubernetes's own
//! functions, down to their oddities: what matters is whether the API server takes the rule.

use super::charges::charge;
use super::infer::Types;
use super::parser::Expr;
use super::sizes::{Size, Sizes, Spot};
use super::types::Type;
use crate::manifests::crd::validate::schema::Schema;

/// What one rule may cost, with all values that it can be about.
pub(super) const RULE: u64 = 10_000_000;
/// What all rules of a version may cost.
pub(super) const VERSION: u64 = 100_000_000;

/// Estimates a rule.
pub(super) struct Coster<'a, 's> {
    root: Spot<'a>,
    /// The types of all parts of the rule.
    types: Types<'a>,
    sizes: &'s Sizes,
    locals: Vec<(String, Local<'a>)>,
}

/// What is known of a value beyond its type.
#[derive(Clone, Copy, Default)]
pub(super) struct Local<'a> {
    /// Where it comes from, if from somewhere.
    pub(super) path: Option<Spot<'a>>,
    pub(super) size: Option<Size>,
    pub(super) entry: Option<Entry>,
}

/// The sizes of the keys and the values of a list or map.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    key: Size,
    value: Size,
}

/// An expression, estimated.
pub(super) struct Seen<'a> {
    pub(super) cost: u64,
    pub(super) known: Local<'a>,
    pub(super) kind: Type<'a>,
}

impl Seen<'_> {
    pub(super) fn size(&self) -> Size {
        self.known.size.unwrap_or(Size::UNKNOWN)
    }

    pub(super) fn max(&self) -> u64 {
        self.size().max
    }

    pub(super) fn text(&self) -> bool {
        matches!(self.kind, Type::Plain("string" | "bytes") | Type::Dyn)
    }
}

impl<'a, 's> Coster<'a, 's> {
    pub(super) fn new(root: Schema<'a>, whole: bool, types: Types<'a>, sizes: &'s Sizes) -> Self {
        Self { root: Spot::Schema(root, whole), types, sizes, locals: Vec::new() }
    }

    /// The most that evaluating an expression costs.
    pub(super) fn cost(&mut self, expr: &Expr) -> u64 {
        self.see(expr).cost
    }

    /// The type that was found before.
    fn kind(&self, expr: &Expr) -> Type<'a> {
        self.types.get(&std::ptr::from_ref(expr)).cloned().unwrap_or(Type::Dyn)
    }

    /// What is one step further; the first name of a path is not looked at.
    fn step(&self, path: Option<Spot<'a>>, step: &str) -> Spot<'a> {
        path.map_or(self.root, |spot| spot.step(step))
    }

    fn see(&mut self, expr: &Expr) -> Seen<'a> {
        let kind = self.kind(expr);
        let (cost, mut known) = match expr {
            Expr::Literal(kind, text) => {
                let size = if *kind == "string" {
                    text.as_deref().map_or(0, |text| text.chars().count() as u64)
                } else {
                    1
                };
                (0, Local { size: Some(Size::exactly(size)), ..Local::default() })
            }
            Expr::Ident(name) => (1, self.variable(name)),
            Expr::Select(operand, name, optional) => self.select(operand, name, *optional),
            Expr::Index(operand, index, optional) => {
                let (range, index) = (self.see(operand), self.see(index));
                let step = if matches!(range.kind, Type::Map(..)) { "@values" } else { "@items" };
                let size = range.known.entry.map(|entry| entry.value);
                let path = (!optional).then(|| self.step(range.known.path, step));
                (range.cost.saturating_add(index.cost).saturating_add(1), Local { path, size, entry: None })
            }
            Expr::List(items) => {
                let items: Vec<Seen<'a>> = items.iter().map(|item| self.see(item)).collect();
                (sum(&items).saturating_add(10), literal(items.len(), Size::exactly(1), joined(&items)))
            }
            Expr::Map(entries) => {
                let keys: Vec<Seen<'a>> = entries.iter().map(|(key, _)| self.see(key)).collect();
                let values: Vec<Seen<'a>> = entries.iter().map(|(_, value)| self.see(value)).collect();
                let cost = sum(&keys).saturating_add(sum(&values)).saturating_add(30);
                (cost, literal(keys.len(), joined(&keys), joined(&values)))
            }
            Expr::Call(name, target, arguments) => self.call(name, target.as_deref(), arguments),
        };
        if known.size.is_none() {
            known.size = self.declared(known.path).or(scalar(&kind).then_some(Size::exactly(1)));
        }
        Seen { cost, known, kind }
    }

    /// The size that the schema gives to what is at a path.
    fn declared(&self, path: Option<Spot<'a>>) -> Option<Size> {
        self.sizes.at(path?).map(|max| Size { min: 0, max })
    }

    fn variable(&self, name: &str) -> Local<'a> {
        let local = self.locals.iter().rev().find(|(known, _)| known == name);
        let Some((_, local)) = local else {
            return Local { path: Some(self.root), ..Local::default() };
        };
        // What the schema says comes first.
        Local { size: self.declared(local.path).or(local.size), ..*local }
    }

    fn select(&mut self, operand: &Expr, name: &str, optional: bool) -> (u64, Local<'a>) {
        let operand = self.see(operand);
        if optional {
            return (operand.cost.saturating_add(1), Local::default());
        }
        let step = u64::from(matches!(operand.kind, Type::Map(..) | Type::Object(_)));
        let path = Some(self.step(operand.known.path, name));
        (operand.cost.saturating_add(step), Local { path, ..Local::default() })
    }

    fn call(&mut self, name: &str, target: Option<&Expr>, arguments: &[Expr]) -> (u64, Local<'a>) {
        match (name, target, arguments) {
            ("has", None, [Expr::Select(operand, ..)]) => return (self.see(operand).cost, Local::default()),
            ("dyn", None, [argument]) => {
                let seen = self.see(argument);
                return (seen.cost.saturating_add(1), Local { path: None, ..seen.known });
            }
            ("optMap" | "optFlatMap", Some(target), [Expr::Ident(variable), body]) => {
                let target = self.see(target);
                let body = self.with(&[(variable, Local::default())], |coster| coster.see(body).cost);
                return (
                    target.cost.saturating_mul(2).saturating_add(body).saturating_add(13),
                    Local::default(),
                );
            }
            ("sortBy", Some(target), [Expr::Ident(variable), body]) => {
                let body = std::slice::from_ref(body);
                let (cost, known) = self.comprehension("map", target, variable, body);
                let mapped = Seen { cost, known, kind: Type::List(Box::new(self.kind(&body[0]))) };
                let (own, known) = charge("sort", &[&mapped], &[], Size::UNKNOWN);
                return (own.saturating_add(cost).saturating_add(12), known);
            }
            (_, Some(target), [Expr::Ident(first), rest @ ..])
                if !rest.is_empty() && super::macros::loops(name) =>
            {
                return self.comprehension(name, target, first, rest);
            }
            _ => {}
        }
        let space = match target {
            // What is no value was given no type.
            Some(of @ Expr::Ident(space)) if !self.types.contains_key(&std::ptr::from_ref(of)) => Some(space),
            _ => None,
        };
        let name = space.map_or(name.to_owned(), |space| format!("{space}.{name}"));
        let target = target.filter(|_| space.is_none()).map(|target| self.see(target));
        let seen: Vec<Seen<'a>> = arguments.iter().map(|argument| self.see(argument)).collect();
        let values: Vec<&Seen<'a>> = target.iter().chain(&seen).collect();
        let items = values.first().map_or(Size::UNKNOWN, |value| self.items(value));
        let (own, known) = charge(&name, &values, arguments, items);
        let all = values.iter().fold(own, |cost, value| cost.saturating_add(value.cost));
        // Only one of two branches is taken.
        let spared = if name == "_?_:_" { seen[1].cost.min(seen[2].cost) } else { 0 };
        (if all == u64::MAX { all } else { all - spared }, known)
    }

    /// The size of the items of a list, as the schema says.
    fn items(&self, list: &Seen<'a>) -> Size {
        let path = list.known.path.map(|spot| spot.step("@items"));
        self.declared(path).unwrap_or(Size::UNKNOWN)
    }

    /// Goes on with further variables.
    fn with<T>(&mut self, names: &[(&String, Local<'a>)], body: impl FnOnce(&mut Self) -> T) -> T {
        let known = self.locals.len();
        self.locals.extend(names.iter().map(|(name, local)| ((*name).clone(), *local)));
        let result = body(self);
        self.locals.truncate(known);
        result
    }

    fn comprehension(
        &mut self,
        name: &str,
        target: &Expr,
        first: &String,
        rest: &[Expr],
    ) -> (u64, Local<'a>) {
        let range = self.see(target);
        let is_map = !matches!(range.kind, Type::List(_));
        let entry = range.known.entry;
        let inner = |step: &str, size: Option<Size>| Local {
            path: Some(self.step(range.known.path, step)),
            size,
            entry: None,
        };
        let by_key = || inner(if is_map { "@keys" } else { "@indices" }, entry.map(|entry| entry.key));
        let by_value = || inner(if is_map { "@values" } else { "@items" }, entry.map(|entry| entry.value));
        let two = match rest {
            [Expr::Ident(second), _, ..] if name != "map" => Some(second),
            _ => None,
        };
        let names = match two {
            Some(second) => vec![(first, by_key()), (second, by_value())],
            None if is_map => vec![(first, by_key())],
            None => vec![(first, by_value())],
        };
        let bodies = if two.is_some() { &rest[1..] } else { rest };
        let bodies =
            self.with(&names, |coster| bodies.iter().map(|body| coster.see(body)).collect::<Vec<_>>());
        let body = sum(&bodies);
        let filter = bodies.len() - 1;
        // What the loop around the body costs: before and after it, and each time.
        let (once, each) = match name {
            "all" => (1, 3),
            "exists" => (1, 4),
            "exists_one" | "existsOne" => (2, 2),
            "filter" => (11, 13),
            "map" | "transformList" => (11, 12),
            "transformMap" => (31, 3),
            _ => (31, 2),
        };
        let count = range.size();
        let around = count.max.saturating_mul(body.saturating_add(each)).saturating_add(once);
        let known = match name {
            "all" | "exists" | "exists_one" | "existsOne" => {
                Local { size: Some(Size::exactly(1)), ..Local::default() }
            }
            _ => {
                let value = match name {
                    "filter" => names[0].1.size.or_else(|| self.declared(names[0].1.path)),
                    _ => bodies[filter].known.size,
                };
                // The sizes are those of the empty list to begin with and of each item.
                let value = value.unwrap_or(Size::UNKNOWN).union(Size { min: 0, max: 0 });
                let entry = Entry { key: Size::exactly(1), value };
                Local { path: None, size: Some(count), entry: Some(entry) }
            }
        };
        (range.cost.saturating_add(around), known)
    }
}

impl Entry {
    pub(super) fn union(self, other: Self) -> Self {
        Self { key: self.key.union(other.key), value: self.value.union(other.value) }
    }
}

fn sum(seen: &[Seen<'_>]) -> u64 {
    seen.iter().fold(0, |sum: u64, seen| sum.saturating_add(seen.cost))
}

/// The size that fits all.
fn joined(seen: &[Seen<'_>]) -> Size {
    seen.iter().map(Seen::size).reduce(Size::union).unwrap_or(Size { min: 0, max: 0 })
}

fn literal<'a>(count: usize, key: Size, value: Size) -> Local<'a> {
    Local { path: None, size: Some(Size::exactly(count as u64)), entry: Some(Entry { key, value }) }
}

/// Whether values of a type are of one size.
fn scalar(kind: &Type<'_>) -> bool {
    match kind {
        Type::Plain(name) => ["bool", "double", "duration", "int", "timestamp", "uint"].contains(name),
        Type::Optional(inner) => scalar(inner),
        _ => false,
    }
}
