//! A file that a command wants to exist.

use std::borrow::Cow;

use super::RelPath;

/// Whose a generated file is, which decides what happens when the disk holds something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The tool's: rendered anew by every command. `base` is what the project rendered before this command; a file
    /// that holds neither `base` nor the new text was edited by somebody, which is a conflict.
    Owned {
        /// The text the file has if nobody touched it.
        base: Option<Cow<'static, str>>,
    },
    /// The tool's list in which others may have lines of their own, which stay: rendered anew by every command. A file that
    /// lacks lines of `base` is a conflict.
    List {
        /// The text the file has if nobody added to it.
        base: Option<Cow<'static, str>>,
    },
    /// The tool's, in a project that may have another version of it: a file with this SHA-256 is as an earlier command
    /// wrote it, whichever that was; any other was edited by somebody, which is a conflict.
    Vendored {
        /// What the project says that was written.
        digest: Option<String>,
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

/// What is known of a text before anybody looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It is the same in every project, and tests have seen that it is what its file's name says.
    Fixed,
    /// It is a template with names in it, each of which was checked by itself, or values as a writer of ours puts them:
    /// tests with all sorts of them have seen that the whole is what the file's name says. Where debug assertions are
    /// on, as in tests, it is checked.
    Tested,
    /// Something in it was read from a file or could be anything, so it is checked.
    Unsure,
}

/// A file as a command wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: RelPath,
    /// Whose.
    pub ownership: Ownership,
    /// The whole text.
    pub text: Cow<'static, str>,
    /// Whether it can be run.
    pub executable: bool,
    /// Whether the text has to be checked.
    pub certainty: Certainty,
}
