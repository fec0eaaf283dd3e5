//! Hostile trees. Each is planted on a scaffolded project; the commands are run in it, in all of their modes; and what is
//! promised whatever a tree holds is checked after each run. A tree meets every command once, in a mode that differs
//! from tree to tree.
//!
//! `IRIS_HOSTILE=all cargo test --test hostile corpus` runs every command in every mode in every tree, which takes hours, and
//! `IRIS_HOSTILE=3/10` the third tenth of these runs.

mod check;
mod commands;
mod files;
mod folders;
mod fuzz;
mod generators;
mod journals;
mod names;
mod neighbours;
mod projects;
mod run;
mod schemas;
mod sources;
mod texts;
mod world;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use commands::Line;
use world::World;

/// A text for each number, one after the other.
fn numbered(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |whole, number| whole + &text(number))
}

/// How many runs of one test go on at a time.
const WORKERS: usize = 2;

/// What makes a project a hostile one.
type Plant = Box<dyn Fn(&mut World) + Send + Sync>;

/// A hostile tree.
struct Tree {
    name: String,
    plant: Plant,
    /// What the commands that are run in it begin with.
    begin: &'static str,
    /// Every how many of them are run: 1 for all.
    every: usize,
}

impl Tree {
    fn new(name: impl Into<String>, plant: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        Self { name: name.into(), plant: Box::new(plant), begin: "", every: 1 }
    }

    /// Runs fewer commands in it: for one of many that are alike, and for those that take long to plant.
    fn every(self, every: usize) -> Self {
        Self { every, ..self }
    }

    /// Runs only commands that begin with these words.
    fn only(self, begin: &'static str) -> Self {
        Self { begin, ..self }
    }

    fn lines(&self, turn: usize) -> Vec<Line> {
        let is_all = commands::part().is_some();
        let lines =
            commands::lines(turn).into_iter().filter(|line| line.words.join(" ").starts_with(self.begin));
        let lines =
            lines.enumerate().filter(|(index, _)| is_all || (index + turn).is_multiple_of(self.every));
        lines.map(|(_, line)| line).collect()
    }

    fn world(&self) -> World {
        let mut world = World::new();
        (self.plant)(&mut world);
        world
    }
}

/// What the runs in a number of trees came to.
#[derive(Debug, Default)]
struct Tally {
    faults: Vec<String>,
    succeeded: usize,
    failed: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.succeeded += other.succeeded;
        self.failed += other.failed;
    }

    /// The same, with every fault told as one of this tree.
    fn of(self, tree: &str) -> Self {
        let faults = self.faults.into_iter().map(|fault| format!("{tree}: {fault}")).collect();
        Self { faults, ..self }
    }

    /// Fails with all that is wrong, if anything is.
    fn judge(mut self) {
        self.faults.sort();
        let mut report = String::new();
        for fault in &self.faults {
            let _ = writeln!(report, "  {fault}");
        }
        let (faults, runs) = (self.faults.len(), self.succeeded + self.failed);
        assert!(self.faults.is_empty(), "{faults} promises broken in {runs} runs:\n{report}");
    }
}

/// Runs the commands in every tree, and checks what is promised.
fn stand(trees: &[Tree]) {
    tally(trees).judge();
}

fn tally(trees: &[Tree]) -> Tally {
    let total = Mutex::new(Tally::default());
    side_by_side(trees.len(), |index| {
        let found = one(&trees[index], index);
        total.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(found);
    });
    total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Does work number 0 to `count`, several at a time.
fn side_by_side(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    work(index);
                }
            });
        }
    });
}

/// Runs the commands in one tree, which is planted anew whenever one has changed it.
fn one(tree: &Tree, turn: usize) -> Tally {
    let mut tally = Tally::default();
    let mut world = tree.world();
    for line in tree.lines(turn) {
        let (changed, found) = attempt(&world, &line);
        tally.add(found.of(&tree.name));
        if changed {
            world = tree.world();
        }
    }
    tally
}

/// One run. Whether anything changed, and what is wrong.
fn attempt(world: &World, line: &Line) -> (bool, Tally) {
    let before = world.fingerprint();
    let ended = run::run(world, line);
    let after = world.fingerprint();
    let faults = check::faults(world, line, &ended, &before, &after);
    let faults = faults.into_iter().map(|fault| format!("`{line}` {fault}")).collect();
    let succeeded = usize::from(ended.status == Some(0));
    (before != after, Tally { faults, succeeded, failed: 1 - succeeded })
}

#[test]
fn an_ordinary_tree_shows_that_the_corpus_runs_what_it_should() {
    let trees: Vec<Tree> = (0..6).map(|number| Tree::new(format!("ordinary {number}"), |_| {})).collect();
    let tally = tally(&trees);
    assert!(tally.succeeded > 8 * tally.failed, "{} succeeded, {} failed", tally.succeeded, tally.failed);
    tally.judge();
}
