//! Metrics. What managers written in Go have too has the same name, so that their dashboards and alerts work here.

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
use crate::reconcile::{Action, Failure, PANICKED};

const BUCKETS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Names and values that tell the members of a family apart.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: RwLock<Registry>,
    reconciles: Family<Labels<2>, Counter>,
    errors: Family<Labels<1>, Counter>,
    panics: Family<Labels<1>, Counter>,
    undecodable: Family<[(&'static str, String); 1], Counter>,
    seconds: Family<Labels<1>, Histogram>,
    active: Family<Labels<1>, Gauge>,
    retries: Family<Labels<1>, Counter>,
    leader: Family<Labels<1>, Gauge>,
    requests: Family<[(&'static str, String); 3], Counter>,
}

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
            undecodable: add(&mut all, "controller_runtime_undecodable_objects", "Objects not decoded"),
            active: add(&mut all, "controller_runtime_active_workers", "Reconciles running now"),
            retries: add(&mut all, "workqueue_retries", "Reconciles tried again after a failure"),
            leader: add(&mut all, "leader_election_master_status", "Whether this replica leads"),
            requests: add(&mut all, "rest_client_requests", "Requests to the API server"),
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
    /// All metrics in the `OpenMetrics` text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry.read());
        text
    }

    /// A controller exists: its counters start at zero.
    pub(crate) fn controller(&self, controller: &'static str) {
        for result in ["success", "requeue_after", "error"] {
            let _ = self.reconciles.get_or_create(&[("controller", controller), ("result", result)]);
        }
        for family in [&self.errors, &self.panics] {
            let _ = family.get_or_create(&[("controller", controller)]);
        }
        let _ = self.active.get_or_create(&[("controller", controller)]);
        let _ = self.retries.get_or_create(&[("name", controller)]);
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
                if failure.reason == PANICKED {
                    self.panics.get_or_create(&of).inc();
                }
                self.retries.get_or_create(&[("name", controller)]).inc();
                "error"
            }
        };
        self.reconciles.get_or_create(&[("controller", controller), ("result", name)]).inc();
    }

    /// The API server answered a request with the status `code`, or did not.
    pub(crate) fn request(&self, method: &Method, code: String, host: &str) {
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
    }
}
