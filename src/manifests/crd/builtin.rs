//! The custom resource definitions of the templates, without running cargo.
//!
//! Beside the types of each template below `templates/kinds/` is the definition that they give for a stand-in kind: making
//! it anew for every kind would take a fifth of the command. Tests hold the two together, so `create api` writes the
//! definition that the project's own `crdgen` gives later.

use serde_json::Value;

use super::{Names, normalise};

/// The kind in these definitions; no description may hold this word otherwise.
pub const STAND_IN: &str = "Placeholder";

/// The canonical definition of a kind, its one version being the storage version, from the definition of the stand-in.
#[must_use]
pub fn builtin(stand_in: &str, names: &Names) -> Value {
    // A test holds each of them to its types, so that this is never empty.
    let mut crd = serde_json::from_str(stand_in).unwrap_or_default();
    names.apply(&mut crd, STAND_IN);
    normalise(crd)
}
