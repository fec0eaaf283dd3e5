//! Types of Kubernetes as schemars writes them, and what becomes of them.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{ContainerPort, LocalObjectReference};
use k8s_openapi::api::{
    admissionregistration, apps, autoscaling, batch, certificates, coordination, core, discovery, events,
    networking, node, policy, rbac, resource, scheduling, storage,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::json;

use super::*;

fn schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let value = settings.into_generator().into_root_schema_for::<T>().to_value();
    let Value::Object(mut schema) = value else { panic!("{value}") };
    schema.remove("title");
    schema
}

fn completed<T: JsonSchema>() -> Schema {
    let mut schema = schema::<T>();
    complete(&mut schema);
    schema
}

#[test]
fn the_data_can_be_read() {
    #[derive(serde::Deserialize)]
    struct Whole {
        is: Vec<String>,
        patch: Schema,
    }
    let types: HashMap<String, Whole> = serde_json::from_str(TEXT).expect("JSON");
    assert_eq!(data().lines.len(), types.len(), "every line is read");
    for (name, known) in &types {
        let line = data().named(name).expect("lines are sorted by name");
        assert_eq!(line.patch(), &known.patch, "{name}");
        for hex in &known.is {
            let fingerprint = u64::from_str_radix(hex, 16).expect("a number");
            assert_eq!(data().known_by(fingerprint).map(|line| line.name), Some(name.as_str()));
        }
    }
    let fingerprints = types.values().flat_map(|known| &known.is).count();
    assert_eq!(data().fingerprints.len(), fingerprints, "every fingerprint belongs to one type");
}

/// Every type that a kind of the stable groups is made of, by name, as k8s-openapi describes it.
fn described() -> Map<String, Value> {
    let mut generator = SchemaSettings::openapi3().into_generator();
    macro_rules! kinds {
        ($($module:ident $version:ident: $($kind:ident)*;)*) => {
            $($(generator.subschema_for::<$module::$version::$kind>();)*)*
        };
    }
    kinds! {
        admissionregistration v1: MutatingWebhookConfiguration ValidatingAdmissionPolicy
            ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration;
        apps v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet;
        autoscaling v1: HorizontalPodAutoscaler;
        autoscaling v2: HorizontalPodAutoscaler;
        batch v1: CronJob Job;
        certificates v1: CertificateSigningRequest;
        coordination v1: Lease;
        core v1: Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod
            PodTemplate ReplicationController ResourceQuota Service ServiceAccount;
        discovery v1: EndpointSlice;
        events v1: Event;
        networking v1: Ingress IngressClass NetworkPolicy;
        node v1: RuntimeClass;
        policy v1: Eviction PodDisruptionBudget;
        rbac v1: ClusterRole ClusterRoleBinding Role RoleBinding;
        resource v1: DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice;
        scheduling v1: PriorityClass;
        storage v1: CSIDriver CSINode StorageClass VolumeAttachment;
    }
    generator.subschema_for::<Condition>();
    generator.take_definitions(true)
}

#[test]
fn types_are_known_by_what_k8s_openapi_says_of_them() {
    let described = described();
    let mut known = 0;
    for (name, schema) in &described {
        if data().named(name).is_none() {
            continue;
        }
        let mut schema = schema.as_object().expect("a schema").clone();
        for property in
            schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
        {
            // what inlining does
            if let (None, Some(target)) = (property.get("description"), property["$ref"].as_str()) {
                let target = target.rsplit('/').next().expect("a name");
                property["description"] = described[target]["description"].clone();
            }
        }
        let fingerprint = fingerprint(&schema).expect("descriptions");
        assert_eq!(data().known_by(fingerprint).map(|line| line.name), Some(name.as_str()));
        known += 1;
    }
    assert!(known > 200, "only {known} of {} types were compared", described.len());
}

#[test]
fn says_what_go_says_of_the_same_type() {
    let port = completed::<ContainerPort>();
    assert_eq!(port["properties"]["protocol"]["default"], "TCP");
    assert_eq!(port["required"], json!(["containerPort"]));
    let secret = completed::<LocalObjectReference>();
    assert_eq!(secret["properties"]["name"]["default"], "");
    assert_eq!((&secret["required"], &secret["x-kubernetes-map-type"]), (&json!([]), &json!("atomic")));
    let extension = completed::<RawExtension>();
    assert_eq!(json!(extension), json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    let quantity = completed::<Quantity>();
    assert!(quantity["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^(")), "{quantity:?}");
    assert_eq!(quantity.get("description"), None);
}

#[test]
fn keeps_what_is_there() {
    let mut given = schema::<LocalObjectReference>();
    given.insert("x-kubernetes-map-type".into(), json!("granular"));
    given["properties"]["name"]["default"] = json!("main");
    complete(&mut given);
    assert_eq!(given["x-kubernetes-map-type"], "granular");
    assert_eq!(given["properties"]["name"]["default"], "main");
}

#[test]
fn nothing_is_required_that_an_older_kubernetes_does_not_have() {
    let patch = json!({"required": ["a", "b"], "properties": {"b": {"default": 1}}});
    for (mut given, expected) in [
        (
            json!({"required": ["a", "c"], "properties": {"a": {}, "c": {}}}),
            json!({"required": ["a"], "properties": {"a": {}, "c": {}}}),
        ),
        (json!({}), json!({"required": []})),
    ] {
        apply(given.as_object_mut().expect("a schema"), patch.as_object().expect("a patch"));
        assert_eq!(given, expected);
    }
}

#[test]
fn a_type_with_other_words_or_fields_is_not_touched() {
    let mut other = schema::<Condition>();
    other["properties"]["reason"]["description"] = json!("Why.");
    let mut more = schema::<Condition>();
    more["properties"]["age"] = json!({"type": "string"});
    let mut fewer = schema::<Condition>();
    fewer["properties"].as_object_mut().expect("properties").remove("observedGeneration");
    let empty = json!({"type": "object"}).as_object().expect("a schema").clone();
    for given in [other, more, fewer, empty] {
        let mut after = given.clone();
        complete(&mut after);
        assert_eq!(after, given);
    }
}
