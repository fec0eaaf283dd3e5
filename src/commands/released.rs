//! What users of a kind have already, and what new definitions break of it: those of a commit that is named, or else of
//! the project's last release. Before there is one, nobody can have come to rely on anything.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{git, manifests};
use crate::Result;
use crate::manifests::crd;
use crate::printable;

/// How many breaking changes are told one by one when nobody asked for them.
const SHOWN: usize = 10;

/// The definitions of a commit, and what becomes of them.
pub(super) struct Released {
    commit: String,
    /// By path; without those that were compared.
    definitions: BTreeMap<String, Value>,
    broken: Vec<String>,
}

impl Released {
    /// The definitions that a commit has in `folder`.
    ///
    /// # Errors
    /// When there is no such commit, or git or its files cannot be read.
    pub(super) fn at(root: &Path, commit: &str, folder: &str) -> Result<Self> {
        let mut definitions = BTreeMap::new();
        git::files(root, commit, folder, |path, text| {
            let found = manifests::parse(path, text)?.pop();
            definitions.extend(found.map(|definition| (path.to_owned(), definition)));
            Ok(())
        })?;
        Ok(Self { commit: commit.to_owned(), definitions, broken: Vec::new() })
    }

    /// Those of the last release, if there is one that can be read: nobody asked for it.
    pub(super) fn last(root: &Path, folder: &str) -> Option<Self> {
        let tag = git::release(root).ok().flatten()?;
        Self::at(root, &tag, folder).ok()
    }

    /// Compares the definition of a path with the one that users have, which is the result.
    pub(super) fn compare(&mut self, path: &str, definition: &Value) -> Option<Value> {
        let before = self.definitions.remove(path)?;
        self.broken.extend(crd::breaking(&before, definition));
        Some(before)
    }

    /// Notes what else breaks.
    pub(super) fn breaks(&mut self, what: Vec<String>) {
        self.broken.extend(what);
    }

    /// What breaks, after all definitions were compared.
    pub(super) fn broken(mut self) -> Vec<String> {
        self.broken.extend(self.definitions.values().map(|gone| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (kind, name) = (text(&gone["spec"]["names"]["kind"]), text(&gone["metadata"]["name"]));
            format!("`{kind}`: no type gives `{name}` any more")
        }));
        self.broken
    }

    /// The same as notes, of which there are not too many.
    pub(super) fn notes(self) -> Vec<String> {
        let commit = self.commit.clone();
        let broken = self.broken();
        let mut notes: Vec<String> = broken
            .iter()
            .take(if broken.len() > SHOWN + 1 { SHOWN } else { broken.len() })
            .map(|what| format!("breaking change since release {} of {what}", printable::value(&commit)))
            .collect();
        if notes.len() < broken.len() {
            notes.push(format!(
                "{} more breaking changes since release {}; `iris-scaffold manifests --check --against={}` lists all",
                broken.len() - notes.len(),
                printable::value(&commit),
                printable::line(&commit)
            ));
        }
        notes
    }
}
