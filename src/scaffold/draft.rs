//! Files and edits of one command on their way to a [`Plan`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::digest::sha256;
use super::lines::{same_lines, with_ends_of};
use super::merge::merged;
use super::{Action, Certainty, Change, File, Insert, Ownership, Plan, RelPath, Tree, edit};
use crate::{Error, Result, rust, yaml};

/// Collects what a command wants. Later additions see earlier ones through [`Draft::tree`].
#[derive(Debug)]
pub struct Draft {
    tree: Tree,
    /// Their texts are in the tree, but for those that are not to be written.
    changes: BTreeMap<RelPath, Change>,
    notes: Vec<String>,
    next: Vec<String>,
}

impl Draft {
    /// An empty draft over `tree`.
    #[must_use]
    pub fn new(tree: Tree) -> Self {
        Self { tree, changes: BTreeMap::new(), notes: Vec::new(), next: Vec::new() }
    }

    /// The project with everything drafted so far.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Wants `file` to exist.
    ///
    /// # Errors
    /// Those of [`Tree::on_disk`].
    pub fn file(&mut self, mut file: File) -> Result<()> {
        let before = self.tree.on_disk(&file.path)?;
        if let (Some(before), Ownership::List { base: Some(base) }) = (&before, &file.ownership)
            && let Some(merged) = merged(base, before, &file.text)
        {
            file = File {
                text: merged.into(),
                ownership: Ownership::Derived,
                certainty: Certainty::Unsure,
                ..file
            };
        }
        let same = |text: &str| before.as_deref().is_some_and(|before| same_lines(before, text));
        let action = match (&before, file.ownership) {
            (None, _) => Action::Create,
            (Some(_), _) if same(&file.text) => Action::Unchanged,
            (Some(_), Ownership::Derived) => Action::Update,
            (Some(_), Ownership::Owned { base }) if base.as_deref().is_some_and(same) => Action::Update,
            (Some(before), Ownership::Vendored { digest: Some(digest) }) if sha256(before) == digest => {
                Action::Update
            }
            (Some(_), Ownership::Seeded { again: true }) => Action::Keep,
            (
                Some(_),
                Ownership::Owned { .. }
                | Ownership::List { .. }
                | Ownership::Vendored { .. }
                | Ownership::Seeded { again: false },
            ) => Action::Conflict,
        };
        let File { path, text, executable, certainty, .. } = file;
        // A file keeps the line ends that it has.
        let text = match &before {
            Some(before) if action == Action::Unchanged && *before != text => Cow::Owned(before.clone()),
            Some(before) if action != Action::Unchanged => with_ends_of(text, before),
            _ => text,
        };
        let mut change =
            Change { path: path.clone(), action, before, after: Cow::Borrowed(""), executable, certainty };
        if action == Action::Keep {
            change.after = text;
        } else {
            self.tree.stage(path.clone(), text);
        }
        self.changes.insert(path, change);
        Ok(())
    }

    /// Wants an insertion to be made.
    ///
    /// # Errors
    /// [`Error::AnchorMissing`] when the file or its anchor is not there, and those of [`Tree::on_disk`].
    pub fn insert(&mut self, insert: &Insert) -> Result<()> {
        let Some(text) = self.tree.read(&insert.path)? else {
            return Err(insert.missing());
        };
        self.edit(&insert.path, insert.apply(&text)?)
    }

    /// Wants the lines `to` in the place of the lines `from`, which an earlier command inserted. Where somebody has
    /// changed these, they stay.
    ///
    /// # Errors
    /// Those of [`Tree::on_disk`].
    pub fn replace(&mut self, path: &RelPath, from: &str, to: &str) -> Result<()> {
        let text = self.tree.read(path)?.unwrap_or_default();
        edit::replaced(&text, from, to).map_or(Ok(()), |after| self.edit(path, after))
    }

