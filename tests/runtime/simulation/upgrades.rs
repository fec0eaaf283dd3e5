//! A version of the operator that takes the place of another one, which has given Deployments a label more.

use k8s_openapi::api::apps::v1::Deployment;
use operator_runtime::{Action, Context, Error, ObjectKey, Reconciler, Result, Store};
use operator_testing::Replica;

use crate::controller::iris_resources as resources;
use crate::v1alpha1::iris::Iris;
use crate::{histories, manager, run};

const SEEDS: u64 = 40;

struct Older {
    deployments: Store<Deployment>,
}

impl Reconciler for Older {
    type Object = Iris;

    async fn reconcile(&self, object: &Iris, context: &Context<Iris>) -> Result {
        if object.metadata.deletion_timestamp.is_some() {
            return Ok(Action::AwaitChange);
        }
        let mut desired = resources::deployment(object, &resources::image());
        desired.metadata.labels.get_or_insert_default().insert("example.com/tier".into(), "web".into());
        let key = ObjectKey::of(&desired);
        context.prune(&self.deployments, |child| ObjectKey::of(child) == key).await?;
        let deployment = context.apply(&self.deployments, desired).await?;
        context.patch_status(resources::status(object, context.conditions(), &deployment)).await?;
        Ok(Action::AwaitChange)
    }
}

/// Runs the older version, whose controller has that name.
async fn older(name: &'static str, replica: Replica) -> Result<(), Error> {
    let mut manager = manager(replica).await?;
    let deployments = manager.owned::<Deployment>();
    let controller = Older { deployments: deployments.clone() };
    manager.controller(name).owns(&deployments).run(controller);
    manager.run().await
}

#[test]
fn what_an_older_version_made_becomes_what_the_new_one_makes() {
    let failure = histories(run).upgrading_from(|replica| older("iris", replica)).first_failure(SEEDS);
    assert_eq!(failure, None);
}

/// Fields belong to who has applied them, and nobody else takes them away.
#[test]
fn fields_of_a_controller_of_another_name_stay() {
    let failure = histories(run).upgrading_from(|replica| older("old", replica)).first_failure(SEEDS);
    let failure = failure.expect("a failure");
    assert!(failure.contains("in the end there is what there is when nothing goes wrong"), "{failure}");
    assert!(failure.contains("example.com/tier"), "{failure}");
    assert!(failure.contains("is asked to stop, as a new version takes its place"), "{failure}");
}
