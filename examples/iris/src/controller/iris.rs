// SPDX-License-Identifier: Apache-2.0

//! The controller of `Iris`: keeps one Deployment of the wanted name at the wanted number of replicas, and removes
//! those it left behind under other names.

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use operator_runtime::{
    Action, Applied, ApplyError, Context, EventType, Manager, ObjectKey, Operation, Reconciler, Result, Store,
};
use tracing::info;

use iris_api::v1alpha1::iris::Iris;

use super::iris_resources as resources;

/// Name of the controller, in metrics and logs. `iris-controller` publishes its events and owns the fields it writes.
const NAME: &str = "iris";

/// What a reconcile works with.
struct Controller {
    deployments: Store<Deployment>,
    image: String,
}

/// Adds the controller to the manager.
pub fn start(manager: &mut Manager) {
    let (deployments, image) = (manager.owned(), resources::image());
    manager.controller(NAME).owns(&deployments).run(Controller { deployments, image });
}

// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris,verbs=get;list;watch
// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris/status,verbs=patch
// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

impl Reconciler for Controller {
    type Object = Iris;

    /// Brings the cluster to what `object` says. Every change of it or of one of its Deployments calls this again.
    async fn reconcile(&self, object: &Iris, context: &Context<Iris>) -> Result {
        info!("fetching Iris resource");
        if object.metadata.deletion_timestamp.is_some() {
            // The garbage collector removes what it owns.
            return Ok(Action::AwaitChange);
        }
        let desired = resources::deployment(object, &self.image);
        let (key, replicas) = (ObjectKey::of(&desired), resources::wanted_replicas(object));

        info!("looking for existing Deployments for Iris resource");
        let deleted = context.prune(&self.deployments, |child| ObjectKey::of(child) == key).await?;
        for child in &deleted {
            let note = format!("Deleted deployment \"{}\"", child.name_any());
            context.event(EventType::Normal, "Deleted", note, &**child);
        }
        info!(number_deleted = deleted.len(), "finished cleaning up old Deployment resources");

        info!(deployment_name = key.name, "checking if an existing Deployment exists for this resource");
        if let Some(known) = self.deployments.get(&key) {
            info!(
                deployment_name = key.name,
                "existing Deployment resource already exists for Iris, checking replica count"
            );
            let old_count = resources::replicas(&known);
            if old_count != Some(replicas) {
                info!(deployment_name = key.name, old_count, new_count = replicas, "updating replica count");
            }
        } else {
            info!(deployment_name = key.name, "could not find existing Deployment for Iris, creating one...");
        }
        let deployment = match context.apply(&self.deployments, desired).await {
            Err(taken @ ApplyError::Taken { .. }) => {
                let status = resources::conflict_status(object, context.conditions(), &taken);
                if context.patch_status(status).await? {
                    context.warn(resources::NAME_CONFLICT, taken.to_string());
                }
                return Ok(Action::Requeue(resources::CONFLICT_RETRY));
            }
            applied => applied?,
        };
        if let Some((reason, note)) = outcome(&deployment, replicas) {
            context.event(EventType::Normal, reason, note, &*deployment.object);
        }
        if context.patch_status(resources::status(object, context.conditions(), &deployment)).await? {
            info!(deployment_name = key.name, "updating Iris resource status");
        }
        info!(deployment_name = key.name, "resource status synced");
        Ok(Action::AwaitChange)
    }
}

/// What people should hear of the Deployment: a reason and a note, unless nothing happened to it.
fn outcome(deployment: &Applied<Deployment>, replicas: i32) -> Option<(&'static str, String)> {
    let name = deployment.name_any();
    match (deployment.operation, &deployment.previous) {
        (Operation::Unchanged, _) => {
            info!(deployment_name = name, replica_count = replicas, "replica count up to date");
            None
        }
        (Operation::Created, _) => {
            info!(deployment_name = name, "created Deployment resource for Iris");
            Some(("Created", format!("Created deployment \"{name}\"")))
        }
        (_, Some(previous)) if resources::replicas(previous) == Some(replicas) => {
            Some(("Updated", format!("Updated deployment \"{name}\"")))
        }
        _ => Some(("Scaled", format!("Scaled deployment \"{name}\" to {replicas} replicas"))),
    }
}
