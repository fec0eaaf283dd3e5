//! Some of all hostile trees at once, and any commands one after the other.
//!
//! `IRIS_HOSTILE_RUNS=5000 IRIS_HOSTILE_SEED=$RANDOM cargo test --test hostile corpus_random` looks further than the usual
//! run, which draws the same cases every time.

use std::sync::Mutex;

use super::commands;
use super::world::World;
use super::{Tally, Tree, attempt, files, folders, journals, names, projects, side_by_side, sources, texts};
use crate::random;

/// How many commands are run in one tree.
const COMMANDS: usize = 3;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// One tree of all that are drawn, and what is wrong with the commands run in it.
fn case(trees: &[Tree], seed: u64, case: usize) -> Tally {
    let mut state = seed.wrapping_mul(1_000_003).wrapping_add(case as u64);
    let mut draw = |count: usize| usize::try_from(random(&mut state)).expect("an index") % count;
    draw(1);
    let mut world = World::new();
    let mut planted = Vec::new();
    for _ in 0..=draw(3) {
        let tree = &trees[draw(trees.len())];
        (tree.plant)(&mut world);
        planted.push(tree.name.as_str());
    }
    let mut total = Tally::default();
    for number in 1..=COMMANDS {
        let line = commands::random(&mut draw);
        let (_, found) = attempt(&world, &line);
        total.add(found.of(&format!("seed {seed}, case {case}, command {number}: {}", planted.join(" + "))));
    }
    total
}

#[test]
fn corpus_random_trees_and_commands() {
    let seed = number("IRIS_HOSTILE_SEED", 20);
    let runs = usize::try_from(number("IRIS_HOSTILE_RUNS", 300)).expect("a number");
    let lists = [
        journals::journals(),
        journals::folders(),
        folders::trees(),
        files::trees(),
        names::trees(),
        projects::trees(),
        sources::trees(),
        texts::trees(),
    ];
    let trees: Vec<Tree> = lists.into_iter().flatten().collect();
    let total = Mutex::new(Tally::default());
    side_by_side(runs.div_ceil(COMMANDS), |index| {
        let found = case(&trees, seed, index);
        total.lock().expect("a tally").add(found);
    });
    total.into_inner().expect("a tally").judge();
}
