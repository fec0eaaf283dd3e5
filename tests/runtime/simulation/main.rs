//! Simulations of the example operator, whole and unchanged, and of operators with a defence taken away each.

// The example's types and controllers are compiled as they are; they call their API by its crate's name.
extern crate self as iris_api;

#[expect(
    clippy::useless_conversion,
    clippy::duration_suboptimal_units,
    reason = "the example has lints of its own"
)]
#[path = "../../../examples/iris/src/controller/mod.rs"]
pub mod controller;
#[path = "../../../examples/iris/api/src/v1alpha1/mod.rs"]
pub mod v1alpha1;

mod bad_input;
mod once;
mod properties;
mod upgrades;
mod weak;

use std::path::Path;

use clap::Parser;
use operator_runtime::{Error, Manager, Options};
use operator_testing::{Project, Replica, Simulation};
use serde_json::json;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    manager: Options,
}

/// The manager of a replica.
async fn manager(replica: Replica) -> Result<Manager, Error> {
    let options = Cli::try_parse_from(&replica.args).expect("flags that the operator has").manager;
    let manager = Manager::builder("iris.myardyas.club", options)
        .client(replica.client)
        .identity(replica.identity)
        .clock(replica.clock)
        .seed(replica.seed)
        .shutdown(replica.shutdown);
    manager.build().await
}

async fn run(replica: Replica) -> Result<(), Error> {
    let mut manager = manager(replica).await?;
    controller::start(&mut manager);
    manager.run().await
}

fn project() -> Project {
    Project::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/iris"))
}

/// The histories of an Iris, of the operator that `run` runs.
fn histories<F, E>(run: impl Fn(Replica) -> F + Send + Sync + 'static) -> Simulation
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    Simulation::of_sample(project(), "test.myardyas.club/v1alpha1", "Iris", run)
        .then(json!({ "spec": { "replicas": 3 } }))
        .then(json!({ "spec": { "deploymentName": "other", "replicas": 2 } }))
        .then(json!({ "spec": { "replicas": 0 } }))
}

#[test]
fn iris() {
    histories(run).survives();
}

/// Each history follows from its seed alone, whatever was told before it, and on whichever thread.
#[test]
fn a_seed_is_one_history() {
    let tell = || histories(run).fingerprints(200);
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(tell);
        (tell(), second.join().expect("no panic"))
    });
    assert_eq!(first, second);
    let different: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(different.len(), 200, "no two seeds have one history");
}
