//! The project's files as a command sees them: what it staged over what the disk holds.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::found::Found;
use super::{RelPath, list};
use crate::limits::{Budget, TOTAL};
use crate::path::is_git;
use crate::{Error, Problem, Result};

/// A read-only view of a directory with texts laid over it. Its directories are looked at once: who wants to see what has
/// become of them opens another tree.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    staged: BTreeMap<RelPath, Cow<'static, str>>,
    folders: RefCell<HashMap<String, Folder>>,
    /// How many bytes may still be read.
    bytes: Rc<Budget>,
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
        let bytes = Rc::new(Budget::of(TOTAL));
        Self { root: root.into(), staged: BTreeMap::new(), folders: RefCell::default(), bytes }
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
            Ok(found) if self.bytes.take(found.len()).is_err() => {
                let message = format!(
                    "`{path}` is one too many: all files that were read have more than {} MiB",
                    TOTAL >> 20
                );
                let hint = "move what is no part of the project out of it, or hide it: `.name`";
                Err(Error::Refused(Problem::new(message).hint(hint)))
            }
            Ok(_) => Found::read(path, real),
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
    /// [`Error::Refused`] when a link leads out of the root, to git's own files or nowhere.
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
        let Ok(inside) = real.strip_prefix(&root) else {
            return Err(leads("out of the project"));
        };
        if inside.iter().any(|component| is_git(&component.to_string_lossy())) {
            return Err(leads("into git's own files"));
        }
        real.extend(rest);
        Ok(real)
    }

    /// All files with `extension` in the directory `folder` and below, staged and on disk, sorted. Hidden ones are left
    /// out, such as the dangling links that editors put beside open files, and so are links to directories.
    ///
    /// # Errors
    /// [`Error::Refused`] when the folder is no directory, or reached through a link, or endless as far as can be told;
    /// [`Error::Io`] when a directory cannot be read.
    pub fn list(&self, folder: &str, extension: &str) -> Result<Vec<RelPath>> {
        let mut found = list::files(&self.root, folder, extension)?;
        let staged = self
            .staged
            .keys()
            .filter(|path| path.as_str().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
            .filter(|path| path.extension() == extension);
        found.extend(staged.cloned());
        Ok(found.into_iter().collect())
    }
}
