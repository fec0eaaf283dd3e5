// SPDX-License-Identifier: Apache-2.0

//! The `Memcached` API, version `v1alpha1` of group `cache.example.com`.
//!
//! `make manifests` turns these types into the `CustomResourceDefinition` that `make install` installs.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "cache.example.com",
    version = "v1alpha1",
    kind = "Memcached",
    plural = "memcacheds",
    singular = "memcached",
    namespaced,
    status = "MemcachedStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Memcached is a resource of this operator."
)]
#[serde(rename_all = "camelCase")]
pub struct MemcachedSpec {
    /// Number of servers, one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,

    /// Memory of each server in MiB, 64 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub memory: Option<i32>,

    /// Name of a ConfigMap whose entries become environment variables of the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,

    /// Name of a Secret with the credentials of clients. The servers are restarted when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// What the operator observed.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemcachedStatus {
    /// Generation of the Memcached that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Number of servers that answer.
    #[serde(default)]
    pub ready_replicas: i32,

    /// Facts about the state, one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
