// SPDX-License-Identifier: Apache-2.0

//! The controller of `Restart`: restarts the servers of a Memcached, once.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use operator_runtime::{Action, Context, Manager, ObjectKey, Predicate, Reconciler, Result, Store};
use serde_json::json;

use memcached_api::cache::v1alpha1::memcached::Memcached;
use memcached_api::ops::v1alpha1::restart::{Restart, RestartStatus};

/// Name of the controller, in metrics and logs. `restart-controller` publishes its events and owns the fields it writes.
const NAME: &str = "restart";
const DONE: &str = "Done";

/// What a reconcile works with.
struct RestartReconciler {
    memcacheds: Store<Memcached>,
}

/// Adds the controller to the manager.
pub fn start(manager: &mut Manager) {
    let memcacheds = manager.store();
    let controller = manager.controller(NAME).with_predicate(Predicate::generation_changed());
    let restarts: Store<Restart> = controller.store();
    // A Restart may be there before what it restarts.
    let waiting = move |it: &Memcached| {
        let restarts = restarts.list_in(&it.namespace().unwrap_or_default());
        let about = restarts.into_iter().filter(|restart| restart.spec.memcached == it.name_any());
        about.map(|restart| ObjectKey::of(&*restart)).collect::<Vec<_>>()
    };
    controller.watches(&memcacheds, waiting).run(RestartReconciler { memcacheds });
}

// What this controller may do. `make manifests` turns these lines into config/rbac/role.yaml.
// +kubebuilder:rbac:groups=ops.example.com,resources=restarts,verbs=get;list;watch
// +kubebuilder:rbac:groups=ops.example.com,resources=restarts/status,verbs=patch
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

impl Reconciler for RestartReconciler {
    type Object = Restart;

    async fn reconcile(&self, restart: &Restart, context: &Context<Restart>) -> Result {
        let known = restart.status.iter().flat_map(|status| &status.conditions);
        if known.into_iter().any(|condition| condition.type_ == DONE && condition.status == "True") {
            return Ok(Action::AwaitChange);
        }
        let (namespace, name) = (restart.namespace().unwrap_or_default(), &restart.spec.memcached);
        let mut conditions = context.conditions();
        if self.memcacheds.contains(&ObjectKey::new(&*namespace, name)) {
            // What another field manager has applied, the controller of the StatefulSet's owner leaves alone.
            let annotations = json!({ "ops.example.com/restarted-by": restart.uid() });
            let patch = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": name },
                "spec": { "template": { "metadata": { "annotations": annotations } } } });
            let servers: Api<StatefulSet> = Api::namespaced(context.client(), &namespace);
            servers.patch(name, &PatchParams::apply("restart-controller"), &Patch::Merge(patch)).await?;
            conditions.set(DONE, true, "Restarted", format!("the servers of {name} start anew"));
        } else {
            conditions.set(DONE, false, "NotFound", format!("there is no Memcached {name}"));
        }
        let (observed_generation, conditions) = (restart.metadata.generation, conditions.into());
        context.patch_status(RestartStatus { observed_generation, conditions }).await?;
        Ok(Action::AwaitChange)
    }
}
