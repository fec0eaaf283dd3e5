//! One command at a time in a project.

use std::fs::{File, TryLockError};
use std::path::Path;

/// Keeps other commands out of a project until it is dropped or the process ends, however it ends. Nothing is written.
#[derive(Debug)]
pub struct Lock {
    _directory: File,
}

impl Lock {
    /// Locks the directory `root`, after a call of `waiting` when another command has to end first; `None` where there is
    /// no such directory, or where the system does not lock directories.
    pub fn of(root: &Path, waiting: impl FnOnce()) -> Option<Self> {
        let directory = File::open(root).ok()?;
        match directory.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                directory.lock().ok()?;
            }
            Err(TryLockError::Error(_)) => return None,
        }
        Some(Self { _directory: directory })
    }
}
