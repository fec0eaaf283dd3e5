// SPDX-License-Identifier: Apache-2.0

//! What the spec of kind `Memcached` asks for, as pure functions.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapEnvSource, Container, ContainerPort, EnvFromSource, PodSpec, PodTemplateSpec, Secret,
    Service, ServicePort, ServiceSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use operator_runtime::Readiness;

use memcached_api::cache::v1alpha1::memcached::Memcached;

/// Where all objects are registered.
pub const REGISTER_NAMESPACE: &str = "default";
/// Name of the ConfigMap with the register.
pub const REGISTER: &str = "memcached-register";
/// After how long credentials should be replaced.
const CREDENTIALS_AGE: SignedDuration = SignedDuration::from_hours(90 * 24);
const IMAGE: &str = "docker.io/library/memcached:1.6";
const PORT: i32 = 11211;
const LABEL: &str = "cache.example.com/memcached";

/// Key of the object in the register.
#[must_use]
pub fn entry(object: &Memcached) -> String {
    format!("{}.{}", object.namespace().unwrap_or_default(), object.name_any())
}

fn metadata(object: &Memcached) -> ObjectMeta {
    ObjectMeta { name: Some(object.name_any()), labels: Some(labels(object)), ..ObjectMeta::default() }
}

fn labels(object: &Memcached) -> BTreeMap<String, String> {
    BTreeMap::from([(LABEL.to_owned(), object.name_any())])
}

/// The environment of the servers.
#[must_use]
pub fn config_map(object: &Memcached, settings: BTreeMap<String, String>) -> ConfigMap {
    ConfigMap { metadata: metadata(object), data: Some(settings), ..ConfigMap::default() }
}

/// The headless Service by whose name clients find all servers.
#[must_use]
pub fn service(object: &Memcached) -> Service {
    let port = ServicePort { name: Some("memcached".into()), port: PORT, ..ServicePort::default() };
    let spec = ServiceSpec {
        cluster_ip: Some("None".into()),
        selector: Some(labels(object)),
        ports: Some(vec![port]),
        ..ServiceSpec::default()
    };
    Service { metadata: metadata(object), spec: spec.into(), ..Service::default() }
}

/// The servers. What they start with is in the template, so that they start anew when it changes.
#[must_use]
pub fn stateful_set(
    object: &Memcached,
    settings: &BTreeMap<String, String>,
    secret: Option<&PartialObjectMeta<Secret>>,
) -> StatefulSet {
    let mut annotations =
        BTreeMap::from([("cache.example.com/settings".to_owned(), format!("{settings:?}"))]);
    if let Some(version) = secret.and_then(|secret| secret.metadata.resource_version.clone()) {
        annotations.insert("cache.example.com/credentials".to_owned(), version);
    }
    let environment = ConfigMapEnvSource { name: object.name_any().into(), optional: None };
    let container = Container {
        name: "memcached".into(),
        image: Some(IMAGE.into()),
        args: Some(vec!["-m".into(), object.spec.memory.unwrap_or(64).to_string()]),
        env_from: Some(vec![EnvFromSource { config_map_ref: Some(environment), ..EnvFromSource::default() }]),
        ports: Some(vec![ContainerPort { container_port: PORT, ..ContainerPort::default() }]),
        ..Container::default()
    };
    let template =
        ObjectMeta { labels: Some(labels(object)), annotations: Some(annotations), ..ObjectMeta::default() };
    let spec = StatefulSetSpec {
        replicas: Some(wanted(object)),
        service_name: Some(object.name_any()),
        selector: LabelSelector { match_labels: Some(labels(object)), ..LabelSelector::default() },
        template: PodTemplateSpec {
            metadata: Some(template),
            spec: Some(PodSpec { containers: vec![container], ..PodSpec::default() }),
        },
        ..StatefulSetSpec::default()
    };
    StatefulSet { metadata: metadata(object), spec: spec.into(), ..StatefulSet::default() }
}

fn wanted(object: &Memcached) -> i32 {
    object.spec.replicas.unwrap_or(1)
}

/// Number of servers that answer.
#[must_use]
pub fn ready(servers: &StatefulSet) -> i32 {
    servers.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default()
}

/// Whether all servers answer.
#[must_use]
pub fn readiness(object: &Memcached, servers: &StatefulSet) -> Readiness {
    let (ready, wanted) = (ready(servers), wanted(object));
    let observed = servers.status.as_ref().and_then(|status| status.observed_generation);
    let message = format!("{ready} of {wanted} servers are ready");
    if ready == wanted && observed >= servers.metadata.generation {
        Readiness::ready("ServersReady", message)
    } else {
        Readiness::waiting("Progressing", message)
    }
}

/// Whether credentials should be replaced.
#[must_use]
pub fn is_old(secret: &PartialObjectMeta<Secret>) -> bool {
    let created = secret.metadata.creation_timestamp.as_ref();
    created.is_some_and(|created| Timestamp::now().duration_since(created.0) > CREDENTIALS_AGE)
}
