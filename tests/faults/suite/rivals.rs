//! Somebody else, or the API server itself, does not leave a child as the operator wants it.

use std::time::{Duration, Instant};

use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use operator_testing::{ensure, eventually, within};
use serde_json::{Value, json};

use crate::case::{Case, NAME};
use crate::run;

/// Waits until the object says that its Deployment is contended, for this reason; or, without one, that it is not.
async fn contended(case: &Case<'_>, reason: Option<&str>) {
    let what = format!("{}: contended is {reason:?}", case.name);
    within(Duration::from_secs(60), &what, async || {
        let object = json!(case.objects.get(NAME).await.map_err(|error| error.to_string())?);
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions.iter().find(|it| it["type"] == "Contended" && it["status"] == "True");
        ensure(found.map(|it| it["reason"].as_str().unwrap_or_default()) == reason, &conditions)
    })
    .await
    .unwrap_or_else(|error| panic!("{error}"));
}

/// How often the operator wrote the Deployment.
fn writes(case: &Case<'_>) -> usize {
    case.writes().iter().filter(|write| write.resource == "deployments").count()
}

#[test]
fn f26_another_writer_fights() {
    const LONG: Duration = Duration::from_secs(12);
    run(async {
        let case = Case::new("f26").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 2).await;
        case.settled("web", 2).await;
        let (before, begun) = (writes(&case), Instant::now());
        let theirs = Patch::Merge(json!({ "spec": { "replicas": 7 } }));
        while begun.elapsed() < LONG {
            let now = json!(case.deployments.get("web").await.expect("Deployment"));
            if now["spec"]["replicas"] == 2 {
                case.deployments.patch("web", &PatchParams::default(), &theirs).await.expect("a patch");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let corrections = writes(&case) - before;
        assert!((5..=9).contains(&corrections), "corrected {corrections} times");
        contended(&case, Some("ChangedBack")).await;
        let events = case.events(NAME, "Normal").await.len();
        assert!(events <= 30, "{events} events");
        // The other one gives up.
        case.deployment("web", 2).await;
        contended(&case, None).await;
        case.play().await;
        case.is_sound(operator).await;
        case.report(
            "F26",
            &format!("corrected {corrections} times in {} s, {events} Events", LONG.as_secs()),
        );
    });
}

/// Kind and plural.
const POLICY: (&str, &str) = ("MutatingAdmissionPolicy", "mutatingadmissionpolicies");
const BINDING: (&str, &str) = ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings");

fn policies(case: &Case<'_>, (kind, plural): (&str, &str)) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    Api::all_with(case.control_plane.client(), &ApiResource::from_gvk_with_plural(&kind, plural))
}

/// Waits until a Deployment that asks for two replicas gets that many.
async fn gives(case: &Case<'_>, replicas: i32) {
    let asked = json!({ "metadata": { "name": "asked" }, "spec": { "replicas": 2,
        "selector": { "matchLabels": { "app": "asked" } },
        "template": { "metadata": { "labels": { "app": "asked" } },
            "spec": { "containers": [{ "name": "asked", "image": "asked" }] } } } });
    let asked = serde_json::from_value(asked).expect("a Deployment");
    let params = PostParams { dry_run: true, ..PostParams::default() };
    eventually(&format!("{}: of two replicas there are {replicas}", case.name), async || {
        let made = case.deployments.create(&params, &asked).await.map_err(|error| error.to_string())?;
        ensure(json!(made)["spec"]["replicas"] == replicas, &json!(made)["spec"]["replicas"])
    })
    .await;
}

#[test]
fn f37_policy_rewrites_a_field() {
    const LONG: Duration = Duration::from_secs(6);
    run(async {
        let case = Case::new("f37").await;
        let here: Value = json!({ "matchLabels": { "kubernetes.io/metadata.name": case.name } });
        let deployments = json!({ "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"],
            "operations": ["CREATE", "UPDATE"] });
        let one = json!({ "expression": "Object{spec: Object.spec{replicas: 1}}" });
        let made = [
            (
                POLICY,
                json!({ "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                    "matchConstraints": { "namespaceSelector": here, "resourceRules": [deployments] },
                    "mutations": [{ "patchType": "ApplyConfiguration", "applyConfiguration": one }] }),
            ),
            (BINDING, json!({ "policyName": "f37" })),
        ];
        for (kind, spec) in made {
            let object = json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind.0,
                "metadata": { "name": "f37" }, "spec": spec });
            let object = serde_json::from_value(object).expect("an object");
            policies(&case, kind).create(&PostParams::default(), &object).await.expect("a policy");
        }
        gives(&case, 1).await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 3).await;
        case.deployment("web", 1).await;
        contended(&case, Some("Rewritten")).await;
        tokio::time::sleep(LONG).await;
        let writes = writes(&case);
        assert!((1..=6).contains(&writes), "written {writes} times");
        // The policy goes, and nothing else changes.
        for kind in [BINDING, POLICY] {
            policies(&case, kind).delete("f37", &DeleteParams::default()).await.expect("no policy");
        }
        gives(&case, 2).await;
        case.deployment("web", 3).await;
        contended(&case, None).await;
        case.play().await;
        case.is_sound(operator).await;
        let seconds = LONG.as_secs();
        case.report(
            "F37",
            &format!("told in a condition, tried {writes} times in {seconds} s, right without it"),
        );
    });
}
