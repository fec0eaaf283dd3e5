//! What an Iris stands for: the objects it wants and the status it shows. Nothing here talks to the cluster.

use crate::manager::{ObjectKey, condition};
use iris_api::v1alpha1::{Iris, IrisStatus};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::Resource;
use std::collections::BTreeMap;

/// The image to run, unless the environment names another.
pub const DEFAULT_IMAGE: &str = "store/intersystems/iris-community:2020.4.0.524.0";
/// Label of the Deployment and its Pods.
const LABEL: &str = "iris/deployment-name";
/// Type of the one condition in the status.
const READY: &str = "Ready";
/// Reason when the name of the Deployment is taken.
pub const NAME_CONFLICT: &str = "NameConflict";

/// Where the Deployment is.
pub fn deployment_key(iris: &Iris) -> ObjectKey {
    ObjectKey {
        namespace: iris.metadata.namespace.clone(),
        name: iris.spec.deployment_name.clone(),
    }
}

/// The Deployment that the Iris wants.
pub fn deployment(iris: &Iris, image: &str) -> Deployment {
    let key = deployment_key(iris);
    let labels = BTreeMap::from([(LABEL.to_owned(), key.name.clone())]);
    let container = Container {
        name: "iris".to_owned(),
        image: Some(image.to_owned()),
        ..Container::default()
    };
    let spec = DeploymentSpec {
        replicas: Some(wanted_replicas(iris)),
        selector: LabelSelector {
            match_labels: Some(labels.clone()),
            ..LabelSelector::default()
        },
        template: PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(labels.clone()),
                ..ObjectMeta::default()
            }),
            spec: Some(PodSpec {
                containers: vec![container],
                ..PodSpec::default()
            }),
        },
        ..DeploymentSpec::default()
    };
    Deployment {
        metadata: ObjectMeta {
            name: Some(key.name),
            namespace: key.namespace,
            labels: Some(labels),
            owner_references: iris.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        // Optional or not, by version of the Kubernetes API.
        spec: spec.into(),
        ..Deployment::default()
    }
}

/// The number of replicas that the Iris wants.
pub fn wanted_replicas(iris: &Iris) -> i32 {
    iris.spec.replicas.unwrap_or(1)
}

/// The number of replicas that the Deployment is set to.
pub fn replicas(deployment: &Deployment) -> i32 {
    let spec: Option<&DeploymentSpec> = (&deployment.spec).into();
    spec.and_then(|spec| spec.replicas).unwrap_or(1)
}

/// The status of an Iris whose Deployment is this one.
pub fn status(iris: &Iris, deployment: &Deployment) -> IrisStatus {
    let ready = deployment
        .status
        .as_ref()
        .and_then(|status| status.ready_replicas)
        .unwrap_or(0);
    let wanted = wanted_replicas(iris);
    let message = format!("{ready} of {wanted} replicas are ready");
    let reason = if ready == wanted {
        "AllReplicasReady"
    } else {
        "Progressing"
    };
    status_with(iris, ready, ready == wanted, reason, message)
}

/// The status of an Iris whose Deployment's name is taken.
pub fn conflict_status(iris: &Iris) -> IrisStatus {
    status_with(iris, 0, false, NAME_CONFLICT, conflict_message(iris))
}

/// What to say when the Deployment's name is taken.
pub fn conflict_message(iris: &Iris) -> String {
    format!(
        "deployment \"{}\" exists and is not controlled by this Iris",
        iris.spec.deployment_name
    )
}

fn status_with(iris: &Iris, ready_replicas: i32, ready: bool, reason: &str, message: String) -> IrisStatus {
    let generation = iris.metadata.generation;
    let known = iris.status.as_ref().map_or(&[][..], |status| &status.conditions);
    IrisStatus {
        ready_replicas,
        selector: Some(format!("{LABEL}={}", iris.spec.deployment_name)),
        observed_generation: generation,
        conditions: vec![condition(known, generation, READY, ready, reason, message)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::is_controlled_by;
    use serde_json::{Value, json};

    fn iris(spec: &Value) -> Iris {
        serde_json::from_value(json!({
            "apiVersion": "test.myardyas.club/v1alpha1",
            "kind": "Iris",
            "metadata": {"name": "sample", "namespace": "default", "uid": "1234", "generation": 3},
            "spec": spec,
        }))
        .expect("an Iris")
    }

    #[test]
    fn the_deployment_is_complete() {
        let iris = iris(&json!({"deploymentName": "web", "replicas": 2}));
        let deployment = deployment(&iris, "image");
        assert!(is_controlled_by(&deployment, &iris));
        let json = serde_json::to_value(&deployment).expect("JSON");
        assert_eq!(json["metadata"]["ownerReferences"][0]["blockOwnerDeletion"], true);
        assert_eq!(
            json["spec"],
            json!({
                "replicas": 2,
                "selector": {"matchLabels": {LABEL: "web"}},
                "template": {
                    "metadata": {"labels": {LABEL: "web"}},
                    "spec": {"containers": [{"name": "iris", "image": "image"}]},
                },
            })
        );
    }

    #[test]
    fn replicas_are_one_when_not_set() {
        let iris = iris(&json!({"deploymentName": "web"}));
        assert_eq!(replicas(&deployment(&iris, "image")), 1);
    }

    #[test]
    fn the_status_tells_what_is_ready() {
        let mut iris = iris(&json!({"deploymentName": "web", "replicas": 1}));
        let mut deployment = deployment(&iris, "image");
        let before = status(&iris, &deployment);
        assert_eq!(
            (
                before.conditions[0].status.as_str(),
                before.conditions[0].reason.as_str()
            ),
            ("False", "Progressing")
        );

        deployment.status = serde_json::from_value(json!({"readyReplicas": 1})).expect("a status");
        iris.status = Some(before);
        let after = status(&iris, &deployment);
        assert_eq!(
            (after.ready_replicas, after.conditions[0].status.as_str()),
            (1, "True")
        );
        assert_eq!(after.observed_generation, Some(3));

        iris.status = Some(after.clone());
        assert_eq!(
            status(&iris, &deployment),
            after,
            "an unchanged status keeps its transition time"
        );
        assert_eq!(conflict_status(&iris).conditions[0].reason, NAME_CONFLICT);
    }
}
