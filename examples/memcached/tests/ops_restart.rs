// SPDX-License-Identifier: Apache-2.0

//! The controller of `Restart` against a real API server; `make test` runs this. A start: let the test say what your
//! controller should bring about.

use kube::Api;
use kube::api::PostParams;
use operator_testing::{ControlPlane, Operator, ensure, eventually, project};

use memcached_api::ops::v1alpha1::restart::{Restart as Object, RestartSpec as Spec};

const CONTROLLER: &str = "restart";

#[tokio::test]
async fn an_object_is_reconciled() {
    let control_plane = ControlPlane::start(project!()).await;
    let operator = Operator::start(&control_plane, &[]).await;
    let objects: Api<Object> = Api::namespaced(control_plane.client(), "default");
    let object = Object::new("sample", Spec::default());
    objects.create(&PostParams::default(), &object).await.expect("create");

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
