//! What a command will do, as data.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Certainty, RelPath};

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It does not exist yet.
    Create,
    /// It gets another text.
    Update,
    /// It is as it should be.
    Unchanged,
    /// It differs and stays: it is the user's.
    Keep,
    /// It differs, and what to do about that is not settled.
    Conflict,
}

/// What happens to one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which file.
    pub path: RelPath,
    /// What happens to it.
    pub action: Action,
    /// The text it has now, if it exists.
    #[serde(skip)]
    pub before: Option<String>,
    /// The text it is to have.
    #[serde(skip)]
    pub after: Cow<'static, str>,
    /// Whether it can be run.
    #[serde(skip)]
    pub executable: bool,
    /// Whether the text it is to have must be checked.
    #[serde(skip)]
    pub certainty: Certainty,
}

impl Change {
    /// Whether the disk changes.
    #[must_use]
    pub fn writes(&self) -> bool {
        matches!(self.action, Action::Create | Action::Update)
    }
}

/// What a command will do: one change per file, sorted by path. As JSON it is
/// `{"changes": [{"path", "action"}], "notes": [], "next": []}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    #[serde(skip)]
    root: PathBuf,
    changes: Vec<Change>,
    notes: Vec<String>,
    next: Vec<String>,
}

impl Plan {
    pub(super) fn new(root: PathBuf, changes: Vec<Change>, notes: Vec<String>, next: Vec<String>) -> Self {
        Self { root, changes, notes, next }
    }

    /// The project's directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file the command knows about, sorted by path.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(super) fn changes_mut(&mut self) -> &mut [Change] {
        &mut self.changes
    }

    /// The changes that write.
    pub fn writes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.writes())
    }

    /// What the user should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Says that what to run next is run elsewhere, where `way` leads.
    pub fn go(&mut self, way: String) {
        if !self.next.is_empty() {
            self.next.insert(0, way);
        }
    }

    /// Commands to run next, to be copied as they are.
    #[must_use]
    pub fn next(&self) -> &[String] {
        &self.next
    }
}
