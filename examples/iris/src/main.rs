//! Starts the manager with every controller and runs it until it is told to stop.

use clap::Parser;
use iris::controller;
use iris::manager::{self, Manager, Options, shutdown, telemetry};
use std::process::ExitCode;

/// Name of the Lease by which one of several replicas leads.
const LEADER_ELECTION_ID: &str = "iris.myardyas.club";

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    telemetry::init(&options);

    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %manager::chain(&error), "the manager failed");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), manager::Error> {
    let stop = shutdown::on_signal()?;
    let mut manager = Manager::new(options, LEADER_ELECTION_ID).await?;
    controller::register(&mut manager);
    manager.run(stop).await
}
