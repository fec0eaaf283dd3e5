//! Shorter histories that end in the same way as a long one.

use std::time::{Duration, Instant};

use super::fault::Faults;
use super::history::Outcome;
use super::plan::{Act, Plan};
use super::world::Violation;

/// How long is tried, in real time, and how often.
const PATIENCE: Duration = Duration::from_secs(30);
const ATTEMPTS: usize = 400;

/// The shortest history found, and what came of it: fewer faults, then fewer acts of the user, as long as the same
/// property is violated. `run` tells one.
pub(super) fn shrink(
    plan: &Plan,
    outcome: Outcome,
    violation: &Violation,
    mut run: impl FnMut(&Plan) -> Option<Outcome>,
) -> (Plan, Outcome) {
    let begun = Instant::now();
    let mut attempts = 0;
    let mut best = plan.clone();
    best.faults = Faults::Known(outcome.befallen.clone());
    let mut known = outcome;
    let mut shorter = |candidate: &Plan, known: &mut Outcome| {
        attempts += 1;
        if attempts > ATTEMPTS || begun.elapsed() > PATIENCE {
            return false;
        }
        match run(candidate) {
            Some(told) if is_same(&told, violation) => {
                *known = told;
                true
            }
            _ => false,
        }
    };
    loop {
        let before = best.size();
        best = without_faults(best, |candidate| shorter(candidate, &mut known));
        best = without_acts(best, |candidate| shorter(candidate, &mut known));
        if best.size() == before {
            return (best, known);
        }
    }
}

fn is_same(outcome: &Outcome, violation: &Violation) -> bool {
    outcome.result.as_ref().is_err_and(|other| other.property == violation.property)
}

/// Leaves out faults: half of them, then quarters, down to one by one.
fn without_faults(mut best: Plan, mut holds: impl FnMut(&Plan) -> bool) -> Plan {
    let mut size = best.size().0;
    while size > 0 {
        let mut begin = 0;
        while begin < best.size().0 {
            let candidate = without(&best, begin, size);
            if holds(&candidate) {
                best = candidate;
            } else {
                begin += size;
            }
        }
        size /= 2;
    }
    best
}

/// Without `count` faults from that number on: those of requests come first.
fn without(plan: &Plan, begin: usize, count: usize) -> Plan {
    let mut plan = plan.clone();
    let mut number = 0;
    let mut is_kept = || {
        number += 1;
        !(begin..begin + count).contains(&(number - 1))
    };
    if let Faults::Known(known) = &mut plan.faults {
        known.retain(|_, _| is_kept());
    }
    plan.events.retain(|_| is_kept());
    plan
}

/// Leaves out acts of the user, the last first. What is left must begin with the object being made.
fn without_acts(mut best: Plan, mut holds: impl FnMut(&Plan) -> bool) -> Plan {
    for number in (0..best.story.len()).rev() {
        let mut candidate = best.clone();
        if number < candidate.story.len() && candidate.story.len() > 1 {
            candidate.story.remove(number);
            let begins = matches!(candidate.story.first(), Some((_, Act::Write(_))));
            if begins && holds(&candidate) {
                best = candidate;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::fault::SimFault;
    use crate::sim::plan::{Bounds, Event};

    #[test]
    fn what_does_not_matter_is_left_out() {
        let bounds = Bounds {
            steps: 4,
            replicas: 1,
            left_out: &[],
            may_replace: false,
            may_delete: false,
            upgrades: false,
        };
        let mut plan = Plan::draw(1, &bounds);
        let event = |fault| Event { at: Duration::ZERO, fault, replica: 0, lasts: Duration::ZERO, pick: 0 };
        plan.events = vec![
            event(SimFault::Stop),
            event(SimFault::Freeze),
            event(SimFault::Stop),
            event(SimFault::Crash),
        ];
        let befallen: std::collections::BTreeMap<_, _> =
            (0..9).map(|number| (number.to_string(), SimFault::Slow)).collect();
        let violation = Violation::new("it holds", "it does not");
        let failed = |property: &str| Outcome {
            result: Err(Violation::new(property, "")),
            lines: Vec::new(),
            hash: 0,
            requests: 0,
            lasted: Duration::ZERO,
            befallen: befallen.clone(),
        };
        // It takes a freeze, the fault of request 7, and the third step.
        let run = |plan: &Plan| {
            let Faults::Known(known) = &plan.faults else { return None };
            let matters = plan.events.iter().any(|event| event.fault == SimFault::Freeze)
                && known.contains_key("7")
                && plan.story.iter().any(|(_, act)| *act == Act::Write(2));
            Some(failed(if matters { "it holds" } else { "another one" }))
        };
        let (shortest, _) = shrink(&plan, failed("it holds"), &violation, run);
        assert_eq!(shortest.size(), (2, 1), "{shortest:?}");
    }
}
