//! Watches end, fall silent, forget where they were, or do not tell of everything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kube::api::DeleteParams;
use operator_testing::{Cut, Fault, Proxy, ensure, eventually};
use serde_json::json;

use crate::case::{Case, NAME};
use crate::run;
use crate::subject::PLURAL;

const KINDS: [&str; 2] = [PLURAL, "deployments"];

/// How often each kind was listed so far.
fn lists(case: &Case) -> [usize; 2] {
    KINDS.map(|plural| case.proxy.count(|asked| asked.lists(plural)))
}

/// Cuts the watches; how long a change that is made then takes to be heard of.
async fn resumes(case: &Case<'_>, cut: Cut) -> Duration {
    let operator = case.operator(&[]).await;
    case.write(NAME, "web", 1).await;
    case.settled("web", 1).await;
    case.proxy.cut_watches(cut);
    let begun = Instant::now();
    case.write(NAME, "web", 2).await;
    case.deployment("web", 2).await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "{}: {took:?}", case.name);
    case.play().await;
    case.is_sound(operator).await;
    took
}

#[test]
fn f07_watches_cut() {
    run(async {
        let (ended, broken) = (Case::new("f7-end").await, Case::new("f7-break").await);
        let proxy = Proxy::resetting(ended.control_plane, "f7-reset").await;
        let reset = Case::within(ended.control_plane, "f7-reset", proxy).await;
        let cases = (resumes(&ended, Cut::End), resumes(&broken, Cut::Break), resumes(&reset, Cut::Break));
        let (first, second, third) = futures::future::join3(cases.0, cases.1, cases.2).await;
        let took = [first, second, third].map(|took| format!("{:.1}", took.as_secs_f64())).join(", ");
        ended.report("F7", &format!("resumed after {took} s (ended, broken, reset)"));
    });
}

