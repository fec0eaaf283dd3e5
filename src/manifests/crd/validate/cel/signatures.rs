//! Which function can be called with what.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::types::{Object, Type};

/// One way to call a function.
struct Signature {
    /// Whether the first argument stands before the dot.
    method: bool,
    arguments: Vec<Type<'static>>,
    result: Type<'static>,
}

/// The signatures of a function, by its name.
static FUNCTIONS: LazyLock<HashMap<&str, Vec<Signature>>> = LazyLock::new(|| {
    let mut functions: HashMap<&str, Vec<Signature>> = HashMap::new();
    for line in include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, signature)) = signature(line) {
            functions.entry(name).or_default().push(signature);
        }
    }
    functions
});

/// Names with a dot in them, whose first part is not a value.
const SPACES: [&str; 6] = ["format", "ip", "lists", "optional", "sets", "strings"];

fn signature(line: &'static str) -> Option<(&'static str, Signature)> {
    let (call, rest) = line.split_once('(')?;
    let (arguments, result) = rest.split_once(')')?;
    let (receiver, name) = match call.rsplit_once('.') {
        // `ip` is the name of a type and of a space; only one function is in that space.
        Some((space, _)) if SPACES.contains(&space) && (space != "ip" || call == "ip.isCanonical") => {
            let method = space == "format" && call.ends_with(".validate");
            if method { (Some("format"), "validate") } else { (None, call) }
        }
        Some((receiver, name)) => (Some(receiver), name),
        None => (None, call),
    };
    let arguments = receiver.into_iter().chain(split(arguments)).map(parse).collect();
    Some((name, Signature { method: receiver.is_some(), arguments, result: parse(result.trim()) }))
}

/// The parts between commas that are in no brackets.
fn split(text: &'static str) -> Vec<&'static str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn parse(text: &'static str) -> Type<'static> {
    let inner = text.split_once('<').and_then(|(name, rest)| Some((name, split(rest.strip_suffix('>')?))));
    let boxed = |part: &&'static str| Box::new(parse(part));
    match inner.as_ref().map(|(name, parts)| (*name, parts.as_slice())) {
        Some(("list", [items])) => Type::List(boxed(items)),
        Some(("map", [keys, values])) => Type::Map(boxed(keys), boxed(values)),
        Some(("optional", [inner])) => Type::Optional(boxed(inner)),
        _ if text == "dyn" => Type::Dyn,
        _ => match text.as_bytes() {
            [letter @ b'A'..=b'Z'] => Type::Param(char::from(*letter)),
            _ => Type::Plain(text),
        },
    }
}

/// Whether there is a function of this name.
pub(super) fn exists(name: &str) -> bool {
    FUNCTIONS.contains_key(name)
}

/// The type of a call's result, if the function can be called so.
pub(super) fn call<'a>(name: &str, method: bool, arguments: &[Type<'a>]) -> Option<Type<'a>> {
    let signatures = FUNCTIONS.get(name).map(Vec::as_slice).unwrap_or_default();
    let mut results = signatures.iter().filter(|s| s.method == method).filter_map(|signature| {
        let mut bound = HashMap::new();
        let same = signature.arguments.len() == arguments.len();
        let fit = same
            && signature
                .arguments
                .iter()
                .zip(arguments)
                .all(|(formal, actual)| fits(formal, actual, &mut bound));
        fit.then(|| replace(&signature.result, &bound))
    });
    let first = results.next()?;
    Some(if results.all(|other| other == first) { first } else { Type::Dyn })
}

/// Whether a value can be used where the type of a signature is asked for; binds the letters in it.
fn fits<'a>(formal: &Type<'static>, actual: &Type<'a>, bound: &mut HashMap<char, Type<'a>>) -> bool {
    match (formal, actual) {
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::Param(letter), actual) => match bound.get(letter) {
            Some(known) => {
                let joined = join(known, actual);
                let fit = joined.is_some();
                bound.extend(joined.map(|joined| (*letter, joined)));
                fit
            }
            None => bound.insert(*letter, actual.clone()).is_none(),
        },
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => fits(a, b, bound),
        (Type::Map(a, b), Type::Map(c, d)) => fits(a, c, bound) && fits(b, d, bound),
        (Type::Plain(a), Type::Plain(b)) => a == b || (*b == "null" && nullable(formal)),
        _ => false,
    }
}

/// The type of a value that is of one of two types, if there is one.
pub(super) fn join<'a>(one: &Type<'a>, other: &Type<'a>) -> Option<Type<'a>> {
    let null = |t: &Type<'_>| *t == Type::Plain("null");
    match (one, other) {
        (Type::Dyn, _) | (_, Type::Dyn) => Some(Type::Dyn),
        (Type::List(a), Type::List(b)) => Some(Type::List(Box::new(join(a, b)?))),
        (Type::Optional(a), Type::Optional(b)) => Some(Type::Optional(Box::new(join(a, b)?))),
        (Type::Map(a, b), Type::Map(c, d)) => Some(Type::Map(Box::new(join(a, c)?), Box::new(join(b, d)?))),
        (a, b) if a == b => Some(a.clone()),
        (a, b) if null(b) && nullable(a) => Some(a.clone()),
        (a, b) if null(a) && nullable(b) => Some(b.clone()),
        _ => None,
    }
}

/// Whether null can stand for a value of the type.
fn nullable(t: &Type<'_>) -> bool {
    match t {
        Type::Object(Object::Struct(..) | Object::Metadata) | Type::Optional(_) => true,
        Type::Plain(name) => !["bool", "bytes", "double", "int", "string", "type", "uint"].contains(name),
        _ => false,
    }
}

fn replace<'a>(formal: &Type<'static>, bound: &HashMap<char, Type<'a>>) -> Type<'a> {
    let inner = |t: &Type<'static>| Box::new(replace(t, bound));
    match formal {
        Type::Param(letter) => bound.get(letter).cloned().unwrap_or(Type::Dyn),
        Type::List(items) => Type::List(inner(items)),
        Type::Optional(value) => Type::Optional(inner(value)),
        Type::Map(keys, values) => Type::Map(inner(keys), inner(values)),
        Type::Plain(name) => Type::Plain(name),
        Type::Dyn | Type::Object(_) => Type::Dyn,
    }
}
