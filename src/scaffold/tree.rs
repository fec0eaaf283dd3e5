//! The project's files as a command sees them: what it staged over what the disk holds.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::RelPath;
use super::found::Found;
use crate::{Error, Problem, Result};

/// A read-only view of a directory with texts laid over it. Its directories are looked at once: who wants to see what has
/// become of them opens another tree.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    staged: BTreeMap<RelPath, Cow<'static, str>>,
    folders: RefCell<HashMap<String, Folder>>,
}

/// What is known of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folder {
    /// It exists, and neither it nor one above it, up to the root, is a link.
    Plain,
    /// It does not exist, so nothing in it does.
    Missing,
    /// There is a link in its path, or something that is no directory.
    Other,
}

impl Tree {
    /// The tree at `root`, which need not exist yet.
    #[must_use]
    pub fn open(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), staged: BTreeMap::new(), folders: RefCell::default() }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Lays `text` over the file at `path`.
    pub(super) fn stage(&mut self, path: RelPath, text: Cow<'static, str>) {
        self.staged.insert(path, text);
    }

    /// Takes the text away that was laid over the file at `path`.
    pub(super) fn take(&mut self, path: &RelPath) -> Option<Cow<'static, str>> {
        self.staged.remove(path)
    }

    /// The file's text as staged, else as on disk; `None` when it does not exist.
    ///
    /// # Errors
    /// As [`Tree::on_disk`].
    pub fn read(&self, path: &RelPath) -> Result<Option<String>> {
        match self.staged.get(path) {
            Some(text) => Ok(Some(text.clone().into_owned())),
            None => self.on_disk(path),
        }
    }

    /// The file's text on disk; `None` when it does not exist.
    ///
    /// # Errors
    /// [`Error::Refused`] when a symbolic link leads out of the directory or nowhere, when it is no file, or one that
    /// no project holds, or not UTF-8; [`Error::Io`] when the file cannot be read.
    pub fn on_disk(&self, path: &RelPath) -> Result<Option<String>> {
        Ok(self.look(path)?.content.map(|(text, _)| text))
    }

    /// What is at `path` on disk, now.
    ///
    /// # Errors
    /// As [`Tree::on_disk`].
    pub(super) fn look(&self, path: &RelPath) -> Result<Found> {
        let mut real = path.under(&self.root);
        let folder = self.folder(path.folder());
        if folder == Folder::Missing {
            return Ok(Found { real, content: None });
        }
        let mut found = real.symlink_metadata();
        if folder == Folder::Other || found.as_ref().is_ok_and(Metadata::is_symlink) {
            real = self.locate(path)?;
            found = real.metadata();
        }
        match found {
            Ok(found) => Found::read(path, real, &found),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found { real, content: None }),
            Err(error) => Err(Error::io("read", path.under(&self.root))(error)),
        }
    }

    /// What is known of the directory at `path`, which is empty for the root.
    fn folder(&self, path: &str) -> Folder {
        if path.is_empty() {
            return Folder::Plain;
        }
        if let Some(known) = self.folders.borrow().get(path) {
            return *known;
        }
        let folder = match self.folder(path.rsplit_once('/').map_or("", |(parent, _)| parent)) {
            Folder::Plain => match self.root.join(path).symlink_metadata() {
                Ok(found) if found.is_dir() => Folder::Plain,
                Err(error) if error.kind() == ErrorKind::NotFound => Folder::Missing,
                _ => Folder::Other,
            },
            above => above,
        };
        self.folders.borrow_mut().insert(path.to_owned(), folder);
        folder
    }

    /// Where the file really is, or will be: symbolic links below the root are followed.
    ///
    /// # Errors
    /// [`Error::Refused`] when a link leads out of the root or nowhere.
    fn locate(&self, path: &RelPath) -> Result<PathBuf> {
        let mut existing = self.root.clone();
        let mut components = path.as_str().split('/');
        let mut linked = false;
        let missing = components.find(|component| {
            existing.push(component);
            match existing.symlink_metadata() {
                Ok(found) => {
                    linked |= found.is_symlink();
                    false
                }
                Err(_) => true,
            }
        });
        if missing.is_some() {
            existing.pop();
        }
        let rest = missing.into_iter().chain(components);
        if !linked {
            existing.extend(rest);
            return Ok(existing);
        }
        let leads = |where_to: &str| {
            let message = format!("`{path}` leads {where_to} through a symbolic link");
            Error::Refused(
                Problem::new(message).hint("replace the link by a file or directory of the project"),
            )
        };
        let mut real = existing.canonicalize().map_err(|_| leads("nowhere"))?;
        let root = self.root.canonicalize().map_err(Error::io("open", &self.root))?;
        if !real.starts_with(&root) {
            return Err(leads("out of the project"));
        }
        real.extend(rest);
        Ok(real)
    }

    /// All files with `extension` in the directory `folder` and below, staged and on disk, sorted. Hidden ones are left
    /// out, such as the dangling links that editors put beside open files, and so are links to directories.
    ///
    /// # Errors
    /// [`Error::Io`] when a directory cannot be read.
    pub fn list(&self, folder: &str, extension: &str) -> Result<Vec<RelPath>> {
        let mut found: BTreeSet<RelPath> = self
            .staged
            .keys()
            .filter(|path| path.as_str().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
            .filter(|path| path.extension() == extension)
            .cloned()
            .collect();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let directory = self.root.join(&folder);
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io("list", directory)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(Error::io("list", &directory))?;
                // A name that is not text cannot be a source.
                let name = entry.file_name();
                let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                    continue;
                };
                let kind = entry.file_type().map_err(Error::io("inspect", entry.path()))?;
                let path = format!("{folder}/{name}");
                if kind.is_dir() {
                    folders.push(path);
                } else if let Ok(path) = RelPath::new(path)
                    && path.extension() == extension
                {
                    found.insert(path);
                }
            }
        }
        Ok(found.into_iter().collect())
    }
}
