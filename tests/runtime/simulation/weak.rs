//! Operators with a defence taken away each. The simulation finds every one of them, and nothing in the same operator with
//! all of its defences.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Client, Resource as _, ResourceExt as _};
use operator_runtime::{Action, Context, Error, Reconciler, Result, Store};
use operator_testing::Replica;
use serde_json::json;

use crate::controller::iris_resources as resources;
use crate::v1alpha1::iris::Iris;
use crate::{histories, manager};

/// A defence that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weakness {
    /// None is.
    None,
    /// Whatever has the name of a child is taken over.
    ForcedCreate,
    /// What is deleted is whatever has the name by then.
    BlindDelete,
    /// Replicas write whether they lead or not.
    NoFence,
    /// The status is never as it should be.
    RestlessStatus,
    /// A conflict at the creation is taken for the answer that got lost.
    IgnoredConflict,
    /// Children of an earlier name stay.
    LeftBehind,
    /// A failed write is not tried again.
    SwallowedError,
}

/// A small reconciler by hand, on nothing but kube.
struct Hand {
    weakness: Weakness,
    deployments: Store<Deployment>,
    unfenced: Client,
    count: AtomicU32,
}

impl Hand {
    fn is(&self, weakness: Weakness) -> bool {
        self.weakness == weakness
    }

    /// Whether the child is this object's.
    fn controls(object: &Iris, child: &Deployment) -> bool {
        let owners = child.owner_references();
        owners
            .iter()
            .any(|owner| owner.controller == Some(true) && Some(&owner.uid) == object.meta().uid.as_ref())
    }

    async fn prune(&self, object: &Iris, api: &Api<Deployment>) -> Result<(), kube::Error> {
        for child in api.list(&ListParams::default()).await? {
            if !Self::controls(object, &child) || child.name_any() == object.spec.deployment_name {
                continue;
            }
            let uid = child.uid();
            let preconditions = Preconditions { uid, resource_version: None };
            let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
            let params = if self.is(Weakness::BlindDelete) { DeleteParams::default() } else { params };
            match api.delete(&child.name_any(), &params).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    /// The child as it should be; `None` if its name is taken.
    async fn ensure(&self, object: &Iris, api: &Api<Deployment>) -> Result<Option<Deployment>, kube::Error> {
        let mut desired = resources::deployment(object, "image:1");
        desired.metadata.owner_references = Some(object.controller_owner_ref(&()).into_iter().collect());
        let name = desired.name_any();
        let apply = PatchParams::apply("hand").force();
        if self.is(Weakness::ForcedCreate) {
            return api.patch(&name, &apply, &Patch::Apply(&desired)).await.map(Some);
        }
        let Some(found) = api.get_opt(&name).await? else {
            return match api.create(&PostParams::default(), &desired).await {
                Err(kube::Error::Api(status)) if status.code == 409 && self.is(Weakness::IgnoredConflict) => {
                    // It must have been us.
                    api.patch(&name, &apply, &Patch::Apply(&desired)).await.map(Some)
                }
                created => created.map(Some),
            };
        };
        if !Self::controls(object, &found) {
            return Ok(None);
        }
        desired.metadata.uid = found.uid();
        desired.metadata.resource_version = found.resource_version();
        if resources::replicas(&found) == resources::replicas(&desired) {
            return Ok(Some(found));
        }
        api.patch(&name, &apply, &Patch::Apply(&desired)).await.map(Some)
    }
}

impl Reconciler for Hand {
    type Object = Iris;

    async fn reconcile(&self, object: &Iris, context: &Context<Iris>) -> Result {
        if object.metadata.deletion_timestamp.is_some() {
            return Ok(Action::AwaitChange);
        }
        context.ensure_current().await?;
        let client = if self.is(Weakness::NoFence) { self.unfenced.clone() } else { context.client() };
        let api: Api<Deployment> = Api::namespaced(client, &object.namespace().unwrap_or_default());
        if !self.is(Weakness::LeftBehind) {
            self.prune(object, &api).await?;
        }
        let ensured = self.ensure(object, &api).await;
        if self.is(Weakness::SwallowedError) && ensured.is_err() {
            return Ok(Action::AwaitChange);
        }
        let status = match ensured? {
            Some(child) => resources::status(object, context.conditions(), &child),
            None => return Ok(Action::Requeue(Duration::from_secs(20))),
        };
        let mut status = json!(status);
        if self.is(Weakness::RestlessStatus) {
            status["conditions"][0]["message"] =
                json!(self.count.fetch_add(1, Ordering::Relaxed).to_string());
            context.patch_status(status).await?;
            return Ok(Action::Requeue(Duration::from_secs(10)));
        }
        context.patch_status(status).await?;
        Ok(Action::AwaitChange)
    }
}

async fn run(weakness: Weakness, replica: Replica) -> Result<(), Error> {
    let unfenced = replica.client.clone();
    let mut manager = manager(replica).await?;
    let deployments = manager.owned::<Deployment>();
    let hand = Hand { weakness, deployments: deployments.clone(), unfenced, count: AtomicU32::new(0) };
    let _ = &hand.deployments;
    manager.controller("hand").owns(&deployments).run(hand);
    manager.run().await
}

/// Fails unless one of so many seeds finds the weakness, by a property of that name.
fn is_found(weakness: Weakness, seeds: u64, property: &str) {
    let failure = histories(move |replica| run(weakness, replica)).first_failure(seeds);
    let failure = failure.unwrap_or_else(|| panic!("{weakness:?}: {seeds} seeds found nothing"));
    println!("{weakness:?}: {failure}\n");
    assert!(failure.contains(property), "{weakness:?}: {failure}");
    let replays = failure.contains("cargo test --test simulation weak::") && failure.contains("SIM_SEED=");
    assert!(replays || failure.contains("even when nothing goes wrong"), "{weakness:?}: {failure}");
}

#[test]
fn all_defences_in_place() {
    let failure = histories(|replica| run(Weakness::None, replica)).first_failure(60);
    assert_eq!(failure, None);
}

#[test]
fn a_child_is_created_by_force() {
    is_found(Weakness::ForcedCreate, 300, "nothing is changed that is not the operator's");
}

#[test]
fn a_status_is_rewritten_for_ever() {
    is_found(Weakness::RestlessStatus, 1, "nothing is written at rest, even when nothing goes wrong");
}

#[test]
fn old_children_stay() {
    is_found(Weakness::LeftBehind, 100, "in the end there is what there is when nothing goes wrong");
}

#[test]
fn a_failure_is_forgotten() {
    is_found(Weakness::SwallowedError, 300, "in the end there is what there is when nothing goes wrong");
}

#[test]
fn replicas_write_without_a_fence() {
    is_found(Weakness::NoFence, 1000, "only the leader writes");
}

#[test]
fn a_conflict_is_ignored() {
    is_found(Weakness::IgnoredConflict, 1000, "nothing is changed that is not the operator's");
}

#[test]
fn what_is_deleted_is_not_looked_at() {
    is_found(Weakness::BlindDelete, 1000, "nothing is changed that is not the operator's");
}
