//! The work queue of one controller: keys that are to be reconciled, each at most once at a time, as client-go's.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};

use crate::object::ObjectKey;

/// What is reconciled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody changed something.
    High,
    /// Start-up, and what is looked at again once in a while.
    Low,
}

/// Keys on their way to a reconcile.
#[derive(Default)]
pub(crate) struct WorkQueue {
    state: Mutex<State>,
    added: Notify,
}

#[derive(Default)]
struct State {
    /// In the order in which they were added.
    ready: BTreeSet<(Priority, u64, ObjectKey)>,
    delayed: BTreeSet<(Instant, ObjectKey)>,
    /// Where each key of the two is.
    places: BTreeMap<ObjectKey, Place>,
    /// What is being reconciled, and whether it has to be again, as soon as it is done.
    running: BTreeMap<ObjectKey, Option<Priority>>,
    added: u64,
}

#[derive(Clone, Copy)]
enum Place {
    Ready(Priority, u64),
    Delayed(Instant),
}

impl WorkQueue {
    /// Asks for a reconcile as soon as it is this key's turn.
    pub(crate) fn add(&self, key: ObjectKey, priority: Priority) {
        self.state.lock().add(key, priority);
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
                state.promote();
                if let Some(key) = state.pop() {
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
        if let Some(Some(again)) = state.running.remove(key) {
            state.add(key.clone(), again);
            self.added.notify_one();
        }
    }

    /// How many keys wait for their turn.
    #[cfg(test)]
    pub(crate) fn depth(&self) -> usize {
        self.state.lock().ready.len()
    }
}

impl State {
    fn add(&mut self, key: ObjectKey, priority: Priority) {
        if let Some(again) = self.running.get_mut(&key) {
            *again = Some(again.map_or(priority, |known| known.min(priority)));
            return;
        }
        match self.places.get(&key) {
            Some(Place::Ready(known, _)) if *known <= priority => return,
            Some(_) => self.remove(&key),
            None => {}
        }
        self.added += 1;
        self.places.insert(key.clone(), Place::Ready(priority, self.added));
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
            Some(Place::Ready(priority, added)) => drop(self.ready.remove(&(priority, added, key.clone()))),
            Some(Place::Delayed(due)) => drop(self.delayed.remove(&(due, key.clone()))),
            None => {}
        }
    }

    /// Makes ready what is due.
    fn promote(&mut self) {
        let now = Instant::now();
        while let Some((due, key)) = self.delayed.first().cloned()
            && due <= now
        {
            self.remove(&key);
            self.add(key, Priority::Low);
        }
    }

    fn pop(&mut self) -> Option<ObjectKey> {
        let (_, _, key) = self.ready.pop_first()?;
        self.places.remove(&key);
        self.running.insert(key.clone(), None);
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
}
