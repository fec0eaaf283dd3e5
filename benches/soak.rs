//! Many objects for a long time: a generated operator, built for release, with 10,000 objects on a real API server.
//!
//! `SOAK_OBJECTS` (10000) and `SOAK_MINUTES` (10) change how many and how long. What is measured goes to stdout as a
//! table in Markdown; a write in the steady state, or memory that grows by more than a tenth, ends it with a panic.
#![expect(clippy::print_stdout, reason = "the table is what this is for")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "metrics are counts in floating point"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use common::Sandbox;
use common::cluster::{Cluster, free_port, run, target, target_environment};
use common::operator::{Operator, http, samples};

/// How many programs create objects at the same time.
const CREATORS: usize = 8;
/// Everything is reconciled again about this often.
const SYNC_PERIOD: &str = "2m";
const QUIET: Duration = Duration::from_secs(20);

fn main() {
    let (objects, minutes) = (number("SOAK_OBJECTS", 10_000), number("SOAK_MINUTES", 10));
    let sandbox = Sandbox::with_iris();
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--release"]).current_dir(sandbox.path());
    build.envs(target_environment());
    run(build, "").expect("the project builds");
    let cluster = Cluster::start();
    cluster.define(&sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml"));
    create(&cluster, objects);

    println!(
        "| phase | seconds | CPU seconds | memory, MB | reconciles | reads | writes |\n|---|---|---|---|---|---|---|"
    );
    let mut operator = Running::start(&cluster);
    operator.settle(objects, "everything is new");
    operator.process.stop();

    let mut operator = Running::start(&cluster);
    let written = operator.settle(objects, "restart, everything is there").writes;
    assert!(written == 0, "{written} writes after a restart");
    let (begin, mut first) = (Instant::now(), None);
    while begin.elapsed() < Duration::from_secs(60 * minutes) {
        sleep(Duration::from_secs(60));
        let now = operator.row("steady state", operator.begin);
        assert!(now.writes == 0, "{} writes in the steady state", now.writes);
        // Every object has been reconciled twice, at its start and by the resync: what grows from here is a leak.
        if now.reconciles > 2 * objects {
            let first = *first.get_or_insert(now.memory);
            assert!(now.memory < first * 1.1, "memory grew from {first} MB to {} MB", now.memory);
        }
    }
    operator.process.stop();
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

/// Creates that many objects, each with a Deployment of its own to ask for.
fn create(cluster: &Cluster, objects: u64) {
    thread::scope(|scope| {
        for creator in 0..CREATORS {
            scope.spawn(move || {
                let mut manifests = String::new();
                for number in (0..objects).filter(|number| number % CREATORS as u64 == creator as u64) {
                    let _ = writeln!(
                        manifests,
                        "---\napiVersion: test.myardyas.club/v1alpha1\nkind: Iris\nmetadata: {{name: iris-{number}}}\n\
                         spec: {{deploymentName: iris-{number}, replicas: 1}}"
                    );
                }
                let create = ["create", "--namespace=default", "-f", "-"];
                cluster.try_kubectl(&create, &manifests).expect("objects");
            });
        }
    });
}

struct Running {
    process: Operator,
    port: u16,
    begin: Instant,
}

/// What the operator has done and used since its start.
struct Row {
    memory: f64,
    reconciles: u64,
    writes: u64,
}

impl Running {
    fn start(cluster: &Cluster) -> Self {
        let port = free_port();
        let process = Operator::start(
            Command::new(target().join("release/iris"))
                .args(["--metrics-secure=false", &format!("--metrics-bind-address=127.0.0.1:{port}")])
                .args([&format!("--sync-period={SYNC_PERIOD}"), "--log-level=warn"])
                .env("KUBECONFIG", cluster.kubeconfig())
                .env_remove("WATCH_NAMESPACE")
                .stderr(Stdio::inherit()),
        );
        Self { process, port, begin: Instant::now() }
    }

    /// Waits until all objects have been reconciled and nothing has been written for a while.
    fn settle(&self, objects: u64, phase: &str) -> Row {
        let (mut written, mut since) = (u64::MAX, Instant::now());
        loop {
            sleep(Duration::from_millis(500));
            let Some(metrics) = self.metrics() else { continue };
            let writes = writes(&metrics);
            if writes != written || sum(&metrics, "controller_runtime_reconcile_total{") < objects as f64 {
                (written, since) = (writes, Instant::now());
            } else if since.elapsed() > QUIET {
                return self.row(phase, since);
            }
        }
    }

    /// Prints a row of the table; the phase ended at `end`.
    fn row(&self, phase: &str, end: Instant) -> Row {
        let metrics = self.metrics().expect("metrics");
        let took = if end == self.begin { self.begin.elapsed() } else { end - self.begin };
        let memory = sum(&metrics, "process_resident_memory_bytes") / 1e6;
        let cpu = sum(&metrics, "process_cpu_seconds");
        let reconciles = sum(&metrics, "controller_runtime_reconcile_total{") as u64;
        let writes = writes(&metrics);
        let reads = sum(&metrics, "rest_client_requests_total{") as u64 - writes;
        let took = took.as_secs_f64();
        println!("| {phase} | {took:.1} | {cpu:.1} | {memory:.1} | {reconciles} | {reads} | {writes} |");
        Row { memory, reconciles, writes }
    }

    fn metrics(&self) -> Option<String> {
        http(self.port, "/metrics").ok()
    }
}

fn writes(metrics: &str) -> u64 {
    let all = sum(metrics, "rest_client_requests_total{");
    let reads: f64 = samples(metrics, "rest_client_requests_total{")
        .filter(|(line, _)| line.contains("\"GET\""))
        .map(|(_, value)| value)
        .sum();
    (all - reads) as u64
}

fn sum(metrics: &str, start: &str) -> f64 {
    samples(metrics, start).map(|(_, value)| value).sum()
}
