//! The files below a directory of the project.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::RelPath;
use crate::limits::{Budget, DEPTH, ENTRIES};
use crate::{Error, Problem, Result};

/// All files with `extension` in the directory `folder` of `root` and below. Hidden ones are left out, such as the
/// dangling links that editors put beside open files, and so are links to directories.
///
/// # Errors
/// [`Error::Refused`] when the folder is no directory, or reached through a link, when there are more entries than
/// [`ENTRIES`], or directories nested deeper than [`DEPTH`], or of another file system; [`Error::Io`] when a directory
/// cannot be read.
pub(super) fn files(root: &Path, folder: &str, extension: &str) -> Result<BTreeSet<RelPath>> {
    let mut found = BTreeSet::new();
    if !is_there(root, folder)? {
        return Ok(found);
    }
    let device = root.symlink_metadata().ok().as_ref().and_then(device);
    let entries = Budget::of(u64::try_from(ENTRIES).unwrap_or(u64::MAX));
    let mut folders = vec![(folder.to_owned(), folder.split('/').count())];
    while let Some((folder, depth)) = folders.pop() {
        let directory = root.join(&folder);
        if depth > DEPTH {
            let message = format!("`{}` has directories nested deeper than {DEPTH}", shortened(&folder));
            return Err(refused(message, "move them out of the project, or hide them: `.name`"));
        }
        let there = directory.symlink_metadata().ok().as_ref().and_then(device_of_directory);
        if there.is_some() && device.is_some() && there != device {
            let message = format!("`{folder}` is on another file system than the project");
            return Err(refused(message, "unmount it, or copy what it holds into the project"));
        }
        let list = match fs::read_dir(&directory) {
            Ok(list) => list,
            // Removed in this moment.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io("list", directory)(error)),
        };
        for entry in list {
            let entry = entry.map_err(Error::io("list", &directory))?;
            if entries.take(1).is_err() {
                let message =
                    format!("`{}` has more than {ENTRIES} files and directories", shortened(&folder));
                return Err(refused(
                    message,
                    "move what is no part of the project out of it, or hide it: `.name`",
                ));
            }
            // A name that is not text cannot be a source.
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            let kind = entry.file_type().map_err(Error::io("inspect", entry.path()))?;
            let path = format!("{folder}/{name}");
            if kind.is_dir() {
                folders.push((path, depth + 1));
            } else if let Ok(path) = RelPath::new(path)
                && path.extension() == extension
            {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// Whether `folder` exists; an error when it is no directory, or a link is in its path: that may lead anywhere.
fn is_there(root: &Path, folder: &str) -> Result<bool> {
    let mut path = PathBuf::from(root);
    let mut shown = String::new();
    for component in folder.split('/') {
        path.push(component);
        shown.push_str(if shown.is_empty() { "" } else { "/" });
        shown.push_str(component);
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => {
                let message = format!("`{shown}` is a symbolic link, and a directory is expected there");
                return Err(refused(message, "replace the link by a directory of the project"));
            }
            Ok(_) => {
                let message = format!("`{shown}` is a file, and a directory is expected there");
                return Err(refused(message, "move it away, then run the command again"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("list", path)(error)),
        }
    }
    Ok(true)
}

fn refused(message: String, hint: &str) -> Error {
    Error::Refused(Problem::new(message).hint(hint))
}

/// The first names of a path that may have hundreds.
fn shortened(folder: &str) -> String {
    let mut names = folder.split('/');
    let first: Vec<&str> = names.by_ref().take(4).collect();
    let rest = if names.next().is_some() { "/…" } else { "" };
    format!("{}{rest}", first.join("/"))
}

/// The file system that a directory is on, where systems tell.
fn device_of_directory(found: &Metadata) -> Option<u64> {
    device(found).filter(|_| found.is_dir())
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn device(found: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::dev(found))
}

#[cfg(not(unix))]
fn device(_: &Metadata) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(root: &Path, folder: &str) -> String {
        match files(root, folder, "rs") {
            Err(error) => format!("{error} hint: {}", error.hints().join(" ")),
            Ok(found) => format!("{found:?}"),
        }
    }

    #[test]
    fn what_is_no_plain_directory_is_named() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path();
        fs::create_dir_all(root.join("real/in")).expect("directories");
        fs::write(root.join("real/in/a.rs"), "").expect("a file");
        assert_eq!(files(root, "real", "rs").expect("a list").len(), 1);
        assert_eq!(files(root, "none/at/all", "rs").expect("a list").len(), 0);
        assert!(message(root, "real/in/a.rs").starts_with("`real/in/a.rs` is a file, and a directory is"));
        #[cfg(unix)]
        for (link, to) in [("out", "/"), ("inside", "real"), ("real/deep", "in"), ("loop", "loop")] {
            std::os::unix::fs::symlink(to, root.join(link)).expect("a link");
            for folder in [link.to_owned(), format!("{link}/in")] {
                let message = message(root, &folder);
                assert!(message.starts_with(&format!("`{link}` is a symbolic link, ")), "{message}");
                assert!(message.contains("hint: replace the link"), "{message}");
            }
        }
        assert_eq!(files(root, "real", "rs").expect("a list").len(), 1, "links in a listing are passed over");
        if Path::new("/proc/self").exists() {
            assert!(message(Path::new("/"), "proc").starts_with("`proc` is on another file system"));
        }
    }

    #[test]
    fn no_listing_is_endless() {
        let root = tempfile::tempdir().expect("a directory");
        let mut path = root.path().join("deep");
        for _ in 0..DEPTH {
            path.push("a");
        }
        fs::create_dir_all(path).expect("directories");
        let message = message(root.path(), "deep");
        assert!(message.starts_with("`deep/a/a/a/…` has directories nested deeper than 250"), "{message}");
        fs::create_dir(root.path().join("wide")).expect("a directory");
        for number in 0..=ENTRIES {
            fs::write(root.path().join(format!("wide/{number}")), "").expect("a file");
        }
        let message = files(root.path(), "wide", "rs").expect_err("too many").to_string();
        assert_eq!(message, "`wide` has more than 100000 files and directories");
    }
}
