//! The keys that wait for their reconcile: each at most once, never two reconciles of one key at a time, failed ones
//! after a delay that grows from one failure to the next.

use super::object::ObjectKey;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Delay after the first failure of a key; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(200);
/// Longest delay after a failure.
const LONGEST_DELAY: Duration = Duration::from_secs(180);

/// The queue of one controller.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Keys in the order in which they fall due.
    due: BTreeSet<(Instant, ObjectKey)>,
    /// When each of them does.
    at: HashMap<ObjectKey, Instant>,
    running: HashSet<ObjectKey>,
    failures: HashMap<ObjectKey, u32>,
}

impl Queue {
    /// Has the key reconciled as soon as possible.
    pub fn add(&self, key: ObjectKey) {
        self.add_after(key, Duration::ZERO);
    }

    /// Has the key reconciled after a delay, or earlier if something else asks for that.
    pub fn add_after(&self, key: ObjectKey, delay: Duration) {
        let now = Instant::now();
        let due = now.checked_add(delay).unwrap_or(now);
        let mut state = self.lock();
        match state.at.get(&key) {
            Some(known) if *known <= due => return,
            Some(&known) => _ = state.due.remove(&(known, key.clone())),
            None => {}
        }
        state.at.insert(key.clone(), due);
        state.due.insert((due, key));
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for the next key. It counts as running until [`Queue::done`].
    pub async fn next(&self) -> ObjectKey {
        loop {
            let wake = match self.take() {
                Ok(key) => return key,
                Err(wake) => wake,
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = async { sleep_until(wake.unwrap_or_else(Instant::now)).await }, if wake.is_some() => {}
            }
        }
    }

    /// Takes the first key that is due, or says when the next one will be.
    fn take(&self) -> Result<ObjectKey, Option<Instant>> {
        let mut state = self.lock();
        let Some((due, key)) = state
            .due
            .iter()
            .find(|(_, key)| !state.running.contains(key))
            .cloned()
        else {
            return Err(None);
        };
        if due > Instant::now() {
            return Err(Some(due));
        }
        state.at.remove(&key);
        state.running.insert(key.clone());
        state.due.remove(&(due, key.clone()));
        Ok(key)
    }

    /// Ends the running of a key.
    pub fn done(&self, key: &ObjectKey) {
        self.lock().running.remove(key);
        self.changed.notify_one();
    }

    /// Queues a key that failed once more and returns the delay.
    pub fn retry(&self, key: ObjectKey) -> Duration {
        let failures = {
            let mut state = self.lock();
            let failures = state.failures.entry(key.clone()).or_default();
            *failures = failures.saturating_add(1);
            *failures
        };
        let growth = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        let delay = jitter(FIRST_DELAY.saturating_mul(growth).min(LONGEST_DELAY));
        self.add_after(key, delay);
        delay
    }

    /// Forgets the failures of a key.
    pub fn succeeded(&self, key: &ObjectKey) {
        self.lock().failures.remove(key);
    }

    /// Number of keys that are due and wait.
    pub fn depth(&self) -> usize {
        let now = Instant::now();
        self.lock().due.iter().take_while(|(due, _)| *due <= now).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time at random within a tenth of the given one, so that what began together does not stay together.
pub fn jitter(time: Duration) -> Duration {
    // Every `RandomState` hashes with keys of its own.
    let random = RandomState::new().hash_one(()) % 2000;
    time.mul_f64(0.9 + f64::from(u32::try_from(random).unwrap_or(0)) / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            namespace: None,
            name: name.to_owned(),
        }
    }

    async fn is_idle(queue: &Queue, time: Duration) -> bool {
        timeout(time, queue.next()).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_waits_once_and_runs_once_at_a_time() {
        let queue = Queue::default();
        queue.add(key("a"));
        queue.add(key("a"));
        assert_eq!(queue.next().await, key("a"));
        queue.add(key("a"));
        assert!(is_idle(&queue, Duration::from_secs(9)).await);
        queue.done(&key("a"));
        assert_eq!(queue.next().await, key("a"));
        queue.done(&key("a"));
        assert!(is_idle(&queue, Duration::from_secs(3600)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_time_counts() {
        let queue = Queue::default();
        queue.add_after(key("a"), Duration::from_secs(600));
        assert!(is_idle(&queue, Duration::from_secs(60)).await);
        queue.add(key("a"));
        queue.add_after(key("a"), Duration::from_secs(600));
        assert_eq!(queue.depth(), 1);
        assert!(!is_idle(&queue, Duration::from_millis(1)).await);
        queue.done(&key("a"));
        assert_eq!(queue.depth(), 0);
        assert!(is_idle(&queue, Duration::from_secs(3600)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_slow_a_key_down_until_it_succeeds() {
        let queue = Queue::default();
        let delays: Vec<_> = (0..40).map(|_| queue.retry(key("a"))).collect();
        assert!(delays[0] < FIRST_DELAY * 2 && delays[7] > FIRST_DELAY * 100);
        assert!(delays[39] <= LONGEST_DELAY.mul_f64(1.1));
        queue.succeeded(&key("a"));
        assert!(queue.retry(key("a")) < FIRST_DELAY * 2);
    }
}
