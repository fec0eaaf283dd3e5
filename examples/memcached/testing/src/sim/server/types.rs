//! The types of the built-in kinds, read from `types.txt`. A line there is a type:
//!
//! ```text
//! core.v1.ContainerPort containerPort!*:i hostIP:s hostPort:i name:s protocol:s="TCP"
//! ```
//!
//! A field is its name; `?` if it is a pointer in Go, `!` if it is written though empty, `*` if it is required; its type;
//! its default; and after `~` how a strategic merge patch takes it. A type is a letter for a scalar (`s`tring, `i`nteger,
//! `n`umber, `b`oolean, int-`o`r-string, `q`uantity, `t`ime, `u` with microseconds, `x` bytes) or `r` for anything, a named
//! type after `@`, a list after `[`, a set after `<`, a list with keys after `(key,key)`, a map after `{`. `^` makes a map
//! one value.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::schema::{Field, Map, Relation, Scalar, Schema, Shape};

static TYPES: LazyLock<BTreeMap<String, Arc<Schema>>> = LazyLock::new(|| {
    let lines = include_str!("types.txt").lines().filter(|line| !line.starts_with('#'));
    let mut reader = Reader { lines: BTreeMap::new(), done: BTreeMap::new() };
    for line in lines {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        reader.lines.insert(name.trim_end_matches('^'), (name.ends_with('^'), rest));
    }
    let names: Vec<_> = reader.lines.keys().copied().collect();
    for name in names {
        reader.named(name);
    }
    reader.done
});

/// A type, by its package, version and name: `core.v1.Pod`.
pub(super) fn named(name: &str) -> Arc<Schema> {
    TYPES.get(name).cloned().unwrap_or_default()
}

struct Reader<'a> {
    lines: BTreeMap<&'a str, (bool, &'a str)>,
    done: BTreeMap<String, Arc<Schema>>,
}

impl<'a> Reader<'a> {
    fn named(&mut self, name: &'a str) -> Arc<Schema> {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        let (atomic, rest) = self.lines.get(name).copied().unwrap_or_default();
        let schema = if let Some(alias) = rest.strip_prefix("= ") {
            self.type_of(alias)
        } else {
            let fields =
                rest.split(' ').filter(|word| !word.is_empty()).map(|word| self.field(word)).collect();
            Schema::new(Shape::Map(Map { fields, element: None, atomic }))
        };
        self.done.insert(name.to_owned(), schema.clone());
        schema
    }

    fn field(&mut self, word: &'a str) -> (String, Field) {
        let (head, tail) = word.split_once(':').unwrap_or((word, "r"));
        let (tail, patch) = tail.split_once('~').unwrap_or((tail, ""));
        let (expression, default) = tail.split_once('=').unwrap_or((tail, ""));
        let name = head.trim_end_matches(['?', '!', '*']);
        let marks = &head[name.len()..];
        let (strategies, key) = patch.split_once('/').unwrap_or((patch, ""));
        let has = |strategy| strategies.split('+').any(|one| one == strategy);
        let field = Field {
            schema: self.type_of(expression),
            pointer: marks.contains('?'),
            always: marks.contains('!'),
            default: serde_json::from_str(default).ok(),
            merge_key: has("merge").then(|| key.to_owned()),
            replace: has("replace"),
        };
        (name.to_owned(), field)
    }

    fn type_of(&mut self, expression: &'a str) -> Arc<Schema> {
        let Some(first) = expression.chars().next() else { return Arc::default() };
        let rest = &expression[first.len_utf8()..];
        let shape = match first {
            '@' => return self.named(rest),
            '[' => Shape::List { items: self.type_of(rest), relation: Relation::Atomic },
            '<' => Shape::List { items: self.type_of(rest), relation: Relation::Set },
            '(' => {
                let (keys, rest) = rest.split_once(')').unwrap_or_default();
                let keys = keys.split(',').map(str::to_owned).collect();
                Shape::List { items: self.type_of(rest), relation: Relation::Map(keys) }
            }
            '{' => Shape::Map(Map { element: Some(self.type_of(rest)), ..Map::default() }),
            '^' => {
                Shape::Map(Map { element: Some(self.type_of(&rest[1..])), atomic: true, ..Map::default() })
            }
            's' => Shape::Scalar(Scalar::String),
            'i' => Shape::Scalar(Scalar::Integer),
            'n' => Shape::Scalar(Scalar::Number),
            'b' => Shape::Scalar(Scalar::Boolean),
            'o' => Shape::Scalar(Scalar::IntOrString),
            'q' => Shape::Scalar(Scalar::Quantity),
            't' => Shape::Scalar(Scalar::Time),
            'u' => Shape::Scalar(Scalar::MicroTime),
            'x' => Shape::Scalar(Scalar::Bytes),
            _ => Shape::Any,
        };
        Schema::new(shape)
    }
}
