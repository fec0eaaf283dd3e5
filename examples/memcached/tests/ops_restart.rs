// SPDX-License-Identifier: Apache-2.0

//! The controller of `Restart` against a real API server; `make test` runs this. A start: let the test say what your
//! controller should bring about.

use operator_testing::{ControlPlane, Operator, ensure, eventually, project};

const CONTROLLER: &str = "restart";

#[tokio::test]
async fn the_sample_is_reconciled() {
    let control_plane = ControlPlane::start(project!()).await;
    let operator = Operator::start(&control_plane, &[]).await;
    let api_version = "ops.example.com/v1alpha1";
    let kind = "Restart";
    let sample = control_plane.project().sample(api_version, kind);
    control_plane.apply(&sample).await;

    let labels = format!("controller=\"{CONTROLLER}\",result=\"success\"");
    let reconciled = ["controller_runtime_reconcile_total{", &labels, "} "].concat();
    eventually("the object is reconciled", async || {
        let metrics = operator.metrics().await?;
        let count = metrics.lines().find_map(|line| line.strip_prefix(&reconciled)?.parse::<u64>().ok());
        ensure(count.is_some_and(|count| count > 0), &metrics)
    })
    .await;
    operator.stop().await;
}
