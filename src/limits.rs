//! How much of anything is taken: one limit each for depth, length and work, whatever is read, walked or evaluated.
//!
//! Files may come from strangers. Each limit is far above what any project has, and low enough that whatever stays
//! within them takes little time and memory.

use std::cell::Cell;

/// Deepest nesting of anything that is parsed, walked or evaluated; the API server's own limit for rules.
pub const DEPTH: usize = 250;

/// Longest file that is read, in bytes.
pub const LENGTH: u64 = 16 << 20;

/// Most bytes of files that one command reads, whichever files and however often.
pub const TOTAL: u64 = 64 << 20;

/// Most entries of directories that one listing looks at.
pub const ENTRIES: usize = 100_000;

/// Stack of the thread that does the work, in bytes: enough for what is nested [`DEPTH`] times, on every system.
pub const STACK: usize = 64 << 20;

/// The steps that evaluations have left.
#[derive(Debug)]
pub struct Budget {
    left: Cell<u64>,
}

/// A [`Budget`] is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

impl Budget {
    /// So many steps.
    #[must_use]
    pub fn of(steps: u64) -> Self {
        Self { left: Cell::new(steps) }
    }

    /// Takes so many steps.
    ///
    /// # Errors
    /// [`Spent`] when there are not as many left.
    pub fn take(&self, steps: u64) -> Result<(), Spent> {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        left.map(drop).ok_or(Spent)
    }
}

/// Does `work` on a thread with a stack of [`STACK`] bytes.
///
/// # Panics
/// When `work` does, or the system has no thread left.
pub fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match worker.expect("a thread").join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
