//! Comments that look like markers and say nothing here: misspelt ones, and those of Go that are attributes in Rust.

use super::fault::{ARGUMENTS, Fault, NAME};
use super::{external, fault};
use crate::nearest::nearest;
use crate::printable;

/// Markers of Go without `kubebuilder` in their names.
const GO: [&str; 13] = [
    "+default=",
    "+genclient",
    "+groupName=",
    "+k8s:",
    "+listMapKey=",
    "+listType=",
    "+mapType=",
    "+nullable",
    "+optional",
    "+required",
    "+structType=",
    "+versionName=",
    "+patchMergeKey=",
];

/// What is wrong with a line comment that is no marker of ours, if it looks like one.
#[must_use]
pub fn fault(comment: &str) -> Option<Fault> {
    let body = comment.strip_prefix("//")?;
    let body = body.strip_prefix(['/', '!']).unwrap_or(body).trim_start();
    let start = comment.len() - body.len();
    let spaced = body.strip_prefix('+').unwrap_or(body).trim_start();
    let (prefix, rest) = spaced.split_once(':').unwrap_or((spaced, ""));
    let own = external::NAME.trim_start_matches('+');
    let is_marker = body.starts_with('+') && prefix.len() < body.len();
    match prefix {
        _ if !is_marker || spaced.len() + 1 < body.len() => {
            // A role without its sign, or with a space behind it, is nothing else.
            let arguments = spaced.strip_prefix(&NAME[1..])?.strip_prefix(':')?;
            let role = ARGUMENTS.iter().any(|name| arguments.trim_start().starts_with(&format!("{name}=")));
            role.then(|| {
                Fault::new(start, format!("`{NAME}` begins with `+` and no space"), fault::example())
            })
        }
        "kubebuilder" => kubebuilder(rest, start),
        // Of the latter, `manifests --lint` says what is wrong with them.
        "iris-scaffold" if spaced.starts_with(own) || rest.starts_with("lint:") => None,
        "iris-scaffold" => {
            let message = format!("there is no marker {}", printable::value(&format!("+{}", word(spaced))));
            Some(Fault::new(start, message, format!("did you mean `{}`?", external::NAME)))
        }
        _ if GO.iter().any(|name| body.starts_with(name) && ends(body, name)) => {
            Some(without_effect(word(body), start))
        }
        _ if !rest.is_empty() => {
            let likely = nearest(prefix, ["kubebuilder", "iris-scaffold"])?;
            let message = format!("there is no marker {}", printable::value(&format!("+{prefix}")));
            Some(Fault::new(start, message, format!("did you mean `+{likely}`?")))
        }
        _ => None,
    }
}

/// Of a marker whose name begins with `kubebuilder`.
fn kubebuilder(rest: &str, start: usize) -> Option<Fault> {
    let name = rest.split([':', '=', ' ', '\t']).next().unwrap_or_default();
    match name {
        // these are read elsewhere, or say where kubebuilder's own tools insert
        "rbac" | "scaffold" => None,
        "webhook" | "webhookconfiguration" => Some(Fault::new(
            start,
            format!("`+kubebuilder:{name}` has no effect: the manifests of webhooks are not generated"),
            "write the configuration yourself, below `config`, and take the marker away",
        )),
        _ => match nearest(name, ["rbac", "resource"]) {
            Some("rbac") => {
                let message =
                    format!("there is no marker {}", printable::value(&format!("+kubebuilder:{name}")));
                Some(Fault::new(start, message, format!("did you mean `{NAME}`?")))
            }
            _ => Some(without_effect(&format!("+kubebuilder:{}", word(rest)), start)),
        },
    }
}

fn without_effect(marker: &str, start: usize) -> Fault {
    let hint =
        "write the attribute that says it in Rust: iris-scaffold's `docs/markers.md` has both side by side";
    Fault::new(start, format!("{} is a marker of Go and has no effect here", printable::value(marker)), hint)
}

/// The marker's name, without its arguments.
fn word(text: &str) -> &str {
    text.split(['=', ' ', '\t']).next().unwrap_or_default()
}

/// Whether the marker's name ends where `name` does.
fn ends(body: &str, name: &str) -> bool {
    name.ends_with(['=', ':']) || body[name.len()..].trim_start().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_marker_is_left_alone() {
        for comment in [
            "// plain",
            "// +",
            "// + 1",
            "// +1: more",
            "// a: b",
            "// +kubebuilder:rbac:groups=a,resources=b,verbs=get",
            "// +kubebuilder:scaffold:imports",
            "// +iris-scaffold:rbac:externalGroups=a.b",
            "// kubebuilder:rbac: is what markers begin with",
            "// kubebuilder",
            "// +optionally this",
            "//// +kubebuilder:validation:Maximum=5",
            "// see +kubebuilder:validation:Maximum=5",
        ] {
            assert_eq!(fault(comment), None, "{comment}");
        }
    }
}
