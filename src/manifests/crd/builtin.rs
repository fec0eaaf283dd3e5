//! The custom resource definitions of the API templates, without running cargo.
//!
//! The Rust files below `builtin/` are what the templates `templates/api/api/src/_version_/_kind_.rs.*.j2` render for a
//! stand-in kind, compiled as part of this tool's tests; one holds them to the templates byte for byte. Another holds the
//! JSON files beside them to the definitions that these types give: making them anew for every kind would take a fifth of
//! the command. So `create api` writes the definition that the project's own `crdgen` gives later.

use serde_json::Value;

use super::{Names, normalise};

#[cfg(test)]
mod blank;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod replicas_cluster;

const BLANK: &str = include_str!("builtin/blank.json");
const REPLICAS: &str = include_str!("builtin/replicas.json");
const REPLICAS_CLUSTER: &str = include_str!("builtin/replicas_cluster.json");

/// The kind in the compiled files; no description may hold this word otherwise.
const STAND_IN: &str = "Placeholder";

/// What the types of a new API look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// A Deployment kept at a number of replicas.
    Replicas,
    /// No fields yet.
    Blank,
}

/// The canonical definition of a kind made from `template`, its one version being the storage version.
#[must_use]
pub fn builtin(template: Template, names: &Names) -> Value {
    let text = match (template, names.namespaced) {
        (Template::Replicas, true) => REPLICAS,
        (Template::Replicas, false) => REPLICAS_CLUSTER,
        (Template::Blank, _) => BLANK,
    };
    // A test holds each file to a definition, so that this is never empty.
    let mut crd = serde_json::from_str(text).unwrap_or_default();
    names.apply(&mut crd, STAND_IN);
    normalise(crd)
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
