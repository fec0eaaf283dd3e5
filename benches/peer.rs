//! The generated operator beside the same one in Go, `benches/iris-go`: one after the other, each with an API server of its
//! own, asked for the same.
//!
//! `PEER_OBJECTS` (200,2000,10000) says with how many objects, `PEER_WORKERS` (1,16) how many of them are reconciled at the
//! same time, `PEER_REPEATS` (3) how often up to 200 of them; of these the medians count. The tables go to stdout, and with
//! all of the above left alone into `docs/performance.md`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what this is for")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "peer/page.rs"]
mod page;
#[path = "peer/side.rs"]
mod side;
#[path = "peer/story.rs"]
mod story;
#[path = "peer/world.rs"]
mod world;

use std::process::Command;

use common::Sandbox;
use common::cluster::{run, target, target_environment};

use page::Comparison;
use side::{Program, Side};

/// More objects than this are compared once.
const OFTEN: usize = 200;

fn main() {
    let sandbox = Sandbox::with_iris();
    let programs = [ours(&sandbox), side::go()];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut comparisons = Vec::new();
    for &objects in &numbers("PEER_OBJECTS", &[200, 2_000, 10_000]) {
        for &workers in &numbers("PEER_WORKERS", &[1, 16]) {
            let repeats = if objects > OFTEN { 1 } else { numbers("PEER_REPEATS", &[3])[0] };
            let mut comparison = Comparison::new(objects, workers);
            for repeat in 0..repeats {
                // Whoever is first is not always the same.
                for turn in 0..programs.len() {
                    let program = &programs[(repeat + turn) % programs.len()];
                    eprintln!("{objects} objects, {workers} workers: {}", program.side);
                    let told = runtime.block_on(story::tell(program, sandbox.path(), objects, workers));
                    comparison.add(program.side, told);
                }
            }
            println!("{}", comparison.table());
            comparisons.push(comparison);
        }
    }
    if ["PEER_OBJECTS", "PEER_WORKERS", "PEER_REPEATS"].iter().all(|it| std::env::var_os(it).is_none()) {
        page::write(&programs, &comparisons);
    }
}

/// The generated operator, as its image has it.
fn ours(sandbox: &Sandbox) -> Program {
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--profile", "dist"]).current_dir(sandbox.path());
    build.envs(target_environment());
    run(build, "").expect("the project builds");
    Program { side: Side::Rust, path: target().join("dist/iris"), quiet: "--log-level=error" }
}

fn numbers(variable: &str, default: &[usize]) -> Vec<usize> {
    let Ok(text) = std::env::var(variable) else { return default.to_vec() };
    text.split(',').map(|number| number.parse().expect("numbers, separated by commas")).collect()
}
