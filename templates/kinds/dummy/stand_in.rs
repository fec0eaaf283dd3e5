//! The `Placeholder` API: what a template has to have, and no more. It is compiled into the tests only.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube(
    group = "placeholder.example",
    version = "v1",
    kind = "Placeholder",
    plural = "placeholders",
    singular = "placeholder",
    namespaced,
    doc = "Placeholder has a size."
)]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderSpec {
    /// How large it is.
    pub size: i32,
}
