//! `benches/iris-go`, with which `make bench-peer` compares a generated operator: it does the same, or there would be nothing
//! to compare.

mod common;
#[path = "../benches/peer/side.rs"]
#[allow(dead_code, reason = "the benchmark measures more")]
mod side;
#[path = "../benches/peer/story.rs"]
#[allow(dead_code, reason = "the benchmark measures more")]
mod story;
#[path = "../benches/peer/world.rs"]
#[allow(dead_code, reason = "the benchmark measures more")]
mod world;

use std::process::Command;

use common::Sandbox;
use common::cluster::{run, target, target_environment};
use side::{Program, Side};

const OBJECTS: usize = 20;

#[test]
fn both_operators_live_through_the_story() {
    let sandbox = Sandbox::with_iris();
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked"]).current_dir(sandbox.path()).envs(target_environment());
    run(build, "").expect("the project builds");
    let path = target().join("debug/iris");
    let rust = Program { side: Side::Rust, path, quiet: "--log-level=error" };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    for program in [rust, side::go()] {
        let told = runtime.block_on(story::tell(&program, sandbox.path(), OBJECTS, 4));
        let writes: f64 = told.phases.iter().take(story::PHASES.len()).map(|phase| phase.used.writes).sum();
        // Of each object: a Deployment made, scaled, made under another name and deleted, an event of each, and statuses.
        let least = f64::from(u32::try_from(OBJECTS * 12).expect("a number"));
        assert!(writes >= least, "{}: {writes} writes", program.side);
        if program.side == Side::Rust {
            // Before a child is changed the API server is asked whether its owner is current, and nothing else; few watches
            // begin anew meanwhile.
            let reads: Vec<_> = told.phases.iter().map(|phase| phase.used.reads).collect();
            let most = f64::from(u32::try_from(OBJECTS * 5 / 4 + 4).expect("a number"));
            assert!(reads[..4].iter().all(|reads| *reads <= most) && reads[2] <= 4.0, "{reads:?}");
        }
        let again = told.phases.last().expect("the restart").used.writes;
        assert!(again < 1.0, "{}: {again} writes after a restart", program.side);
    }
}
