//! Several versions of a kind against a real API server: what is said to be lost between them is lost, and what is not
//! said is not; a conversion of the project reaches the tests of the project.

mod common;

use common::Sandbox;
use common::cluster::{Cluster, manifests};
use iris_scaffold::manifests::crd;
use serde_json::{Value, json};

/// A definition with two versions, whose specs these are; the first is stored.
fn definition(name: &str, specs: [&Value; 2], served: bool) -> Value {
    let versions = ["v1", "v2"].into_iter().zip(specs).map(|(version, spec)| {
        json!({
            "name": version, "served": version == "v2" || served, "storage": version == "v1",
            "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": { "type": "object" },
                "spec": { "type": "object", "properties": { "a": spec } },
            } } },
        })
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{name}s.versions.example.com") },
        "spec": {
            "group": "versions.example.com", "scope": "Cluster",
            "names": { "kind": name, "listKind": format!("{name}List"), "plural": format!("{name}s"), "singular": name },
            "versions": versions.collect::<Vec<_>>(),
        },
    })
}

/// Writes an object in one version, edits it through another, and returns it as the first one has it then.
fn edited(cluster: &Cluster, kind: &str, a: &Value, [writer, editor]: [&str; 2]) -> Value {
    let api_version = format!("versions.example.com/{writer}");
    let object =
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "x" }, "spec": { "a": a } });
    let resource = |version: &str| format!("{kind}s.{version}.versions.example.com");
    cluster
        .try_kubectl(&["create", "--validate=ignore", "-f", "-"], &object.to_string())
        .unwrap_or_else(|error| panic!("{error}"));
    cluster.kubectl(&["annotate", &resource(editor), "x", "edited=yes"]);
    let found = cluster.get(&[&resource(writer), "x"])["spec"]["a"].take();
    cluster.kubectl(&["delete", &resource(editor), "x"]);
    found
}

#[test]
fn the_api_server_loses_what_is_said_to_be_lost() {
    let cluster = Cluster::shared();
    let text = json!({ "type": "string" });
    let fields = |names: &[&str]| {
        let fields: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        json!({ "type": "object", "properties": fields })
    };
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let map = json!({ "type": "object", "additionalProperties": text });
    let nullable = json!({ "type": "object", "properties": { "x": { "type": "string", "nullable": true } } });
    let list = |items: &Value| json!({ "type": "array", "items": items });
    let long = json!({ "type": "object", "properties": { "x": { "type": "string", "maxLength": 3 } } });
    let (x, both) = (json!({ "x": "1" }), json!({ "x": "1", "y": "2" }));
    for (index, (specs, served, value, is_lost)) in [
        ([&fields(&["x", "y"]), &fields(&["x"])], true, both.clone(), true),
        ([&fields(&["x"]), &fields(&["x", "y"])], true, both.clone(), true),
        // The stored version is passed through, served or not.
        ([&fields(&["x"]), &fields(&["x", "y"])], false, both.clone(), true),
        ([&fields(&["x", "y"]), &fields(&["x", "y"])], true, both.clone(), false),
        ([&open, &fields(&["x"])], true, both.clone(), true),
        ([&map, &fields(&["x"])], true, both.clone(), true),
        ([&list(&fields(&["x", "y"])), &list(&fields(&["x"]))], true, json!([both]), true),
        ([&nullable, &fields(&["x"])], true, json!({ "x": null }), true),
        ([&long, &fields(&["x"])], true, x, false),
    ]
    .into_iter()
    .enumerate()
    {
        let kind = format!("case{index}");
        let definition = definition(&kind, specs, served);
        let said = crd::differences(&definition).losses;
        assert_eq!(!said.is_empty(), is_lost, "{specs:?}: {said:?}");
        cluster.define(&definition.to_string());
        let ways: &[_] = if served { &[["v1", "v2"], ["v2", "v1"]] } else { &[["v2", "v2"]] };
        let kept = ways.iter().all(|way| edited(cluster, &kind, &value, *way) == value);
        assert_eq!(kept, !is_lost, "{specs:?}");
    }
}

const PATCH: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
                     things.test.example.com\nspec:\n  conversion:\n    strategy: Webhook\n    webhook:\n      \
                     clientConfig:\n        service: {namespace: system, name: webhook-service, path: /convert}\n      \
                     conversionReviewVersions: [v1]\n";

#[test]
fn versions_that_differ_need_a_conversion() {
    let sandbox = Sandbox::new("versions");
    sandbox.run(&["init", "--domain=example.com"]).success();
    let api = ["create", "api", "--group=test", "--kind=Thing", "--controller=false", "--template=blank"];
    sandbox.run(&[&api[..], &["--version=v1"]].concat()).success();
    let field = |name: &str| {
        let file = "api/src/v1/thing.rs";
        let (before, after) =
            ("ThingSpec {\n", format!("    /// A field.\n    #[serde(default)]\n    pub {name}: i64,\n"));
        sandbox.write(file, &sandbox.read(file).replacen(before, &format!("{before}{after}"), 1));
    };
    field("first");
    manifests(sandbox.path(), &[]).unwrap_or_else(|error| panic!("{error}"));

    // A further version begins with the same fields.
    let ran = sandbox.run(&[&api[..4], &["--controller=false", "--version=v2"]].concat()).success();
    assert!(ran.stderr.contains("v2 of `Thing` begins with the fields of v1"), "{}", ran.stderr);
    manifests(sandbox.path(), &["--check"])
        .unwrap_or_else(|error| panic!("as `create api` wrote it: {error}"));

    field("second");
    let before = sandbox.read("config/crd/bases/test.example.com_things.yaml");
    for args in [&[][..], &["--check"], &["--stdout"], &["--crds-only"], &["--dry-run"], &["--diff"]] {
        let error = manifests(sandbox.path(), args).expect_err("`second` would be lost");
        assert!(error.contains("`Thing v1 .spec.second` is not in v2"), "{args:?}: {error}");
        assert!(error.contains("`api/src/v1/thing.rs:"), "{args:?}: {error}");
    }
    assert_eq!(sandbox.read("config/crd/bases/test.example.com_things.yaml"), before, "nothing was written");

    let kustomization = sandbox.read("config/crd/kustomization.yaml");
    sandbox.write(
        "config/crd/kustomization.yaml",
        &format!("{kustomization}\npatches:\n- path: webhook.yaml\n"),
    );
    sandbox.write("config/crd/webhook.yaml", PATCH);
    manifests(sandbox.path(), &[]).unwrap_or_else(|error| panic!("a webhook converts: {error}"));

    // The tests of the project have it, too.
    let cluster = Cluster::of_project(sandbox.path());
    let installed = cluster.get(&["crd", "things.test.example.com"]);
    assert_eq!(installed["spec"]["conversion"]["strategy"], "Webhook", "{installed}");
    assert_eq!(installed["spec"]["versions"].as_array().map(Vec::len), Some(2), "{installed}");

    sandbox.write("config/crd/kustomization.yaml", &kustomization);
    let file = "api/src/v2/thing.rs";
    sandbox.write(
        file,
        &sandbox.read(file).replacen("storage = false,", "storage = false,\n    served = false,", 1),
    );
    manifests(sandbox.path(), &[]).unwrap_or_else(|error| panic!("one version is served: {error}"));
}
