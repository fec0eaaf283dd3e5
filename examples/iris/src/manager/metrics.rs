//! Metrics under the names of controller-runtime, so that dashboards and alerts for Go operators work.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::fs;
use std::time::Duration;

type Labels = Vec<(&'static str, String)>;

/// Every metric of the manager.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Labels, Counter>,
    errors: Family<Labels, Counter>,
    panics: Family<Labels, Counter>,
    time: Family<Labels, Histogram>,
    active: Family<Labels, Gauge>,
    capacity: Family<Labels, Gauge>,
    depth: Family<Labels, Gauge>,
    retries: Family<Labels, Counter>,
    undecodable: Family<Labels, Counter>,
    leader: Family<Labels, Gauge>,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    Success,
    RequeueAfter,
    Error,
    Panic,
}

impl Metrics {
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        // From 5 ms to a minute: controller-runtime's own buckets.
        let buckets = || {
            const BOUNDS: [f64; 15] = [
                0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0,
            ];
            Histogram::new(BOUNDS)
        };
        let metrics = Self {
            reconciles: register(
                &mut registry,
                "controller_runtime_reconcile",
                "Reconciles by controller and result",
                Family::default(),
            ),
            errors: register(
                &mut registry,
                "controller_runtime_reconcile_errors",
                "Reconciles that failed",
                Family::default(),
            ),
            panics: register(
                &mut registry,
                "controller_runtime_reconcile_panics",
                "Reconciles that panicked",
                Family::default(),
            ),
            time: register(
                &mut registry,
                "controller_runtime_reconcile_time_seconds",
                "Time that reconciles took",
                Family::new_with_constructor(buckets),
            ),
            active: register(
                &mut registry,
                "controller_runtime_active_workers",
                "Reconciles under way",
                Family::default(),
            ),
            capacity: register(
                &mut registry,
                "controller_runtime_max_concurrent_reconciles",
                "Reconciles that may be under way",
                Family::default(),
            ),
            depth: register(
                &mut registry,
                "workqueue_depth",
                "Objects that wait for a reconcile",
                Family::default(),
            ),
            retries: register(
                &mut registry,
                "workqueue_retries",
                "Objects queued again after a failure",
                Family::default(),
            ),
            undecodable: register(
                &mut registry,
                "watch_undecodable_objects",
                "States of objects that were set aside because they do not decode",
                Family::default(),
            ),
            leader: register(
                &mut registry,
                "leader_election_master_status",
                "1 on the replica that leads, 0 on the others",
                Family::default(),
            ),
            registry: Registry::default(),
        };
        registry.register_collector(Box::new(Process));
        Self { registry, ..metrics }
    }

    /// Shows a controller's metrics from the start, at zero.
    pub fn announce(&self, controller: &str, concurrency: usize) {
        for result in ["success", "error", "requeue", "requeue_after"] {
            let labels = vec![
                ("controller", controller.to_owned()),
                ("result", result.to_owned()),
            ];
            let _ = self.reconciles.get_or_create(&labels);
        }
        for family in [&self.errors, &self.panics] {
            let _ = family.get_or_create(&by_controller(controller));
        }
        self.active.get_or_create(&by_controller(controller)).set(0);
        self.capacity
            .get_or_create(&by_controller(controller))
            .set(concurrency.try_into().unwrap_or(i64::MAX));
    }

    pub fn started(&self, controller: &str) {
        self.active.get_or_create(&by_controller(controller)).inc();
    }

    pub fn ended(&self, controller: &str, outcome: Outcome, time: Duration) {
        self.active.get_or_create(&by_controller(controller)).dec();
        self.time
            .get_or_create(&by_controller(controller))
            .observe(time.as_secs_f64());
        let result = match outcome {
            Outcome::Success => "success",
            Outcome::RequeueAfter => "requeue_after",
            Outcome::Error | Outcome::Panic => "error",
        };
        let labels = vec![
            ("controller", controller.to_owned()),
            ("result", result.to_owned()),
        ];
        self.reconciles.get_or_create(&labels).inc();
        if result == "error" {
            self.errors.get_or_create(&by_controller(controller)).inc();
            self.retries
                .get_or_create(&vec![("name", controller.to_owned())])
                .inc();
        }
        if outcome == Outcome::Panic {
            self.panics.get_or_create(&by_controller(controller)).inc();
        }
    }

    pub fn queued(&self, controller: &str, depth: usize) {
        let labels = vec![("name", controller.to_owned())];
        self.depth
            .get_or_create(&labels)
            .set(depth.try_into().unwrap_or(i64::MAX));
    }

    pub fn undecodable(&self, kind: &str) {
        self.undecodable
            .get_or_create(&vec![("kind", kind.to_owned())])
            .inc();
    }

    pub fn leading(&self, lease: &str, leads: bool) {
        self.leader
            .get_or_create(&vec![("name", lease.to_owned())])
            .set(leads.into());
    }

    /// All metrics in the `OpenMetrics` text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn by_controller(controller: &str) -> Labels {
    vec![("controller", controller.to_owned())]
}

fn register<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// What Linux says of this process; nothing elsewhere.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: Option<f64>| match value {
            Some(value) => {
                let metric = ConstGauge::new(value);
                metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
            }
            None => Ok(()),
        };
        gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes",
            resident_bytes(),
        )?;
        gauge("process_open_fds", "Open file descriptors", open_files())?;
        match cpu_seconds() {
            Some(seconds) => {
                let metric = ConstCounter::new(seconds);
                let help = "User and system CPU time in seconds";
                metric.encode(encoder.encode_descriptor(
                    "process_cpu_seconds",
                    help,
                    None,
                    metric.metric_type(),
                )?)
            }
            None => Ok(()),
        }
    }
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<f64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024.0)
}

fn open_files() -> Option<f64> {
    u32::try_from(fs::read_dir("/proc/self/fd").ok()?.count())
        .ok()
        .map(f64::from)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15, counted from behind the name, in hundredths of a second.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some((next()? + next()?) / 100.0)
}
