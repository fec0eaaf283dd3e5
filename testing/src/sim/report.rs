//! A failure as people read it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::history::Outcome;
use super::plan::Plan;
use super::world::Violation;

/// How many lines of a history are shown.
const SHOWN: usize = 60;

/// Who did what, and what was answered.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) at: Duration,
    pub(super) who: Arc<str>,
    pub(super) what: String,
    /// Whether it shows more than that all goes on.
    pub(super) matters: bool,
    /// Whether it is a request to write something other than what an operator keeps for itself.
    pub(super) is_write: bool,
}

/// What went wrong in the history of a seed, and how to see it again.
pub(super) fn failure(original: &Plan, violation: &Violation, plan: &Plan, outcome: &Outcome) -> String {
    let seed = original.seed;
    let mut text = format!("seed {seed}: {violation}\n");
    let (faults, acts) = plan.size();
    let _ = writeln!(
        text,
        "\nthe shortest history found that ends like this, with {faults} faults and {acts} acts of the user:"
    );
    text.push_str(&history(&outcome.lines));
    let _ = write!(text, "\nto see it again, with the operator's log:\n  SIM_SEED={seed} {}", command());
    text
}

/// The lines that matter, or the last of them.
pub(super) fn history(lines: &[Line]) -> String {
    let told: Vec<_> = lines.iter().filter(|line| line.matters).collect();
    let skipped = told.len().saturating_sub(SHOWN);
    let mut text = String::new();
    if skipped > 0 {
        let _ = writeln!(text, "  ({skipped} lines before that)");
    }
    let width = told[skipped..].iter().map(|line| line.who.len()).max().unwrap_or_default();
    for line in &told[skipped..] {
        let _ = writeln!(text, "{:>10.3}s  {:width$}  {}", line.at.as_secs_f64(), line.who, line.what);
    }
    text
}

/// The command that runs this test alone.
fn command() -> String {
    let program = std::env::args().next().unwrap_or_default();
    let file = std::path::Path::new(&program).file_name().and_then(|name| name.to_str());
    // cargo appends a hash to the name of the test's file.
    let name = file.and_then(|file| file.rsplit_once('-')).map_or("simulation", |(name, _)| name);
    let thread = std::thread::current();
    let test =
        thread.name().filter(|name| *name != "main").map(|name| format!(" {name}")).unwrap_or_default();
    format!("cargo test --test {name}{test} -- --nocapture")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_is_shown_and_the_command_names_the_test() {
        let line = |number: u64, matters| Line {
            at: Duration::from_millis(number),
            who: "user".into(),
            what: format!("does {number}"),
            matters,
            is_write: false,
        };
        assert_eq!(history(&[line(1, true), line(2, false)]), "     0.001s  user  does 1\n");
        let many: Vec<_> = (0..100).map(|number| line(number, true)).collect();
        let shown = history(&many);
        assert!(shown.starts_with("  (40 lines before that)") && shown.ends_with("does 99\n"), "{shown}");
        assert!(command().ends_with(
            " sim::report::tests::only_what_matters_is_shown_and_the_command_names_the_test -- --nocapture"
        ));
    }
}
