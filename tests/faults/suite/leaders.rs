//! Two replicas, of which one may work: hand-over, theft and deletion of the Lease, slow requests for it, a frozen leader,
//! and one that is cut off.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use operator_testing::{AuditEvent, Fault, Operator, Proxy, Request, ensure, eventually};
use serde_json::json;
use tokio::time::sleep;

use crate::case::{Case, NAME};
use crate::run;

/// Short, so that tests need not wait long; in the proportions of the defaults.
const QUICK: [&str; 3] = [
    "--leader-elect-lease-duration=3s",
    "--leader-elect-renew-deadline=2s",
    "--leader-elect-retry-period=500ms",
];
/// So that a hiccup of the machine is none of the operator's. Requests for the Lease have a limit of their own.
const PATIENT: [&str; 4] = [
    "--leader-elect-lease-duration=6s",
    "--leader-elect-renew-deadline=4s",
    "--leader-elect-retry-period=500ms",
    "--request-timeout=10s",
];
/// So that who waits for the Lease to expire is late.
const SLOW: [&str; 1] = ["--leader-elect-retry-period=1s"];
const LEASE: Duration = Duration::from_secs(3);

/// Two replicas of an operator in one namespace, the first of which leads.
struct Pair {
    first: Case<'static>,
    second: Case<'static>,
    leases: Api<Lease>,
}

impl Pair {
    async fn new(name: &str, timings: &[&str]) -> (Self, Operator, Operator) {
        let first = Case::new(name).await;
        let proxy = Proxy::start(first.control_plane, &format!("{name}-second")).await;
        let second = first.beside(proxy, &format!("{name}-second"));
        let leases = Api::namespaced(first.control_plane.client(), name);
        let pair = Self { first, second, leases };
        let leader = pair.replica(&pair.first, timings);
        pair.first.write(NAME, "web", 1).await;
        pair.first.settled("web", 1).await;
        let mut standby = pair.replica(&pair.second, timings);
        // A standby is as ready as it can be.
        standby.ready().await;
        assert!(leader.metric("leader_election_master_status{").await > 0.5);
        let metrics = standby.metrics().await.expect("metrics");
        assert!(
            metrics.lines().any(|it| it.starts_with("leader_election_master_status{") && it.ends_with(" 0"))
        );
        (pair, leader, standby)
    }

    fn replica(&self, case: &Case, timings: &[&str]) -> Operator {
        let namespace = format!("--leader-election-namespace={}", self.first.name);
        case.launch(&[timings, &["--leader-elect", &namespace]].concat())
    }

    /// What each replica has written about anything but the Lease.
    fn writes(&self) -> [Vec<AuditEvent>; 2] {
        [&self.first, &self.second].map(|case| {
            let writes = case.writes().into_iter();
            writes.filter(|it| it.succeeded() && it.resource != "leases").collect()
        })
    }

    /// From the moment the second replica writes, the first one does not.
    fn assert_one_writer(&self) {
        let [first, second] = self.writes();
        let begin = second.iter().map(|write| &write.received).min().expect("the second replica has written");
        let late: Vec<_> = first.iter().filter(|write| write.received >= *begin).collect();
        assert!(late.is_empty(), "two writers: {late:?}");
    }
}

#[test]
fn f15_lead_handed_over() {
    run(async {
        let (pair, leader, standby) = Pair::new("f15-stop", &SLOW).await;
        let begun = Instant::now();
        leader.stop().await;
        pair.first.write(NAME, "web", 2).await;
        pair.first.deployment("web", 2).await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?}");
        pair.assert_one_writer();
        standby.stop().await;

        // One that reaches nobody stops as soon as it is told to.
        let alone = Case::new("f15-alone").await;
        alone.proxy.inject(|_| Fault::Hang);
        let replica = alone.launch(&["--leader-elect", "--leader-election-namespace=f15-alone"]);
        eventually("it asks for the Lease", async || {
            ensure(!alone.proxy.requests().is_empty(), &"nothing asked")
        })
        .await;
        let stopped = replica.stop().await;
        assert!(stopped < Duration::from_secs(3), "{stopped:?}");
        pair.first.report("F15", &format!("stopped: the other one worked after {:.1} s", took.as_secs_f64()));
    });
}

#[test]
fn f15_lead_lost() {
    run(async {
        let (took, ..) = Box::pin(futures::future::join3(frozen(), stolen(), cut_off())).await;
        let case = Case::new("f15").await;
        case.report(
            "F15",
            &format!("frozen, robbed or cut off: never two writers; another one worked after {took:.1} s"),
        );
    });
}

