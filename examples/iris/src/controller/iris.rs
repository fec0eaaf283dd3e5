//! Keeps one Deployment per Iris: of the name and with the number of replicas that its spec asks for.

use super::iris_resources::{self as resources, NAME_CONFLICT};
use crate::manager::{Action, Events, Fact, Manager, ObjectKey, Objects, is_controlled_by, is_current};
use iris_api::v1alpha1::{Iris, IrisStatus};
use k8s_openapi::api::apps::v1::Deployment;
use std::env;
use std::sync::Arc;
use tracing::info;

// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris,verbs=get;list;watch
// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris/status,verbs=patch
// +kubebuilder:rbac:groups=test.myardyas.club,resources=iris/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

/// What reconciles need.
pub struct Context {
    irises: Objects<Iris>,
    deployments: Objects<Deployment>,
    events: Events,
    image: String,
}

/// Why a reconcile failed. It is logged and tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not {action}")]
    Kubernetes {
        action: &'static str,
        source: kube::Error,
    },
}

/// Adds this controller to the manager.
pub fn register(manager: &mut Manager) {
    let mut controller = manager.controller::<Iris>("iris");
    let context = Context {
        irises: controller.objects(),
        deployments: controller.owns::<Deployment>(),
        events: controller.events(),
        image: env::var("IRIS_IMAGE").unwrap_or_else(|_| resources::DEFAULT_IMAGE.to_owned()),
    };
    controller.run(reconcile, context);
}

/// Brings the cluster closer to what one Iris asks for. Called whenever the Iris or one of its Deployments changed, and
/// from time to time without a cause.
async fn reconcile(key: ObjectKey, ctx: Arc<Context>) -> Result<Action, Error> {
    info!("fetching Iris resource");
    let Some(iris) = ctx.irises.cached(&key) else {
        info!("Iris resource is gone");
        return Ok(Action::Done);
    };
    if iris.metadata.deletion_timestamp.is_some() {
        info!("Iris resource is being deleted");
        return Ok(Action::Done);
    }

    clean_up_old_deployments(&iris, &ctx).await?;

    let deployment_name = iris.spec.deployment_name.as_str();
    info!(
        deployment_name,
        "checking if an existing Deployment exists for this resource"
    );
    let desired = resources::deployment(&iris, &ctx.image);
    let existing = ctx
        .deployments
        .find(&resources::deployment_key(&iris), iris.as_ref())
        .await;
    let deployment = match existing.map_err(failed_to("get the Deployment"))? {
        None => {
            info!(
                deployment_name,
                "could not find existing Deployment for Iris, creating one..."
            );
            create(&iris, &desired, &ctx).await?
        }
        Some(existing) if !is_controlled_by(existing.as_ref(), iris.as_ref()) => {
            info!(
                deployment_name,
                "existing Deployment is not controlled by this Iris, leaving it alone"
            );
            report_name_conflict(&iris, &existing, &ctx).await;
            sync_status(&iris, resources::conflict_status(&iris), &ctx).await?;
            return Ok(Action::Done);
        }
        Some(existing) => {
            info!(
                deployment_name,
                "existing Deployment resource already exists for Iris, checking replica count"
            );
            update(&iris, existing, &desired, &ctx).await?
        }
    };

    sync_status(&iris, resources::status(&iris, &deployment), &ctx).await?;
    Ok(Action::Done)
}

/// Deletes the Deployments that were made for this Iris under another name.
async fn clean_up_old_deployments(iris: &Iris, ctx: &Context) -> Result<(), Error> {
    info!("looking for existing Deployments for Iris resource");
    let mut number_deleted = 0;
    for old in ctx.deployments.controlled_by(iris) {
        let name = old.metadata.name.as_deref().unwrap_or_default();
        if name == iris.spec.deployment_name || old.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let deleted = ctx.deployments.delete(&old, iris).await;
        if deleted.map_err(failed_to("delete an old Deployment"))? {
            let fact = Fact {
                warning: false,
                reason: "Deleted",
                action: "Delete",
                note: format!("Deleted deployment \"{name}\""),
                identity: old.metadata.uid.clone().unwrap_or_default(),
            };
            ctx.events.publish(iris, fact).await;
            number_deleted += 1;
        }
    }
    info!(number_deleted, "finished cleaning up old Deployment resources");
    Ok(())
}

async fn create(iris: &Iris, desired: &Deployment, ctx: &Context) -> Result<Arc<Deployment>, Error> {
    let created = ctx
        .deployments
        .create(desired)
        .await
        .map_err(failed_to("create the Deployment"))?;
    let deployment_name = iris.spec.deployment_name.as_str();
    let fact = Fact {
        warning: false,
        reason: "Created",
        action: "Create",
        note: format!("Created deployment \"{deployment_name}\""),
        identity: created.metadata.uid.clone().unwrap_or_default(),
    };
    ctx.events.publish(iris, fact).await;
    info!(deployment_name, "created Deployment resource for Iris");
    Ok(created)
}

/// Sets the replica count, and whatever else differs from what the Iris wants.
async fn update(
    iris: &Iris,
    existing: Arc<Deployment>,
    desired: &Deployment,
    ctx: &Context,
) -> Result<Arc<Deployment>, Error> {
    let deployment_name = iris.spec.deployment_name.as_str();
    let (old_count, new_count) = (resources::replicas(&existing), resources::replicas(desired));
    if is_current(existing.as_ref(), desired) {
        info!(
            deployment_name,
            replica_count = new_count,
            "replica count up to date"
        );
        return Ok(existing);
    }
    if old_count == new_count {
        info!(
            deployment_name,
            "restoring fields of the Deployment that were changed"
        );
    } else {
        info!(deployment_name, old_count, new_count, "updating replica count");
    }
    let updated = ctx
        .deployments
        .update(&existing, desired)
        .await
        .map_err(failed_to("update the Deployment"))?;
    if old_count != new_count {
        let meta = &updated.metadata;
        let fact = Fact {
            warning: false,
            reason: "Scaled",
            action: "Scale",
            note: format!("Scaled deployment \"{deployment_name}\" to {new_count} replicas"),
            identity: format!("{:?}/{:?}", meta.uid, meta.generation),
        };
        ctx.events.publish(iris, fact).await;
    }
    Ok(updated)
}

/// Tells once that the Deployment's name is taken.
async fn report_name_conflict(iris: &Iris, taken_by: &Deployment, ctx: &Context) {
    let message = resources::conflict_message(iris);
    let mut conditions = iris.status.iter().flat_map(|status| &status.conditions);
    if conditions.any(|known| known.reason == NAME_CONFLICT && known.message == message) {
        return;
    }
    let fact = Fact {
        warning: true,
        reason: NAME_CONFLICT,
        action: "Create",
        note: message,
        identity: taken_by.metadata.uid.clone().unwrap_or_default(),
    };
    ctx.events.publish(iris, fact).await;
}

async fn sync_status(iris: &Iris, status: IrisStatus, ctx: &Context) -> Result<(), Error> {
    let deployment_name = iris.spec.deployment_name.as_str();
    if !iris
        .status
        .as_ref()
        .is_some_and(|current| is_current(current, &status))
    {
        info!(deployment_name, "updating Iris resource status");
        ctx.irises
            .set_status(iris, &status)
            .await
            .map_err(failed_to("update the status"))?;
    }
    info!(deployment_name, "resource status synced");
    Ok(())
}

fn failed_to(action: &'static str) -> impl Fn(kube::Error) -> Error {
    move |source| Error::Kubernetes { action, source }
}
