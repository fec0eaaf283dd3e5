//! Metrics. What managers written in Go have too has the same name, so that their dashboards and alerts work here.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::Method;
use parking_lot::RwLock;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::process::Process;
use crate::queue::WorkQueue;
use crate::queue::metrics::{Queues, labels};
use crate::reconcile::{Action, Failure, PANICKED, TIMED_OUT};

/// Seconds of requests to the API server: controller-runtime's.
const REQUEST_BUCKETS: [f64; 12] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];
/// Seconds of reconciles: controller-runtime's.
const BUCKETS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0,
    50.0, 60.0,
];

/// Names and values that tell the members of a family apart.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: RwLock<Registry>,
    reconciles: Family<Labels<2>, Counter>,
    errors: Family<Labels<1>, Counter>,
    panics: Family<Labels<1>, Counter>,
    timeouts: Family<Labels<1>, Counter>,
    terminal: Family<Labels<1>, Counter>,
    most: Family<Labels<1>, Gauge>,
    undecodable: Family<[(&'static str, String); 1], Counter>,
    seconds: Family<Labels<1>, Histogram>,
    active: Family<Labels<1>, Gauge>,
    retries: Family<Labels<2>, Counter>,
    queues: Queues,
    leader: Family<Labels<1>, Gauge>,
    slow_renewals: Family<Labels<1>, Counter>,
    requests: Family<[(&'static str, String); 3], Counter>,
    /// Only if somebody asks for it: there are many series.
    request_seconds: OnceLock<Requests>,
}

/// By verb and host, how long requests take.
type Requests = Family<[(&'static str, String); 2], Histogram>;

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Registry::default();
        let seconds: Family<Labels<1>, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let (name, help) = ("controller_runtime_reconcile_time", "Length of time of reconciles");
        all.register_with_unit(name, help, Unit::Seconds, seconds.clone());
        all.register_collector(Box::new(Process));
        Self {
            seconds,
            reconciles: add(&mut all, "controller_runtime_reconcile", "Reconciles by result"),
            errors: add(&mut all, "controller_runtime_reconcile_errors", "Reconciles that failed"),
            panics: add(&mut all, "controller_runtime_reconcile_panics", "Reconciles that panicked"),
            timeouts: add(&mut all, "controller_runtime_reconcile_timeouts", "Reconciles that took too long"),
            terminal: add(
                &mut all,
                "controller_runtime_terminal_reconcile_errors",
                "Reconciles that are not tried again",
            ),
            most: add(&mut all, "controller_runtime_max_concurrent_reconciles", "Most reconciles at a time"),
            undecodable: add(&mut all, "controller_runtime_undecodable_objects", "Objects not decoded"),
            active: add(&mut all, "controller_runtime_active_workers", "Reconciles running now"),
            retries: add(&mut all, "workqueue_retries", "Reconciles tried again after a failure"),
            leader: add(&mut all, "leader_election_master_status", "Whether this replica leads"),
            slow_renewals: add(
                &mut all,
                "leader_election_slowpath",
                "Renewals of the Lease that had to read it first",
            ),
            requests: add(&mut all, "rest_client_requests", "Requests to the API server"),
            request_seconds: OnceLock::new(),
            queues: Queues::new(&mut all),
            registry: RwLock::new(all),
        }
    }
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// All metrics in the text format of `OpenMetrics` 1.0.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry.read());
        text
    }

    /// All metrics in Prometheus' own text format.
    pub(crate) fn plain_text(&self) -> String {
        plain(&self.text())
    }

    /// The work queue of a controller.
    pub(crate) fn queue(&self, controller: &'static str) -> Arc<WorkQueue> {
        self.queues.create(controller)
    }

    /// A controller exists, which runs so many reconciles at a time: its counters start at zero.
    pub(crate) fn controller(&self, controller: &'static str, concurrency: usize) {
        for result in ["success", "requeue", "requeue_after", "error"] {
            let _ = self.reconciles.get_or_create(&[("controller", controller), ("result", result)]);
        }
        for family in [&self.errors, &self.panics, &self.timeouts, &self.terminal] {
            let _ = family.get_or_create(&[("controller", controller)]);
        }
        let _ = self.active.get_or_create(&[("controller", controller)]);
        let _ = self.seconds.get_or_create(&[("controller", controller)]);
        let most = i64::try_from(concurrency).unwrap_or(i64::MAX);
        self.most.get_or_create(&[("controller", controller)]).set(most);
        let _ = self.retries.get_or_create(&labels(controller));
    }

    /// A reconcile begins.
    pub(crate) fn begin(&self, controller: &'static str) {
        self.active.get_or_create(&[("controller", controller)]).inc();
    }

    /// A reconcile ended. If it failed, it is going to be tried again.
    pub(crate) fn end(&self, controller: &'static str, result: &Result<Action, Failure>, took: Duration) {
        let of = [("controller", controller)];
        self.active.get_or_create(&of).dec();
        self.seconds.get_or_create(&of).observe(took.as_secs_f64());
        let name = match result {
            Ok(Action::AwaitChange) => "success",
            Ok(Action::Requeue(_)) => "requeue_after",
            Err(failure) if !failure.is_error() => "requeue_after",
            Err(failure) => {
                self.errors.get_or_create(&of).inc();
                match failure.reason {
                    PANICKED => {
                        self.panics.get_or_create(&of).inc();
                    }
                    TIMED_OUT => {
                        self.timeouts.get_or_create(&of).inc();
                    }
                    _ => {}
                }
                if failure.is_terminal() {
                    self.terminal.get_or_create(&of).inc();
                } else {
                    self.retries.get_or_create(&labels(controller)).inc();
                }
                "error"
            }
        };
        self.reconciles.get_or_create(&[("controller", controller), ("result", name)]).inc();
    }

    /// From now on it is measured how long requests to the API server take.
    pub(crate) fn measure_requests(&self) {
        self.request_seconds.get_or_init(|| {
            let family: Requests = Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS));
            let help = "Length of time of requests to the API server";
            let mut registry = self.registry.write();
            registry.register_with_unit("rest_client_request_duration", help, Unit::Seconds, family.clone());
            family
        });
    }

    /// The API server answered a request with the status `code`, or did not.
    pub(crate) fn request(&self, method: &Method, code: String, host: &str, took: Duration) {
        if let Some(seconds) = self.request_seconds.get() {
            let labels = [("verb", method.to_string()), ("host", host.to_owned())];
            seconds.get_or_create(&labels).observe(took.as_secs_f64());
        }
        let labels = [("code", code), ("method", method.to_string()), ("host", host.to_owned())];
        self.requests.get_or_create(&labels).inc();
    }

    /// An object could not be decoded.
    pub(crate) fn undecodable(&self, kind: &str) {
        self.undecodable.get_or_create(&[("kind", kind.to_owned())]).inc();
    }

    /// Objects of a kind are watched: their counter starts at zero.
    pub(crate) fn informer(&self, kind: &str) {
        let _ = self.undecodable.get_or_create(&[("kind", kind.to_owned())]);
    }

    /// Adds metrics of the user's own.
    pub(crate) fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.write());
    }

    /// Whether this replica leads.
    pub(crate) fn leader(&self, name: &'static str, leads: bool) {
        self.leader.get_or_create(&[("name", name)]).set(i64::from(leads));
        let _ = self.slow_renewals.get_or_create(&[("name", name)]);
    }

    /// A renewal of the Lease had to read it first.
    pub(crate) fn renewed_slowly(&self, name: &'static str) {
        self.slow_renewals.get_or_create(&[("name", name)]).inc();
    }
}

