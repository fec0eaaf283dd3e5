//! What a check found.

use std::collections::HashSet;
use std::fmt::{self, Display, Write as _};

use serde_json::Value;

use crate::manifests::crd::place::Place;
use crate::{Error, Problem, Result};

/// Everything found so far.
#[derive(Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    /// Message and hint of each problem.
    said: HashSet<(String, String)>,
    /// How often something was refused, also for what was said before.
    refusals: usize,
    notes: Vec<String>,
}

impl Findings {
    /// What the API server would refuse or not serve as it was meant, and what to write instead.
    pub(super) fn refuse(&mut self, place: &Place<'_>, what: impl Display, hint: impl Into<String>) {
        self.refusals += 1;
        let (message, hint) = (format!("{place}: {what}"), hint.into());
        if self.said.insert((message.clone(), hint.clone())) {
            self.problems.push(Problem::new(message).hint(hint));
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

/// Characters of a value that a message shows.
const SHOWN: usize = 200;

/// The beginning of a text.
struct Beginning {
    text: String,
    left: usize,
}

impl fmt::Write for Beginning {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for c in more.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

/// A value as a message shows it, the beginning alone of one that is large.
pub(super) fn shown(value: &Value) -> String {
    let mut beginning = Beginning { text: String::new(), left: SHOWN };
    if write!(beginning, "{value}").is_err() {
        beginning.text.push('…');
    }
    beginning.text
}
