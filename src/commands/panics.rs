//! Explains a `crdgen` that panicked: kube-derive does so on types that no definition can describe.

use super::lines::{self, PassedOn};
use super::progress::Progress;
use crate::Problem;

/// How much is kept of what follows the first panic, in bytes.
const LENGTH: usize = 1 << 20;

/// How kube-derive begins when a schema is none of a definition.
const NO_SCHEMA: &str = "valid JSONSchemaProps";

/// What the panics of kube-derive begin with, what they mean, and what to write instead.
const PANICS: [(&str, &str, &str); 4] = [
    (
        "Property ",
        "a field has another form in each variant of an enum, which no definition can describe",
        "take `#[serde(tag = …)]` and `content` away from the enum, so that the variant's name is a field; \
         or give the fields of flattened types names of their own",
    ),
    (
        "Enum variant set ",
        "an enum has variants with data and variants without",
        "give every variant data (`Nothing {}` in place of `Nothing`), or none",
    ),
    (
        "variant defined type ",
        "the variants of an enum have different types",
        "give every variant named fields, or use `IntOrString` for a number or a string",
    ),
    (
        NO_SCHEMA,
        "a keyword of a schema has a value that definitions do not have",
        "see `#[schemars(extend(…))]`: `exclusiveMinimum` is true beside a `minimum`, not a number; and see \
         `serde_json::Value` inside of maps, which takes `#[schemars(transform = rules::any)]`",
    ),
];

/// Passes lines on to the standard error stream up to the first panic, and so many bytes; the result is what follows.
pub(super) fn pass_on(stream: Option<impl std::io::Read>, length: u64) -> String {
    let mut panic = String::new();
    let mut passed_on = PassedOn::of("crdgen", Progress::Lines);
    lines::each(stream, length, |line| {
        if !panic.is_empty() || (line.starts_with("thread '") && line.contains(" panicked at ")) {
            if panic.len() < LENGTH {
                panic.push_str(line);
                panic.push('\n');
            }
        } else if !line.is_empty() {
            passed_on.line(line);
        }
    });
    panic
}

/// Whether a panic was about a schema as a whole, which names no field.
pub(super) fn is_of_schema(panic: &str) -> bool {
    panic.lines().nth(1).is_some_and(|said| said.starts_with(NO_SCHEMA))
}

/// The problem behind a panic, if there was one.
pub(super) fn explained(panic: &str) -> Option<Problem> {
    let mut lines = panic.lines();
    lines.next()?;
    let said = lines.next().unwrap_or_default();
    // The first place in the project is where the type derives `CustomResource`.
    let place = panic.lines().find_map(|line| line.trim().strip_prefix("at ./"));
    let place =
        place.and_then(|place| place.rsplit_once(':')).map(|(place, _column)| format!(" at `{place}`"));
    let known = PANICS.iter().find(|(begin, ..)| said.starts_with(begin));
    let meaning = known.map_or("the types have no schema", |(_, meaning, _)| meaning);
    let short: String = said.chars().take(300).collect();
    let rest = if short.len() < said.len() { "…" } else { "" };
    let message =
        format!("kube-derive panicked on the type{}: {meaning}\n{short}{rest}", place.unwrap_or_default());
    let problem = Problem::new(message)
        .hint(known.map_or("look for an enum or an attribute of `schemars` that is new", |(.., hint)| hint));
    Some(problem.hint("nothing was written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_a_panic() {
        let panic = "thread 'main' (1) panicked at /cargo/kube-core-5.0.0/src/schema.rs:537:29:\n\
                     Property \"type\" has the schema …\nstack backtrace:\n   2: x\n             at /rustc/a.rs:1:2\n  \
                     10: crd\n             at ./api/src/v1/iris.rs:12:10\n";
        let problem = explained(panic).expect("a problem");
        assert_eq!(
            problem.message,
            "kube-derive panicked on the type at `api/src/v1/iris.rs:12`: a field has another form in each variant \
             of an enum, which no definition can describe\nProperty \"type\" has the schema …"
        );
        assert!(problem.hints[0].starts_with("take `#[serde(tag"), "{problem:?}");
        assert_eq!(explained(""), None);
        let other = explained("thread 'main' (1) panicked at a.rs:1:1:\nmy own\n").expect("a problem");
        assert_eq!(other.message, "kube-derive panicked on the type: the types have no schema\nmy own");
    }

    #[test]
    fn keeps_what_follows_a_panic() {
        let panic = pass_on(Some(&b"thread 'main' (1) panicked at a.rs:1:1:\nsaid\n"[..]), 1000);
        assert_eq!(panic, "thread 'main' (1) panicked at a.rs:1:1:\nsaid\n");
    }
}
