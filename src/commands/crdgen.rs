//! Builds and runs a project's `crdgen`, which prints the custom resource definitions of its types.

use std::ffi::OsString;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::panics::{explained, pass_on};
use crate::{Error, Problem, Result};

/// How long the program may take; it needs milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

/// What the program `crdgen` of `package` in the workspace at `root` prints. What cargo and the program have to say
/// goes to stderr as it is.
pub(super) fn run(root: &Path, package: &str) -> Result<String> {
    let program = build(root, package)?;
    let mut command = Command::new(&program);
    command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        // Says which type a panic was about.
        command.env("RUST_BACKTRACE", "1");
    }
    let mut child = command.spawn().map_err(Error::io("run", &program))?;
    let stderr = child.stderr.take();
    let panic =
        std::thread::spawn(|| stderr.map(|stderr| pass_on(BufReader::new(stderr))).unwrap_or_default());
    let mut stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        stdout.as_mut().map_or(Ok(0), |stdout| stdout.read_to_end(&mut text)).map(|_| text)
    });
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(Error::io("wait for", &program))? {
            Some(status) => break status,
            None if begin.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                let message = format!("`crdgen` did not end within {} seconds", LIMIT.as_secs());
                let hint = "it should print the definitions and nothing else: see `api/src/crdgen.rs`";
                return Err(Error::Refused(Problem::new(message).hint(hint)));
            }
            None => sleep(Duration::from_millis(2)),
        }
    };
    let panic = panic.join().unwrap_or_default();
    if !status.success() {
        if let Some(problem) = explained(&panic) {
            return Err(Error::Refused(problem));
        }
        let problem = Problem::new(format!("`crdgen` failed with {status}"));
        return Err(Error::Refused(problem.hint("mend what it reports above, then try again")));
    }
    let text = reader.join().unwrap_or_else(|_| Ok(Vec::new())).map_err(Error::io("read from", &program))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
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
