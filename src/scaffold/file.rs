//! A file that a command wants to exist.

use super::RelPath;

/// Whose a generated file is, which decides what happens when the disk holds something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The tool's: rendered anew by every command. `base` is what the project rendered before this command; a file
    /// that holds neither `base` nor the new text was edited by somebody, which is a conflict.
    Owned {
        /// The text the file has if nobody touched it.
        base: Option<String>,
    },
    /// The user's, once written. A different file in its place is a conflict, unless an earlier command wrote it
    /// (`again`): then it is kept.
    Seeded {
        /// Whether an earlier command wrote the file.
        again: bool,
    },
    /// Made from other files of the project, so always replaced.
    Derived,
}

/// A file as a command wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: RelPath,
    /// Whose.
    pub ownership: Ownership,
    /// The whole text.
    pub text: String,
    /// Whether it can be run.
    pub executable: bool,
    /// Whether the text depends on nothing that could break it, so that it need not be checked.
    pub fixed: bool,
}
