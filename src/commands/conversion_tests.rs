//! Versions that differ, and what a project says of them.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::*;

const SOURCE: &str = "#[derive(CustomResource)]\n#[kube(group = \"example.com\", version = \"v2\", kind = \"Iris\")]\n\
                      pub struct IrisSpec {\n    pub a: String,\n    pub b: String,\n}\n";
const WEBHOOK: &str = "    strategy: Webhook\n    webhook:\n      clientConfig: {service: {namespace: system, name: \
                       webhook-service, path: /convert}}\n      conversionReviewVersions: [v1]\n";

fn definition(of_v1: &Value) -> Value {
    let version = |name: &str, fields: &Value| {
        json!({ "name": name, "served": true, "storage": name == "v1", "schema": { "openAPIV3Schema": {
            "type": "object",
            "properties": { "spec": { "type": "object", "properties": fields } },
        } } })
    };
    let of_v2 = json!({ "a": { "type": "string" }, "b": { "type": "string" } });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "irises.example.com" },
        "spec": { "names": { "kind": "Iris" }, "versions": [version("v1", of_v1), version("v2", &of_v2)] },
    })
}

/// What is said of the definition in a project with these files below `config`.
fn said(definition: &Value, files: &[(&str, &str)]) -> Result<Vec<String>> {
    let project = TempDir::new().expect("a folder");
    for (path, text) in files {
        let path = project.path().join("config").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let path = RelPath::new("api/src/v2/iris.rs").expect("a path");
    let sources = crd::Sources::read(&[(path, SOURCE.to_owned())]).expect("a source");
    check(&Tree::open(project.path()), std::slice::from_ref(definition), &sources)
}

fn patch(conversion: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: irises.example.com\nspec:\n  \
         conversion:\n{conversion}"
    )
}

#[test]
fn versions_that_differ_are_refused_with_the_ways_out() {
    let differs = definition(&json!({ "a": { "type": "string" } }));
    let error = said(&differs, &[]).expect_err("`b` would be lost");
    assert_eq!(
        error.to_string(),
        "versions of `Iris` differ, and nothing converts between them: an edit through one loses what it lacks\n\
         `api/src/v2/iris.rs:5:9`: `Iris v2 .spec.b` is not in v1"
    );
    let hints = error.hints().join("\n");
    for way in ["the same fields", "`served = false`", "`config/crd/kustomization.yaml`"] {
        assert!(hints.contains(way), "{hints}");
    }
    let same = definition(&json!({ "a": { "type": "string" }, "b": { "type": "string" } }));
    assert_eq!(said(&same, &[]).expect("nothing is lost"), [] as [String; 0]);
    let narrow = definition(&json!({ "a": { "type": "string", "maxLength": 5 }, "b": { "type": "string" } }));
    let notes = said(&narrow, &[]).expect("nothing is lost");
    assert!(notes[0].contains("conditions or defaults of `.spec.a`"), "{notes:?}");
}

#[test]
fn a_conversion_of_the_project_makes_up_for_it() {
    let differs = definition(&json!({ "a": { "type": "string" } }));
    let whole = patch(WEBHOOK);
    let named =
        |path: &str| format!("resources:\n- bases/example.com_irises.yaml\npatches:\n- path: {path}\n");
    for (kustomization, text, file) in [
        (
            "crd/kustomization.yaml",
            named("patches/webhook_in_irises.yaml"),
            "crd/patches/webhook_in_irises.yaml",
        ),
        ("crd/kustomization.yml", named("./webhook.yaml"), "crd/webhook.yaml"),
        ("crd/Kustomization", named("../patches/webhook.yaml"), "patches/webhook.yaml"),
    ] {
        let notes = said(&differs, &[(kustomization, &text), (file, &whole)]);
        assert_eq!(notes.expect("a webhook converts"), [] as [String; 0], "{text}");
        assert!(said(&differs, &[(kustomization, &text)]).is_err(), "the patch is not there");
        assert!(said(&differs, &[(kustomization, &text), (file, &patch("    strategy: None\n"))]).is_err());
    }
    let outside = said(&differs, &[("crd/kustomization.yaml", &named("../../../../etc/passwd"))]);
    assert!(outside.is_err(), "nothing outside of the project is read");
}

#[test]
fn a_conversion_that_lacks_something_is_refused() {
    let differs = definition(&json!({ "a": { "type": "string" } }));
    let kustomization = "patches:\n- path: patch.yaml\n";
    for (conversion, part) in [
        ("    strategy: Webhook\n", "clientConfig"),
        (
            "    strategy: Webhook\n    webhook: {clientConfig: {url: https://a.example}}\n",
            "conversionReviewVersions",
        ),
    ] {
        let files = [("crd/kustomization.yaml", kustomization), ("crd/patch.yaml", &patch(conversion))];
        let error = said(&differs, &files).expect_err("the API server refuses it").to_string();
        assert!(error.contains(part), "{error}");
    }
    let broken =
        said(&differs, &[("crd/kustomization.yaml", "patches: [\n")]).expect_err("no YAML").to_string();
    assert!(broken.starts_with("`config/crd/kustomization.yaml`"), "{broken}");
}
