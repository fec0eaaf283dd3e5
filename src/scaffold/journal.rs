//! The record that makes a set of renames all-or-nothing.
//!
//! All new texts lie complete in the staging folder before the journal appears there, in one rename. From that moment
//! the command counts as done: whoever finds the journal finishes the renames. A staging folder without a journal is
//! rubbish. Files are not synced to the disk: this guards against a killed process, not against a power failure, and
//! a `git status` shows the damage of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::RelPath;

/// The staging folder below the project's root; it exists only while a command writes.
pub(super) const FOLDER: &str = ".iris-scaffold";
const JOURNAL: &str = "journal";

/// The staging folder of one apply.
pub(super) struct Staging {
    root: PathBuf,
    folder: PathBuf,
}

impl Staging {
    /// The staging folder of the project at `root`, whether it exists or not.
    pub(super) fn of(root: &Path) -> Self {
        Self { root: root.to_path_buf(), folder: root.join(FOLDER) }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the new text of change number `index` waits.
    pub(super) fn new_file(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index}.new"))
    }

    /// Where the old file of change number `index` is put aside.
    pub(super) fn old_file(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index}.old"))
    }

    /// Records that the files at `paths` get the staged texts of the same numbers.
    pub(super) fn commit(&self, paths: &[RelPath]) -> io::Result<()> {
        let draft = self.folder.join("journal.new");
        let lines: Vec<&str> = paths.iter().map(RelPath::as_str).collect();
        fs::write(&draft, lines.join("\n"))?;
        fs::rename(draft, self.folder.join(JOURNAL))
    }

    /// Removes everything; the journal first, so that nobody acts on half of it.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(self.folder.join(JOURNAL)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::remove_dir_all(&self.folder),
        }
    }

    /// Finishes or forgets what a killed command left. Whether there was anything to finish.
    pub(super) fn recover(&self) -> io::Result<bool> {
        // A link in the folder's place was not put there by us.
        if !self.folder.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Ok(false);
        }
        let journal = match fs::read_to_string(self.folder.join(JOURNAL)) {
            Ok(journal) => journal,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.remove()?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        for (index, path) in journal.lines().enumerate() {
            // The journal is a file like any other: what it says is checked before it is followed.
            let path = RelPath::new(path).map_err(|error| io::Error::other(error.to_string()))?;
            let staged = self.new_file(index);
            if staged.symlink_metadata().is_ok_and(|found| found.is_file()) {
                let target = path.under(&self.root);
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::rename(staged, target)?;
            }
        }
        self.remove()?;
        Ok(true)
    }
}
