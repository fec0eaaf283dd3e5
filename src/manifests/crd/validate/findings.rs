//! What a check found.

use std::fmt::Display;

use super::place::Place;
use crate::{Error, Problem, Result};

/// Everything found so far.
#[derive(Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    /// How often something was refused, also for what was said before.
    refusals: usize,
    notes: Vec<String>,
}

impl Findings {
    /// What the API server would refuse or not serve as it was meant, and what to write instead.
    pub(super) fn refuse(&mut self, place: &Place<'_>, what: impl Display, hint: impl Into<String>) {
        let problem = Problem::new(format!("{place}: {what}")).hint(hint);
        self.refusals += 1;
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// What is good to know.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Grows with each refusal.
    pub(super) fn count(&self) -> usize {
        self.refusals
    }

    /// The notes, or every problem in one error.
    pub(super) fn result(self) -> Result<Vec<String>> {
        if self.problems.is_empty() { Ok(self.notes) } else { Err(Error::Definitions(self.problems)) }
    }
}
