//! Finding the project that a directory is in.

use std::path::{Path, PathBuf};

use super::FILE;
use crate::{Error, Result};

/// The closest directory at or above `dir` that holds a PROJECT file.
///
/// # Errors
/// [`Error::NotAProject`] when there is none, [`Error::Io`] when a directory cannot be looked into.
pub fn discover(dir: &Path) -> Result<PathBuf> {
    let start = dir.canonicalize().map_err(Error::io("open", dir))?;
    for candidate in start.ancestors() {
        let file = candidate.join(FILE);
        match file.symlink_metadata() {
            // A link or a directory of that name counts: reading it gives the clearer error.
            Ok(_) => return Ok(candidate.to_path_buf()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", file)(error)),
        }
    }
    Err(Error::NotAProject { dir: start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_up_to_the_closest_project() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path().canonicalize().expect("a path");
        let deep = root.join("src/controller");
        std::fs::create_dir_all(&deep).expect("directories");
        assert!(matches!(discover(&deep), Err(Error::NotAProject { dir }) if dir == deep));
        std::fs::write(root.join(FILE), "").expect("a file");
        assert_eq!(discover(&deep).expect("a project"), root);
        std::fs::write(root.join("src").join(FILE), "").expect("a file");
        assert_eq!(discover(&deep).expect("a project"), root.join("src"));
        assert!(matches!(discover(&root.join("none")), Err(Error::Io { .. })));
    }
}
