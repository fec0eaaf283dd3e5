// SPDX-License-Identifier: Apache-2.0

//! The controller of `Iris` against a real API server. `make test` runs this; without controllers of Deployments in the
//! control plane, the test plays their part.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use operator_testing::{ControlPlane, Operator, ensure, eventually, project};
use serde_json::{Value, json};

use iris::controller::iris_resources::{LABEL, image};

use iris_api::v1alpha1::iris::{Iris as Object, IrisSpec as Spec};

#[tokio::test]
async fn the_controller_keeps_the_deployment() {
    let control_plane = ControlPlane::start(project!()).await;
    let operator = Operator::start(&control_plane, &[]).await;
    let case = async |name| Case::new(&control_plane, name).await;

    makes_the_deployment(&case("makes").await).await;
    reports_readiness(&case("reports").await).await;
    scales(&case("scales").await).await;
    renames(&case("renames").await).await;
    reverts_changes(&case("reverts").await).await;
    leaves_others_alone(&case("leaves").await).await;
    finds_back(&case("returns").await).await;

    let metrics = operator.metrics().await.expect("metrics");
    assert!(metrics.contains("controller_runtime_reconcile_total"), "{metrics}");
    settles(&case("settles").await, operator).await;
}

async fn makes_the_deployment(case: &Case<'_>) {
    case.write("web", 1).await;
    let owner = json!(case.objects.get(case.name).await.expect("object"));
    let deployment = case.deployment_with("web", 1).await;
    assert_eq!(deployment["spec"]["selector"], json!({ "matchLabels": { LABEL: "web" } }));
    let template = &deployment["spec"]["template"];
    assert_eq!(template["metadata"]["labels"], json!({ LABEL: "web" }));
    assert_eq!(template["spec"]["containers"].as_array().map(Vec::len), Some(1));
    assert_eq!(template["spec"]["containers"][0]["image"], image());
    let reference = &deployment["metadata"]["ownerReferences"][0];
    assert_eq!((&reference["kind"], &reference["apiVersion"]), (&owner["kind"], &owner["apiVersion"]));
    assert_eq!((&reference["uid"], &reference["controller"]), (&owner["metadata"]["uid"], &json!(true)));
    case.events_are(&["Created: Created deployment \"web\""]).await;
}

async fn reports_readiness(case: &Case<'_>) {
    case.write("web", 2).await;
    case.status_is(0, "False", "Progressing").await;
    case.set_ready_replicas("web", 1, 2).await;
    case.status_is(1, "False", "Progressing").await;
    case.set_ready_replicas("web", 2, 2).await;
    case.status_is(2, "True", "ReplicasReady").await;
    case.write("web", 3).await;
    case.status_is(2, "False", "Progressing").await;
}

async fn scales(case: &Case<'_>) {
    case.write("web", 1).await;
    let before = case.deployment_with("web", 1).await;
    // What others write into the Deployment stays.
    case.merge("web", json!({ "metadata": { "annotations": { "example.com/note": "mine" } } })).await;
    case.write("web", 2).await;
    case.deployment_with("web", 2).await;
    case.write("web", 0).await;
    let after = case.deployment_with("web", 0).await;
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["metadata"]["annotations"]["example.com/note"], "mine");
    case.events_are(&[
        "Created: Created deployment \"web\"",
        "Scaled: Scaled deployment \"web\" to 0 replicas",
        "Scaled: Scaled deployment \"web\" to 2 replicas",
    ])
    .await;
}

async fn renames(case: &Case<'_>) {
    case.write("old", 1).await;
    case.deployment_with("old", 1).await;
    case.write("new", 1).await;
    case.deployment_with("new", 1).await;
    let left = async || ensure(case.deployment("old").await?.is_null(), &"the old Deployment");
    eventually("the old Deployment is gone", left).await;
    case.events_are(&[
        "Created: Created deployment \"new\"",
        "Created: Created deployment \"old\"",
        "Deleted: Deleted deployment \"old\"",
    ])
    .await;
}

