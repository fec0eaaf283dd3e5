//! Job objects.
//!
//! Ctrl-C reaches every program of the console, also those of the job.

use std::io;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};

use process_wrap::std::{ChildWrapper, CommandWrap, JobObject};

/// A running program and what it has started.
#[derive(Debug)]
pub(in crate::commands) struct Group {
    child: Box<dyn ChildWrapper>,
    status: Option<ExitStatus>,
}

impl Group {
    /// Starts a program as the first of its job.
    pub(in crate::commands) fn spawn(command: Command) -> io::Result<Self> {
        let child = CommandWrap::from(command).wrap(JobObject).spawn()?;
        Ok(Self { child, status: None })
    }

    /// What the program prints, where that is a pipe.
    pub(in crate::commands) fn streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout().take(), self.child.stderr().take())
    }

    /// How the program ended, once it has; what it has left behind is ended, too.
    pub(in crate::commands) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
            if self.status.is_some() {
                let _ = self.child.start_kill();
            }
        }
        Ok(self.status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
    }
}
