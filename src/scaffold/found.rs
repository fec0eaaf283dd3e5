//! What is at a file's path, if a project can hold it.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::RelPath;
use crate::{Error, Problem, Result};

/// Longest file that is read, in bytes: far above any source or manifest, and read in no time.
const LONGEST: u64 = 64 << 20;

/// What is at a file's path.
#[derive(Debug)]
pub(super) struct Found {
    /// Where the file really is, or will be: symbolic links below the root are followed.
    pub(super) real: PathBuf,
    /// What it holds and who may do what with it, if it exists.
    pub(super) content: Option<(String, Permissions)>,
}

impl Found {
    /// Reads the file at `path`, which is really at `real` and was `found` there: reading a pipe or a device without a
    /// look at it might never end.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is no file, or one that no project holds, or not UTF-8; [`Error::Io`] when it cannot
    /// be read.
    pub(super) fn read(path: &RelPath, real: PathBuf, found: &Metadata) -> Result<Self> {
        readable(path, found)?;
        let bytes = contents(&real, found.len()).map_err(|error| Error::io("read", &real)(error))?;
        let content = Some((text(path, bytes)?, found.permissions()));
        Ok(Self { real, content })
    }

    /// What the file holds.
    pub(super) fn text(&self) -> Option<&str> {
        self.content.as_ref().map(|(text, _)| text.as_str())
    }
}

/// Refuses what is no file, or too long for one of a project.
fn readable(path: &RelPath, found: &Metadata) -> Result<()> {
    let message = if found.is_dir() {
        format!("`{path}` is a directory, and a file is expected there")
    } else if !found.is_file() {
        format!("`{path}` is a pipe, a socket or a device, and a file is expected there")
    } else if found.len() > LONGEST {
        format!("`{path}` is longer than {} MiB, too long for a file of a project", LONGEST >> 20)
    } else {
        return Ok(());
    };
    Err(Error::Refused(Problem::new(message).hint("move it away, then run the command again")))
}

/// What the file holds, which had `length` bytes a moment ago.
fn contents(file: &Path, length: u64) -> io::Result<Vec<u8>> {
    // One more than there is, so that its end is seen without asking for more space.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    File::open(file)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file's text, which has to be UTF-8.
fn text(path: &RelPath, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let problem = Problem::new(format!("`{path}:{line}:{column}`: what is there is not UTF-8"));
        Error::Refused(problem.hint("save the file as UTF-8, as every file of a project is"))
    })
}
