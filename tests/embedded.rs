//! Types of Kubernetes inside custom resources: that their definition says what Go's would, and what an API server makes
//! of it.

mod common;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use common::cluster::Cluster;
use iris_scaffold::manifests::crd;
use k8s_openapi::api::core::v1::{
    Affinity, EnvVar, LocalObjectReference, PersistentVolumeClaim, PodTemplateSpec, ResourceRequirements,
    Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::Duration;
use kube::{CustomResource, CustomResourceExt as _, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What the user wants. `src/manifests/crd/overlay/generate/twin/types.go` says the same in Go.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube(
    group = "test.example",
    version = "v1",
    kind = "Embedder",
    plural = "embedders",
    namespaced,
    status = "EmbedderStatus"
)]
#[serde(rename_all = "camelCase")]
struct EmbedderSpec {
    /// A documented field.
    template: PodTemplateSpec,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources: Option<ResourceRequirements>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    selector: Option<LabelSelector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<IntOrString>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Quantity>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    limits: BTreeMap<String, Quantity>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interval: Option<Duration>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<RawExtension>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<RawExtension>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    env: Vec<EnvVar>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    affinity: Option<Affinity>,
    /// A documented field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    volumes: Vec<Volume>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<LocalObjectReference>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    claims: Vec<PersistentVolumeClaim>,
}

/// What the operator observed.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbedderStatus {
    /// Facts about the state, one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    conditions: Vec<Condition>,
}

/// The definition that `manifests` would write.
fn definition() -> Value {
    let printed = serde_json::to_string(&Embedder::crd()).expect("JSON");
    let mut definitions = crd::from_crdgen(&printed).expect("a definition");
    crd::Fields::read([include_str!("embedded.rs")]).complete(&mut definitions[0]);
    definitions.remove(0)
}

/// The definition that controller-gen writes.
fn twin() -> Value {
    let file = format!("{}/tests/data/test.example_embedders.yaml", env!("CARGO_MANIFEST_DIR"));
    serde_yaml::from_str(&std::fs::read_to_string(file).expect("the twin")).expect("YAML")
}

fn property<'a>(definition: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"], |schema, name| {
        &schema["properties"][*name]
    })
}

/// Removes descriptions, and from Go's schemas of integers or strings what the mark says already.
fn bare(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("description");
    if map.contains_key("x-kubernetes-int-or-string") {
        map.remove("anyOf");
    }
    if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(bare);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            bare(inner);
        }
    }
}

#[test]
fn a_definition_says_what_controller_gen_says_of_the_same_type_in_go() {
    for name in ["spec", "status"] {
        let mut ours = property(&definition(), &[name]).clone();
        let mut theirs = property(&twin(), &[name]).clone();
        bare(&mut ours);
        bare(&mut theirs);
        for (field, theirs) in theirs["properties"].as_object().expect("fields") {
            assert_eq!(&ours["properties"][field], theirs, "{name}.{field}");
        }
        assert_eq!(ours, theirs);
    }
}

#[test]
fn a_pod_template_keeps_all_it_has_in_go() {
    fn count(schema: &Value, key: &str) -> usize {
        let inner = schema["properties"].as_object().into_iter().flat_map(Map::values);
        let inner = inner.chain(["items", "additionalProperties"].iter().filter_map(|key| schema.get(*key)));
        usize::from(schema.get(key).is_some()) + inner.map(|inner| count(inner, key)).sum::<usize>()
    }
    let raw = json!(Embedder::crd());
    let (raw, template) = (property(&raw, &["spec", "template"]), definition());
    let template = property(&template, &["spec", "template"]);
    for (key, expected) in [
        ("x-kubernetes-list-type", 153),
        ("x-kubernetes-list-map-keys", 26),
        ("x-kubernetes-map-type", 54),
        ("default", 47),
        ("pattern", 17),
    ] {
        assert_eq!((count(raw, key), count(template, key)), (0, expected), "{key}");
    }
}

