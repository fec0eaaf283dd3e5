//! Who waits for a name that an object of somebody else has.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::object::{ObjectKey, controller_of};
use crate::queue::{Priority, WorkQueue};

/// Which object it is, and whose.
#[derive(Clone, Debug, PartialEq)]
struct Holder {
    uid: Option<String>,
    controller: Option<String>,
}

impl Holder {
    fn of(metadata: &ObjectMeta) -> Self {
        let controller = controller_of(metadata).map(|owner| owner.uid.clone());
        Self { uid: metadata.uid.clone(), controller }
    }
}

/// Whether both are of one object with one controller.
pub(crate) fn is_held_alike(one: &ObjectMeta, other: &ObjectMeta) -> bool {
    Holder::of(one) == Holder::of(other)
}

/// A reconcile that is called for when the name may be free.
pub(super) struct Waiting {
    holder: Holder,
    queue: Arc<WorkQueue>,
    key: ObjectKey,
}

impl Waiting {
    pub(super) fn wake(self) {
        self.queue.add(self.key, Priority::High);
    }
}

/// The reconciles that wait, by the name that they wait for.
#[derive(Default)]
pub(super) struct Taken(BTreeMap<ObjectKey, Vec<Waiting>>);

impl Taken {
    /// Wakes the reconcile of `key` when what holds `name` goes, or changes hands.
    pub(super) fn wait(
        &mut self,
        name: ObjectKey,
        holder: &ObjectMeta,
        queue: Arc<WorkQueue>,
        key: ObjectKey,
    ) {
        let waiting = self.0.entry(name).or_default();
        waiting.retain(|other| other.key != key || !Arc::ptr_eq(&other.queue, &queue));
        waiting.push(Waiting { holder: Holder::of(holder), queue, key });
    }

    /// Who is to be woken, now that the name is held by the object with this metadata, or by none.
    pub(super) fn changed(&mut self, name: &ObjectKey, holder: Option<&ObjectMeta>) -> Vec<Waiting> {
        let Some(waiting) = self.0.get_mut(name) else { return Vec::new() };
        let holder = holder.map(Holder::of);
        let woken = waiting.extract_if(.., |it| Some(&it.holder) != holder.as_ref()).collect();
        if waiting.is_empty() {
            self.0.remove(name);
        }
        woken
    }

    /// Whether anybody waits for a name.
    pub(super) fn is_waited_for(&self, name: &ObjectKey) -> bool {
        self.0.contains_key(name)
    }

    /// The names that are waited for.
    pub(super) fn names(&self) -> Vec<ObjectKey> {
        self.0.keys().cloned().collect()
    }
}