/// The leader does not run for a while, and does not know.
async fn frozen() -> f64 {
    let (pair, leader, standby) = Pair::new("f15-freeze", &QUICK).await;
    leader.freeze();
    let begun = Instant::now();
    // Work for both of them.
    pair.first.write(NAME, "web", 2).await;
    pair.first.deployment("web", 2).await;
    let took = begun.elapsed();
    assert!(took > LEASE.mul_f64(0.5) && took < LEASE * 2 + Duration::from_secs(2), "{took:?}");
    pair.first.write(NAME, "web", 3).await;
    leader.thaw();
    pair.first.write(NAME, "web", 4).await;
    assert!(!leader.ended().await, "it ends with a failure");
    pair.first.deployment("web", 4).await;
    pair.assert_one_writer();
    standby.stop().await;
    took.as_secs_f64()
}

/// Somebody writes another holder into the Lease, and does nothing with it.
async fn stolen() {
    let (pair, leader, standby) = Pair::new("f15-theft", &QUICK).await;
    let leases = pair.leases.list(&ListParams::default()).await.expect("leases");
    let name = leases.items[0].metadata.name.clone().expect("a name");
    let theft = json!({ "spec": { "holderIdentity": "thief", "leaseDurationSeconds": 3 } });
    pair.leases.patch(&name, &PatchParams::default(), &Patch::Merge(theft)).await.expect("patch");
    // Work for both of them.
    pair.first.write(NAME, "web", 2).await;
    assert!(!leader.ended().await, "it ends with a failure");
    pair.first.write(NAME, "web", 3).await;
    pair.first.deployment("web", 3).await;
    pair.assert_one_writer();
    standby.stop().await;
}

/// The leader reaches nobody, and gives up before another one may begin.
async fn cut_off() {
    let (pair, leader, standby) = Pair::new("f15-partition", &QUICK).await;
    pair.first.proxy.inject(|_| Fault::Hang);
    pair.first.proxy.freeze_watches();
    pair.first.write(NAME, "web", 2).await;
    assert!(!leader.ended().await, "it ends with a failure");
    assert!(pair.writes()[1].is_empty(), "before the other one begins");
    pair.first.proxy.heal();
    pair.first.deployment("web", 2).await;
    pair.assert_one_writer();
    eventually("the standby leads", async || {
        let leads = standby.metric("leader_election_master_status{").await;
        ensure(leads > 0.5, &leads)
    })
    .await;
    standby.stop().await;
}

#[test]
fn f21_lease_requests_slow() {
    run(async {
        let (pair, mut leader, standby) = Pair::new("f21", &PATIENT).await;
        let renews = |asked: &Request| asked.writes_to("leases");
        let count = AtomicUsize::new(0);
        pair.first.proxy.inject(move |asked| {
            let is_first = renews(asked) && count.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { Fault::Hang } else { Fault::None }
        });
        sleep(Duration::from_secs(8)).await;
        leader.assert_alive().await;
        // Of the deadline a request may take half.
        let late = Fault::Delay(Duration::from_millis(1500));
        pair.first.proxy.inject(move |asked| if renews(asked) { late.clone() } else { Fault::None });
        sleep(Duration::from_secs(8)).await;
        leader.assert_alive().await;
        assert!(leader.metric("leader_election_master_status{").await > 0.5, "it leads on");
        pair.first.write(NAME, "web", 2).await;
        pair.first.deployment("web", 2).await;
        assert!(pair.writes()[1].is_empty(), "the standby stands by");
        pair.first.proxy.heal();
        leader.stop().await;
        standby.stop().await;
        pair.first.report("F21", "an unanswered request, and then eight seconds of slow ones: the leader worked on");
    });
}

#[test]
fn f22_lease_deleted() {
    run(async {
        let (pair, leader, standby) = Pair::new("f22", &QUICK).await;
        let hang = |asked: &Request| if asked.path.contains("/leases") { Fault::Hang } else { Fault::None };
        pair.first.proxy.inject(hang);
        let leases = pair.leases.list(&ListParams::default()).await.expect("leases");
        let name = leases.items[0].metadata.name.clone().expect("a name");
        pair.leases.delete(&name, &DeleteParams::default()).await.expect("delete");
        let begun = Instant::now();
        assert!(!leader.ended().await, "it ends with a failure");
        let leads = standby.metric("leader_election_master_status{").await;
        assert!(leads < 0.5 && pair.writes()[1].is_empty(), "before the other one begins");
        pair.first.write(NAME, "web", 2).await;
        pair.first.deployment("web", 2).await;
        let took = begun.elapsed();
        pair.assert_one_writer();
        standby.stop().await;
        let seconds = took.as_secs_f64();
        pair.first.report("F22", &format!("never two writers; another one worked after {seconds:.1} s"));
    });
}
