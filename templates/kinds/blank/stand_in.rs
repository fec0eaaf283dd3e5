//! The `Placeholder` API, version `v1` of group `placeholder.example`.
//!
//! `make manifests` turns these types into the `CustomResourceDefinition` that `make install` installs.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "placeholder.example",
    version = "v1",
    kind = "Placeholder",
    plural = "placeholders",
    singular = "placeholder",
    namespaced,
    status = "PlaceholderStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Placeholder is a resource of this operator."
)]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderSpec {
    // Fields go here: describe each with a doc comment, then run `make manifests`.
}

/// What the operator observed.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderStatus {
    /// Generation of the Placeholder that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Facts about the state, one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
