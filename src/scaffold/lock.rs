//! One command at a time in a project.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Error, Problem, Result, printable};

/// How long a command waits for another one in the same project, which takes milliseconds, or as long as its questions.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps other commands out of a project until it is dropped or the process ends, however it ends. Nothing is written.
#[derive(Debug)]
pub struct Lock {
    _directory: File,
}

impl Lock {
    /// Locks the directory `root`, after a call of `waiting` when another command has to end first; `None` where there is
    /// no such directory, or where the system does not lock directories.
    ///
    /// # Errors
    /// [`Error::Refused`] when the other command has not ended after so much `patience`.
    pub fn of(root: &Path, patience: Duration, waiting: impl FnOnce()) -> Result<Option<Self>> {
        // A pipe would be waited for.
        if !root.is_dir() {
            return Ok(None);
        }
        let Ok(directory) = File::open(root) else { return Ok(None) };
        let mut waiting = Some(waiting);
        let begin = Instant::now();
        loop {
            match directory.try_lock() {
                Ok(()) => return Ok(Some(Self { _directory: directory })),
                Err(TryLockError::Error(_)) => return Ok(None),
                Err(TryLockError::WouldBlock) if begin.elapsed() >= patience => {
                    let seconds = patience.as_secs();
                    let message =
                        format!("something has held `{}` locked for {seconds} s", printable::path(root));
                    let hint =
                        "end the other command, which may be waiting for an answer, or try again later";
                    return Err(Error::Refused(Problem::new(message).hint(hint)));
                }
                Err(TryLockError::WouldBlock) => {
                    if let Some(waiting) = waiting.take() {
                        waiting();
                    }
                    sleep(Duration::from_millis(20));
                }
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn is_waited_for_but_not_for_ever() {
        let root = tempfile::tempdir().expect("a directory");
        let moment = Duration::from_millis(200);
        let first =
            Lock::of(root.path(), moment, || panic!("nobody has it")).expect("no wait").expect("a lock");
        let mut told = 0;
        let error = Lock::of(root.path(), moment, || told += 1).expect_err("it is held");
        assert_eq!(told, 1);
        assert!(error.to_string().contains("locked for 0 s"), "{error}");
        let path = root.path().to_path_buf();
        let later = std::thread::spawn(move || Lock::of(&path, Duration::from_secs(20), || ()));
        sleep(moment);
        drop(first);
        assert!(later.join().expect("no panic").expect("in time").is_some());
    }
}
