//! Reads files of a commit. The repository may be a stranger's: none of its configuration runs a program, nothing is
//! fetched or written, and what git prints is bounded.

use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Error, Problem, Result, limits, printable};

/// Calls `each` with the path from `root` and the text of every file that a commit has in `folder`.
pub(super) fn files(
    root: &Path,
    commit: &str,
    folder: &str,
    mut each: impl FnMut(&str, &str) -> Result<()>,
) -> Result<()> {
    let name = format!("{commit}^{{commit}}");
    let known = git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
    let id = known.map(|id| String::from_utf8_lossy(&id).trim().to_owned());
    let Some(id) = id.filter(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit())) else {
        let problem = Problem::new(format!("there is no commit {}", printable::value(commit)));
        return Err(Error::Refused(problem.hint("name a commit, tag or branch of the project's repository")));
    };
    let entries = git(root, &["ls-tree", "-z", &id, &format!("./{folder}/")])?.unwrap_or_default();
    let mut bytes = 0;
    for entry in String::from_utf8_lossy(&entries).split_terminator('\0').take(limits::ENTRIES) {
        // `100644 blob 1b2c…<tab>config/…`; a link has another mode.
        let Some((about, path)) = entry.split_once('\t') else { continue };
        let [mode, "blob", id] = about.split(' ').collect::<Vec<_>>()[..] else { continue };
        if mode.starts_with("100")
            && let Some(text) = git(root, &["cat-file", "blob", id])?
        {
            bytes += text.len() as u64;
            if bytes > limits::TOTAL {
                let problem =
                    Problem::new(format!("the definitions of {} are too long", printable::value(commit)));
                return Err(Error::Refused(problem.hint("compare with another commit")));
            }
            each(path, &String::from_utf8_lossy(&text))?;
        }
    }
    Ok(())
}

/// What git prints; nothing when it fails.
fn git(root: &Path, arguments: &[&str]) -> Result<Option<Vec<u8>>> {
    let failed = |action| Error::io(action, Path::new("git"));
    let mut child = Command::new("git")
        .args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"])
        .args(arguments)
        .current_dir(root)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let problem = Problem::new("there is no program `git`");
                Error::Refused(problem.hint("install git, or leave out `--against`"))
            }
            _ => failed("run")(error),
        })?;
    let mut text = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(limits::LENGTH + 1).read_to_end(&mut text),
        None => Ok(0),
    };
    let is_long = text.len() as u64 > limits::LENGTH;
    if is_long || read.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed("wait for"))?;
    read.map_err(failed("read from"))?;
    if is_long {
        let mib = limits::LENGTH >> 20;
        let problem = Problem::new(format!("`git {}` prints more than {mib} MiB", arguments.join(" ")));
        return Err(Error::Refused(problem.hint("name a commit whose definitions are shorter")));
    }
    Ok(status.success().then_some(text))
}