#[test]
fn f07_watches_silent() {
    run(async {
        let case = Case::new("f7-silent").await;
        let operator = case.operator(&["--watch-silence-limit=3s"]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        // Nothing arrives any more, and nobody says so.
        case.proxy.freeze_watches();
        case.proxy.inject(|asked| if asked.writes() { Fault::None } else { Fault::Hang });
        case.write(NAME, "web", 2).await;
        let begun = Instant::now();
        eventually("the operator says that it is not ready", async || match operator.readiness().await {
            Err(seen) if seen.contains("nothing heard for 3s") => Ok(()),
            seen => Err(format!("{seen:?}")),
        })
        .await;
        let noticed = begun.elapsed().as_secs_f64();
        case.proxy.heal();
        case.proxy.thaw_watches();
        eventually("the operator is ready", async || operator.readiness().await).await;
        case.settled("web", 2).await;
        case.delete(NAME).await;
        operator.stop().await;
        case.report(
            "F7",
            &format!("silence noticed and told at `/readyz` after {noticed:.1} s, then resumed"),
        );
    });
}

#[test]
fn f08_version_expired_in_the_stream() {
    run(async {
        let case = Case::new("f8").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        let before = lists(&case);
        case.proxy.expire_watches();
        case.write("new", "new", 1).await;
        case.deployment("new", 1).await;
        eventually("both kinds are listed once more", async || {
            ensure(lists(&case) == before.map(|count| count + 1), &lists(&case))
        })
        .await;
        case.play().await;
        case.is_sound(operator).await;
        assert_eq!(lists(&case), before.map(|count| count + 1), "once each");
        case.report("F8", "each kind listed once more");
    });
}

#[test]
fn f09_version_expired_at_the_start() {
    run(async {
        let case = Case::new("f9").await;
        let operator = case.operator(&[]).await;
        let before = lists(&case);
        let count = AtomicUsize::new(0);
        case.proxy.inject(move |asked| {
            let is_first = asked.watches() && count.fetch_add(1, Ordering::SeqCst) < KINDS.len();
            if is_first { Fault::status(410) } else { Fault::None }
        });
        case.proxy.cut_watches(Cut::End);
        let begun = Instant::now();
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        eventually("both kinds are listed once more", async || {
            ensure(lists(&case) == before.map(|count| count + 1), &lists(&case))
        })
        .await;
        case.play().await;
        case.holds(operator).await;
        case.report("F9", "each kind listed once more");
    });
}

#[test]
fn f10_deletion_of_a_child_not_told() {
    run(async {
        let case = Case::new("f10").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        case.proxy.filter_watches(|watch, event| !watch.is_of("deployments") || event["type"] != "DELETED");
        let before = case.deployment("web", 1).await;
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        let begun = Instant::now();
        eventually("the Deployment is made again", async || {
            let found = json!(case.deployments.get_opt("web").await.map_err(|error| error.to_string())?);
            ensure(!found.is_null() && found["metadata"]["uid"] != before["metadata"]["uid"], &found)
        })
        .await;
        let took = begun.elapsed().as_secs_f64();
        case.proxy.filter_watches(|_, _| true);
        case.play().await;
        case.is_sound(operator).await;
        case.report(
            "F10",
            &format!("noticed by counting: made again after {took:.1} s (with a check every second)"),
        );
    });
}

#[test]
fn f11_changes_not_told() {
    run(async {
        let case = Case::new("f11").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        // Up and down again, and an object that comes and goes, of all of which nothing is told.
        case.proxy.filter_watches(|watch, _| !watch.is_of(PLURAL));
        case.write(NAME, "web", 5).await;
        case.write("brief", "brief", 1).await;
        case.delete("brief").await;
        case.write(NAME, "web", 1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        case.proxy.filter_watches(|_, _| true);
        // The next change is told of, and with it all that came before.
        case.write(NAME, "web", 2).await;
        case.settled("web", 2).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        case.play().await;
        assert!(
            case.deployments.get_opt("brief").await.expect("an answer").is_none(),
            "nothing is left over"
        );
        case.is_sound(operator).await;
        case.report("F11", "only what was asked for at the end counted, nothing was left over");
    });
}

#[test]
fn f23_version_expired_in_every_stream() {
    const LONG: Duration = Duration::from_secs(20);
    run(async {
        let case = Case::new("f23").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        let (before, begun) = (lists(&case), Instant::now());
        while begun.elapsed() < LONG {
            case.proxy.expire_watches();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let since = [lists(&case)[0] - before[0], lists(&case)[1] - before[1]];
        assert!(since.iter().all(|count| (3..=8).contains(count)), "{since:?} lists in {LONG:?}");
        case.play().await;
        case.is_sound(operator).await;
        let (most, seconds) = (since[0].max(since[1]), LONG.as_secs());
        case.report("F23", &format!("each kind listed {most} times in {seconds} s, ever further apart"));
    });
}

#[test]
fn f36_watches_reset_again_and_again() {
    const TIMES: i32 = 5;
    run(async {
        let shared = Case::new("f36-shared").await;
        let proxy = Proxy::resetting(shared.control_plane, "f36").await;
        let case = Case::within(shared.control_plane, "f36", proxy).await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        let before = lists(&case);
        for replicas in 2..2 + TIMES {
            case.proxy.cut_watches(Cut::Break);
            case.write(NAME, "web", replicas).await;
            case.settled("web", replicas).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(lists(&case), before, "nothing is listed again");
        case.is_sound(operator).await;
        case.report("F36", &format!("reset {TIMES} times: each resumed where it was, without a list"));
    });
}

#[test]
fn f35_no_bookmarks() {
    const LONG: Duration = Duration::from_secs(12);
    run(async {
        let case = Case::new("f35").await;
        case.proxy.filter_watches(|_, event| event["type"] != "BOOKMARK");
        let operator = case.operator(&["--watch-silence-limit=1s"]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        // That there are none has to show first.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let (before, begun) = (lists(&case), Instant::now());
        let watched = case.proxy.count(|asked| asked.watches());
        while begun.elapsed() < LONG {
            operator.readiness().await.expect("ready all the time");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(lists(&case), before, "nothing is listed again");
        let watched = case.proxy.count(|asked| asked.watches()) - watched;
        assert!(watched >= 10, "{watched} watches");
        case.play().await;
        case.is_sound(operator).await;
        case.report("F35", &format!("no list, and ready all the time, in {} s", LONG.as_secs()));
    });
}

#[test]
fn f38_many_namespaces() {
    const NAMESPACES: usize = 50;
    const LONG: Duration = Duration::from_secs(20);
    run(async {
        let case = Case::new("f38").await;
        let names: Vec<_> = (1..NAMESPACES).map(|number| format!("f38-{number}")).collect();
        for name in &names {
            case.control_plane.create_namespace(name).await;
        }
        let scope = format!("--watch-namespace=f38,{}", names.join(","));
        let operator = case.operator(&[&scope]).await;
        let counts = || case.proxy.count(operator_testing::Request::counts);
        let before = counts();
        tokio::time::sleep(LONG).await;
        let each = (counts() - before) / NAMESPACES / KINDS.len();
        // With a check every second and ten watches.
        assert!((1..=3).contains(&each), "{each} counts of each kind in each namespace in {LONG:?}");
        case.play().await;
        case.is_sound(operator).await;
        let seconds = LONG.as_secs();
        case.report("F38", &format!("each kind counted {each} times in each namespace in {seconds} s"));
    });
}
