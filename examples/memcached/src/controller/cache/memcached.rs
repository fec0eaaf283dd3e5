// SPDX-License-Identifier: Apache-2.0

//! The controller of `Memcached`: a ConfigMap, a headless Service and a StatefulSet for each, in this order; restarted when
//! the user's ConfigMap or Secret changes, and registered outside its namespace.

mod resources;

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kube::core::PartialObjectMeta;
use operator_runtime::prometheus_client::metrics::gauge::Gauge;
use operator_runtime::{Action, Context, Manager, ObjectKey, Readiness, Reconciler, Result, Scope, Store};
use serde_json::json;

use memcached_api::cache::v1alpha1::memcached::{Memcached, MemcachedStatus};

/// Name of the controller, in metrics and logs. `memcached-controller` publishes its events and owns the fields it writes.
const NAME: &str = "memcached";
/// Keeps an object until it is taken off the register.
const FINALIZER: &str = "cache.example.com/register";
/// How often it is looked whether credentials have become old.
const CHECK_PERIOD: Duration = Duration::from_secs(600);

/// What a reconcile works with.
struct MemcachedReconciler {
    objects: Store<Memcached>,
    config_maps: Store<ConfigMap>,
    services: Store<Service>,
    servers: Store<StatefulSet>,
    secrets: Store<PartialObjectMeta<Secret>>,
    register: Store<ConfigMap>,
    instances: Gauge,
}

/// Adds the controller to the manager.
pub fn start(manager: &mut Manager) {
    let instances = Gauge::default();
    manager
        .metrics(|registry| registry.register("memcached_instances", "Memcached objects", instances.clone()));
    // Users' ConfigMaps are read, of their Secrets nothing but the metadata.
    let (config_maps, secrets) = (manager.store(), manager.metadata(Scope::default()));
    let (services, servers) = (manager.owned(), manager.owned());
    // The register is where it is, whichever namespaces the manager watches.
    let register = manager.store_where(Scope::default().namespaces([resources::REGISTER_NAMESPACE]));
    let controller = manager.controller(NAME);
    let objects: Store<Memcached> = controller.store();
    let by_settings = objects.index(|it: &Memcached| references(it, it.spec.settings.as_ref()));
    let by_credentials = objects.index(|it: &Memcached| references(it, it.spec.credentials.as_ref()));
    controller
        .owns(&config_maps)
        .owns(&services)
        .owns(&servers)
        .watches(&config_maps, move |it: &ConfigMap| keys(&by_settings.get(&ObjectKey::of(it).to_string())))
        .watches(&secrets, move |it: &PartialObjectMeta<Secret>| {
            keys(&by_credentials.get(&ObjectKey::of(it).to_string()))
        })
        .run(MemcachedReconciler { objects, config_maps, services, servers, secrets, register, instances });
}

// What this controller may do. `make manifests` turns these lines into config/rbac/role.yaml.
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds/status,verbs=patch
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds/finalizers,verbs=update
// +kubebuilder:rbac:groups=core,resources=configmaps;services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=core,resources=secrets,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

impl Reconciler for MemcachedReconciler {
    type Object = Memcached;

    async fn reconcile(&self, object: &Memcached, context: &Context<Memcached>) -> Result {
        self.count();
        if context.finalizer(FINALIZER, async || unregister(object, context).await).await? {
            return Ok(Action::AwaitChange);
        }
        self.register(object, context).await?;

        let settings = object.spec.settings.as_ref().map(|name| self.config_maps.get(&sibling(object, name)));
        let secret =
            object.spec.credentials.as_ref().and_then(|name| self.secrets.get(&sibling(object, name)));
        let settings_missing = matches!(settings, Some(None));
        let settings = settings.flatten().and_then(|found| found.data.clone()).unwrap_or_default();
        let (mut steps, mut ready_replicas) = (context.steps(), 0);
        steps
            .take("Configured", async {
                if settings_missing {
                    return Ok(Readiness::waiting("SettingsMissing", "there is no ConfigMap of that name"));
                }
                context.apply(&self.config_maps, resources::config_map(object, settings.clone())).await?;
                Ok(Readiness::ready("Applied", "the settings are there"))
            })
            .await?;
        steps
            .take("Authenticated", async {
                Ok(match (&object.spec.credentials, &secret) {
                    (Some(name), None) => {
                        Readiness::waiting("SecretMissing", format!("there is no Secret \"{name}\""))
                    }
                    (Some(_), Some(secret)) if resources::is_old(secret) => {
                        Readiness::ready("Old", "the credentials should be replaced")
                    }
                    _ => Readiness::ready("Known", "the credentials are there, or not wanted"),
                })
            })
            .await?;
        steps
            .take("Reachable", async {
                context.apply(&self.services, resources::service(object)).await?;
                Ok(Readiness::ready("Applied", "the Service is there"))
            })
            .await?;
        steps
            .take("Running", async {
                let desired = resources::stateful_set(object, &settings, secret.as_deref());
                let servers = context.apply(&self.servers, desired).await?;
                ready_replicas = resources::ready(&servers);
                Ok(resources::readiness(object, &servers))
            })
            .await?;
        let observed_generation = object.metadata.generation;
        let conditions = steps.conditions("Ready");
        context.patch_status(MemcachedStatus { observed_generation, ready_replicas, conditions }).await?;
        Ok(Action::Requeue(CHECK_PERIOD))
    }

    fn gone(&self, _: &ObjectKey) {
        self.count();
    }
}

impl MemcachedReconciler {
    fn count(&self) {
        self.instances.set(i64::try_from(self.objects.list().len()).unwrap_or(i64::MAX));
    }

    /// Enters the object into the register. That is no child, because it is in another namespace.
    async fn register(&self, object: &Memcached, context: &Context<Memcached>) -> Result<()> {
        let known = self.register.get(&ObjectKey::new(resources::REGISTER_NAMESPACE, resources::REGISTER));
        let (entry, uid) = (resources::entry(object), object.uid().unwrap_or_default());
        if known.is_some_and(|known| known.data.iter().flatten().any(|it| *it.0 == entry && *it.1 == uid)) {
            return Ok(());
        }
        // Not on the word of an old list: nobody would take it off again.
        context.ensure_current().await?;
        let patch = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": resources::REGISTER },
            "data": { (entry): uid } });
        // A field manager for each object, so that applying one entry does not remove the others.
        let params = PatchParams::apply(&format!("{NAME}-register-{uid}"));
        registers(context).patch(resources::REGISTER, &params, &Patch::Apply(patch)).await?;
        Ok(())
    }
}

/// Takes the object off the register.
async fn unregister(object: &Memcached, context: &Context<Memcached>) -> Result<()> {
    let patch = json!({ "data": { (resources::entry(object)): null } });
    let params = PatchParams::default();
    match registers(context).patch(resources::REGISTER, &params, &Patch::Merge(patch)).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        patched => Ok(patched.map(drop)?),
    }
}

fn registers(context: &Context<Memcached>) -> Api<ConfigMap> {
    Api::namespaced(context.client(), resources::REGISTER_NAMESPACE)
}

/// What an object of this name refers to, as an index has it.
fn references(object: &Memcached, name: Option<&String>) -> Vec<String> {
    name.iter().map(|name| sibling(object, name).to_string()).collect()
}

fn sibling(object: &Memcached, name: &str) -> ObjectKey {
    ObjectKey::new(object.namespace().unwrap_or_default(), name)
}

fn keys(objects: &[std::sync::Arc<Memcached>]) -> Vec<ObjectKey> {
    objects.iter().map(|object| ObjectKey::of(&**object)).collect()
}
