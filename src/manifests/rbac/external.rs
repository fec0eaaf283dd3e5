//! `// +iris-scaffold:rbac:externalGroups=cert-manager.io;monitoring.coreos.com`: groups that neither Kubernetes nor
//! the project has, whose resources therefore cannot be checked.

use super::fault::Fault;
use super::reader::Reader;

/// The marker's name with the sign in front.
pub const NAME: &str = "+iris-scaffold:rbac:externalGroups";

/// Reads a line comment: nothing when it is not this marker.
#[must_use]
pub fn parse(comment: &str) -> Option<Result<Vec<String>, Fault>> {
    let body = comment.strip_prefix("//")?;
    let body = body.strip_prefix(['/', '!']).unwrap_or(body).trim_start();
    let list = body.strip_prefix(NAME)?.trim_start();
    let start = comment.len() - list.len();
    let hint = || format!("for instance `// {NAME}=cert-manager.io;monitoring.coreos.com`");
    if !list.starts_with('=') {
        return Some(Err(Fault::new(start, format!("expected `=` after `{NAME}`"), hint())));
    }
    let mut reader = Reader { text: comment, at: start + 1 };
    Some(match reader.list() {
        Ok(groups) if groups.is_empty() => Err(Fault::new(start + 1, "expected API groups", hint())),
        Ok(groups) => match reader.peek() {
            None => Ok(groups),
            Some(other) => Err(reader.unexpected(other)),
        },
        Err(fault) => Err(fault),
    })
}
