//! Builds a project's `crdgen` with cargo, which may take its time but not the memory or the terminal.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::Access;
use super::group::Group;
use super::lines::{self, PassedOn};
use super::progress::Progress;
use crate::limits::LENGTH;
use crate::{Error, Problem, Result};

/// How long to read on when cargo has ended: what it left behind may keep its streams open.
const PATIENCE: Duration = Duration::from_secs(5);

/// The program `crdgen` of `package` in the workspace at `root`, compiled. For a command that reads, cargo writes nothing
/// outside of its target folder: `Cargo.lock` has to be as it should be, then. Meanwhile its progress is shown.
pub(super) fn build(root: &Path, package: &str, access: Access, progress: Progress) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut arguments = vec!["build", "--package", package, "--features", "crdgen", "--bin", "crdgen"];
    if access.reads() {
        arguments.push("--locked");
    }
    let mut command = Command::new(&cargo);
    command.args(&arguments).arg("--message-format=json-render-diagnostics").current_dir(root);
    progress.ask(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // With the compilers and build scripts that it starts: none of them outlives this.
    let mut group = Group::spawn(command).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let cargo = crate::printable::path(Path::new(&cargo));
            let problem = Problem::new(format!("there is no program `{cargo}`"));
            Error::Refused(problem.hint("install Rust: https://rustup.rs"))
        }
        _ => Error::io("run", Path::new(&cargo))(error),
    })?;
    let (stdout, stderr) = group.streams();
    let (found, programs) = mpsc::channel();
    std::thread::spawn(move || {
        let mut program = None;
        let whole = lines::each(stdout, LENGTH, |line| program = executable(line).or(program.take()));
        found.send(whole.then_some(program))
    });
    let (said, locks) = mpsc::channel();
    std::thread::spawn(move || {
        let mut is_locked = false;
        let passed_on = PassedOn::of("cargo", progress);
        let whole = passed_on.all(stderr, LENGTH, |line| is_locked |= line.contains("--locked was passed"));
        said.send(whole.then_some(is_locked))
    });
    let failed = |message: String| {
        Error::Refused(Problem::new(message).hint("mend what cargo reports above, then try again"))
    };
    let long = || failed(format!("`cargo` printed more than {} MiB", LENGTH >> 20));
    let (mut program, mut is_locked) = (None, None);
    let status = loop {
        let status = group.try_wait().map_err(Error::io("wait for", Path::new(&cargo)))?;
        // What cargo had to say comes before what is said of it.
        let patience = if status.is_some() { PATIENCE } else { Duration::ZERO };
        program = program.or_else(|| programs.recv_timeout(patience).ok());
        is_locked = is_locked.or_else(|| locks.recv_timeout(patience).ok());
        if program == Some(None) || is_locked == Some(None) {
            return Err(long());
        }
        if let Some(status) = status {
            break status;
        }
        sleep(Duration::from_millis(5));
    };
    let is_locked = is_locked.flatten().unwrap_or_default();
    if !status.success() {
        if let (Access::Read(option), true) = (access, is_locked) {
            let message = format!("`Cargo.lock` is missing or out of date, and `{option}` does not write it");
            let hint = format!("run the command without `{option}`, and commit `Cargo.lock`");
            return Err(Error::Refused(Problem::new(message).hint(hint)));
        }
        return Err(failed(format!("`cargo {}` failed", arguments.join(" "))));
    }
    let program = program.flatten().flatten();
    program.ok_or_else(|| failed(format!("`cargo {}` built no program `crdgen`", arguments.join(" "))))
}

/// The program that a message of cargo's names, if it is `crdgen`.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    (message["target"]["name"] == "crdgen").then(|| message["executable"].as_str().map(PathBuf::from))?
}
