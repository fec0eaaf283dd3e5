//! Builds and runs a project's `crdgen`, which prints the custom resource definitions of its types.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Access;
use super::cargo;
use super::group::Group;
use super::output::{self, Fault};
use super::panics::{explained, is_of_schema, pass_on};
use super::progress::Progress;
use crate::{Error, Problem, Result};

/// How long the program may take; it needs milliseconds.
const TIME: Duration = Duration::from_secs(60);

/// How much it may print, in bytes: more than a hundred definitions of the size that etcd takes.
const LENGTH: u64 = 256 << 20;

/// What the program `crdgen` of `package` in the workspace at `root` prints. What cargo and the program have to say
/// goes to stderr.
///
/// # Errors
/// When it cannot be built or run, or fails; what the sources say of a panic, which `known` looks up, is said in the place
/// of what kube-derive says.
pub(super) fn run(
    root: &Path,
    package: &str,
    access: Access,
    progress: Progress,
    known: impl FnOnce() -> Result<Vec<Problem>>,
) -> Result<String> {
    let program = cargo::build(root, package, access, progress)?;
    let mut command = Command::new(&program);
    command.current_dir(root);
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        // Says which type a panic was about.
        command.env("RUST_BACKTRACE", "1");
    }
    printed(command, TIME, LENGTH, known)
}

/// What a program prints in so much time and so many bytes. Nothing that it has started outlives this.
fn printed(
    mut command: Command,
    time: Duration,
    length: u64,
    known: impl FnOnce() -> Result<Vec<Problem>>,
) -> Result<String> {
    let program = PathBuf::from(command.get_program());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command).map_err(Error::io("run", &program))?;
    let (stdout, stderr) = group.streams();
    let (said, panic) = mpsc::channel();
    std::thread::spawn(move || said.send(pass_on(stderr, length)));
    let begin = Instant::now();
    let left = || time.saturating_sub(begin.elapsed());
    let (status, text) = output::of(&mut group, stdout, time, length).map_err(|fault| match fault {
        Fault::Long => endless(&format!("printed more than {length} bytes")),
        Fault::Late => endless(&format!("did not end within {} seconds", time.as_secs())),
        Fault::Io(error) => Error::io("read from", &program)(error),
    })?;
    drop(group);
    if !status.success() {
        let panic = panic.recv_timeout(left()).unwrap_or_default();
        if let Some(problem) = explained(&panic) {
            let known = if is_of_schema(&panic) { known()? } else { Vec::new() };
            if !known.is_empty() {
                return Err(Error::Definitions(known));
            }
            return Err(Error::Refused(problem));
        }
        let problem = Problem::new(format!("`crdgen` failed with {status}"));
        return Err(Error::Refused(problem.hint("mend what it reports above, then try again")));
    }
    // What it had to say comes before what is said of it.
    let _ = panic.recv_timeout(left());
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn endless(what: &str) -> Error {
    let hint = "it should print the definitions and nothing else: see `api/src/crdgen.rs`";
    Error::Refused(Problem::new(format!("`crdgen` {what}")).hint(hint))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn printed_by(commands: &str) -> Result<String, String> {
        let mut shell = Command::new("sh");
        shell.args(["-c", commands]);
        printed(shell, Duration::from_secs(2), 10_000, || Ok(Vec::new())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let begin = Instant::now();
        assert_eq!(printed_by("echo a; echo b >&2; echo c").as_deref(), Ok("a\nc\n"));
        assert!(begin.elapsed() < Duration::from_secs(1));
        let slow = Err("`crdgen` did not end within 2 seconds".to_owned());
        assert_eq!(printed_by("exec sleep 30"), slow);
        let folder = tempfile::tempdir().expect("a folder");
        let left = folder.path().join("left").display().to_string();
        let leave =
            format!("setsid sh -c \"touch '{left}'; exec sleep 9\" & until [ -e '{left}' ]; do :; done");
        assert_eq!(printed_by(&leave), slow, "what has left the group keeps the stream open");
        assert_eq!(printed_by("while :; do :; done"), slow);
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn what_is_left_behind_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let late = folder.path().join("late");
        let leave = format!("(sleep 1; touch '{}') & (:)", late.display());
        let begin = Instant::now();
        assert_eq!(printed_by(&format!("{leave}; echo a")).as_deref(), Ok("a\n"));
        assert!(begin.elapsed() < Duration::from_secs(1), "nobody waits for it");
        assert!(printed_by(&format!("trap '' TERM INT; {leave}; exec yes >&2")).is_err());
        assert!(printed_by(&format!("{leave}; exec yes")).is_err());
        std::thread::sleep(Duration::from_secs(2));
        assert!(!late.exists());
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
