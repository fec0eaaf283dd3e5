//! The Rust sources behind the definitions: where a field is declared, and which attributes a definition does not show.
//!
//! The derives drop an attribute that does not suit a type without a word, so that nothing in the definition tells of
//! it any more. controller-gen refuses a marker on the wrong type, and so does this.

mod anything;
mod attributes;
mod ignored;
mod places;

use crate::limits::Budget;
use crate::path::RelPath;
use crate::rust::{self, Fault};
use crate::{Error, Problem, Result};

use self::attributes::Place;
pub use self::places::{Declaration, Places};

/// The parsed sources of a project's types.
pub struct Sources {
    files: Vec<(RelPath, syn::File)>,
}

impl Sources {
    /// Parses sources. What cannot be parsed is left out: rustc has said so already.
    ///
    /// # Errors
    /// [`Error::Refused`] when a source is nested too deep to be parsed.
    pub fn read(sources: &[(RelPath, String)]) -> Result<Self> {
        let mut files = Vec::new();
        let tokens = Budget::of(rust::TOKENS);
        for (path, text) in sources {
            match rust::parse_within(text, &tokens) {
                Ok(file) => files.push((path.clone(), file)),
                Err(Fault { line, message, limit: true }) => {
                    let problem = Problem::new(format!("`{path}:{line}`: {message}"));
                    return Err(Error::Refused(problem.hint("part it into smaller pieces")));
                }
                Err(_) => {}
            }
        }
        Ok(Self { files })
    }

    /// Adds to the result of [`validate`](super::validate) what the sources say: attributes without an effect, and where
    /// the fields in question are.
    ///
    /// # Errors
    /// [`Error::Definitions`] with what was wrong before, and with every attribute that has no effect.
    pub fn check<T>(&self, checked: Result<T>) -> Result<T> {
        let mut problems = self.ignored();
        let checked = match checked {
            Err(Error::Definitions(found)) => {
                let places = self.places();
                problems.extend(found.into_iter().map(|problem| places.add_to(problem)));
                return Err(Error::Definitions(problems));
            }
            other => other?,
        };
        if problems.is_empty() { Ok(checked) } else { Err(Error::Definitions(problems)) }
    }

    /// Where fields are declared.
    #[must_use]
    pub fn places(&self) -> Places<'_> {
        Places::of(&self.files)
    }

    /// Fields with values of any kind inside of maps, which no definition can be made of as they are.
    #[must_use]
    pub fn values_in_maps(&self) -> Vec<Problem> {
        let files: Vec<&syn::File> = self.files.iter().map(|(_, file)| file).collect();
        let found = anything::in_maps(&files).into_iter().filter_map(|(file, name, place)| {
            let place = shown(&self.files.get(file)?.0, place);
            let message =
                format!("{place}: `{name}` has values of any kind in a map, which kube-derive gives no schema");
            let hint = "write `#[schemars(transform = rules::any)]` on the field, with `use crate::rules;`: the API server \
                        keeps the values, whatever they are";
            Some(Problem::new(message).hint(hint))
        });
        found.collect()
    }

    fn ignored(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (path, file) in &self.files {
            problems.extend(ignored::attributes(file).into_iter().map(|ignored| {
                let message = format!("{}: {}", shown(path, ignored.place), ignored.what);
                Problem::new(message).hint(ignored.hint)
            }));
        }
        problems
    }
}

/// A place in a file, with the quotes.
fn shown(path: &RelPath, place: Place) -> String {
    format!("`{path}:{}:{}`", place.line, place.column + 1)
}

#[cfg(test)]
mod tests;
