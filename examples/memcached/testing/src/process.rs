//! A program that a test runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A process that ends when this is dropped, or when the test ends in any other way.
pub(crate) struct Process {
    child: Child,
    /// Kills the process and removes the temporary directory as soon as its standard input closes, which happens even
    /// if the test is killed.
    watchdog: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, which `set` completes; `log` is a file in the temporary directory.
    pub(crate) fn spawn(program: impl AsRef<Path>, log: PathBuf, set: impl FnOnce(&mut Command)) -> Self {
        let program = program.as_ref();
        let output = File::create(&log).expect("log file");
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(output.try_clone().expect("log file")).stderr(output);
        set(&mut command);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", "trap '' HUP INT TERM; read -r _; kill -9 \"$0\"; rm -rf \"$1\""]);
        watchdog.arg(child.id().to_string()).arg(log.parent().expect("directory"));
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child, watchdog: watchdog.spawn().expect("sh"), log }
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "the process has ended already\n{}", self.log_tail());
    }

    /// How the process ended; an error as long as it runs.
    pub(crate) fn exit_status(&mut self) -> Result<ExitStatus, String> {
        let status = self.child.try_wait().map_err(|error| error.to_string())?;
        status.ok_or_else(|| "it runs".to_owned())
    }

    /// Fails if the process has ended.
    pub(crate) fn assert_running(&mut self) {
        if let Ok(status) = self.exit_status() {
            panic!("ended with {status}\n{}", self.log_tail());
        }
    }

    /// What the process has logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The end of that.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        format!("{}:\n{}", self.log.display(), lines[lines.len().saturating_sub(40)..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for child in [&mut self.child, &mut self.watchdog] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
