//! Numbers that follow from a seed.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A source of numbers that are the same for the same seed and purpose (Vigna's `splitmix64`).
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    /// The numbers that a seed has for one purpose. Those for others are independent of them.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut draw = Self(hash(seed, purpose.as_bytes()));
        draw.number();
        draw
    }

    pub(super) fn from_state(state: u64) -> Self {
        Self(state)
    }

    pub(super) fn state(&self) -> u64 {
        self.0
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 if that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % (end as u64).max(1)).unwrap_or_default()
    }

    /// Whether something happens that does so `permille` times in a thousand.
    pub(super) fn chance(&mut self, permille: u64) -> bool {
        self.number() % 1000 < permille
    }

    /// A time of whole milliseconds, which is what tokio's clock counts.
    pub(super) fn time(&mut self, milliseconds: RangeInclusive<u64>) -> Duration {
        let (begin, end) = milliseconds.into_inner();
        Duration::from_millis(begin + self.number() % (end.saturating_sub(begin) + 1))
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

/// The FNV-1a hash of `bytes`, continued from `state`: the same on every machine.
pub(super) fn hash(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_from_seed_and_purpose_and_stay_within_bounds() {
        let drawn = |seed, purpose| {
            let mut draw = Draw::new(seed, purpose);
            (0..100).map(|_| draw.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1, "a"), drawn(1, "a"));
        assert_ne!(drawn(1, "a"), drawn(2, "a"));
        assert_ne!(drawn(1, "a"), drawn(1, "b"));
        let mut draw = Draw::new(1, "a");
        assert!((0..100).all(|_| (3..=5).contains(&draw.time(3..=5).as_millis())));
        assert_eq!((draw.below(0), draw.pick::<u8>(&[])), (0, None));
        let often = (0..1000).filter(|_| draw.chance(200)).count();
        assert!((150..250).contains(&often), "{often}");
    }
}
