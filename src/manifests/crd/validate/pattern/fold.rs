//! Characters that are the same without regard to case, as Go has it: `k`, `K` and the sign for Kelvin.

use std::sync::OnceLock;

/// See its first lines.
const RUNS: &str = include_str!("fold.txt");

/// Most characters that are alike, but for the one that is asked for.
const OTHERS: usize = 3;

/// Neighbours, each `step` from the last, and what to add to come from one to the next that is alike.
struct Run {
    first: u32,
    last: u32,
    step: u32,
    to_next: i32,
}

fn runs() -> &'static [Run] {
    static READ: OnceLock<Vec<Run>> = OnceLock::new();
    READ.get_or_init(|| {
        let run = |line: &str| {
            let [first, last, step, to_next] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
            let number = |text: &str| u32::from_str_radix(text, 16).ok();
            let (step, to_next) = (step.parse().ok()?, to_next.parse().ok()?);
            Some(Run { first: number(first)?, last: number(last)?, step, to_next })
        };
        RUNS.lines().filter(|line| !line.starts_with('#')).filter_map(run).collect()
    })
}

/// Adds the characters that are the same as one from `low` to `high` without regard to case.
pub(super) fn alike(low: u32, high: u32, found: &mut Vec<(u32, u32)>) {
    let mut from = vec![(low, high)];
    for _ in 0..OTHERS {
        let mut to = Vec::new();
        for (low, high) in from {
            next(low, high, &mut to);
        }
        found.extend(&to);
        from = to;
    }
}

fn next(low: u32, high: u32, found: &mut Vec<(u32, u32)>) {
    for run in runs().iter().filter(|run| run.first <= high && low <= run.last) {
        let first = run.first + low.saturating_sub(run.first).next_multiple_of(run.step);
        let last = run.first + (high.min(run.last) - run.first) / run.step * run.step;
        let shift = |c: u32| c.saturating_add_signed(run.to_next);
        if first > last {
            continue;
        }
        if run.step == 1 {
            found.push((shift(first), shift(last)));
        } else {
            found.extend((first..=last).step_by(run.step as usize).map(|c| (shift(c), shift(c))));
        }
    }
}
