//! The folder inside a project where new texts wait for their turn, and old files for the end.
//!
//! It is below [`FOLDER`], under a name that nobody can know beforehand, and private: who sees it must be able to see
//! the project's files. What else is in [`FOLDER`] is somebody else's and stays.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// The folder below the project's root that holds the staging folders.
pub(super) const FOLDER: &str = ".iris-scaffold";

/// The staging folder of one apply.
#[derive(Debug)]
pub(super) struct Staging {
    outer: PathBuf,
    folder: PathBuf,
}

impl Staging {
    /// A name that no folder has.
    pub(super) fn new_name() -> String {
        format!("{:016x}", RandomState::new().build_hasher().finish())
    }

    /// Whether `name` is one that [`Staging::new_name`] gives.
    pub(super) fn is_name(name: &str) -> bool {
        name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// The staging folder called `name` of the project at `root`, whether it exists or not.
    pub(super) fn of(root: &Path, name: &str) -> Self {
        let outer = root.join(FOLDER);
        Self { folder: outer.join(name), outer }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the folder is there, and no link leads to it.
    pub(super) fn exists(&self) -> bool {
        let is_folder = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
        is_folder(&self.outer) && is_folder(&self.folder)
    }

    /// Makes the folder, which only this user may look into.
    pub(super) fn make(&self) -> io::Result<()> {
        private(&self.folder)
    }

    /// Where the new text of change number `index` waits.
    pub(super) fn new_file(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index}.new"))
    }

    /// Where the old file of change number `index` is put aside.
    pub(super) fn old_file(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index}.old"))
    }

    /// Removes what [`Staging`] put there for so many changes, and the folder unless something else is in it; with
    /// `outer`, the folder around it too.
    pub(super) fn remove(&self, changes: usize, outer: bool) -> io::Result<()> {
        if self.exists() {
            for index in 0..changes {
                for file in [self.new_file(index), self.old_file(index)] {
                    absent(fs::remove_file(file))?;
                }
            }
            // Not empty means that something else put a file there.
            let _ = fs::remove_dir(&self.folder);
        }
        if outer {
            let _ = fs::remove_dir(&self.outer);
        }
        Ok(())
    }
}

/// Makes a folder that only this user may look into.
#[cfg(unix)]
pub(super) fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// Makes a folder; who may look into it follows from the one it is in.
#[cfg(not(unix))]
pub(super) fn private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// A removal of what is not there is one.
pub(super) fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
