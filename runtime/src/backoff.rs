//! How long to wait before an object that failed is tried again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::Mutex;

use crate::watch::{Key, key};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// How much longer than asked for a jittered delay may be.
pub(crate) const JITTER: f64 = 1.2;

/// The uid of each object that failed, and how often it did in a row.
#[derive(Default)]
pub(crate) struct Backoff(Mutex<HashMap<Key, (Option<String>, u32)>>);

impl Backoff {
    /// Whether this failure of `object` is the first in a row, and the delay after it: a second, twice as long each
    /// time, five minutes at most, and up to a fifth more so that objects which failed together are not tried together.
    pub(crate) fn after_failure(&self, object: &ObjectMeta) -> (bool, Duration) {
        let mut failures = self.0.lock();
        let (uid, count) = failures.entry(key(object)).or_default();
        // One that was made anew is not to blame for what the old one did.
        *count = if *uid == object.uid { *count + 1 } else { 1 };
        uid.clone_from(&object.uid);
        (*count == 1, jittered(exponential(FIRST, *count - 1, LONGEST)))
    }

    /// Forgets the failures of `object`: it succeeded, or it is gone.
    pub(crate) fn reset(&self, object: &Key) {
        self.0.lock().remove(object);
    }
}

/// `first`, twice as long after each failure before this one, and `longest` at most.
pub(crate) fn exponential(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures)).min(longest)
}

/// `delay` and up to a fifth more.
pub(crate) fn jittered(delay: Duration) -> Duration {
    let random = u16::try_from(random() % 1000).unwrap_or_default();
    delay.mul_f64(1.0 + (JITTER - 1.0) * f64::from(random) / 1000.0)
}

/// Another number each time: a hasher's keys are randomness enough for this.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
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
        let reset = || backoff.reset(&(String::new(), "a".to_owned()));
        assert!(fail("a", "1").0, "the first one");
        reset();
        let delays: Vec<_> = (0..12).map(|_| fail("a", "1").1).collect();
        assert!(delays[0] >= FIRST && delays[0] <= FIRST.mul_f64(1.2), "{delays:?}");
        assert!(
            delays[5] >= FIRST * 32 && delays[11] >= LONGEST && delays[11] <= LONGEST.mul_f64(1.2),
            "{delays:?}"
        );
        assert!(!fail("a", "1").0);
        assert!(fail("b", "2").1 < FIRST * 2, "objects do not share failures");
        let (is_first, delay) = fail("a", "3");
        assert!(is_first && delay < FIRST * 2, "nor does one with another of its name");
        reset();
        assert!(fail("a", "3").1 < FIRST * 2);
    }
}
