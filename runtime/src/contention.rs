//! Children that are not left as they are desired: somebody else changes them back again and again, or the API server
//! rewrites what is applied. They are corrected less and less often, and a condition of the object's status says so.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Duration, Instant};
use tracing::debug;

use crate::backoff::exponential;
use crate::bounded::forget_oldest;
use crate::context::Context;
use crate::object::{Object, ObjectKey};
use crate::store::Store;

/// Type of the condition that says so.
const CONTENDED: &str = "Contended";
/// How often a child is corrected before there is a delay: by hand, people do so.
const FREE: u32 = 3;
/// The shortest and the longest delay between two corrections.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// How much longer than the last delay it is remembered that a child was corrected.
const PEACE: Duration = Duration::from_secs(60);
/// Of how many children that is remembered.
const REMEMBERED: usize = 1024;

/// The corrections of the children in one store.
#[derive(Default)]
pub(crate) struct Contention(Mutex<BTreeMap<ObjectKey, Corrected>>);

struct Corrected {
    /// The uid of the owner for whom it was.
    owner: String,
    /// The fingerprint of what was desired.
    desired: u64,
    /// How often it was applied.
    times: u32,
    last: Instant,
    /// The fields that the API server gave other values than were applied.
    rewritten: Vec<String>,
}

impl Corrected {
    fn delay(&self) -> Duration {
        // What the API server rewrites is tried in case it does not any more.
        let free = if self.rewritten.is_empty() { FREE } else { 0 };
        let beyond = self.times.checked_sub(free + 1);
        beyond.map_or(Duration::ZERO, |beyond| exponential(DELAYS.0, beyond, DELAYS.1))
    }

    fn wait(&self) -> Duration {
        (self.last + self.delay()).saturating_duration_since(Instant::now())
    }

    fn is_about(&self, owner: &str, desired: u64) -> bool {
        self.owner == owner && self.desired == desired
    }

    fn is_remembered(&self, now: Instant) -> bool {
        now < self.last + self.delay() * 2 + PEACE
    }
}

impl Contention {
    /// Whether the child must not be corrected yet, to what is still desired.
    pub(crate) fn waits(&self, key: &ObjectKey, owner: &str, desired: u64) -> bool {
        let corrected = self.0.lock();
        corrected.get(key).is_some_and(|it| it.is_about(owner, desired) && !it.wait().is_zero())
    }

    /// Whether it is time to see if the API server still rewrites what is desired.
    pub(crate) fn is_due(&self, key: &ObjectKey, owner: &str, desired: u64) -> bool {
        let corrected = self.0.lock();
        let is_due = |it: &Corrected| !it.rewritten.is_empty() && it.wait().is_zero();
        corrected.get(key).is_some_and(|it| it.is_about(owner, desired) && is_due(it))
    }

    /// A child was changed to what is desired, except for the fields that the API server has `rewritten`.
    pub(crate) fn corrected(&self, key: &ObjectKey, owner: &str, desired: u64, rewritten: Vec<String>) {
        let (mut corrected, now) = (self.0.lock(), Instant::now());
        let is_same = |it: &&mut Corrected| {
            let is_over = rewritten.is_empty() && !it.rewritten.is_empty();
            it.is_about(owner, desired) && it.is_remembered(now) && !is_over
        };
        if let Some(known) = corrected.get_mut(key).filter(is_same) {
            (known.times, known.last, known.rewritten) = (known.times + 1, now, rewritten);
            return;
        }
        let entry = Corrected { owner: owner.to_owned(), desired, times: 1, last: now, rewritten };
        corrected.insert(key.clone(), entry);
        forget_oldest(&mut corrected, REMEMBERED, |it| it.last);
    }

    /// What people should know of a child of that desired state, and when to look at it again.
    pub(crate) fn told(&self, key: &ObjectKey, owner: &str, desired: u64) -> Option<(Told, Duration)> {
        let corrected = self.0.lock();
        let known = corrected.get(key).filter(|it| it.is_about(owner, desired))?;
        let wait = known.wait();
        if !known.rewritten.is_empty() {
            return Some((Told::Rewritten(known.rewritten.join(", ")), wait));
        }
        // Whoever has not changed it back for so long has given up.
        (!wait.is_zero()).then_some((Told::ChangedBack, wait))
    }
}

/// Why a child is not as it is desired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Somebody else changes it back.
    ChangedBack,
    /// The API server gives these fields other values.
    Rewritten(String),
}

