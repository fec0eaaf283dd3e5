//! Much that the operator has no use for: what it keeps of that, it keeps in memory.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams, PostParams};
use operator_testing::Operator;
use serde_json::json;

use crate::case::{Case, NAME};
use crate::run;

/// Requests of users at the same time.
const USERS: usize = 16;
/// How much an operator may take that has little to do.
const LIMIT: f64 = 64.0;

/// The memory that an operator takes, in MiB.
pub async fn mebibytes(operator: &Operator) -> f64 {
    operator.metric("process_resident_memory_bytes").await / 1_048_576.0
}

#[test]
fn f30_long_annotations() {
    const OBJECTS: usize = 200;
    const LENGTH: usize = 250 << 10;
    run(async {
        let case = Case::new("f30").await;
        let note = "x".repeat(LENGTH);
        let annotate = |name: String| {
            let (case, note) = (&case, &note);
            async move {
                case.write(&name, &name, 1).await;
                let patch = json!({ "metadata": { "annotations": { "example.com/note": note } } });
                let params = PatchParams::default();
                case.objects.patch(&name, &params, &Patch::Merge(patch)).await.expect("patch");
            }
        };
        let names = || (0..OBJECTS).map(|number| format!("n{number}"));
        // Before it starts, and while it runs.
        futures::stream::iter(names()).for_each_concurrent(USERS, annotate).await;
        let operator = case.operator(&["--request-timeout=10s", "--reconcile-timeout=30s"]).await;
        futures::stream::iter(names()).for_each_concurrent(USERS, annotate).await;
        for name in names() {
            case.deployment_at_last(&name, 1).await;
        }
        let taken = mebibytes(&operator).await;
        assert!(taken < LIMIT, "memory is bounded: {taken:.0} MiB");
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "stopping took {took:?}");
        let seen = format!("{OBJECTS} objects with {} KiB of annotations each: {taken:.0} MiB", LENGTH >> 10);
        case.report("F30", &seen);
    });
}

#[test]
fn f31_many_deployments_of_others() {
    const DEPLOYMENTS: usize = 3_000;
    const LENGTH: usize = 12 << 10;
    run(async {
        let case = Case::new("f31").await;
        let value = "x".repeat(LENGTH);
        let create = |number: usize| {
            let (deployments, value): (&Api<Deployment>, _) = (&case.deployments, &value);
            async move {
                let labels = json!({ "app": "other" });
                let container = json!({ "name": "other", "image": "other",
                    "env": [{ "name": "LONG", "value": value }] });
                let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [container] } });
                let spec =
                    json!({ "replicas": 0, "selector": { "matchLabels": labels }, "template": template });
                let other = json!({ "metadata": { "name": format!("n{number}") }, "spec": spec });
                let other = serde_json::from_value(other).expect("a Deployment");
                deployments.create(&PostParams::default(), &other).await.expect("create");
            }
        };
        let half = DEPLOYMENTS / 2;
        futures::stream::iter(0..half).for_each_concurrent(USERS, create).await;
        let operator = case.operator(&["--request-timeout=10s", "--reconcile-timeout=30s"]).await;
        futures::stream::iter(half..DEPLOYMENTS).for_each_concurrent(USERS, create).await;
        case.write(NAME, "web", 1).await;
        case.deployment_at_last("web", 1).await;
        let taken = mebibytes(&operator).await;
        assert!(taken < LIMIT, "memory is bounded: {taken:.0} MiB");
        operator.stop().await;
        let seen = format!("{DEPLOYMENTS} of {} KiB each: {taken:.0} MiB", LENGTH >> 10);
        case.report("F31", &seen);
    });
}
