//! The work queue of one controller: keys that are to be reconciled, each at most once at a time, as client-go's.

pub(crate) mod metrics;

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};

use crate::object::ObjectKey;

use metrics::{Measured, Snapshot};

/// What is reconciled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody changed something.
    High,
    /// Start-up, and what is looked at again once in a while.
    Low,
}

impl Priority {
    /// How controller-runtime's metrics call it.
    fn label(self) -> &'static str {
        match self {
            Self::High => "0",
            Self::Low => "-100",
        }
    }
}

/// Keys on their way to a reconcile.
#[derive(Debug, Default)]
pub(crate) struct WorkQueue {
    state: Mutex<State>,
    added: Notify,
    measured: Measured,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were added.
    ready: BTreeSet<(Priority, u64, ObjectKey)>,
    delayed: BTreeSet<(Instant, ObjectKey)>,
    /// Where each key of the two is.
    places: BTreeMap<ObjectKey, Place>,
    running: BTreeMap<ObjectKey, Running>,
    added: u64,
}

/// What is being reconciled.
#[derive(Debug)]
struct Running {
    since: Instant,
    /// Whether it has to be again, as soon as it is done.
    again: Option<Priority>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// With its number, and since when.
    Ready(Priority, u64, Instant),
    Delayed(Instant),
}

impl WorkQueue {
    /// Asks for a reconcile as soon as it is this key's turn.
    pub(crate) fn add(&self, key: ObjectKey, priority: Priority) {
        self.state.lock().add(key, priority, &self.measured);
        self.added.notify_one();
    }

    /// Asks for a reconcile after `delay`, if there is none before.
    pub(crate) fn add_after(&self, key: ObjectKey, delay: Duration) {
        self.state.lock().add_after(key, delay);
        self.added.notify_one();
    }

    /// Waits for a key whose turn it is. It is not given again before [`WorkQueue::done`].
    pub(crate) async fn get(&self) -> ObjectKey {
        loop {
            let next = {
                let mut state = self.state.lock();
                state.promote(&self.measured);
                if let Some(key) = state.pop(&self.measured) {
                    return key;
                }
                state.delayed.first().map(|(due, _)| *due)
            };
            let due = async {
                match next {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.added.notified() => {}
                () = due => {}
            }
        }
    }

    /// The reconcile of `key` has ended.
    pub(crate) fn done(&self, key: &ObjectKey) {
        let mut state = self.state.lock();
        let Some(Running { since, again }) = state.running.remove(key) else { return };
        self.measured.worked.observe(since.elapsed().as_secs_f64());
        if let Some(again) = again {
            // It was counted when it was added.
            state.insert(key.clone(), again, Instant::now());
            self.added.notify_one();
        }
    }

    /// What it is doing.
    fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        let high = state.ready.range(..(Priority::Low, 0, ObjectKey::default())).count();
        let running = state.running.values().map(|running| running.since.elapsed().as_secs_f64());
        Snapshot {
            high,
            low: state.ready.len() - high,
            // The sum of nothing would be minus zero.
            unfinished: running.clone().fold(0.0, std::ops::Add::add),
            longest: running.fold(0.0, f64::max),
        }
    }

    /// How many keys wait for their turn.
    #[cfg(test)]
    pub(crate) fn depth(&self) -> usize {
        self.state.lock().ready.len()
    }
}

impl State {
    fn add(&mut self, key: ObjectKey, priority: Priority, measured: &Measured) {
        if let Some(Running { again, .. }) = self.running.get_mut(&key) {
            if again.is_none() {
                measured.adds.inc();
            }
            *again = Some(again.map_or(priority, |known| known.min(priority)));
            return;
        }
        let since = match self.places.get(&key) {
            Some(Place::Ready(known, ..)) if *known <= priority => return,
            Some(Place::Ready(_, _, since)) => *since,
            _ => {
                measured.adds.inc();
                Instant::now()
            }
        };
        self.remove(&key);
        self.insert(key, priority, since);
    }

    /// Makes ready what is in no place, and has waited since then.
    fn insert(&mut self, key: ObjectKey, priority: Priority, since: Instant) {
        self.added += 1;
        self.places.insert(key.clone(), Place::Ready(priority, self.added, since));
        self.ready.insert((priority, self.added, key));
    }

    fn add_after(&mut self, key: ObjectKey, delay: Duration) {
        let Some(due) = Instant::now().checked_add(delay) else { return };
        match self.places.get(&key) {
            Some(Place::Ready(..)) => return,
            Some(Place::Delayed(known)) if *known <= due => return,
            _ => self.remove(&key),
        }
        self.places.insert(key.clone(), Place::Delayed(due));
        self.delayed.insert((due, key));
    }

