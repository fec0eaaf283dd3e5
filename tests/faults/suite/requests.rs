//! The API server does not answer, or answers that it cannot.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kube::api::{Patch, PatchParams};
use operator_testing::{Fault, Request, ensure, eventually};
use serde_json::json;

use crate::case::{Case, NAME};
use crate::run;
use crate::subject::PLURAL;

/// When Deployments were written, or would have been.
fn attempts(case: &Case) -> Vec<Instant> {
    let asked = case.proxy.requests();
    asked.iter().filter(|asked| asked.writes_to("deployments")).map(|asked| asked.at).collect()
}

#[test]
fn f03_no_answer() {
    run(async {
        let case = Case::new("f3").await;
        let count = AtomicUsize::new(0);
        case.proxy.inject(move |asked| {
            let is_first = asked.writes_to("deployments/web") && count.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { Fault::Hang } else { Fault::None }
        });
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        eventually("the Deployment is asked for", async || {
            ensure(attempts(&case).len() == 1, &attempts(&case).len())
        })
        .await;
        // Others do not wait for it.
        case.write("other", "other", 1).await;
        case.deployment("other", 1).await;
        assert_eq!(case.proxy.count(|asked| asked.writes_to("deployments/web")), 1);
        case.settled("web", 1).await;
        let web: Vec<_> =
            case.proxy.requests().into_iter().filter(|asked| asked.writes_to("deployments/web")).collect();
        let waited = web[1].at - web[0].at;
        assert!(waited < Duration::from_secs(5), "tried again after {waited:?}");
        case.play().await;
        case.holds(operator).await;

        // Nor does the end of the process.
        let case = Case::new("f3-stop").await;
        case.proxy.inject(|asked| if asked.writes_to("deployments") { Fault::Hang } else { Fault::None });
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        eventually("the Deployment is asked for", async || {
            ensure(!attempts(&case).is_empty(), &"nothing asked")
        })
        .await;
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "stopping took {took:?}");
        case.report(
            "F3",
            &format!("given up and tried again after {:.1} s, others went on", waited.as_secs_f64()),
        );
    });
}

#[test]
fn f04_server_errors() {
    run(async {
        let case = Case::new("f4").await;
        let operator = case.operator(&[]).await;
        case.proxy.inject(|asked| {
            let fails = asked.writes_to("deployments");
            if fails { Fault::status(500) } else { Fault::None }
        });
        case.write(NAME, "web", 1).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        let times = attempts(&case);
        let delays: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((3..=5).contains(&times.len()), "{delays:?}");
        for pair in delays.windows(2) {
            assert!(pair[1] > pair[0].mul_f64(1.3), "delays grow: {delays:?}");
        }
        case.proxy.heal();
        case.settled("web", 1).await;
        case.play().await;
        let warnings = case.events(NAME, "Warning").await;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("ReconcileFailed: failed to create Deployment"), "{warnings:?}");
        case.holds(operator).await;
        case.report("F4", &format!("{} attempts in 10 s, ever further apart, one Warning", times.len()));
    });
}

#[test]
fn f05_server_too_busy() {
    run(async {
        let case = Case::new("f5").await;
        let operator = case.operator(&[]).await;
        let mut most = 0;
        for (code, after) in [(429, Some(1)), (503, Some(1)), (504, None)] {
            let answer = Fault::Status { code, retry_after: after };
            let before = case.proxy.requests().len();
            let fails = |asked: &Request| asked.writes_to("deployments") || asked.lists(PLURAL);
            case.proxy.inject(move |asked| if fails(asked) { answer.clone() } else { Fault::None });
            // To be asked for both, it has to list again.
            case.proxy.expire_watches();
            case.write(NAME, "web", i32::from(code)).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            let asked = case.proxy.requests().split_off(before);
            let failed = asked.iter().filter(|asked| fails(asked)).count();
            // Those who may come back after a second do so; others are told apart by nothing but their own back-off.
            let limit = if after.is_some() { 12 } else { 40 };
            assert!((1..=limit).contains(&failed), "{code}: {failed} requests in 4 s");
            most = most.max(failed);
            case.proxy.heal();
            case.settled("web", i32::from(code)).await;
        }
        case.delete(NAME).await;
        operator.stop().await;
        case.report("F5", &format!("at most {most} requests in 4 s, and `Retry-After` kept"));
    });
}

#[test]
fn f06_conflicts() {
    run(async {
        let case = Case::new("f6").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        // Somebody changes the Deployment between the operator's look at it and its write.
        case.delay_writes();
        let before = attempts(&case).len();
        case.write(NAME, "web", 3).await;
        eventually("the Deployment is about to be changed", async || {
            ensure(attempts(&case).len() > before, &before)
        })
        .await;
        let foreign = json!({ "metadata": { "annotations": { "example.com/note": "mine" } } });
        let patched = case.deployments.patch("web", &PatchParams::default(), &Patch::Merge(foreign)).await;
        patched.expect("patch");
        case.proxy.heal();
        case.settled("web", 3).await;
        let refused = case.writes().into_iter().filter(|write| write.code == 409).count();
        assert_eq!(refused, 1, "the write from old data is refused");
        let kept = case.deployments.get("web").await.expect("Deployment");
        assert_eq!(json!(kept)["metadata"]["annotations"]["example.com/note"], "mine");

        let count = AtomicUsize::new(0);
        case.proxy.inject(move |asked| {
            let is_first = asked.path.ends_with("/status") && count.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { Fault::status(409) } else { Fault::None }
        });
        case.write(NAME, "web", 2).await;
        case.settled("web", 2).await;
        assert!(case.events(NAME, "Warning").await.len() <= 1, "told once");
        case.is_sound(operator).await;
        case.report("F6", "looked again and wrote anew; the other's annotation stayed");
    });
}

#[test]
fn f25_connections_die_silently() {
    const OBJECTS: usize = 20;
    run(async {
        let case = Case::new("f25").await;
        let mut operator = case.operator(&["--watch-silence-limit=2s"]).await;
        // Answers that come together need a connection each.
        case.proxy.inject(|asked| {
            let late = Fault::Delay(Duration::from_millis(300));
            if asked.writes_to("deployments") { late } else { Fault::None }
        });
        for number in 0..OBJECTS {
            case.write(&format!("other-{number}"), &format!("other-{number}"), 1).await;
        }
        for number in 0..OBJECTS {
            case.deployment(&format!("other-{number}"), 1).await;
        }
        case.proxy.heal();
        case.proxy.silence_connections();
        let begun = Instant::now();
        case.write("other-0", "other-0", 2).await;
        case.deployment("other-0", 2).await;
        let took = begun.elapsed();
        operator.ready().await;
        let unanswered = case.proxy.unanswered();
        assert!((1..8).contains(&unanswered), "{unanswered} requests had no answer");
        case.play().await;
        case.holds(operator).await;
        let seconds = took.as_secs_f64();
        case.report("F25", &format!("{unanswered} requests had no answer, all went on after {seconds:.1} s"));
    });
}
