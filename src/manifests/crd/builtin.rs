//! The custom resource definitions of the API templates, without running cargo.
//!
//! The files below `builtin/` are what the templates `templates/api/api/src/_version_/_kind_.rs.*.j2` render for a
//! stand-in kind, compiled as part of this tool; a test holds them to the templates byte for byte. So `create api`
//! writes the definition that the project's own `crdgen` gives later.

use kube::CustomResourceExt;
use serde_json::json;

use super::{Names, normalise};

mod blank;
mod replicas;
mod replicas_cluster;

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
pub fn builtin(template: Template, names: &Names) -> serde_json::Value {
    let crd = match (template, names.namespaced) {
        (Template::Replicas, true) => replicas::Placeholder::crd(),
        (Template::Replicas, false) => replicas_cluster::Placeholder::crd(),
        (Template::Blank, _) => blank::Placeholder::crd(),
    };
    let mut crd = json!(crd);
    names.apply(&mut crd, STAND_IN);
    normalise(crd)
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
