//! The compiled types are the templates' types, and give the definitions beside them.

use std::path::PathBuf;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use super::*;
use crate::manifests::crd::{Names, STAND_IN, builtin, file_name, normalise, render};
use crate::project::{License, Project};
use crate::resource::plural;
use crate::templates::Licensing;

/// The types of a template for the stand-in kind, compiled.
pub struct Compiled {
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// File of the types.
    pub types: &'static str,
    /// File of the definition.
    pub definition: &'static str,
    /// The definition.
    pub crd: CustomResourceDefinition,
}

fn stand_in() -> Resource {
    Resource {
        group: "placeholder".into(),
        version: "v1".into(),
        kind: STAND_IN.into(),
        plural: plural::plural(STAND_IN),
        domain: "example".into(),
        namespaced: true,
        core: false,
        external: false,
        storage: true,
        has_api: true,
        controllers: Vec::new(),
    }
}

/// The types that a template renders.
fn types(template: &dyn KindTemplate, resource: Resource) -> String {
    let mut project = Project::new("example", "p");
    project.resources.push(resource);
    let licensing = Licensing { license: License::None, owner: None, custom: None };
    let view = ProjectView::new(&project, &licensing).expect("a view");
    template.types(&view, &view.resources[0], "types.rs".into()).text.into_owned()
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

/// Holds a file of a template's folder to a text, or writes it.
fn hold(template: &dyn KindTemplate, file: &str, text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("templates/kinds").join(template.name());
    let path = folder.join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, text).expect("the file is written");
        return;
    }
    let is = std::fs::read_to_string(&path).expect("the file");
    let path = path.display();
    assert!(is == text, "write `{path}` anew: `BLESS=1 cargo test --lib compiled_files`");
}

#[test]
fn compiled_files_are_what_the_templates_render() {
    for template in ALL {
        for Compiled { namespaced, types: file, .. } in template.compiled() {
            hold(*template, file, &types(*template, Resource { namespaced, ..stand_in() }));
        }
    }
}

#[test]
fn compiled_files_give_the_definitions_beside_them() {
    for template in ALL {
        for Compiled { namespaced, definition, crd, .. } in template.compiled() {
            let crd = serde_json::to_string_pretty(&json!(crd)).expect("JSON");
            hold(*template, definition, &format!("{crd}\n"));
            let is_written = std::env::var_os("BLESS").is_some();
            assert!(is_written || template.definition(namespaced).trim_end() == crd, "{definition}");
        }
    }
}

#[test]
fn a_blank_type_of_the_cluster_differs_in_its_scope_only() {
    let cluster = types(&blank::Blank, Resource { namespaced: false, ..stand_in() });
    assert_eq!(types(&blank::Blank, stand_in()).replace("    namespaced,\n", ""), cluster);
}

#[test]
fn a_type_renamed_for_rust_keeps_its_kind() {
    for template in [&replicas::Replicas as &dyn KindTemplate, &blank::Blank] {
        let text = types(template, Resource { kind: "String".into(), ..stand_in() });
        assert!(text.contains("    kind = \"String\",\n    root = \"StringResource\",\n"), "{text}");
        assert!(text.contains("pub struct StringResourceSpec {"), "{text}");
        assert!(text.contains("pub struct StringResourceStatus {"), "{text}");
        let second = types(template, Resource { storage: false, ..stand_in() });
        assert!(second.contains("    namespaced,\n    storage = false,\n"), "{second}");
    }
}

#[test]
fn no_trace_of_the_stand_in_is_left() {
    for template in ALL {
        for namespaced in [true, false] {
            let crd = builtin(template.definition(namespaced), &iris(namespaced));
            let text = render(&crd);
            assert!(!text.to_lowercase().contains("placeholder"), "{text}");
            assert_eq!(file_name(&crd), "test.myardyas.club_iris.yaml");
            assert_eq!(normalise(crd.clone()), crd, "normalising twice changes nothing");
        }
    }
}

#[test]
fn the_replicas_template_says_what_an_operator_author_expects() {
    let crd = builtin(replicas::Replicas.definition(true), &iris(true));
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
    let crd = builtin(replicas::Replicas.definition(false), &iris(false));
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_eq!(crd["spec"]["scope"], "Cluster");
    assert_eq!(spec["required"], json!(["deploymentName", "namespace"]));
    assert_eq!(spec["properties"]["namespace"]["x-kubernetes-validations"][0]["rule"], "self == oldSelf");
}
