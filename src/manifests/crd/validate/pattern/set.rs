//! Sets of characters, as ranges of their numbers: Go has a place in them for the surrogates, which no text has.

use super::fold::alike;

/// The number of the last character.
pub(super) const LAST: u32 = char::MAX as u32;

/// A set of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    /// In order, each apart from the next.
    pub(super) ranges: Vec<(u32, u32)>,
    /// Has a class of Unicode, whose members are not known here.
    pub(super) unknown: bool,
}

impl Set {
    /// These characters; with `fold` also those that are the same without regard to case.
    pub(super) fn of(ranges: impl IntoIterator<Item = (u32, u32)>, fold: bool) -> Self {
        let mut set = Self::default();
        for (low, high) in ranges {
            set.ranges.push((low, high));
            if fold {
                alike(low, high, &mut set.ranges);
            }
        }
        set.tidy();
        set
    }

    /// All other characters.
    pub(super) fn negated(self) -> Self {
        let (mut from, mut ranges) = (0, Vec::with_capacity(self.ranges.len() + 1));
        for (low, high) in self.ranges {
            if from < low {
                ranges.push((from, low - 1));
            }
            from = high + 1;
        }
        if from <= LAST {
            ranges.push((from, LAST));
        }
        Self { ranges, ..self }
    }

    /// Adds the members of another set. The ranges are not in order then.
    pub(super) fn add(&mut self, other: Self) {
        self.unknown |= other.unknown;
        self.ranges.extend(other.ranges);
    }

    /// Puts the ranges in order, each apart from the next.
    pub(super) fn tidy(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, last| {
            let joined = next.0 <= last.1.saturating_add(1);
            if joined {
                last.1 = last.1.max(next.1);
            }
            joined
        });
    }

    pub(super) fn has(&self, c: char) -> bool {
        let c = u32::from(c);
        let behind = self.ranges.partition_point(|(low, _)| *low <= c);
        behind.checked_sub(1).is_some_and(|at| c <= self.ranges[at].1)
    }
}
