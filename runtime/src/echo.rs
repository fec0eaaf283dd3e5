//! What watches tell a controller of its own writes to statuses, which call for no reconcile of it. Others may want to
//! know of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::object::ObjectKey;
use crate::queue::{Priority, WorkQueue};

/// Tells the changes of a controller's objects that it has made itself from all others, which call for a reconcile.
pub(crate) struct Echoes {
    queue: Arc<WorkQueue>,
    objects: Mutex<BTreeMap<ObjectKey, Writes>>,
}

/// Writes to the status of one object.
#[derive(Default)]
struct Writes {
    /// How many have not been answered.
    unanswered: usize,
    /// What was heard meanwhile and may be one of them: versions that call for a reconcile otherwise.
    heard: Vec<(u128, Priority)>,
    /// Versions that were written, of which no watch has told yet.
    written: Vec<u128>,
}

impl Echoes {
    pub(crate) fn new(queue: Arc<WorkQueue>) -> Self {
        Self { queue, objects: Mutex::default() }
    }

    /// Where reconciles are called for.
    pub(crate) fn queue(&self) -> &Arc<WorkQueue> {
        &self.queue
    }

    /// A watch tells that there is this version of an object, `priority` whether that calls for a reconcile if the
    /// controller has not written it.
    pub(crate) fn changed(&self, key: ObjectKey, version: u128, priority: Option<Priority>) {
        let mut objects = self.objects.lock();
        if let Some(writes) = objects.get_mut(&key) {
            if writes.unanswered > 0 {
                return writes.heard.extend(priority.map(|priority| (version, priority)));
            }
            let is_own = writes.written.contains(&version);
            writes.written.retain(|written| *written > version);
            if writes.written.is_empty() {
                objects.remove(&key);
            }
            if is_own {
                return;
            }
        }
        drop(objects);
        if let Some(priority) = priority {
            self.queue.add(key, priority);
        }
    }

    /// The object is gone.
    pub(crate) fn gone(&self, key: ObjectKey, priority: Priority) {
        self.objects.lock().remove(&key);
        self.queue.add(key, priority);
    }

    /// A write to the status of an object begins, and ends when the result is dropped.
    pub(crate) fn write(&self, key: &ObjectKey) -> Writing<'_> {
        self.objects.lock().entry(key.clone()).or_default().unanswered += 1;
        Writing { echoes: self, key: key.clone(), version: None }
    }

    fn end(&self, key: &ObjectKey, version: Option<u128>) {
        let mut objects = self.objects.lock();
        let Some(writes) = objects.get_mut(key) else { return };
        writes.written.extend(version);
        writes.unanswered = writes.unanswered.saturating_sub(1);
        if writes.unanswered > 0 {
            return;
        }
        for (version, priority) in std::mem::take(&mut writes.heard) {
            if !writes.written.contains(&version) {
                self.queue.add(key.clone(), priority);
            }
            writes.written.retain(|written| *written > version);
        }
        if writes.written.is_empty() {
            objects.remove(key);
        }
    }
}

/// A write that has begun.
pub(crate) struct Writing<'e> {
    echoes: &'e Echoes,
    key: ObjectKey,
    version: Option<u128>,
}

impl Writing<'_> {
    /// The object has this version now, and nothing else was changed by it.
    pub(crate) fn made(&mut self, version: u128) {
        self.version = Some(version);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.echoes.end(&self.key, self.version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: Option<Priority> = Some(Priority::High);

    /// How many reconciles were called for since.
    fn asked(echoes: &Echoes, queue: &WorkQueue) -> usize {
        let asked = queue.depth();
        while let Some(key) = futures::FutureExt::now_or_never(queue.get()) {
            queue.done(&key);
        }
        assert!(
            echoes.objects.lock().values().all(|writes| !writes.written.is_empty()),
            "nothing is left over"
        );
        asked
    }

    #[test]
    fn only_what_others_wrote_calls_for_a_reconcile_whenever_it_is_heard_of() {
        let queue = Arc::new(WorkQueue::default());
        let (echoes, key) = (Echoes::new(queue.clone()), ObjectKey::new("a", "x"));
        let changed = |version, priority| echoes.changed(key.clone(), version, priority);
        changed(1, HIGH);
        assert_eq!(asked(&echoes, &queue), 1);
        // The answer comes first.
        let mut writing = echoes.write(&key);
        writing.made(2);
        drop(writing);
        changed(2, HIGH);
        assert_eq!(asked(&echoes, &queue), 0);
        changed(2, HIGH);
        assert_eq!(asked(&echoes, &queue), 1, "it is forgotten");
        // The watch comes first.
        let mut writing = echoes.write(&key);
        changed(3, HIGH);
        writing.made(3);
        drop(writing);
        assert_eq!(asked(&echoes, &queue), 0);
        // Somebody else writes meanwhile.
        let mut writing = echoes.write(&key);
        changed(4, HIGH);
        changed(5, HIGH);
        writing.made(4);
        drop(writing);
        assert_eq!(asked(&echoes, &queue), 1);
        // It fails, or is given up.
        let writing = echoes.write(&key);
        changed(6, HIGH);
        assert_eq!(queue.depth(), 0, "it is not known yet");
        drop(writing);
        assert_eq!(asked(&echoes, &queue), 1);
        // What is not worth a reconcile is remembered no longer either.
        let mut writing = echoes.write(&key);
        writing.made(7);
        drop(writing);
        changed(8, None);
        assert_eq!((asked(&echoes, &queue), echoes.objects.lock().len()), (0, 0));
        let writing = echoes.write(&key);
        echoes.gone(key.clone(), Priority::High);
        drop(writing);
        assert_eq!((asked(&echoes, &queue), echoes.objects.lock().len()), (1, 0));
    }
}
