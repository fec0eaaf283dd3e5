//! The record that makes a set of renames all-or-nothing.
//!
//! All new texts lie complete in the staging folder before the journal says so, in one rename. From that moment the
//! command counts as done: whoever finds the journal finishes the renames. Files are not synced to the disk: this guards
//! against a killed process, not against a power failure, and a `git status` shows the damage of one.
//!
//! Journals are kept outside projects, in a folder of the user's, because whatever is inside a project may have come
//! from a stranger. Their names are the device and inode of the project's root, so that a journal is followed on the
//! machine, by the user and for the folder that it was written for, and nowhere else.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RelPath;
use super::digest::Digest;
use super::staging::{Staging, absent, private};
use crate::{Error, Problem, Result, limits, printable};

/// The folders in which a user's journals are kept.
#[derive(Clone, Debug)]
pub struct Journals {
    folders: Vec<PathBuf>,
}

/// One journal: where it is kept, and what it says.
#[derive(Debug)]
pub(super) struct Journal {
    file: PathBuf,
    pub(super) record: Record,
}

/// What a journal says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    /// The project's root when the journal was written, for people who read it.
    root: String,
    /// Name of the staging folder.
    staging: String,
    /// Whether the folder that the staging folder is in was made for it.
    outer: bool,
    /// How many changes the command makes.
    changes: usize,
    /// What the changes are, once all new texts are staged.
    entries: Option<Vec<Entry>>,
}

/// One change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    /// Which file.
    pub(super) path: String,
    /// What it held, if it existed.
    pub(super) before: Option<Digest>,
    /// What it is to hold.
    pub(super) after: Digest,
}

impl Journals {
    /// Journals that are written into the first of these folders that can be used, and looked for in all of them.
    #[must_use]
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { folders: folders.into_iter().collect() }
    }

    /// The journal of the project at `root`, if this user wrote one here.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not what this program writes, [`Error::Io`] when it cannot be read.
    pub(super) fn find(&self, root: &Path) -> Result<Option<Journal>> {
        let Some(name) = key(root) else { return Ok(None) };
        for folder in self.folders.iter().filter(|folder| is_mine(folder.symlink_metadata(), true)) {
            let file = folder.join(&name);
            if is_mine(file.symlink_metadata(), false) {
                let record = read(&file)?;
                return Ok(Some(Journal { file, record }));
            }
        }
        Ok(None)
    }

    /// A journal that says that texts for so many changes are about to be staged in the project at `root`, in a folder
    /// inside `outer` if that has to be made.
    pub(super) fn begin(&self, root: &Path, changes: usize, outer: bool) -> io::Result<Journal> {
        let name = key(root).ok_or(io::ErrorKind::NotFound)?;
        let mut refusal = io::Error::other("there is no folder for it: set `XDG_STATE_HOME`");
        for folder in &self.folders {
            let staging = Staging::new_name();
            let root = root.to_string_lossy().into_owned();
            let record = Record { root, staging, outer, changes, entries: None };
            let journal = Journal { file: folder.join(&name), record };
            match make(folder).and_then(|()| journal.write()) {
                Ok(()) => return Ok(journal),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

impl Journal {
    /// The staging folder of the project at `root`.
    pub(super) fn staging(&self, root: &Path) -> Staging {
        Staging::of(root, &self.record.staging)
    }

    /// The changes, once all new texts are staged.
    pub(super) fn entries(&self) -> &[Entry] {
        self.record.entries.as_deref().unwrap_or_default()
    }

    /// Says that all new texts are staged.
    pub(super) fn commit(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        self.record.entries = Some(entries);
        self.write()
    }

    /// Says that nothing is to be moved any more, for a command that was undone.
    pub(super) fn revoke(&mut self) -> io::Result<()> {
        self.record.entries = None;
        self.write()
    }

    /// Removes the staging folder, then the journal: killed in between, there is nothing left to move.
    pub(super) fn close(&self, root: &Path) -> io::Result<()> {
        self.staging(root).remove(self.record.changes, self.record.outer)?;
        absent(fs::remove_file(&self.file))
    }

    /// Writes the journal in the place of what was there, in one rename.
    fn write(&self) -> io::Result<()> {
        let mut draft = self.file.clone().into_os_string();
        draft.push(".new");
        let text = serde_json::to_vec(&self.record).map_err(io::Error::other)?;
        absent(fs::remove_file(&draft))?;
        let written = options().open(&draft).and_then(|mut file| file.write_all(&text));
        written.and_then(|()| fs::rename(&draft, &self.file)).inspect_err(|_| {
            // What is not a journal yet is of no use, and may be why a disk is full.
            let _ = fs::remove_file(&draft);
        })
    }
}

impl Entry {
    /// Which file, checked like any other path: the journal is a file, too.
    pub(super) fn path(&self) -> Result<RelPath> {
        Ok(RelPath::new(self.path.as_str())?)
    }
}

/// What the journal at `file` says.
fn read(file: &Path) -> Result<Record> {
    let unreadable = |message: String| {
        let problem = Problem::new(format!("`{}` is not a journal: {message}", printable::path(file)));
        Error::Refused(problem.hint("remove it, then compare the project with version control"))
    };
    let mut text = Vec::new();
    let open = File::open(file).map_err(Error::io("read", file))?;
    open.take(limits::LENGTH + 1).read_to_end(&mut text).map_err(Error::io("read", file))?;
    if text.len() as u64 > limits::LENGTH {
        return Err(unreadable(format!("it is longer than {} MiB", limits::LENGTH >> 20)));
    }
    let record: Record = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    if !Staging::is_name(&record.staging) {
        return Err(unreadable("it names no staging folder".into()));
    }
    if record.changes > limits::ENTRIES
        || record.entries.as_ref().is_some_and(|entries| entries.len() != record.changes)
    {
        return Err(unreadable("it has other changes than it says".into()));
    }
    Ok(record)
}

/// Makes the folder of journals, and those above it. One that others may write to is not used.
fn make(folder: &Path) -> io::Result<()> {
    if folder.symlink_metadata().is_err() {
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above)?;
        }
        private(folder)?;
    }
    if is_mine(folder.symlink_metadata(), true) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "`{}` is not a folder that only this user may write to",
        printable::path(folder)
    )))
}

/// How a new file is opened that only this user may read.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The name of the journal of the project at `root`, if that exists.
#[cfg(unix)]
fn key(root: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let found = root.metadata().ok()?;
    Some(format!("{:x}-{:x}", found.dev(), found.ino()))
}

/// The name of the journal of the project at `root`, if that exists.
#[cfg(not(unix))]
fn key(root: &Path) -> Option<String> {
    let path = root.canonicalize().ok()?;
    serde_json::to_value(Digest::of(path.as_os_str().as_encoded_bytes())).ok()?.as_str().map(str::to_owned)
}

/// Whether a file, or a folder, is there that belongs to this user and that nobody else may write to.
#[cfg(unix)]
fn is_mine(found: io::Result<Metadata>, folder: bool) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    found.is_ok_and(|found| {
        let kind = if folder { found.is_dir() } else { found.is_file() };
        kind && found.uid() == me && found.mode() & 0o022 == 0
    })
}

/// Whether a file, or a folder, is there; the folder of a user's settings is only the user's.
#[cfg(not(unix))]
fn is_mine(found: io::Result<Metadata>, folder: bool) -> bool {
    found.is_ok_and(|found| if folder { found.is_dir() } else { found.is_file() })
}