#[test]
fn the_api_server_describes_its_own_pod_templates_the_same() {
    let published = cluster().kubectl(&["get", "--raw", "/openapi/v3/apis/apps/v1"]);
    let published: Value = serde_json::from_str(&published).expect("JSON");
    let schemas = &published["components"]["schemas"];
    let mut compared = 0;
    let mut different = Vec::new();
    let mut pairs = vec![(
        String::new(),
        property(&definition(), &["spec", "template"]).clone(),
        schemas["io.k8s.api.core.v1.PodTemplateSpec"].clone(),
    )];
    while let Some((path, ours, theirs)) = pairs.pop() {
        let theirs = Value::Object(resolved(&theirs, schemas));
        for key in
            ["x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "required"]
        {
            let (ours, theirs) = (sorted(&ours[key]), sorted(&theirs[key]));
            compared += usize::from(!ours.is_empty());
            if ours != theirs {
                let field = path.rsplit_once("spec.").map_or(path.as_str(), |(_, field)| field);
                different.push(format!("{field} {key}: {} {}", ours.join(","), theirs.join(",")));
            }
        }
        for (name, property) in ours["properties"].as_object().into_iter().flatten() {
            pairs.push((format!("{path}.{name}"), property.clone(), theirs["properties"][name].clone()));
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = ours.get(key) {
                pairs.push((path.clone(), inner.clone(), theirs[key].clone()));
            }
        }
    }
    assert!(compared > 300, "{compared}");
    // Two sayings of controller-gen's: a struct that embeds an atomic one is atomic, and finalizers are any list.
    different
        .retain(|line| !line.ends_with(" x-kubernetes-map-type: atomic ") && !line.contains(".finalizers "));
    assert_eq!(different, [""; 0]);
}

/// A schema of the API server with what it refers to.
fn resolved(schema: &Value, schemas: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        all.append(&mut resolved(part, schemas));
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        all.append(&mut resolved(&schemas[name], schemas));
    }
    all.extend(schema.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    all
}

/// The words of a list, or one word, in order.
fn sorted(value: &Value) -> Vec<String> {
    let mut words: Vec<String> = match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        other => other.as_str().map(ToOwned::to_owned).into_iter().collect(),
    };
    words.sort();
    words
}

/// An API server that has the definition.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = Cluster::start();
        cluster.define(&crd::render(&definition()));
        cluster
    })
}

/// An object with these fields besides an empty template.
fn object(name: &str, spec: &Value) -> String {
    let mut all = json!({"template": {}});
    all.as_object_mut().expect("a map").append(&mut spec.as_object().expect("a map").clone());
    json!({"apiVersion": "test.example/v1", "kind": "Embedder", "metadata": {"name": name}, "spec": all})
        .to_string()
}

/// Applies an object in the name of `manager`.
fn apply(manager: &str, name: &str, spec: &Value) -> Result<Value, String> {
    let manager = format!("--field-manager={manager}");
    let args = ["apply", "--server-side", &manager, "--warnings-as-errors", "-o", "json", "-f", "-"];
    let text = cluster().try_kubectl(&args, &object(name, spec))?;
    Ok(serde_json::from_str::<Value>(&text).expect("JSON")["spec"].clone())
}

fn applied(manager: &str, name: &str, spec: &Value) -> Value {
    apply(manager, name, spec).unwrap_or_else(|error| panic!("{manager} {spec}: {error}"))
}

/// What the API server says against an object.
fn refused(manager: &str, name: &str, spec: &Value) -> String {
    apply(manager, name, spec).expect_err("the API server refuses it")
}

fn pod(spec: &Value) -> Value {
    json!({"template": {"spec": spec}})
}

