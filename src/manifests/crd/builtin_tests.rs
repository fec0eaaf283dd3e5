//! The compiled types are the templates' types.

use askama::Template as _;
use kube::CustomResourceExt as _;
use serde_json::{Value, json};

use super::super::{file_name, render};
use super::*;

/// What the templates read of a project.
struct Project {
    header: &'static str,
}

/// What the templates read of a resource.
struct Resource {
    kind: &'static str,
    version: &'static str,
    qualified_group: &'static str,
    rust_type: &'static str,
    plural: &'static str,
    singular: &'static str,
    namespaced: bool,
    storage: bool,
}

const STAND_IN_RESOURCE: Resource = Resource {
    kind: "Placeholder",
    version: "v1",
    qualified_group: "placeholder.example",
    rust_type: "Placeholder",
    plural: "placeholders",
    singular: "placeholder",
    namespaced: true,
    storage: true,
};

#[derive(askama::Template)]
#[template(path = "api/api/src/_version_/_kind_.rs.replicas.j2", escape = "none")]
struct Replicas {
    p: Project,
    r: Resource,
}

#[derive(askama::Template)]
#[template(path = "api/api/src/_version_/_kind_.rs.blank.j2", escape = "none")]
struct Blank {
    p: Project,
    r: Resource,
}

fn replicas(r: Resource) -> String {
    Replicas { p: Project { header: "" }, r }.render().expect("the template renders")
}

fn blank(r: Resource) -> String {
    Blank { p: Project { header: "" }, r }.render().expect("the template renders")
}

fn iris(namespaced: bool) -> Names {
    Names {
        group: "test.myardyas.club".into(),
        version: "v1alpha1".into(),
        kind: "Iris".into(),
        plural: "iris".into(),
        singular: "iris".into(),
        list_kind: "IrisList".into(),
        namespaced,
    }
}

#[test]
fn compiled_files_are_what_the_templates_render() {
    let cluster = Resource { namespaced: false, ..STAND_IN_RESOURCE };
    for (rendered, compiled, name) in [
        (replicas(STAND_IN_RESOURCE), include_str!("builtin/replicas.rs"), "replicas.rs"),
        (replicas(cluster), include_str!("builtin/replicas_cluster.rs"), "replicas_cluster.rs"),
        (blank(STAND_IN_RESOURCE), include_str!("builtin/blank.rs"), "blank.rs"),
    ] {
        let rendered = format!("{}\n", rendered.trim_end());
        if std::env::var_os("BLESS").is_some() {
            let file = format!("{}/src/manifests/crd/builtin/{name}", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(file, &rendered).expect("the file is written");
        } else {
            assert!(
                rendered == compiled,
                "write `builtin/{name}` anew: `BLESS=1 cargo test --lib compiled_files`"
            );
        }
    }
}

#[test]
fn compiled_files_give_the_definitions_beside_them() {
    for (crd, text, name) in [
        (replicas::Placeholder::crd(), REPLICAS, "replicas.json"),
        (replicas_cluster::Placeholder::crd(), REPLICAS_CLUSTER, "replicas_cluster.json"),
        (blank::Placeholder::crd(), BLANK, "blank.json"),
    ] {
        let crd = serde_json::to_string_pretty(&json!(crd)).expect("JSON");
        if std::env::var_os("BLESS").is_some() {
            let file = format!("{}/src/manifests/crd/builtin/{name}", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(file, format!("{crd}\n")).expect("the file is written");
        } else {
            assert!(
                crd == text.trim_end(),
                "write `builtin/{name}` anew: `BLESS=1 cargo test --lib compiled_files`"
            );
        }
    }
}

#[test]
fn a_blank_type_of_the_cluster_differs_in_its_scope_only() {
    let cluster = blank(Resource { namespaced: false, ..STAND_IN_RESOURCE });
    assert_eq!(blank(STAND_IN_RESOURCE).replace("    namespaced,\n", ""), cluster);
}

#[test]
fn a_type_renamed_for_rust_keeps_its_kind() {
    for render in [replicas, blank] {
        let text = render(Resource { kind: "String", rust_type: "StringResource", ..STAND_IN_RESOURCE });
        assert!(text.contains("    kind = \"String\",\n    root = \"StringResource\",\n"), "{text}");
        assert!(text.contains("pub struct StringResourceSpec {"), "{text}");
        assert!(text.contains("pub struct StringResourceStatus {"), "{text}");
        let second = render(Resource { storage: false, ..STAND_IN_RESOURCE });
        assert!(second.contains("    namespaced,\n    storage = false,\n"), "{second}");
    }
}

#[test]
fn no_trace_of_the_stand_in_is_left() {
    for (template, namespaced) in [
        (Template::Replicas, true),
        (Template::Replicas, false),
        (Template::Blank, true),
        (Template::Blank, false),
    ] {
        let crd = builtin(template, &iris(namespaced));
        let text = render(&crd);
        assert!(!text.to_lowercase().contains("placeholder"), "{text}");
        assert_eq!(file_name(&crd), "test.myardyas.club_iris.yaml");
        assert_eq!(normalise(crd.clone()), crd, "normalising twice changes nothing");
    }
}

#[test]
fn the_replicas_template_says_what_an_operator_author_expects() {
    let crd = builtin(Template::Replicas, &iris(true));
    let version = &crd["spec"]["versions"][0];
    let schema = &version["schema"]["openAPIV3Schema"];
    let spec = &schema["properties"]["spec"];
    assert_eq!(crd["metadata"]["name"], "iris.test.myardyas.club");
    assert_eq!(crd["spec"]["scope"], "Namespaced");
    assert_eq!(
        schema["description"],
        "Iris runs a Deployment and keeps it at the wanted number of replicas."
    );
    assert_eq!(spec["required"], json!(["deploymentName"]));
    assert_eq!(
        spec["properties"]["replicas"],
        json!({
            "default": 1, "description": "Number of replicas; 1 when not set.", "format": "int32", "minimum": 0,
            "type": "integer",
        })
    );
    assert_eq!(spec["properties"]["deploymentName"]["maxLength"], 63);
    let columns = version["additionalPrinterColumns"].as_array().expect("columns");
    let columns: Vec<&Value> = columns.iter().map(|column| &column["name"]).collect();
    assert_eq!(columns, ["Deployment", "Desired", "Ready", "Age"]);
    assert_eq!(
        version["subresources"],
        json!({
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
            "status": {},
        })
    );
    let conditions = &schema["properties"]["status"]["properties"]["conditions"];
    assert_eq!(conditions["x-kubernetes-list-type"], "map");
    assert_eq!(conditions["x-kubernetes-list-map-keys"], json!(["type"]));
    assert_eq!(conditions["items"]["properties"]["status"]["enum"], json!(["True", "False", "Unknown"]));
}

#[test]
fn a_kind_of_the_cluster_says_where_its_deployment_lives() {
    let crd = builtin(Template::Replicas, &iris(false));
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_eq!(crd["spec"]["scope"], "Cluster");
    assert_eq!(spec["required"], json!(["deploymentName", "namespace"]));
    assert_eq!(spec["properties"]["namespace"]["x-kubernetes-validations"][0]["rule"], "self == oldSelf");
}
