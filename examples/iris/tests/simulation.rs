// SPDX-License-Identifier: Apache-2.0

//! The kinds in simulated histories. The operator runs whole and unchanged, in this process and in virtual time, against an
//! API server in memory, while requests and answers get lost, replicas die, others write to the same objects, and much
//! else goes wrong. Each history follows from a number: `SIM_SEED=127` tells one again, with the operator's log, and
//! `SIM_SEEDS=100000` tells so many.

use clap::Parser;
use operator_runtime::{Error, Manager, Options};
use operator_testing::{Replica, Simulation, project};

use iris::controller;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    manager: Options,
}

/// Runs a replica as `main` does, with what it would otherwise find by itself.
async fn run(replica: Replica) -> Result<(), Error> {
    let cli = Cli::try_parse_from(replica.args).expect("flags that the operator has");
    let mut manager = Manager::builder("simulation", cli.manager)
        .client(replica.client)
        .identity(replica.identity)
        .clock(replica.clock)
        .seed(replica.seed)
        .shutdown(replica.shutdown)
        .build()
        .await?;
    controller::start(&mut manager);
    manager.run().await
}

#[test]
fn iris() {
    let api_version = "test.myardyas.club/v1alpha1";
    let kind = "Iris";
    Simulation::of_sample(project!(), api_version, kind, run)
        .then(serde_json::json!({ "spec": { "replicas": 3 } }))
        .then(serde_json::json!({ "spec": { "deploymentName": "other", "replicas": 2 } }))
        .then(serde_json::json!({ "spec": { "replicas": 0 } }))
        .survives();
}

// +kubebuilder:scaffold:simulation
