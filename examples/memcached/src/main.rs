// SPDX-License-Identifier: Apache-2.0

//! The `memcached` operator.

use std::process::ExitCode;

use clap::Parser;
use tracing::error;

use operator_runtime::{Error, Manager, Options, telemetry};

use memcached::controller;

/// Name of the Lease that replicas of this operator compete for. The role in config/rbac/leader_election_role.yaml
/// names it, too.
const ID: &str = "memcached.example.com";

/// Kubernetes operator memcached
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    logs: telemetry::LogOptions,
    #[command(flatten)]
    manager: Options,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let _telemetry = telemetry::init(env!("CARGO_PKG_NAME"), cli.logs);
    match run(cli.manager).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the manager stopped");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Error> {
    let mut manager = Manager::new(ID, options).await?;
    controller::start(&mut manager);
    manager.run().await
}
