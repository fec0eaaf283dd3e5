// SPDX-License-Identifier: Apache-2.0

//! The kinds under faults. The story of an object, its creation and its changes, is told undisturbed first, then with the
//! operator killed after each of its writes, with answers lost, with others writing to the same objects, with lists and
//! watches that show the past, and with the object deleted and made anew: each time the cluster must come out the same.

use operator_testing::{Story, project};

#[tokio::test]
async fn iris() {
    let api_version = "test.myardyas.club/v1alpha1";
    let kind = "Iris";
    Story::of_sample(project!(), api_version, kind)
        .then(serde_json::json!({ "spec": { "replicas": 3 } }))
        .then(serde_json::json!({ "spec": { "deploymentName": "other", "replicas": 2 } }))
        .then(serde_json::json!({ "spec": { "replicas": 0 } }))
        .withstands()
        .await;
}

// +kubebuilder:scaffold:faults
