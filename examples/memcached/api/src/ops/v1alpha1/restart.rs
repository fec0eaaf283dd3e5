// SPDX-License-Identifier: Apache-2.0

//! The `Restart` API, version `v1alpha1` of group `ops.example.com`.
//!
//! `make manifests` turns these types into the `CustomResourceDefinition` that `make install` installs.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "ops.example.com",
    version = "v1alpha1",
    kind = "Restart",
    plural = "restarts",
    singular = "restart",
    namespaced,
    status = "RestartStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Restart is a resource of this operator."
)]
#[serde(rename_all = "camelCase")]
pub struct RestartSpec {
    /// Name of the Memcached whose servers are restarted, once.
    pub memcached: String,
}

/// What the operator observed.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartStatus {
    /// Generation of the Restart that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Facts about the state, one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
