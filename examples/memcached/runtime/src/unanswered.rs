//! Writes that were sent and not answered: whether they were made shows later, and is told of then.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::bounded::forget_oldest;
use crate::object::ObjectKey;

/// Of how many objects that is remembered.
const REMEMBERED: usize = 1024;

/// What was sent about an object.
#[derive(Clone, Debug)]
pub(crate) enum Write<C> {
    Creation,
    /// Of the object as it was before.
    Change(Arc<C>),
    Deletion(Arc<C>),
}

impl<C> Write<C> {
    fn deletes(&self) -> bool {
        matches!(self, Self::Deletion(_))
    }
}

struct Sent<C> {
    write: Write<C>,
    /// The uid of the owner for whom it was.
    owner: String,
    at: Instant,
}

/// The first write about each object since the API server last answered one.
pub(crate) struct Unanswered<C>(Mutex<BTreeMap<ObjectKey, Sent<C>>>);

impl<C> Default for Unanswered<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> Unanswered<C> {
    /// A write is about to be sent; [`Unanswered::end`] wants to know whether it is the first.
    pub(crate) fn begin(&self, key: &ObjectKey, owner: &str, write: Write<C>) -> bool {
        let mut writes = self.0.lock();
        // What was sent first says how the object was before.
        let is_known = |sent: &Sent<C>| sent.owner == owner && sent.write.deletes() == write.deletes();
        let is_first = !writes.get(key).is_some_and(is_known);
        if is_first {
            writes.insert(key.clone(), Sent { write, owner: owner.to_owned(), at: Instant::now() });
            forget_oldest(&mut writes, REMEMBERED, |sent| sent.at);
        }
        is_first
    }

    /// What came of it: the first write about the object, if what was sent is made. A refusal says nothing about what was
    /// sent before, and a conflict may come of what was sent itself, because the client repeats what is answered by 503 or
    /// 504 on the way.
    pub(crate) fn end<T>(
        &self,
        key: &ObjectKey,
        is_first: bool,
        result: &kube::Result<T>,
    ) -> Option<Write<C>> {
        let mut writes = self.0.lock();
        match result {
            Ok(_) => writes.remove(key).map(|sent| sent.write),
            Err(kube::Error::Api(status)) if status.code < 500 => {
                let is_unclear = |sent: &Sent<C>| status.code == 409 && !sent.write.deletes();
                if is_first && !writes.get(key).is_some_and(is_unclear) {
                    writes.remove(key);
                }
                None
            }
            Err(_) => None,
        }
    }

    /// Whether a write about an object was not answered, or not clearly.
    pub(crate) fn has(&self, key: &ObjectKey) -> bool {
        self.0.lock().contains_key(key)
    }

    /// The first write about an object of this owner, which is known to be as it should, or to be somebody else's.
    pub(crate) fn take(&self, key: &ObjectKey, owner: &str) -> Option<Write<C>> {
        let mut writes = self.0.lock();
        writes.get(key).filter(|sent| sent.owner == owner && !sent.write.deletes())?;
        writes.remove(key).map(|sent| sent.write)
    }

    /// The objects of this owner that were to be deleted, and are gone.
    pub(crate) fn take_deleted(&self, owner: &str, is_gone: impl Fn(&C) -> bool) -> Vec<Arc<C>> {
        let mut deleted = Vec::new();
        self.0.lock().retain(|_, sent| match &sent.write {
            Write::Deletion(object) if sent.owner == owner && is_gone(object) => {
                deleted.push(object.clone());
                false
            }
            _ => true,
        });
        deleted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    fn lost() -> kube::Result<()> {
        Err(kube::Error::Service("the connection broke".into()))
    }

    fn refused(code: u16) -> kube::Result<()> {
        Err(kube::Error::Api(Box::new(Status { code, ..Status::default() })))
    }

    #[test]
    fn the_first_write_counts_until_one_is_answered() {
        let (writes, key) = (Unanswered::default(), ObjectKey::new("a", "x"));
        let send = |owner: &str, write: Write<u32>, result: &kube::Result<()>| {
            let is_first = writes.begin(&key, owner, write);
            writes.end(&key, is_first, result)
        };
        let change = |before| Write::Change(Arc::new(before));
        assert!(matches!(send("1", Write::Creation, &Ok(())), Some(Write::Creation)));
        assert!(send("1", Write::Creation, &refused(403)).is_none() && writes.take(&key, "1").is_none());
        assert!(send("1", Write::Creation, &refused(409)).is_none());
        assert!(matches!(writes.take(&key, "1"), Some(Write::Creation)), "it may have been sent twice");
        for unknown in [lost(), refused(500)] {
            assert!(send("1", Write::Creation, &unknown).is_none());
            assert!(send("1", change(1), &refused(409)).is_none(), "it says nothing about the creation");
            assert!(writes.take(&key, "2").is_none(), "it was for another owner");
            assert!(matches!(writes.take(&key, "1"), Some(Write::Creation)));
        }
        send("1", change(1), &lost());
        assert!(matches!(send("1", change(2), &Ok(())), Some(Write::Change(before)) if *before == 1));
        assert!(writes.take(&key, "1").is_none());
    }

    #[test]
    fn a_deletion_is_told_of_when_the_object_is_gone() {
        let (writes, key) = (Unanswered::default(), ObjectKey::new("a", "x"));
        for result in [lost(), refused(404)] {
            let is_first = writes.begin(&key, "1", Write::Deletion(Arc::new(7)));
            writes.end(&key, is_first, &result);
        }
        assert!(writes.take(&key, "1").is_none() && writes.take_deleted("1", |_| false).is_empty());
        assert!(writes.take_deleted("2", |_| true).is_empty(), "it was another owner's");
        assert_eq!(*writes.take_deleted("1", |_| true)[0], 7);
        assert!(writes.take_deleted("1", |_| true).is_empty(), "it is told once");
        let is_first = writes.begin(&key, "1", Write::Deletion(Arc::new(7)));
        writes.end(&key, is_first, &refused(404));
        assert!(writes.take_deleted("1", |_| true).is_empty(), "somebody else has deleted it");
        for number in 0..2 * REMEMBERED {
            writes.begin(&ObjectKey::new("a", number.to_string()), "1", Write::Creation);
        }
        assert_eq!(writes.0.lock().len(), REMEMBERED);
    }
}
