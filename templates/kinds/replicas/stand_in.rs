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
    doc = "Placeholder runs a Deployment and keeps it at the wanted number of replicas.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn = r#"{"name": "Deployment", "type": "string", "jsonPath": ".spec.deploymentName"}"#,
    printcolumn = r#"{"name": "Desired", "type": "integer", "jsonPath": ".spec.replicas"}"#,
    printcolumn = r#"{"name": "Ready", "type": "integer", "jsonPath": ".status.readyReplicas"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderSpec {
    /// Name of the Deployment. Changing it replaces the Deployment by one of the new name.
    #[schemars(
        length(min = 1, max = 63),
        pattern(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub deployment_name: String,

    /// Number of replicas; 1 when not set.
    #[schemars(range(min = 0), extend("default" = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
}

/// What the operator observed.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderStatus {
    /// Number of replicas that the Deployment has.
    #[serde(default)]
    pub replicas: i32,

    /// Number of those that are ready.
    #[serde(default)]
    pub ready_replicas: i32,

    /// Label selector of the Deployment's pods, in the form that autoscalers read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Generation of the Placeholder that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Facts about the state, one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
