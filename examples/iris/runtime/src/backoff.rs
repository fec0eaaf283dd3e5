//! How long to wait before an object that failed is tried again.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::Mutex;
use tokio::time::Duration;

use crate::environment::Environment;
use crate::object::ObjectKey;

/// How the delays between failures of one object grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimiter {
    first: Duration,
    longest: Duration,
}

impl RateLimiter {
    /// `first` after the first failure in a row, twice as long after each further one, and `longest` at most. Each delay
    /// is up to a fifth longer, so that objects which failed together are not tried together.
    #[must_use]
    pub fn exponential(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }
}

impl Default for RateLimiter {
    /// From a second to five minutes.
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_secs(300))
    }
}

/// The uid of each object that failed, and how often it did in a row.
#[derive(Default)]
pub(crate) struct Backoff {
    environment: Environment,
    limiter: RateLimiter,
    failures: Mutex<BTreeMap<ObjectKey, (Option<String>, u32)>>,
}

impl Backoff {
    pub(crate) fn new(limiter: RateLimiter, environment: Environment) -> Self {
        Self { environment, limiter, failures: Mutex::default() }
    }

    /// How often `object` has failed in a row with this failure, and the delay after it.
    pub(crate) fn after_failure(&self, object: &ObjectMeta) -> (u32, Duration) {
        let mut failures = self.failures.lock();
        let (uid, count) = failures.entry(ObjectKey::from(object)).or_default();
        // One that was made anew is not to blame for what the old one did.
        *count = if *uid == object.uid { count.saturating_add(1) } else { 1 };
        uid.clone_from(&object.uid);
        let RateLimiter { first, longest } = self.limiter;
        (*count, self.environment.jittered(exponential(first, *count - 1, longest)))
    }

    /// Forgets the failures of `object`: it succeeded, or it is gone.
    pub(crate) fn reset(&self, object: &ObjectKey) {
        self.failures.lock().remove(object);
    }
}

/// `first`, twice as long after each failure before this one, and `longest` at most.
pub(crate) fn exponential(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_limit_and_start_over() {
        let backoff = Backoff::default();
        let fail = |name: &str, uid: &str| {
            let (name, uid) = (Some(name.to_owned()), Some(uid.to_owned()));
            backoff.after_failure(&ObjectMeta { name, uid, ..ObjectMeta::default() })
        };
        let reset = || backoff.reset(&ObjectKey::new("", "a"));
        let RateLimiter { first, longest } = RateLimiter::default();
        assert_eq!(fail("a", "1").0, 1, "the first one");
        reset();
        let delays: Vec<_> = (0..12).map(|_| fail("a", "1").1).collect();
        assert!(delays[0] >= first && delays[0] <= first.mul_f64(1.2), "{delays:?}");
        assert!(
            delays[5] >= first * 32 && delays[11] >= longest && delays[11] <= longest.mul_f64(1.2),
            "{delays:?}"
        );
        assert_eq!(fail("a", "1").0, 13);
        assert!(fail("b", "2").1 < first * 2, "objects do not share failures");
        let (count, delay) = fail("a", "3");
        assert!(count == 1 && delay < first * 2, "nor does one with another of its name");
        reset();
        assert!(fail("a", "3").1 < first * 2);
    }
}