/// What one reconcile has found to be contended.
#[derive(Default)]
pub(crate) struct Found {
    /// Reason and message.
    first: Option<(&'static str, String)>,
    again: Option<Duration>,
}

impl<K: Object> Context<K> {
    /// Notes that a child of that desired state is contended, if it is.
    pub(crate) fn contends<C: Object>(&self, store: &Store<C>, key: &ObjectKey, desired: u64) {
        let owner = self.object.meta().uid.as_deref().unwrap_or_default();
        let Some((told, again)) = store.contention().told(key, owner, desired) else { return };
        let kind = C::kind(store.dynamic_type());
        let (reason, message) = match told {
            Told::ChangedBack => {
                ("ChangedBack", format!("somebody else changes {kind} \"{}\" back again and again", key.name))
            }
            Told::Rewritten(fields) => {
                ("Rewritten", format!("the API server rewrites {fields} of {kind} \"{}\"", key.name))
            }
        };
        let mut found = self.contended.lock();
        found.first.get_or_insert((reason, message));
        found.again = Some(found.again.map_or(again, |other| other.min(again)));
    }
}

/// Says in the object's status what was found to be contended, or that nothing is any more. When to look again.
pub(crate) async fn tell<K: Object>(context: &Context<K>) -> Option<Duration> {
    let Found { first, again } = std::mem::take(&mut *context.contended.lock());
    let mut conditions = context.known_conditions().iter();
    let is_told = conditions.any(|it| it["type"] == CONTENDED && it["status"] == "True");
    if (first.is_some() || is_told) && context.object.meta().deletion_timestamp.is_none() {
        let mut conditions = context.conditions();
        if let Some((reason, message)) = first {
            conditions.set(CONTENDED, true, reason, message);
        }
        // With a field manager of its own, so that a status of the reconciler's neither sets nor removes it.
        let manager = field_manager(&context.shared.field_manager);
        let status = json!({ "conditions": Vec::<Condition>::from(conditions) });
        if let Err(error) = context.patch_status_as(&manager, status).await {
            debug!(%error, "the status cannot say whether children are contended");
        }
    }
    again
}

/// Who owns the condition, where `manager` owns all else.
pub(crate) fn field_manager(manager: &str) -> String {
    format!("{manager}-contention")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn what_is_changed_back_is_corrected_less_and_less_often() {
        let (contention, key, begun) = (Contention::default(), ObjectKey::new("a", "x"), Instant::now());
        let mut corrections = 0;
        while begun.elapsed() < Duration::from_secs(20) {
            if !contention.waits(&key, "1", 7) {
                contention.corrected(&key, "1", 7, Vec::new());
                corrections += 1;
            }
            assert_eq!(contention.told(&key, "1", 7).is_some(), corrections > FREE);
            advance(Duration::from_millis(50)).await;
        }
        assert_eq!(corrections, FREE + 5);
        assert!(!contention.waits(&key, "1", 8), "the user wants something else now");
        assert!(!contention.waits(&key, "2", 7), "another owner does");
        // What is left alone for that long is peace.
        advance(Duration::from_secs(32)).await;
        assert!(contention.told(&key, "1", 7).is_none());
        contention.corrected(&key, "1", 7, Vec::new());
        assert!(contention.told(&key, "1", 7).is_some(), "it begins again where it was");
        advance(DELAYS.1 * 2 + PEACE).await;
        contention.corrected(&key, "1", 7, Vec::new());
        assert!(contention.told(&key, "1", 7).is_none(), "this was long ago");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_rewrites_is_told_until_something_else_is_desired() {
        let (contention, key, begun) = (Contention::default(), ObjectKey::new("a", "x"), Instant::now());
        let fields = || vec!["spec.replicas".to_owned()];
        contention.corrected(&key, "1", 7, fields());
        let mut attempts = 0;
        while begun.elapsed() < Duration::from_secs(3600) {
            if contention.is_due(&key, "1", 7) {
                contention.corrected(&key, "1", 7, fields());
                attempts += 1;
            }
            let told = contention.told(&key, "1", 7).map(|(told, _)| told);
            assert_eq!(told, Some(Told::Rewritten("spec.replicas".to_owned())));
            advance(Duration::from_secs(1)).await;
        }
        assert!((10..25).contains(&attempts), "{attempts}");
        contention.corrected(&key, "1", 7, Vec::new());
        assert!(contention.told(&key, "1", 7).is_none(), "it does not any more");
        contention.corrected(&key, "1", 7, fields());
        contention.corrected(&key, "1", 8, Vec::new());
        assert!(contention.told(&key, "1", 7).is_none() && contention.told(&key, "1", 8).is_none());
        for number in 0..2 * REMEMBERED {
            contention.corrected(&ObjectKey::new("a", number.to_string()), "1", 7, Vec::new());
        }
        assert_eq!(contention.0.lock().len(), REMEMBERED);
    }
}
