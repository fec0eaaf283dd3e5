//! Everything that can go wrong, in one enum.
//!
//! Messages are lower-case, name literals in backticks and say what was wrong; what to do about it is in the hints,
//! which the console prints below as `hint:` lines. The exit status follows from the variant: 2 for a command line
//! that cannot be right, 1 for everything else. Paths in messages, and hints as a whole, are escaped to one line each.

use std::io;
use std::path::PathBuf;

use crate::path::RelPath;
use crate::{Problem, printable};

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments cannot be right; every problem found is listed.
    #[error("{}", join(.0))]
    Usage(Vec<Problem>),
    /// The arguments are well formed but do not fit the project or the machine.
    #[error("{}", .0.message)]
    Refused(Problem),
    /// The API server would not take the definitions of the project's types; every problem found is listed.
    #[error("{}", join(.0))]
    Definitions(Vec<Problem>),
    /// A library in the project would ask for other versions of crates than the project; every problem found is listed.
    #[error("{}", join(.0))]
    Dependencies(Vec<Problem>),
    /// No PROJECT file here or above.
    #[error("no `PROJECT` file in `{}` or any directory above it", printable::path(dir))]
    NotAProject {
        /// Where the search began.
        dir: PathBuf,
    },
    /// The PROJECT file does not say what it must.
    #[error("`PROJECT` line {line}: {message}\n{snippet}")]
    ProjectFile {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
        /// The line itself with a marker below it.
        snippet: String,
    },
    /// Files the command would write hold something else.
    #[error("{} would overwrite work that is not its own: {}", count(.0.len(), "file"), list(.0))]
    Conflicts(Vec<RelPath>),
    /// A shared file lost the line that marks where text goes.
    #[error("`{path}` has no line with `{anchor}`")]
    AnchorMissing {
        /// The file.
        path: RelPath,
        /// The text that was looked for.
        anchor: String,
        /// What would have been inserted above it.
        paste: String,
    },
    /// The result of a command would not parse.
    #[error("`{path}` would not parse: {message}")]
    Unparsable {
        /// The file.
        path: RelPath,
        /// What the parser said.
        message: String,
    },
    /// A file changed between planning and writing.
    #[error("`{path}` changed while the command ran")]
    ChangedMeanwhile {
        /// The file.
        path: RelPath,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`: {}", printable::path(path), describe(source))]
    Io {
        /// What was tried, such as `read`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// What does not fit, unless somebody says that the arguments cannot be right.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl Error {
    /// Wraps an I/O error with what was tried on which path.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// The process's exit status: 2 for a wrong command line, 1 otherwise.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }

    /// What the user can do, one line (or block) each, in order and without repeats.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage(problems) => distinct(problems),
            Self::Definitions(problems) | Self::Dependencies(problems) => {
                let mut hints = distinct(problems);
                hints.push("nothing was written".into());
                hints
            }
            Self::Refused(problem) => distinct(std::slice::from_ref(problem)),
            Self::NotAProject { .. } => vec![
                "run `iris-scaffold init --domain DOMAIN` to start a project here".into(),
                "or name the project's directory with `-C DIR`".into(),
            ],
            Self::ProjectFile { .. } => {
                vec!["restore `PROJECT` from version control, or mend that line".into()]
            }
            Self::Conflicts(_) => vec![
                "see what would change with `--diff`".into(),
                "then choose `--on-conflict keep` or `--on-conflict overwrite`".into(),
                "nothing was written".into(),
            ],
            Self::AnchorMissing { paste, anchor, .. } => vec![
                format!(
                    "put the line with `{anchor}` back where this belongs, or paste it yourself:\n{paste}"
                ),
                "nothing was written".into(),
            ],
            Self::Unparsable { .. } => {
                vec!["mend the file, then run the command again".into(), "nothing was written".into()]
            }
            Self::ChangedMeanwhile { .. } => {
                vec!["run the command again".into(), "nothing was written".into()]
            }
            Self::Io { .. } => Vec::new(),
        }
    }
}

fn join(problems: &[Problem]) -> String {
    problems.iter().map(|problem| printable::line(&problem.message)).collect::<Vec<_>>().join("\n")
}

fn distinct(problems: &[Problem]) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for hint in problems.iter().flat_map(|problem| &problem.hints) {
        let hint = printable::line(hint);
        if !hints.iter().any(|known| *known == hint) {
            hints.push(hint.into_owned());
        }
    }
    hints
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn list(paths: &[RelPath]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}

/// The system's words without the `(os error N)` at their end, in lower case.
fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = printable::line(text.split(" (os error").next().unwrap_or(&text));
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
