//! The operator is shown the past: a server, or a cache in front of it, that has fallen behind.

use std::time::Duration;

use kube::api::{ListParams, Request};
use operator_testing::Fault;

use crate::case::{Case, NAME};
use crate::run;
use crate::subject::PLURAL;

/// How long the past is shown.
const PAST: Duration = Duration::from_secs(5);

#[test]
fn f12_old_lists() {
    run(async {
        // In the past, the object asks for fewer replicas than there are, or for another Deployment; by now it does not,
        // and the Deployment is as it was, or has changed since.
        let scaled = shown_the_past("f12-scale", ("web", 1), 6);
        let renamed = shown_the_past("f12-rename", ("api", 5), 6);
        let same = shown_the_past("f12-same", ("web", 1), 5);
        let back = shown_the_past("f12-back", ("api", 5), 5);
        Box::pin(futures::future::join4(scaled, renamed, same, back)).await;
        let case = Case::new("f12").await;
        case.report("F12", "nothing deleted and nothing scaled by old data, four ways");
    });
}

/// A Deployment `web` with 5 replicas, an object that asked for `past` when the lists were made and asks for `web` with
/// `now` replicas since.
async fn shown_the_past(name: &str, past: (&str, i32), now: i32) {
    let case = Case::new(name).await;
    let operator = case.operator(&[]).await;
    case.write(NAME, "web", 5).await;
    case.settled("web", 5).await;
    operator.kill();
    case.write(NAME, past.0, past.1).await;
    let (objects, deployments) = (list(&case, PLURAL).await, list(&case, "deployments").await);
    case.write(NAME, "web", now).await;
    if now != 5 {
        let operator = case.operator(&[]).await;
        case.settled("web", now).await;
        operator.kill();
    }
    let (before, uid) = (case.writes().len(), case.deployment("web", now).await["metadata"]["uid"].clone());

    case.proxy.inject(move |asked| {
        if asked.watches() {
            Fault::Hang
        } else if asked.is_of(PLURAL) {
            Fault::Body(objects.clone())
        } else if asked.is_of("deployments") {
            Fault::Body(deployments.clone())
        } else {
            Fault::None
        }
    });
    let mut operator = case.launch(&[]);
    tokio::time::sleep(PAST).await;
    assert!(operator.log().contains("fetching"), "it believes what it is shown");
    case.proxy.heal();
    // One watch hears of the present before the other. What is done in between is refused, and tried again.
    operator.ready().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    case.settled("web", now).await;
    let found = case.deployment("web", now).await;
    assert_eq!(found["metadata"]["uid"], uid, "{name}: it is the same one");
    let touched = case.writes().split_off(before);
    let harm: Vec<_> = touched.iter().filter(|it| it.resource == "deployments" && it.succeeded()).collect();
    assert!(harm.is_empty(), "{name}: done on the word of the past: {harm:?}");
    let made = case.deployments.list(&ListParams::default()).await.expect("Deployments").items.len();
    assert_eq!(made, 1, "{name}");
    case.is_sound(operator).await;
}

/// What the API server answers to a list now.
async fn list(case: &Case<'_>, plural: &str) -> String {
    let url = if plural == PLURAL { case.objects.resource_url() } else { case.deployments.resource_url() };
    let request = Request::new(url).list(&ListParams::default()).expect("a request");
    case.control_plane.client().request_text(request).await.expect("a list")
}
