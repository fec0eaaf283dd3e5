//! Roles against a real API server: what it serves can be asked for in markers.

mod common;

use std::fmt::Write as _;

use common::Sandbox;
use common::cluster::Cluster;
use serde_json::Value;

/// The group with its version for paths, and each resource with its verbs.
fn served(cluster: &Cluster) -> Vec<(String, Value)> {
    let raw = |path: &str| -> Value {
        serde_json::from_str(&cluster.kubectl(&["get", "--raw", path])).expect("JSON")
    };
    let groups = raw("/apis");
    let versions = groups["groups"].as_array().expect("groups").iter().flat_map(|group| {
        let name = group["name"].as_str().expect("a name").to_owned();
        let versions = group["versions"].as_array().expect("versions").iter();
        versions.map(move |version| {
            (name.clone(), format!("/apis/{}", version["groupVersion"].as_str().expect("a version")))
        })
    });
    let all = std::iter::once(("core".to_owned(), "/api/v1".to_owned())).chain(versions);
    all.flat_map(|(group, path)| {
        let resources = raw(&path)["resources"].as_array().expect("resources").clone();
        resources.into_iter().map(move |resource| (group.clone(), resource))
    })
    .collect()
}

#[test]
fn all_that_the_api_server_serves_can_be_in_a_marker() {
    let served = served(&Cluster::start());
    assert!(served.len() > 100, "{}", served.len());
    let mut markers = String::new();
    for (group, resource) in &served {
        let name = resource["name"].as_str().expect("a name");
        let verbs: Vec<&str> =
            resource["verbs"].as_array().expect("verbs").iter().filter_map(Value::as_str).collect();
        let verbs = verbs.join(";");
        let _ = writeln!(markers, "// +kubebuilder:rbac:groups={group},resources={name},verbs={verbs}");
    }
    let sandbox = Sandbox::with_project();
    sandbox.write("src/all.rs", &markers);
    sandbox.run(&["manifests", "--rbac-only"]).success();
    let role = sandbox.read("config/rbac/role.yaml");
    for (_, resource) in &served {
        let name = resource["name"].as_str().expect("a name");
        assert!(role.contains(&format!("- {name}\n")), "{name}");
    }
}
