// SPDX-License-Identifier: Apache-2.0

//! The kinds in simulated histories. The operator runs whole and unchanged, in this process and in virtual time, against an
//! API server in memory, while requests and answers get lost, replicas die, others write to the same objects, and much
//! else goes wrong. Each history follows from a number: `SIM_SEED=127` tells one again, with the operator's log, and
//! `SIM_SEEDS=100000` tells so many.

use clap::Parser;
use operator_runtime::{Error, Manager, Options};
use operator_testing::{Replica, SimFault, Simulation, project};
use serde_json::json;

use memcached::controller;

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
fn cache_memcached() {
    let api_version = "cache.example.com/v1alpha1";
    let kind = "Memcached";
    Simulation::of_sample(project!(), api_version, kind, run)
        .given(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "tuning" },
            "data": { "THREADS": "4" } }))
        .given(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "clients" },
            "stringData": { "password": "a" } }))
        .then(json!({ "spec": { "settings": "tuning", "credentials": "clients" } }))
        .then(json!({ "spec": { "settings": null, "replicas": 3 } }))
        // All objects of the kind are written down in one, which no object controls and which stays.
        .given(
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "memcached-register" } }),
        )
        .changing("ConfigMap")
        // They say which version of the Secret was read.
        .ignoring("StatefulSet", "/spec/template/metadata/annotations")
        .survives();
}

#[test]
fn ops_restart() {
    let api_version = "ops.example.com/v1alpha1";
    let kind = "Restart";
    Simulation::of_sample(project!(), api_version, kind, run)
        .given(json!({ "apiVersion": "cache.example.com/v1alpha1", "kind": "Memcached",
            "metadata": { "name": "memcached-sample" }, "spec": { "replicas": 2 } }))
        .changing("ConfigMap")
        .changing("StatefulSet")
        // Who deletes a restart before it was done has none, and what takes the place of the set has not been restarted.
        .without_deletion()
        .without(SimFault::Deleted)
        .without(SimFault::Intruder)
        .without(SimFault::NameTaken)
        .survives();
}

// +kubebuilder:scaffold:simulation
