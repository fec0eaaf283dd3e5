//! What to do about files that hold something else.

use std::collections::HashSet;

use super::{Action, Change, Plan};
use crate::{Error, Result};

/// Most modules that are shown of what a file is kept without.
const MODULES: usize = 5;

/// What to do with every conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Leave the files as they are.
    Keep,
    /// Replace them.
    Overwrite,
    /// Refuse, naming them all.
    Abort,
}

/// What to do with one conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Replace this file.
    Overwrite,
    /// Leave it.
    Keep,
    /// Replace it and all that follow.
    OverwriteAll,
    /// Refuse.
    Abort,
}

/// Settles every conflict by `policy`.
///
/// # Errors
/// [`Error::Conflicts`] when the policy is to abort and there is a conflict.
pub fn resolve(plan: &mut Plan, policy: OnConflict) -> Result<()> {
    resolve_by(plan, |_| match policy {
        OnConflict::Keep => Answer::Keep,
        OnConflict::Overwrite => Answer::OverwriteAll,
        OnConflict::Abort => Answer::Abort,
    })
}

/// Settles every conflict by asking.
///
/// # Errors
/// [`Error::Conflicts`] with all conflicts when an answer is to abort.
pub fn resolve_by(plan: &mut Plan, mut ask: impl FnMut(&Change) -> Answer) -> Result<()> {
    let conflicts: Vec<_> =
        plan.changes().iter().filter(|change| change.action == Action::Conflict).collect();
    let all = conflicts.iter().map(|change| change.path.clone()).collect();
    let mut overwrite_all = false;
    let mut answers = Vec::with_capacity(conflicts.len());
    for change in conflicts {
        let answer = if overwrite_all { Answer::Overwrite } else { ask(change) };
        match answer {
            Answer::Abort => return Err(Error::Conflicts(all)),
            Answer::Keep => answers.push(Action::Keep),
            Answer::Overwrite => answers.push(Action::Update),
            Answer::OverwriteAll => {
                overwrite_all = true;
                answers.push(Action::Update);
            }
        }
    }
    let unsettled = plan.changes_mut().iter_mut().filter(|change| change.action == Action::Conflict);
    let mut notes = Vec::new();
    for (change, action) in unsettled.zip(answers) {
        change.action = action;
        if action == Action::Keep {
            notes.extend(lacking(change));
        }
    }
    for note in notes {
        plan.note(note);
    }
    Ok(())
}

/// Says which modules a source that is kept does not declare: other sources may need them.
fn lacking(change: &Change) -> Option<String> {
    let before: HashSet<&str> = change.before.as_deref()?.lines().map(str::trim).collect();
    let is_module = |line: &&str| line.starts_with("pub mod ") && line.ends_with(';');
    let lines = change.after.lines().map(str::trim);
    let mut missing = lines.filter(|line| is_module(line) && !before.contains(line));
    let mut shown: Vec<String> = missing.by_ref().take(MODULES).map(|line| format!("`{line}`")).collect();
    let more = missing.count();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    (!shown.is_empty()).then(|| {
        format!(
            "`{}` is kept without {}: what it does not declare is not compiled",
            change.path,
            shown.join(", ")
        )
    })
}
