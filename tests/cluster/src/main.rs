//! Starts a Kubernetes with a simulated node, or with `--api-only` an API server alone, and says when it is ready:
//!
//! ```text
//! ready KUBECONFIG=/tmp/…/kubeconfig
//! ```
//!
//! It ends when standard input closes, or by Ctrl-C.

use std::io::{Read as _, stdin};
use std::process::ExitCode;

use test_cluster::Cluster;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let cluster = match (args.next().as_deref(), args.next()) {
        (None, _) => Cluster::with_nodes(),
        (Some("--api-only"), None) => Cluster::start(),
        _ => {
            eprintln!("usage: cluster [--api-only]");
            return ExitCode::from(2);
        }
    };
    println!("ready KUBECONFIG={}", cluster.kubeconfig().display());
    let _ = stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}
