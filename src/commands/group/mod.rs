//! A program together with everything that it starts: they end together.
//!
//! On Unix that is a process group, on Windows a job object. What leaves the group on purpose, as a daemon with a
//! session of its own does, is out of reach; on Windows nothing leaves a job.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::Group;
#[cfg(windows)]
pub(super) use windows::Group;
