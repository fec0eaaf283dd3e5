//! What each function costs, by the sizes of what it is given.

use super::cost::{Local, Seen};
use super::parser::Expr;
use super::sizes::Size;
use super::types::Type;

/// A part of a size as a cost, rounded up.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate"
)]
fn part(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

/// The cost of going through a text.
fn through(size: u64) -> u64 {
    part(size, 0.1)
}

/// The cost of a function itself, and what is known of its result. A method's object is the first value; `items` is
/// the size of the items that it has, if it is a list.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn charge<'a>(
    name: &str,
    values: &[&Seen<'a>],
    arguments: &[Expr],
    items: Size,
) -> (u64, Local<'a>) {
    let sized = |size: Size| Local { size: Some(size), ..Local::default() };
    let max = |index: usize| values.get(index).map_or(u64::MAX, |value| value.max());
    let size = |index: usize| values.get(index).map_or(Size::UNKNOWN, |value| value.size());
    let list = |index: usize| matches!(values.get(index).map(|value| &value.kind), Some(Type::List(_)));
    let whole = |index: usize, otherwise| match arguments.get(index) {
        Some(Expr::Literal("int", Some(digits))) => digits.parse().unwrap_or(0),
        _ => otherwise,
    };
    // A pattern costs by its length for each character.
    let matching =
        |text: u64, pattern: u64| through(text.saturating_add(1)).saturating_mul(part(pattern, 0.25));
    let made = |factor: f64, size: Size| (part(size.max, factor).saturating_add(11), sized(size));
    match (name, values.len()) {
        ("_&&_" | "_||_", 2) => (0, Local::default()),
        ("_?_:_", 3) => {
            let entry = values[1].known.entry.zip(values[2].known.entry).map(|(a, b)| a.union(b));
            (0, Local { size: Some(size(1).union(size(2))), entry, ..Local::default() })
        }
        ("_+_", 2) => {
            let both = size(0).plus(size(1));
            let entry = values[0].known.entry.zip(values[1].known.entry).map(|(a, b)| a.union(b));
            let known = Local { size: Some(both), entry, ..Local::default() };
            match (&values[0].kind, &values[1].kind) {
                (Type::List(_), Type::List(_)) => (1, known),
                _ if values[0].text() && values[1].text() => (through(both.max), known),
                _ => (1, Local::default()),
            }
        }
        ("_==_", 2) if matches!(values[0].kind, Type::Plain("ip" | "cidr" | "quantity" | "semver")) => {
            (1, Local::default())
        }
        ("_==_" | "_!=_", 2) => (through(max(0).min(max(1))), Local::default()),
        ("_<_" | "_<=_" | "_>_" | "_>=_", 2) if values[0].text() && values[1].text() => {
            (through(max(0).min(max(1))), Local::default())
        }
        ("_in_", 2) if !matches!(values[1].kind, Type::Map(..)) => (max(1), Local::default()),
        ("startsWith" | "endsWith", 2) => (through(max(1)), Local::default()),
        ("contains", 2) => (through(max(0)).saturating_mul(through(max(1))), Local::default()),
        ("matches", 2) => (matching(max(0), max(1)), Local::default()),
        ("find" | "findAll", 2..) => (matching(max(0), max(1)), sized(Size { min: 0, max: max(0) })),
        ("bytes", 1) if values[0].text() => (through(max(0)), sized(size(0).times(Size { min: 1, max: 4 }))),
        ("string", 1) if matches!(values[0].kind, Type::Plain("bytes") | Type::Dyn) => {
            (through(max(0)), sized(Size { min: size(0).min / 4, max: max(0) }))
        }
        ("strings.quote", 1) => {
            let quoted =
                Size { min: size(0).min.saturating_add(2), max: max(0).saturating_mul(2).saturating_add(2) };
            (through(max(0)), sized(quoted))
        }
        ("format", 2) => (through(max(0)), Local::default()),
        ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf", 1..) => match &values[0].kind {
            Type::List(item) if matches!(**item, Type::Plain("string" | "bytes")) => {
                (max(0).saturating_mul(through(items.max).saturating_add(1)), Local::default())
            }
            Type::List(_) => (max(0), Local::default()),
            _ => (through(max(0)), Local::default()),
        },
        ("url" | "lowerAscii" | "upperAscii" | "substring" | "trim", 1..) => {
            (through(max(0)), sized(size(0)))
        }
        ("replace", 3..) => (part(max(0), 0.2), sized(replaced(size(0), size(1), size(2)))),
        ("split", 2..) => {
            let most = whole(1, max(0));
            (part(max(0), 0.2), sized(Size { min: 0, max: most }))
        }
        ("join", 1..) => {
            let mut text = size(0).times(items);
            if values.len() > 1 {
                let gaps = Size { min: size(0).min.saturating_sub(1), max: max(0).saturating_sub(1) };
                text = text.plus(size(1).times(gaps));
            }
            (through(text.max), sized(text))
        }
        ("cidr" | "isIP" | "isCIDR" | "quantity" | "isQuantity" | "semver" | "isSemver", 1..) => {
            (through(max(0)), Local::default())
        }
        ("ip", 1) if values[0].text() => (through(max(0)), Local::default()),
        ("ip.isCanonical", 1) => (part(max(0), 0.2), Local::default()),
        ("containsIP", 2) if values[1].text() => (4_u64.saturating_add(through(max(1))), Local::default()),
        ("containsIP", 2) => (4, Local::default()),
        ("containsCIDR", 2) if values[1].text() => (7_u64.saturating_add(through(max(1))), Local::default()),
        ("containsCIDR", 2) => (7, Local::default()),
        ("validate", 2) => (part(through(max(1)), 32.0), Local::default()),
        ("sets.contains" | "sets.intersects", 2) => {
            (max(0).saturating_mul(max(1)).saturating_add(1), Local::default())
        }
        ("sets.equivalent", 2) => {
            (max(0).saturating_mul(max(1)).saturating_mul(2).saturating_add(1), Local::default())
        }
        ("slice", 3) => made(1.0, Size::exactly(whole(1, max(0)).wrapping_sub(whole(0, 0)))),
        ("lists.range", 1) => made(1.0, Size::exactly(whole(0, u64::MAX))),
        ("reverse", 1) if list(0) => made(1.0, size(0)),
        ("flatten", 1..) => {
            let depth = if values.len() > 1 { whole(0, u64::MAX) } else { 1 };
            let (cost, known) = made(1.0, size(0));
            ((cost - 11).saturating_mul(depth).saturating_add(11), known)
        }
        ("distinct", 1) => made(2.0, size(0).times(size(0))),
        ("sort", 1) => match &values[0].kind {
            Type::List(item) if matches!(**item, Type::Plain("string" | "bytes")) => {
                made(2.1, size(0).times(size(0)))
            }
            _ => made(2.0, size(0).times(size(0))),
        },
        _ => (1, Local::default()),
    }
}

/// The size of a text in which each `from` is replaced by `to`.
fn replaced(text: Size, from: Size, to: Size) -> Size {
    let most = if from.min == 0 {
        text.max.saturating_add(1).saturating_mul(to.max).saturating_add(text.max)
    } else if to.max <= from.min {
        text.max
    } else {
        text.max.div_ceil(from.min).saturating_mul(to.max)
    };
    let least = if from.max == 0 {
        text.min.saturating_add(1).saturating_mul(to.min).saturating_add(text.min)
    } else if from.max <= to.min {
        text.min
    } else {
        text.min.div_ceil(from.max).saturating_mul(to.min)
    };
    Size { min: least, max: most }
}