/// `OpenMetrics` in Prometheus' own text format, in which a counter's name is that of its series, and there are no units
/// (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).
fn plain(text: &str) -> String {
    let is_counter = |name: &str| text.contains(&format!("# TYPE {name} counter\n"));
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "EOF"] | ["#", "UNIT", ..] => continue,
            ["#", word, name, rest] if is_counter(name) => {
                // Writing to a string cannot fail.
                let _ = write!(plain, "# {word} {name}_total {rest}");
            }
            _ => plain.push_str(line),
        }
        plain.push('\n');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_own_format_names_counters_as_their_series() {
        let metrics = Metrics::default();
        metrics.controller("x", 3);
        metrics.request(&Method::GET, "200".to_owned(), "host", Duration::from_secs(1));
        let text = metrics.plain_text();
        for line in [
            "# TYPE controller_runtime_reconcile_errors_total counter",
            "controller_runtime_reconcile_errors_total{controller=\"x\"} 0",
            "controller_runtime_max_concurrent_reconciles{controller=\"x\"} 3",
            "# TYPE controller_runtime_reconcile_time_seconds histogram",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
        assert!(!text.contains("rest_client_request_duration"), "nobody asked for it");
        metrics.measure_requests();
        metrics.measure_requests();
        metrics.request(&Method::GET, "200".to_owned(), "host", Duration::from_secs(1));
        let line = "rest_client_request_duration_seconds_count{verb=\"GET\",host=\"host\"} 1\n";
        assert_eq!(metrics.text().matches(line).count(), 1, "{}", metrics.text());
    }
}
