//! Reads files of a commit. The repository may be a stranger's: none of its configuration runs a program, nothing is
//! fetched or written, and what git prints is bounded.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::group::Group;
use super::output::{self, Fault};
use crate::{Error, Problem, Result, limits, printable};

/// How long git may take for all of it; it needs milliseconds.
const TIME: Duration = Duration::from_secs(10);

/// Calls `each` with the path from `root` and the text of every file that a commit has in `folder`.
pub(super) fn files(
    root: &Path,
    commit: &str,
    folder: &str,
    mut each: impl FnMut(&str, &str) -> Result<()>,
) -> Result<()> {
    let begin = Instant::now();
    let git = |root, arguments: &[&str]| git(root, arguments, TIME.saturating_sub(begin.elapsed()));
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

/// The tag of the last version that was released before the current commit, such as `v1.2.0`.
pub(super) fn release(root: &Path) -> Result<Option<String>> {
    let arguments = ["describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "--match=[0-9]*", "HEAD"];
    let tag = git(root, &arguments, TIME)?.map(|tag| String::from_utf8_lossy(&tag).trim().to_owned());
    Ok(tag.filter(|tag| !tag.is_empty()))
}

/// What git prints; nothing when it fails.
fn git(root: &Path, arguments: &[&str], time: Duration) -> Result<Option<Vec<u8>>> {
    let mut command = Command::new("git");
    command
        .args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"])
        .args(arguments)
        .current_dir(root)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut group = Group::spawn(command).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let problem = Problem::new("there is no program `git`");
            Error::Refused(problem.hint("install git, or leave out `--against`"))
        }
        _ => Error::io("run", Path::new("git"))(error),
    })?;
    let (stdout, _) = group.streams();
    let shown = || format!("`git {}`", arguments.join(" "));
    let (status, text) =
        output::of(&mut group, stdout, time, limits::LENGTH).map_err(|fault| match fault {
            Fault::Long => {
                let problem =
                    Problem::new(format!("{} prints more than {} MiB", shown(), limits::LENGTH >> 20));
                Error::Refused(problem.hint("name a commit whose definitions are shorter"))
            }
            Fault::Late => {
                let problem =
                    Problem::new(format!("{} was not done within {} seconds", shown(), TIME.as_secs()));
                Error::Refused(problem.hint("see whether `git status` works in this repository"))
            }
            Fault::Io(error) => Error::io("read from", Path::new("git"))(error),
        })?;
    Ok(status.success().then_some(text))
}
