//! What is wrong with a marker, and where.

use crate::Problem;
use crate::nearest::nearest;
use crate::scaffold::RelPath;

use super::lexer::Comment;

/// The marker's name with the sign in front.
pub const NAME: &str = "+kubebuilder:rbac";

/// The arguments' names.
pub const ARGUMENTS: [&str; 7] =
    ["groups", "resources", "resourceNames", "verbs", "urls", "namespace", "roleName"];

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

    /// The fault with its place in the sources, and the line with a sign below the place.
    #[must_use]
    pub fn at(&self, path: &RelPath, comment: &Comment<'_>) -> Problem {
        let inside = comment.text.get(..self.at).unwrap_or(comment.text).chars().count();
        let column = comment.column + inside;
        let number = comment.line.to_string();
        let gutter = " ".repeat(number.len());
        let indent = comment.line_text.len() - comment.line_text.trim_start().len();
        let line = comment.line_text.trim_start();
        let sign = " ".repeat((column - 1).saturating_sub(indent));
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
    Fault::new(at, format!("unknown argument `{name}`"), hint)
}
