// SPDX-License-Identifier: Apache-2.0

//! The kinds under faults. The story of an object, its creation and its changes, is told undisturbed first, then with the
//! operator killed after each of its writes, with answers lost, with others writing to the same objects, with lists and
//! watches that show the past, and with the object deleted and made anew: each time the cluster must come out the same.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use operator_testing::{Story, project};
use serde_json::json;

#[tokio::test]
async fn cache_memcached() {
    let api_version = "cache.example.com/v1alpha1";
    let kind = "Memcached";
    Story::of_sample(project!(), api_version, kind)
        .given(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "tuning" },
            "data": { "THREADS": "4" } }))
        .given(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "clients" },
            "stringData": { "password": "a" } }))
        .then(json!({ "spec": { "settings": "tuning", "credentials": "clients" } }))
        .then(json!({ "spec": { "settings": null, "replicas": 3 } }))
        .with_environment(start_servers)
        // They say which version of the Secret was read.
        .ignoring("StatefulSet", "/spec/template/metadata/annotations")
        .withstands()
        .await;
}

/// Does what the controller of StatefulSets would do.
async fn start_servers(client: Client, namespace: String) {
    let sets: Api<StatefulSet> = Api::namespaced(client, &namespace);
    for set in sets.list(&ListParams::default()).await.into_iter().flatten() {
        let (count, generation) = (json!(set.spec)["replicas"].clone(), set.metadata.generation);
        let status = json!({ "replicas": count, "readyReplicas": count, "observedGeneration": generation });
        let known = json!(set.status);
        let is_known =
            ["readyReplicas", "observedGeneration"].iter().all(|field| known[*field] == status[*field]);
        if !is_known {
            let patch = Patch::Merge(json!({ "status": status }));
            // It may be gone by now.
            let _ = sets.patch_status(&set.name_any(), &PatchParams::default(), &patch).await;
        }
    }
}

#[tokio::test]
async fn ops_restart() {
    let api_version = "ops.example.com/v1alpha1";
    let kind = "Restart";
    Story::of_sample(project!(), api_version, kind)
        .given(json!({ "apiVersion": "cache.example.com/v1alpha1", "kind": "Memcached",
            "metadata": { "name": "memcached-sample" }, "spec": { "replicas": 2 } }))
        .with_environment(start_servers)
        .withstands()
        .await;
}

// +kubebuilder:scaffold:faults
