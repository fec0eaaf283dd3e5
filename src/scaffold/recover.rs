//! What a command that was killed left behind, and how it is finished.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::journal::{Entry, Journal, Journals};
use super::{RelPath, Tree};
use crate::{Error, Problem, Result, printable, read};

/// Finishes or forgets what a command that was killed left in the project at `root`. Whether there was anything to
/// finish.
///
/// # Errors
/// [`Error::Refused`] when a file is not what that command saw or wrote any more: then nothing is moved.
/// [`Error::Io`] when the system refuses.
pub fn recover(root: &Path, journals: &Journals) -> Result<bool> {
    let Some(journal) = journals.find(root)? else { return Ok(false) };
    let moves = moves(root, &journal)?;
    for (staged, target) in &moves {
        place(staged, target).map_err(Error::io("write", target))?;
    }
    journal.close(root).map_err(Error::io("recover", root))?;
    Ok(!moves.is_empty())
}

/// Refuses a project that a command was killed in while it moved its files into place, and that is not finished. Nothing
/// is written.
///
/// # Errors
/// [`Error::Refused`] when files have still to be moved, and those of [`recover`].
pub fn check_whole(root: &Path, journals: &Journals) -> Result<()> {
    match journals.find(root)? {
        Some(journal) if !moves(root, &journal)?.is_empty() => {
            let message =
                format!("`{}` is half written: an earlier command was killed", printable::path(root));
            let problem =
                Problem::new(message).hint("this command only reads; any command that writes finishes it");
            Err(Error::Refused(problem.hint("for example `iris-scaffold manifests --rbac-only`")))
        }
        _ => Ok(()),
    }
}

/// What has still to be moved, and where to. Everything is checked before anything is moved.
fn moves(root: &Path, journal: &Journal) -> Result<Vec<(PathBuf, PathBuf)>> {
    let staging = journal.staging(root);
    // Without its folder a journal says nothing any more.
    if !staging.exists() {
        return Ok(Vec::new());
    }
    let tree = Tree::open(root);
    let mut moves = Vec::new();
    for (index, entry) in journal.entries().iter().enumerate() {
        let path = entry.path()?;
        let changed = || changed(&path, staging.folder());
        let found = tree.look(&path)?;
        let now = found.text().map(Digest::of);
        let staged = staging.new_file(index);
        match digest(&staged)? {
            None if now.as_ref() == Some(&entry.after) => {}
            Some(new) if new == entry.after => {
                if now.as_ref() != Some(&entry.after)
                    && !is_before(entry, now.as_ref(), &staging.old_file(index))
                {
                    return Err(changed());
                }
                moves.push((staged, found.real));
            }
            _ => return Err(changed()),
        }
    }
    Ok(moves)
}

/// Whether a file is as it was before the change: as it is now, or where it was put aside.
fn is_before(entry: &Entry, now: Option<&Digest>, aside: &Path) -> bool {
    now == entry.before.as_ref() || (now.is_none() && digest(aside).is_ok_and(|aside| aside == entry.before))
}

fn changed(path: &RelPath, staging: &Path) -> Error {
    let message = format!("`{path}` has changed since an earlier command was killed; nothing was moved");
    let hint = format!(
        "what that command wrote is in `{0}`: take over what you need, then delete `{0}`",
        printable::path(staging)
    );
    Error::Refused(Problem::new(message).hint(hint))
}

/// The digest of a file; `None` when there is none.
fn digest(path: &Path) -> Result<Option<Digest>> {
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => {
            let problem = Problem::new(format!("`{}` is a symbolic link", printable::path(path)));
            Err(Error::Refused(problem.hint("remove it")))
        }
        Ok(_) => Ok(Some(Digest::of(read::file(path, &printable::path(path))?.0))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

fn place(staged: &Path, target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::rename(staged, target)
}
