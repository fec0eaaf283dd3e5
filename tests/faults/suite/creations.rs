//! Somebody else makes the child at the moment in which the operator does.

use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};
use operator_testing::{AuditEvent, ensure, eventually};
use serde_json::{Value, json};

use crate::case::{Case, NAME};
use crate::run;
use crate::subject::PLURAL;

/// Waits until that many writes of Deployments are on their way.
async fn under_way(case: &Case<'_>, count: usize) {
    eventually("the Deployment is about to be made", async || {
        let asked = case.proxy.count(|asked| asked.writes_to("deployments"));
        ensure(asked >= count, &asked)
    })
    .await;
}

/// Makes a Deployment `web` that is nobody's.
async fn foreign(case: &Case<'_>) {
    let foreign = json!({ "metadata": { "name": "web" }, "spec": {
        "selector": { "matchLabels": { "app": "foreign" } },
        "template": { "metadata": { "labels": { "app": "foreign" } },
            "spec": { "containers": [{ "name": "web", "image": "foreign" }] } } } });
    let foreign = serde_json::from_value(foreign).expect("a Deployment");
    case.deployments.create(&PostParams::default(), &foreign).await.expect("a Deployment");
}

fn controller(deployment: &Value) -> &str {
    deployment["metadata"]["ownerReferences"][0]["name"].as_str().unwrap_or_default()
}

/// How often it was looked whether the Deployment is there.
fn looked(case: &Case) -> usize {
    case.proxy.count(|asked| !asked.writes() && asked.path.ends_with("/deployments/web"))
}

/// Writes of Deployments that were done.
fn done(case: &Case) -> Vec<AuditEvent> {
    case.writes().into_iter().filter(|write| write.resource == "deployments" && write.succeeded()).collect()
}

#[test]
fn f39_two_want_one_child() {
    run(async {
        let case = Case::new("f39").await;
        let operator = case.operator(&[]).await;
        case.delay_writes();
        case.write("first", "web", 1).await;
        case.write("second", "web", 2).await;
        under_way(&case, 2).await;
        case.proxy.heal();
        eventually("both were answered", async || {
            let writes = case.writes().into_iter().filter(|write| write.resource == "deployments").count();
            ensure(writes >= 2, &writes)
        })
        .await;
        let made = json!(case.deployments.get("web").await.expect("Deployment"));
        let (owner, other, wanted, others) =
            if controller(&made) == "first" { ("first", "second", 1, 2) } else { ("second", "first", 2, 1) };
        assert_eq!(done(&case).len(), 1, "only one was done: {:?}", done(&case));
        case.conflict(other).await;
        let kept = json!(case.deployments.get("web").await.expect("Deployment"));
        assert_eq!((controller(&kept), &kept["spec"]["replicas"]), (owner, &json!(wanted)), "{kept}");
        // Once its owner lets go of it, it is made for the other one. The test plays the garbage collector.
        case.delete(owner).await;
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        let made = case.deployment("web", others).await;
        assert_eq!(controller(&made), other);
        case.delete(other).await;
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        case.play().await;
        case.is_sound(operator).await;
        case.report("F39", "the first one got it, the other one said so; it got its own when that was gone");
    });
}

#[test]
fn f40_look_alike_of_somebody_else() {
    run(async {
        let case = Case::new("f40").await;
        let operator = case.operator(&[]).await;
        // What the operator will want, to the last field.
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        let model = case.deployments.get("web").await.expect("Deployment");
        case.delete(NAME).await;
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        let mut foreign = Deployment { spec: model.spec.clone(), ..Deployment::default() };
        (foreign.metadata.name, foreign.metadata.labels) = (Some("web".to_owned()), model.metadata.labels);

        case.delay_writes();
        let before = (case.proxy.count(|asked| asked.writes_to("deployments")), done(&case).len());
        case.write(NAME, "web", 1).await;
        under_way(&case, before.0 + 1).await;
        let made = case.deployments.create(&PostParams::default(), &foreign).await.expect("a Deployment");
        case.proxy.heal();
        case.conflict(NAME).await;
        let kept = case.deployments.get("web").await.expect("Deployment");
        assert_eq!(kept.resource_version(), made.resource_version(), "it was left alone");
        assert_eq!(done(&case).len(), before.1, "{:?}", done(&case));
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        case.settled("web", 1).await;
        case.is_sound(operator).await;
        case.report("F40", "it was left alone, and the conflict reported");
    });
}

#[test]
fn f41_conflict_while_a_watch_is_stalled() {
    /// Time for a few attempts.
    const LONG: Duration = Duration::from_secs(12);
    run(async {
        let case = Case::new("f41").await;
        foreign(&case).await;
        let operator = case.operator(&["--sync-period=3s"]).await;
        case.proxy.filter_watches(|asked, event| !(asked.is_of(PLURAL) && event["type"] == "MODIFIED"));
        case.write(NAME, "web", 1).await;
        case.conflict(NAME).await;
        let status = json!(case.objects.get(NAME).await.expect("object"))["status"].clone();
        let before = looked(&case);
        tokio::time::sleep(LONG).await;
        assert!(looked(&case) >= before + 2, "it has looked again");
        let status_of_it = format!("{PLURAL}/status");
        let written = case.writes().into_iter().filter(|write| write.resource == status_of_it).count();
        assert_eq!(written, 1, "the status was written once");
        assert_eq!(json!(case.objects.get(NAME).await.expect("object"))["status"], status);
        case.proxy.filter_watches(|_, _| true);
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        case.settled("web", 1).await;
        case.is_sound(operator).await;
        let seconds = LONG.as_secs();
        case.report("F41", &format!("looked again for {seconds} s, and wrote the status once"));
    });
}

#[test]
fn f32_many_wait_for_one_name() {
    const MANY: usize = 30;
    /// Longer than any pause between the first attempts.
    const LONG: Duration = Duration::from_secs(12);
    run(async {
        let case = Case::new("f32").await;
        foreign(&case).await;
        let operator = case.operator(&[]).await;
        for number in 0..MANY {
            case.write(&format!("waiting-{number}"), "web", 1).await;
        }
        for number in 0..MANY {
            case.conflict(&format!("waiting-{number}")).await;
        }
        let before = looked(&case);
        tokio::time::sleep(LONG).await;
        assert_eq!(looked(&case), before, "nobody asks while nothing happens");
        let begun = Instant::now();
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        let made = case.deployment("web", 1).await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "after {took:?}");
        assert!(controller(&made).starts_with("waiting-"), "{made}");
        for number in 0..MANY {
            case.delete(&format!("waiting-{number}")).await;
        }
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        case.play().await;
        case.is_sound(operator).await;
        let seconds = took.as_secs_f64();
        case.report("F32", &format!("{MANY} waited without a request; one had the name after {seconds:.1} s"));
    });
}
