//! Builds a project's `crdgen` with cargo, which may take its time but not the memory or the terminal.

use std::ffi::OsString;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::Access;
use super::lines::{self, PassedOn};
use crate::{Error, Problem, Result};

/// How long to read on when cargo has ended: what it left behind may keep its streams open.
const PATIENCE: Duration = Duration::from_secs(5);

/// The program `crdgen` of `package` in the workspace at `root`, compiled. For a command that reads, cargo writes nothing
/// outside of its target folder: `Cargo.lock` has to be as it should be, then.
pub(super) fn build(root: &Path, package: &str, access: Access) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut arguments =
        vec!["build", "--quiet", "--package", package, "--features", "crdgen", "--bin", "crdgen"];
    if access.reads() {
        arguments.push("--locked");
    }
    // In this program's group: Ctrl-C reaches cargo and the compilers.
    let mut child = Command::new(&cargo)
        .args(&arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let cargo = crate::printable::path(Path::new(&cargo));
                let problem = Problem::new(format!("there is no program `{cargo}`"));
                Error::Refused(problem.hint("install Rust: https://rustup.rs"))
            }
            _ => Error::io("run", Path::new(&cargo))(error),
        })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (found, program) = mpsc::channel();
    std::thread::spawn(move || {
        lines::each(stdout.map(BufReader::new), |line| {
            if let Some(program) = executable(line) {
                let _ = found.send(program);
            }
        });
    });
    let (said, lock) = mpsc::channel();
    std::thread::spawn(move || {
        let mut is_locked = false;
        let mut passed_on = PassedOn::of("cargo");
        lines::each(stderr.map(BufReader::new), |line| {
            is_locked |= line.contains("--locked was passed");
            passed_on.line(line);
        });
        said.send(is_locked)
    });
    let status = child.wait().map_err(Error::io("wait for", Path::new(&cargo)))?;
    // What cargo had to say comes before what is said of it.
    let is_locked = lock.recv_timeout(PATIENCE).unwrap_or_default();
    let failed = |message: String| {
        Error::Refused(Problem::new(message).hint("mend what cargo reports above, then try again"))
    };
    if !status.success() {
        if let (Access::Read(option), true) = (access, is_locked) {
            let message = format!("`Cargo.lock` is missing or out of date, and `{option}` does not write it");
            let hint = format!("run the command without `{option}`, and commit `Cargo.lock`");
            return Err(Error::Refused(Problem::new(message).hint(hint)));
        }
        return Err(failed(format!("`cargo {}` failed", arguments.join(" "))));
    }
    let program = program.recv_timeout(PATIENCE);
    program.map_err(|_| failed(format!("`cargo {}` built no program `crdgen`", arguments.join(" "))))
}

/// The program that a message of cargo's names, if it is `crdgen`.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    (message["target"]["name"] == "crdgen").then(|| message["executable"].as_str().map(PathBuf::from))?
}