async fn reverts_changes(case: &Case<'_>) {
    case.write("web", 1).await;
    let deployment = case.deployment_with("web", 1).await;
    case.merge("web", json!({ "spec": { "replicas": 5 } })).await;
    case.deployment_with("web", 1).await;
    let mut containers = deployment["spec"]["template"]["spec"]["containers"].clone();
    containers[0]["image"] = json!("other");
    case.merge("web", json!({ "spec": { "template": { "spec": { "containers": containers } } } })).await;
    eventually("the image is back", async || {
        let deployment = case.deployment("web").await?;
        ensure(deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image(), &deployment)
    })
    .await;
    case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
    let again = case.deployment_with("web", 1).await;
    assert_ne!(again["metadata"]["uid"], deployment["metadata"]["uid"]);
}

async fn leaves_others_alone(case: &Case<'_>) {
    let labels = json!({ "app": "other" });
    let containers = json!([{ "name": "other", "image": "other" }]);
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": containers } });
    let spec = json!({ "replicas": 3, "selector": { "matchLabels": labels }, "template": template });
    let other = serde_json::from_value(json!({ "metadata": { "name": "web" }, "spec": spec }));
    case.deployments.create(&PostParams::default(), &other.expect("Deployment")).await.expect("create");
    let before = case.deployment("web").await;
    case.write("web", 1).await;
    case.status_is(0, "False", "NameConflict").await;
    // A change of the object does not report the same conflict again.
    case.write("web", 2).await;
    case.status_is(0, "False", "NameConflict").await;
    let note = "NameConflict: Deployment \"web\" exists and is not controlled by this object";
    assert_eq!(case.deployment("web").await, before);

    case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
    case.deployment_with("web", 2).await;
    case.status_is(0, "False", "Progressing").await;
    case.events_are(&["Created: Created deployment \"web\"", note]).await;
}

/// However an object got where it is, and however fast, only what it asks for now counts.
async fn finds_back(case: &Case<'_>) {
    const NAMES: [&str; 3] = ["web", "api", "db"];
    /// Steps of a walk; every third one is waited for.
    const STEPS: usize = 12;
    let state = async |name: &str, replicas: i32| {
        case.deployment_with(name, replicas).await;
        let only = async || ensure(case.names().await == [name], &case.names().await);
        eventually("no other Deployment is left", only).await;
        // Nobody here makes a Deployment progress.
        case.status_is(0, "False", "Progressing").await;
        case.deployment(name).await.expect("Deployment")["spec"].clone()
    };
    case.write("web", 2).await;
    let first = state("web", 2).await;
    for seed in 1..=3_u32 {
        let mut random = seed;
        for step in 1..=STEPS {
            // Marsaglia's xorshift: the same walk every time.
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let (name, replicas) =
                (NAMES[random as usize % NAMES.len()], i32::from(random.to_le_bytes()[1] % 5));
            case.write(name, replicas).await;
            if step % 3 == 0 {
                state(name, replicas).await;
            }
        }
        case.write("web", 2).await;
        assert_eq!(state("web", 2).await, first, "after the walk of seed {seed}");
    }
}

/// Once all is as it should be, nothing is written any more, not even by the next operator.
async fn settles(case: &Case<'_>, operator: Operator) {
    case.write("web", 1).await;
    case.deployment_with("web", 1).await;
    case.set_ready_replicas("web", 1, 1).await;
    case.status_is(1, "True", "ReplicasReady").await;
    let settled = case.everything().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(case.everything().await, settled);

    let took = operator.stop().await;
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
    let operator = Operator::start(case.control_plane, &[]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(case.everything().await, settled);
    // It does work.
    case.write("web", 2).await;
    case.deployment_with("web", 2).await;
    operator.stop().await;
}

/// An object of its own, in a namespace of its own: both have the same name.
struct Case<'a> {
    name: &'static str,
    objects: Api<Object>,
    deployments: Api<Deployment>,
    control_plane: &'a ControlPlane,
}

