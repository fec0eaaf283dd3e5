//! Finding the project that a directory is in.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::FILE;
use crate::{Error, Result};

/// The closest directory at or above `dir` that holds a PROJECT file.
///
/// A project above `dir` has to be this user's, as git has it for repositories: in a folder such as `/tmp` anybody can put
/// a PROJECT above the folders of others. The directory that was named is used, whosever it is.
///
/// # Errors
/// [`Error::NotAProject`] when there is none, [`Error::Refused`] when it is above `dir` and somebody else's,
/// [`Error::Io`] when a directory cannot be looked into.
pub fn discover(dir: &Path) -> Result<PathBuf> {
    let start = dir.canonicalize().map_err(Error::io("open", dir))?;
    for candidate in start.ancestors() {
        let file = candidate.join(FILE);
        match file.symlink_metadata() {
            // A link or a directory of that name counts: reading it gives the clearer error.
            Ok(found) => {
                if candidate != start {
                    check_owner(candidate, &found)?;
                }
                return Ok(candidate.to_path_buf());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", file)(error)),
        }
    }
    Err(Error::NotAProject { dir: start })
}

/// Refuses a project that belongs to somebody else. Who became root by sudo is still who he was, too.
#[cfg(unix)]
fn check_owner(root: &Path, project: &Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    let before = std::env::var("SUDO_UID").ok().filter(|_| me == 0).and_then(|id| id.parse().ok());
    let folder = root.metadata().map_err(Error::io("open", root))?;
    if [folder.uid(), project.uid()].iter().all(|owner| *owner == me || Some(*owner) == before) {
        return Ok(());
    }
    let message = format!("the project in `{}` belongs to another user", crate::printable::path(root));
    let hint = format!("if you trust it, name it: `-C {}`", crate::printable::path(root));
    Err(Error::Refused(crate::Problem::new(message).hint(hint)))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature on every system")]
fn check_owner(_: &Path, _: &Metadata) -> Result<()> {
    Ok(())
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