    fn edit(&mut self, path: &RelPath, after: String) -> Result<()> {
        let before = self.tree.on_disk(path)?;
        let action = match &before {
            None => Action::Create,
            Some(before) if *before == after => Action::Unchanged,
            Some(_) => Action::Update,
        };
        self.tree.stage(path.clone(), after.into());
        let (after, certainty) = (Cow::Borrowed(""), Certainty::Unsure);
        let change = Change { path: path.clone(), action, before, after, executable: false, certainty };
        let entry = self.changes.entry(path.clone()).or_insert(change);
        entry.certainty = certainty;
        if entry.action == Action::Unchanged || entry.action == Action::Keep {
            entry.action = action;
        }
        Ok(())
    }

    /// Tells the user something.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Suggests a command to run next.
    pub fn next(&mut self, line: impl Into<String>) {
        self.next.push(line.into());
    }

    /// The plan, every result checked.
    ///
    /// # Errors
    /// [`Error::Unparsable`] when a text that would be written is not what its name says.
    pub fn plan(mut self) -> Result<Plan> {
        for change in self.changes.values_mut() {
            if let Some(text) = self.tree.take(&change.path) {
                change.after = text;
            }
            let unsure = match change.certainty {
                Certainty::Fixed => false,
                Certainty::Tested => cfg!(debug_assertions),
                Certainty::Unsure => true,
            };
            if unsure && (change.writes() || change.action == Action::Conflict) {
                let unparsable = |message| Error::Unparsable { path: change.path.clone(), message };
                parses(&change.path, &change.after).map_err(unparsable)?;
            }
        }
        let changes = self.changes.into_values().collect();
        Ok(Plan::new(self.tree.root().to_path_buf(), changes, self.notes, self.next))
    }
}

/// Whether a text is what its file's name says, as far as that can be told.
fn parses(path: &RelPath, text: &str) -> Result<(), String> {
    match path.extension() {
        "rs" => rust::parse(text).map(drop).map_err(|fault| fault.to_string()),
        "toml" => {
            text.parse::<toml_edit::DocumentMut>().map(drop).map_err(|error| error.message().to_owned())
        }
        "yaml" | "yml" => parses_as_yaml(text),
        _ if path.file_name() == "PROJECT" => parses_as_yaml(text),
        _ => Ok(()),
    }
}

fn parses_as_yaml(text: &str) -> Result<(), String> {
    let documents = yaml::documents::<IgnoredAny>(text).map_err(|fault| fault.to_string())?;
    documents.into_iter().try_for_each(|document| document.map(drop)).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::with_stack;

    /// What TOML nests and repeats; the other grammars have their tests where they are read.
    #[test]
    fn whatever_toml_nests_or_repeats_gets_an_answer() {
        let path = RelPath::new("Cargo.toml").expect("a path");
        let toml = |text: &str| parses(&path, text);
        with_stack(|| {
            for depth in [10, 127, 251, 20_000] {
                for (start, open, middle, close) in [
                    ("a = ", "[", "", "]"),
                    ("a = ", "{a = ", "1", "}"),
                    ("a = ", "[{a = ", "1", "}]"),
                    ("a = ", "[", "", ""),
                    ("a = ", "{a = ", "", ""),
                    ("", "a.", "b = 1", ""),
                    ("[", "a.", "b", "]"),
                    ("[[", "a.", "b", "]]"),
                    ("a = {", "a.", "b = 1", "}"),
                    ("a = ", "[\n", "", "\n]"),
                    ("", "[", "a", "]"),
                ] {
                    let nested = format!("{start}{}{middle}{}\n", open.repeat(depth), close.repeat(depth));
                    let answer = toml(&nested);
                    let is_whole = start == "a = " && !close.is_empty();
                    assert!(depth > 10 || !is_whole || answer.is_ok(), "{nested}: {answer:?}");
                }
            }
            for part in
                ["[a]\n", "[[a]]\n", "a = 1\n", "# a\n", "\n", "\"\"\"", "'''", "a = [1,\n", "\\", "=", "\""]
            {
                let _ = toml(&part.repeat(20_000));
                let _ = toml(&format!("a = [{}]", part.repeat(20_000)));
            }
            let many: String = (0..20_000).map(|number| format!("[a.b{number}]\nc = 1\n")).collect();
            assert_eq!(toml(&many), Ok(()));
        });
    }
}
