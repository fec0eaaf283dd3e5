//! Roles against a real API server: what it serves can be asked for in markers, and what they ask for is allowed where they
//! say.

mod common;

use std::fmt::Write as _;

use common::Sandbox;
use common::cluster::{Cluster, kustomize};
use serde::Deserialize as _;
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

const NAMESPACES: [&str; 5] = ["here", "there", "iris-system", "prod", "default"];

/// Resources, the namespace in which they can be read, and what markers say of it.
const RIGHTS: [(&str, &str, &str); 5] = [
    ("secrets", "here", ",namespace=here"),
    ("configmaps", "there", ",namespace=there"),
    ("pods", "iris-system", ",namespace=iris-system"),
    ("services", "there", ",namespace=there,roleName=by.hand"),
    ("nodes", "", ""),
];

/// The objects of `config/default` that are about rights.
fn rights(sandbox: &Sandbox) -> Vec<Value> {
    let all = kustomize(&sandbox.path().join("config/default")).expect("manifests");
    let documents = serde_yaml::Deserializer::from_str(&all);
    let objects = documents.map(|document| Value::deserialize(document).expect("YAML"));
    let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];
    objects.filter(|object| kinds.iter().any(|kind| object["kind"] == *kind)).collect()
}

/// Checks that an account can read what markers ask for, where they ask for it and nowhere else.
#[track_caller]
fn assert_rights(cluster: &Cluster, namespace: &str, account: &str) {
    let user = format!("--as=system:serviceaccount:{namespace}:{account}");
    for (resource, allowed, _) in RIGHTS {
        for namespace in NAMESPACES {
            let args = ["auth", "can-i", "get", resource, "--namespace", namespace, &user];
            let can = cluster.try_kubectl(&args, "").is_ok();
            assert_eq!(
                can,
                allowed.is_empty() || allowed == namespace,
                "{resource} in {namespace} for {user}"
            );
        }
    }
}

#[test]
fn rights_in_a_namespace_are_given_there_and_nowhere_else() {
    let cluster = Cluster::start();
    for namespace in NAMESPACES.iter().filter(|namespace| **namespace != "default") {
        cluster.kubectl(&["create", "namespace", namespace]);
    }
    let sandbox = Sandbox::with_iris();
    let before = rights(&sandbox);
    let markers = RIGHTS.map(|(resource, _, place)| {
        format!("// +kubebuilder:rbac:groups=core,resources={resource},verbs=get{place}\n")
    });
    sandbox.write("src/extra.rs", &markers.concat());
    // What markers give a name of its own people bind.
    sandbox.write(
        "config/rbac/by_hand.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
         metadata: { name: by.hand, namespace: there }\n\
         roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: by.hand }\n\
         subjects: [{ kind: ServiceAccount, name: controller-manager, namespace: system }]\n",
    );
    let kustomization = sandbox.read("config/rbac/kustomization.yaml");
    let added = kustomization.replace("- role.yaml\n", "- role.yaml\n- by_hand.yaml\n");
    sandbox.write("config/rbac/kustomization.yaml", &added);
    sandbox.run(&["manifests", "--rbac-only"]).success();
    let apply = |objects: &[Value]| {
        let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        cluster.apply(&list.to_string(), &[]);
    };
    apply(&rights(&sandbox));
    assert_rights(&cluster, "iris-system", "iris-controller-manager");

    // Whatever the operator and its namespace are called.
    let default = sandbox.read("config/default/kustomization.yaml");
    let renamed = default.replace("namespace: iris-system", "namespace: prod");
    let renamed = renamed.replace("namePrefix: iris-", "namePrefix: other.");
    sandbox.write("config/default/kustomization.yaml", &renamed);
    apply(&rights(&sandbox));
    assert_rights(&cluster, "prod", "other.controller-manager");
    sandbox.write("config/default/kustomization.yaml", &default);

    // A kustomization that knows nothing of it is told.
    let old = default.split("\ntransformers:").next().unwrap_or_default();
    sandbox.write("config/default/kustomization.yaml", old);
    let ran = sandbox.run(&["manifests", "--rbac-only"]).success();
    let note =
        "moves Roles of other namespaces to its own: add `- role_namespaces.yaml` to its `transformers:`";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
    sandbox.write("config/default/kustomization.yaml", &default);

    // Nothing is left of markers that are gone.
    sandbox.write("src/extra.rs", "");
    sandbox.write("config/rbac/kustomization.yaml", &kustomization);
    std::fs::remove_file(sandbox.path().join("config/rbac/by_hand.yaml")).expect("removed");
    sandbox.run(&["manifests", "--rbac-only"]).success();
    assert_eq!(rights(&sandbox), before);
    let places = sandbox.read("config/default/role_namespaces.yaml");
    assert!(places.lines().all(|line| line.starts_with('#')), "{places}");
}
