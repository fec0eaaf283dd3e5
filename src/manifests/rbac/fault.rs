//! What is wrong with a marker, and where.

use crate::Problem;
use crate::nearest::nearest;
use crate::path::RelPath;
use crate::printable;

use super::lexer::Comment;

/// The marker's name with the sign in front.
pub const NAME: &str = "+kubebuilder:rbac";

/// The arguments' names.
pub const ARGUMENTS: [&str; 7] =
    ["groups", "resources", "resourceNames", "verbs", "urls", "namespace", "roleName"];

/// Most characters of a line that are shown.
const LONGEST: usize = 200;

/// Why a marker cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, in bytes of the comment.
    at: usize,
    /// What is wrong.
    message: String,
    /// What to write instead.
    hint: String,
}

impl Fault {
    /// A fault at byte `at` of the comment.
    pub fn new(at: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: hint.into() }
    }

    /// The same of a comment that is so many bytes shorter at its beginning.
    #[must_use]
    pub fn without(mut self, bytes: usize) -> Self {
        self.at = self.at.saturating_sub(bytes);
        self
    }

    /// The fault with its place in the sources, and the line with a sign below the place.
    #[must_use]
    pub fn at(&self, path: &RelPath, comment: &Comment<'_>) -> Problem {
        let inside = comment.text.get(..self.at).unwrap_or(comment.text).chars().count();
        let column = comment.column + inside;
        let number = comment.line.to_string();
        let gutter = " ".repeat(number.len());
        let indent = comment.line_text.chars().take_while(|c| c.is_whitespace()).count();
        let line = comment.line_text.trim_start();
        let at = (column - 1).saturating_sub(indent);
        // Of a long line, what is around the place.
        let first = at.saturating_sub(LONGEST / 2);
        let mut rest = line.chars().skip(first);
        let mut line: String = rest.by_ref().take(LONGEST).collect();
        if rest.next().is_some() {
            line.push('…');
        }
        if first > 0 {
            line.insert(0, '…');
        }
        let sign = " ".repeat(at - first + usize::from(first > 0));
        let message = format!(
            "`{path}:{number}:{column}`: {}\n{gutter} |\n{number} | {line}\n{gutter} | {sign}^",
            self.message
        );
        Problem::new(message).hint(self.hint.clone())
    }
}

/// A right marker, as a hint.
#[must_use]
pub fn example() -> String {
    format!("for instance `// {NAME}:groups=apps,resources=deployments,verbs=get;list;watch`")
}

/// All arguments, as a hint.
#[must_use]
pub fn names() -> String {
    format!("the arguments are {}", ARGUMENTS.map(|name| format!("`{name}`")).join(", "))
}

/// An argument that does not exist at byte `at`, with the nearest that does.
#[must_use]
pub fn unknown(at: usize, name: &str) -> Fault {
    let hint = nearest(name, ARGUMENTS).map_or_else(names, |known| format!("did you mean `{known}`?"));
    Fault::new(at, format!("unknown argument {}", printable::value(name)), hint)
}
