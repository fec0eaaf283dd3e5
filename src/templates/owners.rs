//! Who owns what: every file that is made from a template, in one table.
//!
//! Which text an owned file had before, and whether an earlier command wrote a file of the user's, only the command knows,
//! which says it.

use super::kinds::{self, Chosen, KindTemplate};
use super::{ControllerView, Licensing, ProjectView, Rendered, ResourceView, api, lists, project};
use crate::Result;
use crate::path::RelPath;
use crate::scaffold::{File, Ownership};

/// The tool's: the parts of a project that are the same whatever its kinds are, the lists of kinds and controllers, and
/// the roles for people.
///
/// # Errors
/// When the path of a kind cannot be a path.
pub fn owned(p: &ProjectView) -> Result<Vec<File>> {
    let mut files = project::owned(p);
    for r in p.resources.iter().filter(|r| r.has_api) {
        files.extend(api::roles(p, r));
    }
    let mut files = belong(files, &Ownership::Owned { base: None })?;
    files.extend(belong(lists::files(p), &Ownership::List { base: None })?);
    Ok(files)
}

/// The user's, from `init`: the rest of a project.
///
/// # Errors
/// As [`owned`].
pub fn seeded(p: &ProjectView, licensing: &Licensing) -> Result<Vec<File>> {
    let mut files = licensing.files(p);
    files.extend(project::seeded(p));
    users(files)
}

/// The user's, listed in a file of the tool's: the place of types that several kinds share.
///
/// # Errors
/// As [`owned`].
pub fn shared(p: &ProjectView) -> Result<Vec<File>> {
    users(vec![project::shared(p)])
}

/// The user's: the types of a kind and a sample of it.
///
/// # Errors
/// As [`owned`].
pub fn types(p: &ProjectView, r: &ResourceView, template: &dyn KindTemplate) -> Result<Vec<File>> {
    let sample = format!("config/samples/{}", r.sample_file);
    users(vec![template.types(p, r, api::types_file(p, r)), template.sample(p, r, sample)])
}

/// The user's: what is known of a kind that another project defines.
///
/// # Errors
/// As [`owned`].
pub fn external(p: &ProjectView, r: &ResourceView) -> Result<Vec<File>> {
    users(api::external(p, r))
}

/// The user's: a controller. Without a template it is an empty one.
///
/// # Errors
/// As [`owned`].
pub fn controller(
    p: &ProjectView,
    r: &ResourceView,
    c: &ControllerView,
    made: Option<&Chosen>,
) -> Result<Vec<File>> {
    users(match made {
        Some(made) => made.template.controller(p, r, c, &made.options),
        None => vec![kinds::bare_controller(p, r, c)],
    })
}

/// The user's: the test of a controller of the project's own kind.
///
/// # Errors
/// As [`owned`].
pub fn test(
    p: &ProjectView,
    r: &ResourceView,
    c: &ControllerView,
    made: Option<&Chosen>,
) -> Result<Vec<File>> {
    users(vec![kinds::made_from(made).test(p, r, c)])
}

/// The user's: the place of the tests under faults, or of the simulations.
///
/// # Errors
/// As [`owned`].
pub fn faults(p: &ProjectView, path: &RelPath) -> Result<Vec<File>> {
    users(vec![super::faults::file(p, path)])
}

fn users(files: Vec<Rendered>) -> Result<Vec<File>> {
    belong(files, &Ownership::Seeded { again: false })
}

fn belong(files: Vec<Rendered>, owner: &Ownership) -> Result<Vec<File>> {
    files.into_iter().map(|file| file.into_file(owner.clone())).collect()
}
