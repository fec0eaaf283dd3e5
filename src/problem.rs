//! One thing that is wrong with what the user gave.

/// One thing that is wrong with what the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was wrong and what was expected, one line.
    pub message: String,
    /// What to do about it, one line each.
    pub hints: Vec<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new() }
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
