//! A plan as a unified diff, in the form `git apply` and `patch -p1` take.

use similar::TextDiff;

use super::{Action, Change, Plan};

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
    let path = &change.path;
    let from = if change.before.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
    TextDiff::from_lines(change.before.as_deref().unwrap_or_default(), &change.after)
        .unified_diff()
        .header(&from, &format!("b/{path}"))
        .to_string()
}
