//! Markers where none is read: in block comments, and in documentation that is written as an attribute.

use super::fault::{Fault, NAME};
use super::lexer::{Comment, Kind};
use super::{external, stray};
use crate::printable;

/// Most characters of a marker that are shown.
const LONGEST: usize = 200;

/// What there is to say of a line of a longer comment. A line comment in a block comment is one that somebody has put out
/// of effect, which is only told; all else was meant to have one.
#[must_use]
pub fn look(comment: &Comment<'_>) -> Option<Result<String, Fault>> {
    let place = match comment.kind {
        Kind::Line => return None,
        Kind::Block => "a block comment",
        Kind::Attribute => "`#[doc = …]`",
    };
    let text = comment.text.trim_start_matches('/').trim_start();
    let is_marker = is(text, NAME) || is(text, external::NAME);
    if comment.text.starts_with("//") {
        return is_marker.then(|| {
            Ok(format!("the marker in {place} is not read; in a line comment of its own it would be"))
        });
    }
    if is_marker {
        let hint = format!("write it in a line comment: `// {}`", printable::start(text, LONGEST));
        return Some(Err(Fault::new(0, format!("a marker in {place} is not read"), hint)));
    }
    // Of another one it is not the place that is wrong.
    let fault = stray::fault(&format!("//{text}"))?;
    Some(Err(fault.without(2)))
}

/// Whether the text is a marker of that name.
fn is(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
}
