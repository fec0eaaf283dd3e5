//! A plan as a unified diff, in the form `git apply` and `patch -p1` take.

use std::time::Duration;

use similar::TextDiff;

use super::{Action, Change, Plan};
use crate::{Error, Problem, Result, printable};

/// Most bytes of texts, old and new, that are compared.
const LONGEST: usize = 32 << 20;

/// Most lines of a text that are compared one by one; in a longer one all are replaced.
const LINES: usize = 100_000;

/// How long to look for what two texts have in common; what is found by then is a diff, if not the shortest.
const TIME: Duration = Duration::from_secs(1);

/// All changes that write, and conflicts, which would.
///
/// # Errors
/// [`Error::Refused`] when the texts are too long to be compared.
pub fn unified(plan: &Plan) -> Result<String> {
    let shown =
        || plan.changes().iter().filter(|change| change.writes() || change.action == Action::Conflict);
    check(shown().map(length).sum())?;
    Ok(shown().map(compared).collect())
}

/// One change.
///
/// # Errors
/// As [`unified`].
pub fn unified_change(change: &Change) -> Result<String> {
    check(length(change))?;
    Ok(compared(change))
}

fn length(change: &Change) -> usize {
    change.before.as_deref().map_or(0, str::len) + change.after.len()
}

fn check(length: usize) -> Result<()> {
    if length <= LONGEST {
        return Ok(());
    }
    let problem = Problem::new(format!("the diff compares more than {} MiB", LONGEST >> 20));
    Err(Error::Refused(problem.hint("see which files would change with `--dry-run`")))
}

fn compared(change: &Change) -> String {
    let path = change.path.as_str();
    let from = if change.before.is_some() { quoted(&format!("a/{path}")) } else { "/dev/null".to_owned() };
    // Lines as git has them: a carriage return alone ends none.
    let lines = |text| -> Vec<_> { str::split_inclusive(text, '\n').collect() };
    let (before, after) = (lines(change.before.as_deref().unwrap_or_default()), lines(&change.after));
    let to = quoted(&format!("b/{path}"));
    if before.len().max(after.len()) > LINES {
        return replaced(&from, &to, &before, &after);
    }
    TextDiff::configure()
        .newline_terminated(true)
        .timeout(TIME)
        .diff_slices(&before, &after)
        .unified_diff()
        .header(&from, &to)
        .to_string()
}

/// All lines in the place of all others.
fn replaced(from: &str, to: &str, before: &[&str], after: &[&str]) -> String {
    let range = |lines: &[&str]| format!("{},{}", usize::from(!lines.is_empty()), lines.len());
    let mut diff = format!("--- {from}\n+++ {to}\n@@ -{} +{} @@\n", range(before), range(after));
    for (sign, lines) in [('-', before), ('+', after)] {
        for line in lines {
            diff.push(sign);
            diff.push_str(line);
        }
        if lines.last().is_some_and(|line| !line.ends_with('\n')) {
            diff.push_str("\n\\ No newline at end of file\n");
        }
    }
    diff
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

    #[test]
    fn long_texts_are_replaced_as_a_whole() {
        let diff = replaced("a/x", "b/x", &["1\n", "2"], &["3\n"]);
        let expected = "--- a/x\n+++ b/x\n@@ -1,2 +1,1 @@\n-1\n-2\n\\ No newline at end of file\n+3\n";
        assert_eq!(diff, expected);
        let made = replaced("/dev/null", "b/x", &[], &["3\n"]);
        assert_eq!(made, "--- /dev/null\n+++ b/x\n@@ -0,0 +1,1 @@\n+3\n");
    }
}