    fn remove(&mut self, key: &ObjectKey) {
        match self.places.remove(key) {
            Some(Place::Ready(priority, added, _)) => {
                self.ready.remove(&(priority, added, key.clone()));
            }
            Some(Place::Delayed(due)) => drop(self.delayed.remove(&(due, key.clone()))),
            None => {}
        }
    }

    /// Makes ready what is due.
    fn promote(&mut self, measured: &Measured) {
        let now = Instant::now();
        while let Some((due, key)) = self.delayed.first().cloned()
            && due <= now
        {
            self.remove(&key);
            self.add(key, Priority::Low, measured);
        }
    }

    fn pop(&mut self, measured: &Measured) -> Option<ObjectKey> {
        let (_, _, key) = self.ready.pop_first()?;
        if let Some(Place::Ready(_, _, since)) = self.places.remove(&key) {
            measured.waited.observe(since.elapsed().as_secs_f64());
        }
        self.running.insert(key.clone(), Running { since: Instant::now(), again: None });
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("a", name)
    }

    async fn next(queue: &WorkQueue) -> Option<String> {
        timeout(Duration::from_millis(1), queue.get()).await.ok().map(|key| key.name)
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_given_once_at_a_time_and_changes_come_first() {
        let queue = WorkQueue::default();
        for (name, priority) in [
            ("resync", Priority::Low),
            ("both", Priority::Low),
            ("change", Priority::High),
            ("both", Priority::High),
            ("change", Priority::Low),
        ] {
            queue.add(key(name), priority);
        }
        assert_eq!(queue.depth(), 3);
        for expected in ["change", "both", "resync"] {
            assert_eq!(next(&queue).await.as_deref(), Some(expected));
        }
        queue.add(key("both"), Priority::High);
        assert_eq!(next(&queue).await, None, "it runs");
        queue.done(&key("both"));
        assert_eq!(next(&queue).await.as_deref(), Some("both"));
        queue.done(&key("both"));
        assert_eq!(next(&queue).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_ends_when_somebody_asks_before() {
        let queue = WorkQueue::default();
        queue.add_after(key("x"), Duration::from_secs(60));
        queue.add_after(key("x"), Duration::from_secs(90));
        queue.add_after(key("never"), Duration::MAX);
        assert_eq!(next(&queue).await, None);
        queue.add(key("x"), Priority::High);
        assert_eq!(next(&queue).await.as_deref(), Some("x"));
        queue.done(&key("x"));
        queue.add_after(key("x"), Duration::from_secs(60));
        let began = Instant::now();
        assert_eq!(queue.get().await.name, "x");
        assert!(began.elapsed() >= Duration::from_secs(60));
    }
    #[tokio::test(start_paused = true)]
    async fn what_it_does_is_measured() {
        let mut registry = prometheus_client::registry::Registry::default();
        let queue = metrics::Queues::new(&mut registry).create("x");
        let text = || {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).expect("a text");
            text
        };
        let labels = "name=\"x\",controller=\"x\"";
        for (name, priority) in [("a", Priority::High), ("b", Priority::Low), ("a", Priority::High)] {
            queue.add(key(name), priority);
        }
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(queue.get().await, key("a"));
        tokio::time::advance(Duration::from_secs(7)).await;
        for line in [
            format!("workqueue_adds_total{{{labels}}} 2"),
            format!("workqueue_depth{{{labels},priority=\"0\"}} 0"),
            format!("workqueue_depth{{{labels},priority=\"-100\"}} 1"),
            format!("workqueue_queue_duration_seconds_sum{{{labels}}} 5.0"),
            format!("workqueue_work_duration_seconds_count{{{labels}}} 0"),
            format!("workqueue_unfinished_work_seconds{{{labels}}} 7.0"),
            format!("workqueue_longest_running_processor_seconds{{{labels}}} 7.0"),
        ] {
            assert!(text().lines().any(|found| found == line), "{line} in {}", text());
        }
        queue.add(key("a"), Priority::Low);
        queue.done(&key("a"));
        for line in [
            format!("workqueue_adds_total{{{labels}}} 3"),
            format!("workqueue_work_duration_seconds_sum{{{labels}}} 7.0"),
            format!("workqueue_unfinished_work_seconds{{{labels}}} 0.0"),
        ] {
            assert!(text().lines().any(|found| found == line), "{line} in {}", text());
        }
    }
}