impl<'a> Case<'a> {
    async fn new(control_plane: &'a ControlPlane, name: &'static str) -> Self {
        control_plane.create_namespace(name).await;
        let objects = Api::namespaced(control_plane.client(), name);
        Self { name, objects, deployments: Api::namespaced(control_plane.client(), name), control_plane }
    }

    /// An object that asks for this Deployment.
    fn object(&self, deployment_name: &str, replicas: i32) -> Object {
        Object::new(self.name, Spec { deployment_name: deployment_name.to_owned(), replicas: Some(replicas) })
    }

    /// Creates the object, or changes it.
    async fn write(&self, deployment_name: &str, replicas: i32) {
        let patch = Patch::Apply(self.object(deployment_name, replicas));
        self.objects.patch(self.name, &PatchParams::apply("user").force(), &patch).await.expect("write");
    }

    /// What the API server has, `null` if it has none.
    async fn deployment(&self, name: &str) -> Result<Value, String> {
        let deployment = self.deployments.get_opt(name).await.map_err(|error| error.to_string())?;
        Ok(json!(deployment))
    }

    /// The names of all Deployments.
    async fn names(&self) -> Vec<String> {
        let deployments = self.deployments.list(&ListParams::default()).await.expect("Deployments");
        deployments.items.iter().map(ResourceExt::name_any).collect()
    }

    async fn deployment_with(&self, name: &str, replicas: i32) -> Value {
        eventually(&format!("{} has {name} with {replicas} replicas", self.name), async || {
            let deployment = self.deployment(name).await?;
            ensure(deployment["spec"]["replicas"] == replicas, &deployment)?;
            Ok(deployment)
        })
        .await
    }

    /// Changes the Deployment as somebody else.
    async fn merge(&self, name: &str, patch: Value) {
        let patch = Patch::Merge(patch);
        self.deployments.patch(name, &PatchParams::default(), &patch).await.expect("patch");
    }

    /// Does what the controller of Deployments would do once as many pods are ready.
    async fn set_ready_replicas(&self, name: &str, ready: i32, all: i32) {
        let deployment = self.deployment_with(name, all).await;
        let generation = &deployment["metadata"]["generation"];
        let status = json!({ "observedGeneration": generation, "replicas": all, "updatedReplicas": all,
            "readyReplicas": ready });
        let patch = Patch::Merge(json!({ "status": status }));
        self.deployments.patch_status(name, &PatchParams::default(), &patch).await.expect("patch the status");
    }

    /// Waits until the status of the object as it is now has these ready replicas and this condition `Ready`.
    async fn status_is(&self, ready_replicas: i32, ready: &str, reason: &str) {
        eventually(&format!("{} is Ready={ready}, {reason}", self.name), async || {
            let object = json!(self.objects.get(self.name).await.map_err(|error| error.to_string())?);
            let status = &object["status"];
            let expected = json!(["Ready", ready, reason, object["metadata"]["generation"]]);
            let fields = ["type", "status", "reason", "observedGeneration"];
            let mut conditions = status["conditions"].as_array().into_iter().flatten();
            let holds = conditions.any(|condition| json!(fields.map(|field| &condition[field])) == expected);
            ensure(holds && status["readyReplicas"] == ready_replicas, &object)
        })
        .await;
    }

    async fn events_are(&self, expected: &[&str]) {
        let seen = async || {
            let events = self.control_plane.events(self.name).await;
            ensure(events == expected, &events)
        };
        eventually(&format!("{} has the events {expected:?}", self.name), seen).await;
    }

    /// The versions of the object and its Deployments, and its events.
    async fn everything(&self) -> Value {
        let object = self.objects.get(self.name).await.expect("object");
        let deployments = self.deployments.list(&ListParams::default()).await.expect("Deployments");
        let versions: Vec<_> =
            deployments.items.into_iter().map(|each| each.metadata.resource_version).collect();
        json!([object.metadata.resource_version, versions, self.control_plane.events(self.name).await])
    }
}
