//! Reading a file of which nothing is known yet: the one way in, whoever names the file.
//!
//! A pipe would be waited for, a device has no end, and what the kernel makes up while it is read (below `/proc`) says
//! that it has no bytes. Only what is a file of a known length is opened.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read as _};
use std::path::Path;

use crate::limits::LENGTH;
use crate::{Error, Problem, Result};

/// The text of the file that is really at `real`, and who may do what with it; errors call it `shown`.
///
/// # Errors
/// [`Error::Refused`] when it is no file, longer than [`LENGTH`] or not UTF-8; [`Error::Io`] when it cannot be read.
pub fn file(real: &Path, shown: &str) -> Result<(String, Permissions)> {
    let failed = |error| Error::io("read", real)(error);
    // Before it is opened, which may wait, and again after that, as it may have become another.
    check(shown, &real.metadata().map_err(failed)?)?;
    let opened = File::open(real).map_err(failed)?;
    let found = opened.metadata().map_err(failed)?;
    check(shown, &found)?;
    let bytes = contents(opened, found.len()).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LENGTH) {
        return Err(too_long(shown));
    }
    Ok((text(shown, bytes)?, found.permissions()))
}

/// Refuses what is no file, or too long for one of a project.
fn check(shown: &str, found: &Metadata) -> Result<()> {
    let what = if found.is_dir() {
        "a directory"
    } else if !found.is_file() {
        "a pipe, a socket or a device"
    } else if found.len() > LENGTH {
        return Err(too_long(shown));
    } else {
        return Ok(());
    };
    Err(refused(format!("`{shown}` is {what}, and a file is expected there")))
}

fn too_long(shown: &str) -> Error {
    refused(format!("`{shown}` is longer than {} MiB, too long for a file of a project", LENGTH >> 20))
}

fn refused(message: String) -> Error {
    Error::Refused(Problem::new(message).hint("move it away, then run the command again"))
}

/// What a file of `length` bytes holds; one byte more than is allowed at most.
fn contents(file: File, length: u64) -> io::Result<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    // One more than there is, so that its end is seen without asking for more space.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(LENGTH + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file's text, which has to be UTF-8.
fn text(shown: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let problem = Problem::new(format!("`{shown}:{line}:{column}`: what is there is not UTF-8"));
        Error::Refused(problem.hint("save the file as UTF-8, as every file of a project is"))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn message(path: &Path) -> String {
        file(path, "it").expect_err("no file").to_string()
    }

    #[test]
    fn only_files_of_a_known_length_are_read() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("file");
        std::fs::write(&path, "text").expect("a file");
        assert_eq!(file(&path, "it").expect("a file").0, "text");
        std::fs::write(&path, b"a\nb\xff").expect("a file");
        assert_eq!(message(&path), "`it:2:2`: what is there is not UTF-8");
        File::create(&path).and_then(|file| file.set_len(LENGTH + 1)).expect("a long file");
        assert_eq!(message(&path), "`it` is longer than 16 MiB, too long for a file of a project");
        assert_eq!(message(folder.path()), "`it` is a directory, and a file is expected there");
        assert!(message(&folder.path().join("none")).starts_with("cannot read "));
    }

    #[test]
    #[cfg(unix)]
    fn nothing_without_end_is_waited_for() {
        let folder = tempfile::tempdir().expect("a directory");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("a pipe").success());
        let socket = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for path in [pipe, socket, "/dev/zero".into(), "/dev/null".into(), "/dev/stdin".into()] {
            assert_eq!(message(&path), "`it` is a pipe, a socket or a device, and a file is expected there");
        }
        if Path::new("/proc/kmsg").exists() {
            assert!(file(Path::new("/proc/kmsg"), "it").is_ok_and(|(text, _)| text.is_empty()));
        }
    }

    /// Every other way to read a file is one without these limits.
    #[test]
    fn no_file_is_read_elsewhere() {
        const WAYS: [&str; 5] = ["fs::read(", "fs::read_to", "File::open(", "OpenOptions", "fs::read_dir("];
        // A lock reads nothing, a journal is the user's own and has its bound, a listing is no file, and what the system
        // says of this process is short.
        const OWN: [&str; 5] = ["read.rs", "lock.rs", "journal.rs", "list.rs", "unix.rs"];
        let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).expect("a source");
                let program = source.split("#[cfg(test)]").next().unwrap_or_default();
                let found = WAYS.iter().find(|way| program.contains(*way));
                let is_exempt = name.ends_with("tests.rs") || OWN.contains(&name.as_str());
                assert!(found.is_none() || is_exempt, "{} has {found:?}", path.display());
            }
        }
    }
}
