//! What is measured of work queues, under client-go's names and with controller-runtime's labels and buckets.

use std::fmt::Error;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Priority, WorkQueue};

/// Seconds: client-go's, from ten nanoseconds on.
const BUCKETS: [f64; 12] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];

/// The queue's name, twice: as client-go and as controller-runtime call it.
pub(crate) type Labels = [(&'static str, &'static str); 2];

/// The labels of the queue of that name.
pub(crate) fn labels(name: &'static str) -> Labels {
    [("name", name), ("controller", name)]
}

/// What is measured of one queue.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Keys that were added.
    pub(super) adds: Counter,
    /// How long they waited for their turn, in seconds.
    pub(super) waited: Histogram,
    /// How long their reconciles took, in seconds.
    pub(super) worked: Histogram,
}

impl Default for Measured {
    fn default() -> Self {
        Self { adds: Counter::default(), waited: durations(), worked: durations() }
    }
}

fn durations() -> Histogram {
    Histogram::new(BUCKETS)
}

/// What a queue is doing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) high: usize,
    pub(super) low: usize,
    /// Seconds that the reconciles which run have taken so far, together.
    pub(super) unfinished: f64,
    /// Those of the one that has run the longest.
    pub(super) longest: f64,
}

/// The queues of one manager.
#[derive(Debug)]
pub(crate) struct Queues {
    adds: Family<Labels, Counter>,
    waited: Family<Labels, Histogram, fn() -> Histogram>,
    worked: Family<Labels, Histogram, fn() -> Histogram>,
    known: Arc<Known>,
}

/// What of a snapshot is a gauge's value.
type Value = fn(&Snapshot) -> f64;

/// The queues that are there, by their names.
#[derive(Debug, Default)]
struct Known(Mutex<Vec<(&'static str, Weak<WorkQueue>)>>);

impl Queues {
    /// No queue yet; what is measured of them is in `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let (adds, known) = (Family::default(), Arc::default());
        let family = || Family::new_with_constructor(durations as fn() -> Histogram);
        let (waited, worked) = (family(), family());
        registry.register("workqueue_adds", "Keys added to the work queue", adds.clone());
        let help = "How long a key waits in the work queue before it is asked for";
        registry.register_with_unit("workqueue_queue_duration", help, Unit::Seconds, waited.clone());
        let help = "How long a key of the work queue is worked on";
        registry.register_with_unit("workqueue_work_duration", help, Unit::Seconds, worked.clone());
        registry.register_collector(Box::new(Arc::clone(&known)));
        Self { adds, waited, worked, known }
    }

    /// The queue of a controller.
    pub(crate) fn create(&self, name: &'static str) -> Arc<WorkQueue> {
        let labels = labels(name);
        let measured = Measured {
            adds: self.adds.get_or_create_owned(&labels),
            waited: self.waited.get_or_create_owned(&labels),
            worked: self.worked.get_or_create_owned(&labels),
        };
        let queue = Arc::new(WorkQueue { measured, ..WorkQueue::default() });
        self.known.0.lock().push((name, Arc::downgrade(&queue)));
        queue
    }
}

impl Collector for Known {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let known = self.0.lock();
        let queues: Vec<_> = known
            .iter()
            .filter_map(|(name, queue)| Some((labels(name), queue.upgrade()?.snapshot())))
            .collect();
        let help = "Keys in the work queue, by their priority";
        let mut depth = encoder.encode_descriptor("workqueue_depth", help, None, MetricType::Gauge)?;
        for (labels, snapshot) in &queues {
            for (priority, count) in [(Priority::High, snapshot.high), (Priority::Low, snapshot.low)] {
                let labels = [labels[0], labels[1], ("priority", priority.label())];
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                ConstGauge::new(count).encode(depth.encode_family(&labels)?)?;
            }
        }
        let gauges: [(_, _, Value); 2] = [
            (
                "workqueue_unfinished_work_seconds",
                "Seconds that the reconciles which run now have taken so far, together",
                |snapshot| snapshot.unfinished,
            ),
            (
                "workqueue_longest_running_processor_seconds",
                "Seconds that the reconcile which has run the longest has taken so far",
                |snapshot| snapshot.longest,
            ),
        ];
        for (name, help, value) in gauges {
            let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, snapshot) in &queues {
                ConstGauge::new(value(snapshot)).encode(gauge.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}
