//! What to do about files that hold something else.

use super::{Action, Change, Plan};
use crate::{Error, Result};

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
    for (change, action) in unsettled.zip(answers) {
        change.action = action;
    }
    Ok(())
}
