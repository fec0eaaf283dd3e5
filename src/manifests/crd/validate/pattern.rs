//! Regular expressions as the API server reads them: RE2's syntax with Go's library.
//!
//! Small enough to be here. The crates for regular expressions in Rust differ from Go in what they accept (`{` alone,
//! `a**`, `\Q…\E`, `[a&&b]`), and what counts is whether the API server accepts a pattern.

mod classes;
mod fold;
mod parser;
mod program;
mod set;

use std::cell::OnceCell;

use self::program::Program;
use self::set::Set;
use crate::limits::{Budget, Spent};

/// A pattern that the API server accepts.
#[derive(Debug)]
pub(super) struct Pattern {
    node: Node,
    /// Made when it is first needed.
    program: OnceCell<Program>,
}

#[derive(Debug)]
enum Node {
    /// One character of a set.
    One(Set),
    Assert(Assertion),
    Concat(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>),
}

#[derive(Clone, Copy, Debug)]
enum Assertion {
    TextBegin,
    TextEnd,
    LineBegin,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What Go's `regexp.Compile` would complain about, and what is nested deeper than anything may be.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(|node| Self { node, program: OnceCell::new() })
    }

    /// Whether the pattern is found in the text; `None` when that is not known here. Takes a step for each part of the
    /// pattern that is looked at.
    ///
    /// # Errors
    /// [`Spent`] when that are too many.
    pub(super) fn is_found(&self, text: &str, work: &Budget) -> Result<Option<bool>, Spent> {
        let program = if let Some(program) = self.program.get() {
            program
        } else {
            let made = Program::of(&self.node, work)?;
            self.program.get_or_init(|| made)
        };
        program.is_found(text, work)
    }
}

impl Assertion {
    fn holds(self, text: &[char], at: usize) -> bool {
        let word = |index: usize| text.get(index).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_');
        let boundary = || (at > 0 && word(at - 1)) != word(at);
        match self {
            Self::TextBegin => at == 0,
            Self::TextEnd => at == text.len(),
            Self::LineBegin => at == 0 || text[at - 1] == '\n',
            Self::LineEnd => at == text.len() || text[at] == '\n',
            Self::WordBoundary => boundary(),
            Self::NoWordBoundary => !boundary(),
        }
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
