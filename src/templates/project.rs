//! The files that `init` renders.

use super::{ProjectView, Rendered, filters, lockfile, render};
use crate::scaffold::Ownership;

/// Names of the packages that every generated project depends on, which no project can have.
pub fn locked_packages() -> impl Iterator<Item = &'static str> {
    lockfile::packages(include_str!("../../templates/project/Cargo.lock.j2")).filter(|name| !name.contains('{'))
}

/// Renders each template below `project/` to the path of the same name.
macro_rules! files {
    ($p:ident; $($path:literal)+) => {
        vec![$(render!($path => output($path); $p: ProjectView)),+]
    };
}

fn output(template: &str) -> &str {
    template.trim_start_matches("project/").trim_end_matches(".j2")
}

/// The project's files but for the lists of its kinds: those the user edits and those that stay the tool's.
#[must_use]
pub fn files(p: &ProjectView) -> Vec<(Rendered, bool)> {
    let seeded = seeded(p).into_iter().map(|file| (file, false));
    let owned = owned(p).into_iter().map(|file| (file, true));
    seeded.chain(owned).collect()
}
