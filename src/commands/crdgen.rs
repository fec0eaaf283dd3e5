//! Builds and runs a project's `crdgen`, which prints the custom resource definitions of its types.

use std::ffi::OsString;
use std::io::{self, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::panics::{explained, pass_on};
use crate::{Error, Problem, Result};

/// How long the program may take; it needs milliseconds.
const TIME: Duration = Duration::from_secs(60);

/// How much it may print, in bytes: more than a hundred definitions of the size that etcd takes.
const LENGTH: u64 = 256 << 20;

/// What the program `crdgen` of `package` in the workspace at `root` prints. What cargo and the program have to say
/// goes to stderr as it is.
pub(super) fn run(root: &Path, package: &str) -> Result<String> {
    let program = build(root, package)?;
    let mut command = Command::new(&program);
    command.current_dir(root);
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        // Says which type a panic was about.
        command.env("RUST_BACKTRACE", "1");
    }
    printed(command, TIME, LENGTH)
}

/// What a program prints in so much time and so many bytes.
fn printed(mut command: Command, time: Duration, length: u64) -> Result<String> {
    let program = PathBuf::from(command.get_program());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Error::io("run", &program))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Channels and not joined threads: a process that the program leaves behind may keep its streams open.
    let (said, panic) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = stderr.map(|stderr| pass_on(BufReader::new(stderr.take(length))));
        said.send(lines.unwrap_or_default())
    });
    let (read, text) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let done = stdout.map_or(Ok(0), |stdout| stdout.take(length + 1).read_to_end(&mut text));
        read.send(done.map(|_| text))
    });
    let begin = Instant::now();
    let left = || time.saturating_sub(begin.elapsed());
    let status = loop {
        match child.try_wait().map_err(Error::io("wait for", &program))? {
            Some(status) => break Some(status),
            None if left().is_zero() => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => sleep(Duration::from_millis(2)),
        }
    };
    // Longer than the limit: it is closed by then, which may be why the program failed.
    let text = text.recv_timeout(left().max(Duration::from_millis(10)));
    let is_long = |text: &io::Result<Vec<u8>>| text.as_ref().is_ok_and(|text| text.len() as u64 > length);
    if text.as_ref().is_ok_and(is_long) {
        return Err(endless(&format!("printed more than {length} bytes")));
    }
    let (Some(status), Ok(text)) = (status, text) else {
        return Err(endless(&format!("did not end within {} seconds", time.as_secs())));
    };
    if !status.success() {
        let panic = panic.recv_timeout(left()).unwrap_or_default();
        if let Some(problem) = explained(&panic) {
            return Err(Error::Refused(problem));
        }
        let problem = Problem::new(format!("`crdgen` failed with {status}"));
        return Err(Error::Refused(problem.hint("mend what it reports above, then try again")));
    }
    // What it had to say comes before what is said of it.
    let _ = panic.recv_timeout(left());
    let text = text.map_err(Error::io("read from", &program))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn endless(what: &str) -> Error {
    let hint = "it should print the definitions and nothing else: see `api/src/crdgen.rs`";
    Error::Refused(Problem::new(format!("`crdgen` {what}")).hint(hint))
}

/// The program, compiled.
fn build(root: &Path, package: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let arguments = ["build", "--quiet", "--package", package, "--features", "crdgen", "--bin", "crdgen"];
    let output = Command::new(&cargo)
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let problem = Problem::new(format!("there is no program `{}`", cargo.to_string_lossy()));
                Error::Refused(problem.hint("install Rust: https://rustup.rs"))
            }
            _ => Error::io("run", Path::new(&cargo))(error),
        })?;
    let failed = |message: String| {
        Error::Refused(Problem::new(message).hint("mend what cargo reports above, then try again"))
    };
    if !output.status.success() {
        return Err(failed(format!("`cargo {}` failed", arguments.join(" "))));
    }
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let program = messages
        .map_while(std::result::Result::ok)
        .filter(|message| message["target"]["name"] == "crdgen")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.ok_or_else(|| failed(format!("`cargo {}` built no program `crdgen`", arguments.join(" "))))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn printed_by(commands: &str) -> Result<String, String> {
        let mut shell = Command::new("sh");
        shell.args(["-c", commands]);
        printed(shell, Duration::from_secs(2), 10_000).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let begin = Instant::now();
        assert_eq!(printed_by("echo a; echo b >&2; echo c").as_deref(), Ok("a\nc\n"));
        assert!(begin.elapsed() < Duration::from_secs(1));
        let slow = Err("`crdgen` did not end within 2 seconds".to_owned());
        assert_eq!(printed_by("exec sleep 30"), slow);
        assert_eq!(printed_by("sleep 9 & exit 0"), slow, "what is left behind keeps the stream open");
        assert_eq!(printed_by("while :; do :; done"), slow);
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn what_is_printed_without_end_is_not_read() {
        let long = Err("`crdgen` printed more than 10000 bytes".to_owned());
        assert_eq!(printed_by("exec yes"), long);
        assert_eq!(printed_by("yes; exit 0"), long);
        assert_eq!(printed_by("yes | head -c 10000").map(|text| text.len()), Ok(10_000));
        assert!(printed_by("exec yes '' >&2").is_err());
    }
}
