//! A plan as a unified diff, in the form `git apply` and `patch -p1` take.

use similar::TextDiff;

use super::{Action, Change, Plan};
use crate::printable;

/// All changes that write, and conflicts, which would.
#[must_use]
pub fn unified(plan: &Plan) -> String {
    plan.changes()
        .iter()
        .filter(|change| change.writes() || change.action == Action::Conflict)
        .map(unified_change)
        .collect()
}

/// One change.
#[must_use]
pub fn unified_change(change: &Change) -> String {
    let path = change.path.as_str();
    let from = if change.before.is_some() { quoted(&format!("a/{path}")) } else { "/dev/null".to_owned() };
    // Lines as git has them: a carriage return alone ends none.
    let lines = |text| -> Vec<_> { str::split_inclusive(text, '\n').collect() };
    let (before, after) = (lines(change.before.as_deref().unwrap_or_default()), lines(&change.after));
    TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&before, &after)
        .unified_diff()
        .header(&from, &quoted(&format!("b/{path}")))
        .to_string()
}

/// A file's name as git has it in a diff: in quotes, byte by byte, when a line could not hold it.
fn quoted(name: &str) -> String {
    if !name.contains(['"', '\\']) && printable::is_line(name) {
        return name.to_owned();
    }
    let byte = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    };
    format!("\"{}\"", name.bytes().map(byte).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_git_writes_them() {
        assert_eq!(quoted("a/é b.yaml"), "a/é b.yaml");
        assert_eq!(quoted("a/\n\u{9b}\"\\"), r#""a/\012\302\233\"\\""#);
    }
}
