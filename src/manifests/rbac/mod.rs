//! Roles from `+kubebuilder:rbac` comments: `config/rbac/role.yaml`.
//!
//! The grammar, the merging of rules and their order are those of Go's controller-gen, so that a marker means the same
//! in a Go and in a Rust project. Two things differ on purpose. What controller-gen takes silently though the API server
//! refuses it, or though it cannot be meant (an argument given twice, an empty word in a list), is an error here. And
//! spaces around words never count, while controller-gen reads ` apps` as the empty word. And [`check`] asks whether what
//! a marker names exists, which controller-gen never does.

mod external;
mod fault;
mod hidden;
mod known;
mod lexer;
mod marker;
mod merge;
mod named;
pub mod namespaces;
mod reader;
mod render;
mod stray;

use std::cell::Cell;

pub use known::Known;
pub use marker::Marker;

use self::lexer::Comment;
use crate::limits::Budget;
use crate::path::RelPath;
use crate::printable;
use crate::{Error, Problem, Result};

/// Most words that the rules of all markers may have together; a role with as many is too large for a cluster.
const WORDS: u64 = 1 << 19;
/// Most problems that are reported one by one.
const PROBLEMS: usize = 100;
/// Most notes.
const NOTES: usize = 20;

/// The role of markers that name none.
pub const DEFAULT_ROLE: &str = "manager-role";

/// The text of `config/rbac/role.yaml` for all markers in `sources`: the cluster role `manager-role`, and other roles
/// where markers say `roleName=` or `namespace=`. The order of the sources does not matter. The project binds the role
/// `manager-role` of the cluster and, of an operator that is confined to one, of the namespace `home`; what markers ask for
/// in other namespaces comes with its binding.
///
/// # Errors
/// [`Error::Refused`] lists every marker that cannot be read, with its place, or names two roles that kustomize could not
/// tell apart.
pub fn role_yaml(sources: &[(RelPath, String)], home: Option<&str>) -> Result<String> {
    let roles = merge::roles(&markers(sources)?, DEFAULT_ROLE, home);
    if let Some((one, other)) = merge::alike(&roles) {
        let [name, first, second] =
            [&one.name, &one.namespace, &other.namespace].map(|name| printable::value(name));
        let message = format!("markers ask for a role {name} in both namespaces {first} and {second}");
        let hint = "kustomize could not tell them apart: let each have a `roleName` of its own, or none";
        return Err(Error::Refused(Problem::new(message).hint(hint)));
    }
    Ok(render::render(&roles))
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
    read(marked, |_, comment| Some(marker::parse(comment.line()?)?.and_then(within)))
}

/// Checks that `known` has the groups, resources and verbs of all markers in `sources`, and what these say of groups
/// that are not here. Comments that only look like markers are faults, too: they would say nothing. The result is what
/// has less effect than it seems, with its place.
///
/// # Errors
/// As [`role_yaml`], and [`Error::Refused`] lists every marker that names what is not there or has no effect.
pub fn check(sources: &[(RelPath, String)], mut known: Known) -> Result<Vec<String>> {
    for groups in read(sources, |_, comment| external::parse(comment.line()?))? {
        known.add_external(groups);
    }
    let (faults, more) = (Cell::new(0), Cell::new(0));
    let mut notes = read(sources, |path, comment| {
        let found = match comment.line().map(|text| (text, marker::parse(text))) {
            None => hidden::look(comment)?,
            Some((text, None)) => Err(stray::fault(text)?),
            Some((text, Some(marker))) => {
                let marker = marker.ok()?;
                let fault = known.fault(&marker, text, faults.get() >= PROBLEMS);
                match fault.or_else(|| named::fault(&marker, text)) {
                    Some(fault) => Err(fault),
                    None => Ok(named::note(&marker)?),
                }
            }
        };
        let count = if found.is_err() { &faults } else { &more };
        count.set(count.get() + 1);
        let place = || format!("`{path}:{}:{}`", comment.line, comment.column);
        found.map(|note| (more.get() <= NOTES).then(|| format!("{}: {note}", place()))).transpose()
    })?;
    if more.get() > NOTES {
        notes.push(format!("and {} more such notes", more.get() - NOTES));
    }
    Ok(notes)
}

/// What `parse` makes of the comments in `sources`; nothing of most.
fn read<'a, T>(
    sources: impl IntoIterator<Item = &'a (RelPath, String)>,
    parse: impl Fn(&RelPath, &Comment<'_>) -> Option<Result<T, fault::Fault>>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    let mut more = 0_usize;
    for (path, text) in sources {
        for comment in lexer::comments(text) {
            match parse(path, &comment) {
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
mod check_tests;
#[cfg(test)]
mod tests;
