// SPDX-License-Identifier: Apache-2.0

//! The controller of `Iris`: keeps one Deployment of the wanted name at the wanted number of replicas, and removes
//! those it left behind under other names.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use tracing::{debug, info};

use iris_api::v1alpha1::iris::{Iris, IrisStatus};

use super::iris_resources as resources;
use operator_runtime::{Action, Cache, EventType, Events, Manager, covers};

/// Name of the controller, in metrics and logs.
const NAME: &str = "iris";
/// Who publishes the events and owns the fields that this controller writes.
const CONTROLLER: &str = "iris-controller";
/// How soon to look again whether a Deployment that is in the way is gone.
const CONFLICT_RETRY: Duration = Duration::from_secs(10);
/// How soon to look again when the object turned out to be another than the one that is known here.
const STALE_RETRY: Duration = Duration::from_secs(1);

/// What a reconcile works with.
pub struct Context {
    client: Client,
    events: Events,
    deployments: Cache<Deployment>,
    image: String,
}

/// Why a reconcile failed. It is tried again after a while.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused or did not answer.
    #[error("failed to {0}: {1}")]
    Api(&'static str, #[source] Box<kube::Error>),
}

/// Adds the controller to the manager.
pub fn start(manager: &mut Manager) {
    let deployments = Cache::default();
    let context = Context {
        client: manager.client(),
        events: manager.events(CONTROLLER),
        deployments: deployments.clone(),
        image: resources::image(),
    };
    manager.controller(NAME).owns(&deployments).start(context, reconcile);
}

// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris,verbs=get;list;watch
// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris/status,verbs=patch
// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

/// Brings the cluster one step closer to what `object` says. Every change of it or of one of its Deployments calls this
/// again, so each step may simply return.
async fn reconcile(object: Arc<Iris>, context: Arc<Context>) -> Result<Action, Error> {
    info!("fetching Iris resource");
    if object.meta().deletion_timestamp.is_some() {
        // The garbage collector removes what it owns.
        return Ok(Action::AwaitChange);
    }
    if !clean_up(&object, &context).await? {
        return Ok(Action::Requeue(STALE_RETRY));
    }

    let name = object.spec.deployment_name.as_str();
    info!(deployment_name = name, "checking if an existing Deployment exists for this resource");
    let Some(deployment) = find(&object, &context).await? else {
        if !is_current(&object, &context).await? {
            return Ok(Action::Requeue(STALE_RETRY));
        }
        info!(deployment_name = name, "could not find existing Deployment for Iris, creating one...");
        create(&object, &context).await?;
        info!(deployment_name = name, "created Deployment resource for Iris");
        return Ok(Action::AwaitChange);
    };
    if !is_controlled(&deployment, &object) {
        return report_conflict(&object, &deployment, &context).await;
    }

    info!(
        deployment_name = name,
        "existing Deployment resource already exists for Iris, checking replica count"
    );
    let (old_count, new_count) = (resources::replicas(&deployment), resources::wanted_replicas(&object));
    if !covers(&*deployment, &resources::deployment(&object, &context.image)) {
        let scales = old_count != Some(new_count);
        if scales {
            info!(deployment_name = name, old_count, new_count, "updating replica count");
        } else {
            info!(deployment_name = name, "updating the Deployment");
        }
        let Some(updated) = update(&object, &deployment, &context).await? else {
            return Ok(Action::Requeue(STALE_RETRY));
        };
        // The API server may write a value in another form, such as `1000m` as `1`: then nothing has changed.
        if updated.resource_version() != deployment.resource_version() {
            let (reason, note) = if scales {
                ("Scaled", format!("Scaled deployment \"{name}\" to {new_count} replicas"))
            } else {
                ("Updated", format!("Updated deployment \"{name}\""))
            };
            context.events.publish(&*object, EventType::Normal, reason, note, &occurrence(&updated)).await;
            return Ok(Action::AwaitChange);
        }
    }

    info!(deployment_name = name, replica_count = new_count, "replica count up to date");
    sync_status(&object, resources::status(&object, &deployment), &context).await?;
    info!(deployment_name = name, "resource status synced");
    Ok(Action::AwaitChange)
}

/// Deletes the Deployments of `object` that do not have the wanted name; whether it is known what that name is.
async fn clean_up(object: &Iris, context: &Context) -> Result<bool, Error> {
    info!("looking for existing Deployments for Iris resource");
    let mut number_deleted = 0;
    for deployment in context.deployments.owned_by(&object.uid().unwrap_or_default()) {
        let name = deployment.name_any();
        if is_wanted(&deployment, object) || deployment.meta().deletion_timestamp.is_some() {
            continue;
        }
        if !is_current(object, context).await? {
            return Ok(false);
        }
        // Only this very object as it is known: it may have been replaced, or given to another owner.
        let resource_version = deployment.resource_version();
        let preconditions = Preconditions { uid: deployment.uid(), resource_version };
        let params = DeleteParams {
            preconditions: Some(preconditions),
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match api(&deployment.namespace().unwrap_or_default(), context).delete(&name, &params).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                context.deployments.deleted(&deployment);
                continue;
            }
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                debug!(deployment_name = name, "the Deployment has changed, which will be heard of");
                continue;
            }
            Err(error) => return Err(failed("delete Deployment resource", error)),
        }
        context.deployments.deleted(&deployment);
        number_deleted += 1;
        let note = format!("Deleted deployment \"{name}\"");
        let fact = deployment.uid().unwrap_or_default();
        context.events.publish(object, EventType::Normal, "Deleted", note, &fact).await;
    }
    info!(number_deleted, "finished cleaning up old Deployment resources");
    Ok(true)
}

