//! What a history is: everything that follows from its seed, and that can be left out one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::draw::Draw;
use super::fault::{Faults, Profile, SimFault};

/// What the user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Act {
    /// Writes the object as it is after the step of that number.
    Write(usize),
    /// Deletes it.
    Delete,
}

/// Something that goes wrong at some time.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Duration,
    pub(super) fault: SimFault,
    /// Which replica, if it concerns one.
    pub(super) replica: usize,
    pub(super) lasts: Duration,
    /// Chooses among whatever there is then.
    pub(super) pick: u64,
}

/// A history.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) story: Vec<(Duration, Act)>,
    pub(super) events: Vec<Event>,
    pub(super) faults: Faults,
    /// When each replica is replaced by one of the new version, if they begin as ones of an older one.
    pub(super) upgrades: Vec<Duration>,
    /// How far the clock of each replica is ahead or behind, in milliseconds.
    pub(super) clocks: Vec<i64>,
    /// When nothing goes wrong any more.
    pub(super) calm_at: Duration,
    /// Whether each act waits until the one before it has had its effect.
    pub(super) is_undisturbed: bool,
}

/// What can be drawn.
#[derive(Clone, Debug)]
pub(super) struct Bounds<'a> {
    pub(super) steps: usize,
    pub(super) replicas: usize,
    pub(super) left_out: &'a [SimFault],
    /// Whether the object may be deleted and made anew on the way.
    pub(super) may_replace: bool,
    pub(super) may_delete: bool,
    /// Whether the replicas begin as ones of an older version.
    pub(super) upgrades: bool,
}

impl Plan {
    /// The history of a seed.
    pub(super) fn draw(seed: u64, bounds: &Bounds) -> Self {
        let mut draw = Draw::new(seed, "story");
        let (mut story, mut at) = (Vec::new(), Duration::ZERO);
        let replaced = (bounds.may_replace && draw.chance(250)).then(|| draw.below(bounds.steps));
        // Some users are in a hurry.
        let pause = [500, 5_000, 30_000][draw.below(3)];
        let mut then = |act, draw: &mut Draw| {
            at += draw.time(0..=pause);
            story.push((at, act));
        };
        for step in 0..bounds.steps {
            then(Act::Write(step), &mut draw);
            if replaced == Some(step) {
                then(Act::Delete, &mut draw);
                then(Act::Write(step), &mut draw);
            }
        }
        if bounds.may_delete && draw.chance(300) {
            then(Act::Delete, &mut draw);
        }
        let replicas = 1 + draw.below(bounds.replicas);
        let clocks = (0..replicas)
            .map(|_| if draw.chance(500) { 0 } else { draw.below(240_000).cast_signed() as i64 - 120_000 });
        let clocks = clocks.collect();
        let mut draw = Draw::new(seed, "faults");
        let profile = Profile::draw(&mut draw, bounds.left_out);
        let calm_at = at + draw.time(5_000..=60_000);
        let within = u64::try_from(calm_at.as_millis()).unwrap_or(u64::MAX);
        let mut events = Vec::new();
        for fault in profile.of_time() {
            // What crashes everything all the time is of no use to find anything else.
            let count = if profile.times == 1 { draw.below(2) } else { 1 + draw.below(profile.times) };
            for _ in 0..count {
                events.push(Event {
                    at: draw.time(0..=within),
                    fault,
                    replica: draw.below(replicas),
                    lasts: draw.time(1_000..=40_000),
                    pick: draw.number(),
                });
            }
        }
        events.sort_by_key(|event| event.at);
        let mut draw = Draw::new(seed, "upgrades");
        let older = if bounds.upgrades { replicas } else { 0 };
        let upgrades = (0..older).map(|_| draw.time(0..=within)).collect();
        Self {
            seed,
            story,
            events,
            upgrades,
            faults: Faults::Drawn(profile),
            clocks,
            calm_at,
            is_undisturbed: false,
        }
    }

    /// The same acts, one after the other, and nothing goes wrong.
    pub(super) fn undisturbed(acts: &[Act]) -> Self {
        Self {
            seed: 0,
            story: acts.iter().map(|act| (Duration::ZERO, *act)).collect(),
            events: Vec::new(),
            upgrades: Vec::new(),
            faults: Faults::Drawn(Profile::none()),
            clocks: vec![0],
            calm_at: Duration::ZERO,
            is_undisturbed: true,
        }
    }

    /// The user writes the object after each step, and nothing goes wrong but these first requests of their names.
    pub(super) fn named(steps: usize, faults: BTreeMap<String, SimFault>) -> Self {
        let acts: Vec<_> = (0..steps).map(Act::Write).collect();
        // It is over before all is calm.
        let calm_at = Duration::from_secs(365 * 24 * 3600);
        Self { faults: Faults::Named(faults), calm_at, ..Self::undisturbed(&acts) }
    }

    /// Whether nothing goes wrong in it but what is asked for.
    pub(super) fn is_once(&self) -> bool {
        matches!(self.faults, Faults::Named(_))
    }

    pub(super) fn acts(&self) -> Vec<Act> {
        self.story.iter().map(|(_, act)| *act).collect()
    }

    /// How much goes wrong and is done in it.
    pub(super) fn size(&self) -> (usize, usize) {
        let faults = match &self.faults {
            Faults::Drawn(_) => 0,
            Faults::Known(known) | Faults::Named(known) => known.len(),
        };
        (faults + self.events.len(), self.story.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_begin_with_the_object_and_have_all_steps_in_order() {
        let bounds = Bounds {
            steps: 3,
            replicas: 2,
            left_out: &[],
            may_replace: true,
            may_delete: true,
            upgrades: true,
        };
        let plans: Vec<_> = (0..200).map(|seed| Plan::draw(seed, &bounds)).collect();
        for plan in &plans {
            let acts = plan.acts();
            let mut writes: Vec<_> = acts.iter().filter(|act| **act != Act::Delete).collect();
            writes.dedup();
            assert_eq!(writes, [&Act::Write(0), &Act::Write(1), &Act::Write(2)], "{plan:?}");
            assert_eq!(plan.upgrades.len(), plan.clocks.len());
            assert!(plan.upgrades.iter().all(|at| *at <= plan.calm_at));
            assert!(plan.story.is_sorted() && plan.events.is_sorted_by_key(|event| event.at));
            assert!(
                plan.events.iter().all(|event| event.at <= plan.calm_at && event.replica < plan.clocks.len())
            );
        }
        let count = |holds: fn(&Plan) -> bool| plans.iter().filter(|plan| holds(plan)).count();
        assert!(count(|plan| plan.clocks.len() == 2) > 50);
        assert!(count(|plan| plan.acts().last() == Some(&Act::Delete)) > 30);
        assert!(count(|plan| plan.story.len() >= 5) > 20);
        assert!(count(|plan| plan.events.is_empty()) > 10);
    }
}
