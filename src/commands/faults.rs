//! The tests under faults and the simulations: files of the user's, with a test for each kind of the project.

use super::plan::{self, Seed};
use crate::Result;
use crate::path::RelPath;
use crate::scaffold::{Draft, Insert};
use crate::templates::{self, ProjectView};

/// Where an earlier `iris-scaffold` put them; cargo takes both for one test.
const BEFORE: &str = "tests/faults/main.rs";

/// Drafts the `story` of a `kind`, in the file that the first one brings along.
pub(super) fn draft(draft: &mut Draft, view: &ProjectView, story: &Insert, kind: &str) -> Result<()> {
    if draft.tree().on_disk(&RelPath::new(BEFORE)?)?.is_some() {
        draft.note(format!("`{}` is not written while there is `{BEFORE}`", story.path));
        return Ok(());
    }
    let Some(text) = draft.tree().on_disk(&story.path)? else {
        // Who has other kinds with tests and not this file has deleted it.
        let tested = view.resources.iter().filter(|r| r.has_api && !r.controllers.is_empty());
        if tested.count() == 1 {
            plan::seeded(draft, templates::faults(view, &story.path)?, Seed::First)?;
            draft.insert(story)?;
        }
        return Ok(());
    };
    if text.contains(&story.anchor) {
        return draft.insert(story);
    }
    draft
        .note(format!("`{}` has no line `{}`: there is no test of {} in it", story.path, story.anchor, kind));
    Ok(())
}
