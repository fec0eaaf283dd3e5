//! What is at a file's path, if a project can hold it.

use std::fs::Permissions;
use std::path::PathBuf;

use super::RelPath;
use crate::{Result, read};

/// What is at a file's path.
#[derive(Debug)]
pub(super) struct Found {
    /// Where the file really is, or will be: symbolic links below the root are followed.
    pub(super) real: PathBuf,
    /// What it holds and who may do what with it, if it exists.
    pub(super) content: Option<(String, Permissions)>,
}

impl Found {
    /// Reads the file at `path`, which is really at `real`.
    ///
    /// # Errors
    /// As [`read::file`].
    pub(super) fn read(path: &RelPath, real: PathBuf) -> Result<Self> {
        let content = Some(read::file(&real, path.as_str())?);
        Ok(Self { real, content })
    }

    /// What the file holds.
    pub(super) fn text(&self) -> Option<&str> {
        self.content.as_ref().map(|(text, _)| text.as_str())
    }
}
