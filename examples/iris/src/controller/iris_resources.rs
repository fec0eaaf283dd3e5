// SPDX-License-Identifier: Apache-2.0

//! What the spec of kind `Iris` asks for, as pure functions: the Deployment it should have and the status that describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::{Resource, ResourceExt};

use iris_api::v1alpha1::iris::{Iris, IrisStatus};

use operator_runtime::{ApplyError, Conditions};

/// Label of the pods; its value is the name of their Deployment.
pub const LABEL: &str = "iris/deployment-name";
/// Name of the container.
pub const CONTAINER: &str = "iris";
/// Image of the container, unless the environment variable [`IMAGE_VARIABLE`] names another one.
pub const DEFAULT_IMAGE: &str = "store/intersystems/iris-community:2020.4.0.524.0";
/// Names the image of the container.
pub const IMAGE_VARIABLE: &str = "IRIS_IMAGE";
/// How soon to look again whether a Deployment that is in the way is gone, should nobody tell.
pub const CONFLICT_RETRY: Duration = Duration::from_secs(300);
/// Type of the condition that says whether everything is there.
const READY: &str = "Ready";
/// Reason of the condition and event that say that the Deployment's name is taken.
pub const NAME_CONFLICT: &str = "NameConflict";

/// The image to run.
#[must_use]
pub fn image() -> String {
    let named = std::env::var(IMAGE_VARIABLE).ok().filter(|image| !image.is_empty());
    named.unwrap_or_else(|| DEFAULT_IMAGE.to_owned())
}

/// Namespace of the Deployment.
#[must_use]
pub fn namespace(object: &Iris) -> String {
    object.namespace().unwrap_or_default()
}

/// Number of replicas that the Deployment should have.
#[must_use]
pub fn wanted_replicas(object: &Iris) -> i32 {
    object.spec.replicas.unwrap_or(1)
}

/// Number of replicas that the Deployment has been told to have.
#[must_use]
pub fn replicas(deployment: &Deployment) -> Option<i32> {
    // A required field in some versions of Kubernetes, an optional one in others.
    let spec: Option<DeploymentSpec> = deployment.spec.clone().into();
    spec.and_then(|spec| spec.replicas)
}

/// The Deployment that `object` should have. Fields left out belong to the API server and to others.
#[must_use]
pub fn deployment(object: &Iris, image: &str) -> Deployment {
    let name = &object.spec.deployment_name;
    let labels = BTreeMap::from([(LABEL.to_owned(), name.clone())]);
    let container = Container { name: CONTAINER.into(), image: Some(image.into()), ..Container::default() };
    Deployment {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(namespace(object)),
            ..ObjectMeta::default()
        },
        spec: DeploymentSpec {
            replicas: Some(wanted_replicas(object)),
            selector: LabelSelector { match_labels: Some(labels.clone()), ..LabelSelector::default() },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
                spec: Some(PodSpec {
                    containers: vec![container],
                    // What runs there has no business with the API server.
                    automount_service_account_token: Some(false),
                    ..PodSpec::default()
                }),
            },
            ..DeploymentSpec::default()
        }
        .into(),
        ..Deployment::default()
    }
}

/// The status of `object` when its Deployment is as it should be.
#[must_use]
pub fn status(object: &Iris, mut conditions: Conditions, deployment: &Deployment) -> IrisStatus {
    let observed: DeploymentStatus = deployment.status.clone().unwrap_or_default();
    let (ready, wanted) = (observed.ready_replicas.unwrap_or_default(), wanted_replicas(object));
    // Until the Deployment's controller has seen the latest change, its numbers are about an older one.
    let is_current = observed.observed_generation >= deployment.meta().generation;
    // Replicas of an older template may be ready, too.
    let is_rolled_out = observed.updated_replicas.unwrap_or_default() == wanted;
    let failure = observed.conditions.iter().flatten().find(|it| {
        // Required fields in some versions of Kubernetes, optional ones in others.
        let (type_, status): (Option<String>, Option<String>) =
            (it.type_.clone().into(), it.status.clone().into());
        type_.as_deref() == Some("ReplicaFailure") && status.as_deref() == Some("True")
    });
    let counted = format!("{ready} of {wanted} replicas are ready");
    match failure {
        Some(failure) => {
            let message = failure.message.clone().unwrap_or(counted);
            conditions.set(READY, false, "ReplicaFailure", message);
        }
        None if is_current && is_rolled_out && ready == wanted => {
            conditions.set(READY, true, "ReplicasReady", counted);
        }
        None => conditions.set(READY, false, "Progressing", counted),
    }
    observed_status(object, &observed, conditions)
}

/// The status of `object` when the name of its Deployment is taken.
#[must_use]
pub fn conflict_status(object: &Iris, mut conditions: Conditions, taken: &ApplyError) -> IrisStatus {
    conditions.set(READY, false, NAME_CONFLICT, taken.to_string());
    observed_status(object, &DeploymentStatus::default(), conditions)
}

fn observed_status(object: &Iris, observed: &DeploymentStatus, conditions: Conditions) -> IrisStatus {
    IrisStatus {
        replicas: observed.replicas.unwrap_or_default(),
        ready_replicas: observed.ready_replicas.unwrap_or_default(),
        selector: Some(format!("{LABEL}={}", object.spec.deployment_name)),
        observed_generation: object.meta().generation,
        conditions: conditions.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iris_api::v1alpha1::iris::IrisSpec as Spec;

    fn object(replicas: Option<i32>) -> Iris {
        let spec = Spec { deployment_name: "web".to_owned(), replicas };
        let mut object = Iris::new("sample", spec);
        object.metadata.namespace = Some("default".to_owned());
        object.metadata.generation = Some(3);
        object
    }

    #[test]
    fn the_deployment_is_labelled() {
        let deployment = deployment(&object(None), "image:1");
        let value = serde_json::to_value(&deployment).expect("JSON");
        assert_eq!(value["spec"]["replicas"], 1);
        assert_eq!(value["spec"]["selector"]["matchLabels"][LABEL], "web");
        assert_eq!(value["spec"]["template"]["metadata"]["labels"][LABEL], "web");
        assert_eq!(value["spec"]["template"]["spec"]["containers"][0]["image"], "image:1");
    }

    #[test]
    fn ready_means_that_all_wanted_replicas_are() {
        let mut child = deployment(&object(Some(2)), "image:1");
        child.metadata.generation = Some(1);
        for (ready, updated, observed, holds) in [
            (0, 2, 1, "False"),
            (2, 2, 1, "True"),
            (2, 1, 1, "False"),
            (2, 2, 0, "False"),
            (3, 2, 1, "False"),
        ] {
            child.status = Some(DeploymentStatus {
                ready_replicas: Some(ready),
                updated_replicas: Some(updated),
                observed_generation: Some(observed),
                ..DeploymentStatus::default()
            });
            let status = status(&object(Some(2)), Conditions::default(), &child);
            assert_eq!((status.ready_replicas, status.conditions[0].status.as_str()), (ready, holds));
            assert_eq!(status.observed_generation, Some(3));
        }
    }
}
