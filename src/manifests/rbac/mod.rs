//! Roles from `+kubebuilder:rbac` comments: `config/rbac/role.yaml`.
//!
//! The grammar, the merging of rules and their order are those of Go's controller-gen, so that a marker means the same
//! in a Go and in a Rust project. Two things differ on purpose. What controller-gen takes silently though the API server
//! refuses it, or though it cannot be meant (an argument given twice, an empty word in a list), is an error here. And
//! spaces around words never count, while controller-gen reads ` apps` as the empty word. And [`check`] asks whether what
//! a marker names exists, which controller-gen never does.

mod external;
mod fault;
mod known;
mod lexer;
mod marker;
mod merge;
mod reader;
mod render;
mod stray;

use std::cell::Cell;

pub use known::Known;
pub use marker::Marker;

use crate::limits::Budget;
use crate::path::RelPath;
use crate::{Error, Problem, Result};

/// Most words that the rules of all markers may have together; a role with as many is too large for a cluster.
const WORDS: u64 = 1 << 19;
/// Most problems that are reported one by one.
const PROBLEMS: usize = 100;

/// The role of markers that name none.
pub const DEFAULT_ROLE: &str = "manager-role";

/// The text of `config/rbac/role.yaml` for all markers in `sources`: the cluster role `manager-role`, and other roles
/// where markers say `roleName=` or `namespace=`. The order of the sources does not matter.
///
/// # Errors
/// [`Error::Refused`] lists every marker that cannot be read, with its place.
pub fn role_yaml(sources: &[(RelPath, String)]) -> Result<String> {
    Ok(render::render(&merge::roles(&markers(sources)?, DEFAULT_ROLE)))
}

/// All markers in `sources`.
///
/// # Errors
/// As [`role_yaml`].
pub fn markers(sources: &[(RelPath, String)]) -> Result<Vec<Marker>> {
    // Most sources have none, which is soon seen.
    let marked = sources.iter().filter(|(_, text)| text.contains(fault::NAME));
    let words = Budget::of(WORDS);
    let within = |found: Marker| {
        let hint = "let markers name what the operator needs, or `*`";
        let spent = |_| fault::Fault::new(0, "the markers ask for more rules than a role can have", hint);
        words.take(found.words()).map_err(spent)?;
        Ok(found)
    };
    read(marked, |comment| Some(marker::parse(comment)?.and_then(within)))
}

/// Checks that `known` has the groups, resources and verbs of all markers in `sources`, and what these say of groups
/// that are not here. Comments that only look like markers are faults, too: they would say nothing.
///
/// # Errors
/// As [`role_yaml`], and [`Error::Refused`] lists every marker that names what is not there or has no effect.
pub fn check(sources: &[(RelPath, String)], mut known: Known) -> Result<()> {
    for groups in read(sources, external::parse)? {
        known.add_external(groups);
    }
    let faults = Cell::new(0);
    read(sources, |comment| {
        let fault = match marker::parse(comment) {
            Some(marker) => known.fault(&marker.ok()?, comment, faults.get() >= PROBLEMS),
            None => stray::fault(comment),
        };
        faults.set(faults.get() + usize::from(fault.is_some()));
        fault.map(Err::<(), _>)
    })
    .map(drop)
}

/// What `parse` makes of the comments in `sources`; nothing of most.
fn read<'a, T>(
    sources: impl IntoIterator<Item = &'a (RelPath, String)>,
    parse: impl Fn(&str) -> Option<Result<T, fault::Fault>>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    let mut more = 0_usize;
    for (path, text) in sources {
        for comment in lexer::comments(text) {
            match parse(comment.text) {
                None => {}
                Some(Ok(item)) => found.push(item),
                Some(Err(fault)) if problems.len() < PROBLEMS => problems.push(fault.at(path, &comment)),
                Some(Err(_)) => more += 1,
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(Error::Refused(together(problems, more))) }
}

/// Several problems as one, and how many there are more: the messages below each other, each hint once.
fn together(problems: Vec<Problem>, more: usize) -> Problem {
    let mut messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let rest = format!("and {more} more");
    messages.extend((more > 0).then_some(rest.as_str()));
    let mut all = Problem::new(messages.join("\n"));
    for hint in problems.into_iter().flat_map(|problem| problem.hints) {
        if !all.hints.contains(&hint) {
            all.hints.push(hint);
        }
    }
    all
}

#[cfg(test)]
mod tests;