/// Whether the cluster has `object` as it is known here. Nothing is changed on the word of an old copy, which is what a
/// cache that has fallen behind holds.
async fn is_current(object: &Iris, context: &Context) -> Result<bool, Error> {
    let found = objects(object, context).get_opt(&object.name_any()).await;
    let found = found.map_err(|error| failed("get the object", error))?;
    let (uid, generation) = (&object.meta().uid, object.meta().generation);
    Ok(found.is_some_and(|found| found.metadata.uid == *uid && found.metadata.generation == generation))
}

/// The Deployment of the wanted name, whoever made it.
async fn find(object: &Iris, context: &Context) -> Result<Option<Arc<Deployment>>, Error> {
    let (namespace, name) = (resources::namespace(object), &object.spec.deployment_name);
    let known = context.deployments.get(&namespace, name);
    if let Some(known) = known.filter(|known| is_controlled(known, object)) {
        return Ok(Some(known));
    }
    // What was heard so far may be old: absence, or another owner, is asked for.
    let found = api(&namespace, context).get_opt(name).await;
    let found = found.map_err(|error| failed("get Deployment resource", error))?;
    Ok(found.map(Arc::new))
}

async fn create(object: &Iris, context: &Context) -> Result<(), Error> {
    let desired = resources::deployment(object, &context.image);
    // Not forced: fields of a Deployment that somebody else makes at this moment are left alone.
    let created = apply(&desired, &PatchParams::apply(CONTROLLER), context).await;
    let created = created.map_err(|error| failed("create Deployment resource", error))?;
    let note = format!("Created deployment \"{}\"", created.name_any());
    let fact = created.uid().unwrap_or_default();
    context.deployments.wrote(created);
    context.events.publish(object, EventType::Normal, "Created", note, &fact).await;
    Ok(())
}

/// Writes what `current` lacks; nothing if it, or `object`, is not as it is known here.
async fn update(object: &Iris, current: &Deployment, context: &Context) -> Result<Option<Deployment>, Error> {
    if !is_current(object, context).await? {
        return Ok(None);
    }
    let mut desired = resources::deployment(object, &context.image);
    // Another one may have taken its place, or somebody may have changed it.
    desired.metadata.uid = current.uid();
    desired.metadata.resource_version = current.resource_version();
    match apply(&desired, &PatchParams::apply(CONTROLLER).force(), context).await {
        Ok(updated) => {
            context.deployments.wrote(updated.clone());
            Ok(Some(updated))
        }
        Err(kube::Error::Api(status)) if status.is_conflict() => {
            debug!(deployment_name = current.name_any(), "the Deployment has changed");
            Ok(None)
        }
        Err(error) => Err(failed("update Deployment resource", error)),
    }
}

/// Server-side apply: what others have written into the object stays.
async fn apply(desired: &Deployment, params: &PatchParams, context: &Context) -> kube::Result<Deployment> {
    let api = api(&desired.namespace().unwrap_or_default(), context);
    api.patch(&desired.name_any(), params, &Patch::Apply(desired)).await
}

/// Says that a Deployment of the wanted name belongs to somebody else. It is not touched.
async fn report_conflict(object: &Iris, deployment: &Deployment, context: &Context) -> Result<Action, Error> {
    let name = &object.spec.deployment_name;
    info!(deployment_name = name, "the Deployment is controlled by somebody else");
    let note = format!("Deployment \"{name}\" exists and is controlled by somebody else");
    let fact = deployment.uid().unwrap_or_default();
    let status = resources::conflict_status(object, &note);
    if !covers(&object.status, &status) {
        // Before the status says so, lest the event be lost if the process ends in between.
        context.events.publish(object, EventType::Warning, resources::NAME_CONFLICT, note, &fact).await;
        sync_status(object, status, context).await?;
    }
    Ok(Action::Requeue(CONFLICT_RETRY))
}

/// Writes the status if it differs.
async fn sync_status(object: &Iris, status: IrisStatus, context: &Context) -> Result<(), Error> {
    if covers(&object.status, &status) {
        return Ok(());
    }
    info!(deployment_name = object.spec.deployment_name, "updating Iris resource status");
    let patch = json!({
        "apiVersion": Iris::api_version(&()),
        "kind": Iris::kind(&()),
        "metadata": { "name": object.name_any(), "uid": object.uid() },
        "status": status,
    });
    let params = PatchParams::apply(CONTROLLER).force();
    match objects(object, context).patch_status(&object.name_any(), &params, &Patch::Apply(patch)).await {
        Ok(_) => Ok(()),
        // It was deleted meanwhile.
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(failed("update status", error)),
    }
}

fn objects(object: &Iris, context: &Context) -> Api<Iris> {
    Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default())
}

fn api(namespace: &str, context: &Context) -> Api<Deployment> {
    Api::namespaced(context.client.clone(), namespace)
}

fn is_wanted(deployment: &Deployment, object: &Iris) -> bool {
    deployment.name_any() == object.spec.deployment_name
        && deployment.namespace().unwrap_or_default() == resources::namespace(object)
}

fn is_controlled(deployment: &Deployment, object: &Iris) -> bool {
    let mut owners = deployment.owner_references().iter();
    owners.any(|owner| owner.controller == Some(true) && Some(&owner.uid) == object.meta().uid.as_ref())
}

/// Tells one change of a Deployment from another.
fn occurrence(deployment: &Deployment) -> String {
    let generation = deployment.meta().generation.unwrap_or_default();
    format!("{}/{generation}", deployment.uid().unwrap_or_default())
}

fn failed(what: &'static str, error: kube::Error) -> Error {
    Error::Api(what, Box::new(error))
}