#[test]
fn two_managers_share_lists_and_maps() {
    let name = "shared";
    let app = json!({"name": "app", "image": "app:1", "ports": [{"containerPort": 80}]});
    applied(
        "one",
        name,
        &json!({"template": {"metadata": {"labels": {"a": "1"}}, "spec": {"containers": [app]}}}),
    );
    let sidecar = json!({"name": "sidecar", "image": "sidecar:1"});
    let more = json!({"name": "app", "env": [{"name": "LEVEL", "value": "debug"}],
        "ports": [{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 81}]});
    let both = applied(
        "two",
        name,
        &json!({"template": {"metadata": {"labels": {"b": "2"}}, "spec": {"containers": [more, sidecar]}}}),
    );
    assert_eq!(
        both["template"],
        json!({
            "metadata": {"labels": {"a": "1", "b": "2"}},
            "spec": {"containers": [
                {
                    "name": "app",
                    "image": "app:1",
                    "env": [{"name": "LEVEL", "value": "debug"}],
                    "ports": [
                        {"containerPort": 80, "protocol": "TCP"},
                        {"containerPort": 80, "protocol": "UDP"},
                        {"containerPort": 81, "protocol": "TCP"},
                    ],
                },
                {"name": "sidecar", "image": "sidecar:1"},
            ]},
        })
    );
    let conflict = refused("two", name, &pod(&json!({"containers": [{"name": "app", "image": "app:2"}]})));
    assert!(conflict.contains("conflict with \"one\""), "{conflict}");
    let left = applied("two", name, &json!({}));
    assert_eq!(
        left["template"],
        json!({
            "metadata": {"labels": {"a": "1"}},
            "spec": {"containers": [
                {"name": "app", "image": "app:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
            ]},
        })
    );
}

#[test]
fn a_selector_belongs_to_one_manager() {
    let selector = |label: &str| json!({"selector": {"matchLabels": {label: "1"}}});
    applied("one", "atomic", &selector("a"));
    let conflict = refused("two", "atomic", &selector("b"));
    assert!(conflict.contains("conflict with \"one\": .spec.selector"), "{conflict}");
}

#[test]
fn the_content_of_a_raw_extension_is_kept() {
    let content = json!({"anything": {"deep": [1, "two", {"three": null}]}});
    let given = json!({"settings": content, "extensions": [content]});
    let stored = applied("one", "raw", &given);
    assert_eq!((&stored["settings"], &stored["extensions"]), (&given["settings"], &given["extensions"]));
}

#[test]
fn quantities_are_numbers_and_texts_with_a_unit() {
    let container = |limit: &Value| {
        pod(&json!({"containers": [{"name": "app", "resources": {"limits": {"cpu": limit}}}]}))
    };
    for good in [json!(1), json!("500m"), json!("1.5Gi"), json!("1e3")] {
        applied("one", "quantities", &json!({"size": good, "limits": {"cpu": good}}));
        applied("two", "quantities", &container(&good));
    }
    for bad in [json!("x"), json!("1 Gi"), json!(""), json!(true)] {
        for (field, spec) in [
            ("spec.size", json!({"size": bad})),
            ("spec.limits.cpu", json!({"limits": {"cpu": bad}})),
            ("spec.template.spec.containers[0].resources.limits.cpu", container(&bad)),
        ] {
            let error = refused("three", "bad-quantities", &spec);
            assert!(error.contains(&format!("{field}: Invalid value")), "{bad}: {error}");
        }
    }
}

#[test]
fn ports_are_numbers_or_names() {
    for good in [json!(80), json!("http")] {
        assert_eq!(applied("one", "ports", &json!({"port": good}))["port"], good);
    }
    let error = refused("two", "bad-ports", &json!({"port": [80]}));
    assert!(error.contains("spec.port: Invalid value"), "{error}");
}

#[test]
fn names_of_references_may_be_left_out_as_in_go() {
    let given = json!({
        "secret": {},
        "template": {"spec": {"containers": [], "imagePullSecrets": [{}], "volumes": [{"name": "a", "configMap": {}}]}},
    });
    let stored = applied("one", "references", &given);
    assert_eq!(stored["secret"], json!({"name": ""}));
    assert_eq!(stored["template"]["spec"]["imagePullSecrets"], json!([{"name": ""}]));
    // what is read back fits the Rust types
    serde_json::from_value::<EmbedderSpec>(stored).expect("a spec");
}

#[test]
fn times_and_durations_are_what_they_were() {
    let given = json!({"at": "2024-01-02T03:04:05Z", "interval": "1m30s"});
    let stored = applied("one", "times", &given);
    assert_eq!((&stored["at"], &stored["interval"]), (&given["at"], &given["interval"]));
    let error = refused("two", "bad-times", &json!({"at": "tomorrow"}));
    assert!(error.contains("spec.at: Invalid value"), "{error}");
}

#[test]
fn conditions_follow_kubernetes_rules() {
    applied("one", "conditions", &json!({}));
    let patch = |reason: &str| {
        let condition = json!({"type": "Ready", "status": "True", "reason": reason, "message": "",
            "lastTransitionTime": "2024-01-02T03:04:05Z"});
        let patch = json!({"status": {"conditions": [condition]}}).to_string();
        let args = ["patch", "embedder", "conditions", "--subresource=status", "--type=merge", "-p", &patch];
        cluster().try_kubectl(&args, "")
    };
    patch("AllGood").expect("a good condition");
    for bad in ["", "not good", "Ends_with:"] {
        let error = patch(bad).expect_err("the API server refuses it");
        assert!(error.contains("status.conditions[0].reason: Invalid value"), "{bad}: {error}");
    }
}
