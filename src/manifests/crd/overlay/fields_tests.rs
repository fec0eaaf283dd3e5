//! Fields as they are written, and what becomes of their schemas. The types here are compiled, and read as a source.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSON;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension as Raw;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{CustomResource, CustomResourceExt as _, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::super::normalise;
use super::*;

type Size = Option<Quantity>;

/// Settings of any kind.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
struct Settings(Raw);

/// Nothing yet.
#[derive(Clone, Debug, Deserialize, KubeSchema, Serialize)]
struct Nothing {}

/// What the user wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube(group = "test.example", version = "v1", kind = "Sample", namespaced)]
#[serde(rename_all = "camelCase")]
struct SampleSpec {
    /// Size of the disk; a description of more words than fit on one line of a definition, so that it is broken there,
    /// and here as well.
    ///
    /// It has a second paragraph.
    disk_size: Quantity,
    /// Whether it is there or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other_size: Size,
    /// By another name.
    #[serde(rename = "Third-Size", default)]
    third: Option<Quantity>,
    /// Of a name that is a keyword.
    r#type: Quantity,
    undocumented_size: Option<Quantity>,
    /// Settings of any kind.
    settings: Settings,
    /// Called and described as another field.
    same: Raw,
    /// More settings.
    boxed: Box<Raw>,
    /// A comment for those who read the code.
    #[schemars(description = "More for those who read the definition.")]
    described: Raw,
    /// Any value.
    value: JSON,
    /// One of several.
    source: Source,
    /// A number or a name.
    port: IntOrString,
    /// A struct without fields.
    nothing: Nothing,
    /// A struct with fields.
    reference: LocalObjectReference,
    inner: Inner,
}

/// Where it is from.
#[derive(Clone, Debug, Deserialize, KubeSchema, Serialize)]
struct Inner {
    /// A struct without fields.
    nothing: Raw,
    /// A number or a name.
    port: Option<Quantity>,
    /// Called and described as another field.
    same: Nothing,
}

/// Where it is from.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "kebab-case")]
enum Source {
    /// From outside.
    FromOutside(Raw),
    /// From here.
    Here {
        /// How much.
        how_much: Quantity,
    },
}

fn collect(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}{name}");
        if property.get("pattern").is_some() {
            found.push(format!("{path}: quantity"));
        } else if property.get("x-kubernetes-preserve-unknown-fields").is_some() {
            let kind = property["type"].as_str().unwrap_or("anything");
            found.push(format!("{path}: {kind}"));
        }
        collect(&format!("{path}."), property, found);
    }
}

#[test]
fn documented_fields_are_found_in_the_sources() {
    let mut definition = normalise(json!(Sample::crd()));
    let before = definition.clone();
    let fields = Fields::read([include_str!("fields_tests.rs")]);
    fields.complete(&mut definition);
    let alike = fields.check().expect_err("some fields are described alike").to_string();
    let named: Vec<&str> = alike.lines().filter_map(|line| line.split('`').nth(1)).collect();
    assert_eq!(named, ["nothing", "port", "same"], "{alike}");
    let spec = |definition: &Value| {
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
    };
    let mut found = Vec::new();
    collect("", &spec(&definition), &mut found);
    assert_eq!(
        found,
        [
            "Third-Size: quantity",
            "boxed: object",
            "described: object",
            "diskSize: quantity",
            "otherSize: quantity",
            "settings: object",
            "source.fromOutside: object",
            "source.here.how-much: quantity",
            "type: quantity",
            "undocumentedSize: quantity",
            "value: anything",
        ]
    );
    let text = spec(&definition)["properties"]["diskSize"]["description"].clone();
    assert_eq!(text, spec(&before)["properties"]["diskSize"]["description"], "descriptions stay");
}

#[test]
fn types_of_the_same_name_are_not_taken_for_kubernetes() {
    let source = "struct Quantity { a: i32 } struct Spec { /// Words.\n size: Quantity }";
    assert!(Fields::read([source]).known.values().all(Option::is_none));
    assert!(Fields::read([source, source]).check().is_ok());
    let other = "struct Spec { /// Words.\n size: Quantity } struct Other { /// Words.\n size: Option<i32> } \
                 struct More { /// Words.\n size: Vec<Quantity> }";
    let fields = Fields::read([other]);
    assert!(fields.check().is_ok() && fields.known.values().all(Option::is_some), "{fields:?}");
    let source = "struct Spec { /// Words.\n size: Quantity }";
    assert_eq!(Fields::read([source, "not Rust"]).known.values().flatten().count(), 1);
}
