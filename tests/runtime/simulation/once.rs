//! One history, in which nothing goes wrong but what is asked for.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use operator_testing::{Replica, SimFault, Simulation};
use serde_json::json;

use crate::{histories, project, run};

#[test]
fn a_story_leaves_behind_what_it_says() {
    let record = histories(run).once();
    let deployment = record.object("Deployment", "other").expect("a Deployment");
    assert_eq!(deployment["spec"]["replicas"], 0);
    assert_eq!(record.objects("Deployment").count(), 1);
    let status = &record.object("Iris", "iris").expect("the object")["status"];
    assert_eq!(status["readyReplicas"], 0, "{status}");
}

#[test]
fn a_request_fails_on_demand_and_what_was_written_is_known() {
    let iris = || Simulation::of_sample(project(), "test.myardyas.club/v1alpha1", "Iris", run);
    let all_is_well = iris().once();
    let first = ["PATCH deployments/iris \u{2192} 201", "PATCH iris/iris/status \u{2192} 200"];
    assert_eq!(all_is_well.writes()[..2], first);
    let failing = iris().failing("PATCH deployments/iris", SimFault::Unavailable).once();
    let refused = "PATCH deployments/iris \u{2192} 503, and it was not done";
    assert_eq!(failing.writes()[..3], [refused, first[0], first[1]]);
    // It looks again before it writes a status anew.
    let failing = iris().failing("PATCH iris/iris/status", SimFault::Conflict).once();
    let refused = "PATCH iris/iris/status \u{2192} 409, and it was not done";
    assert_eq!(failing.writes()[..3], [first[0], refused, first[1]]);
}

#[test]
#[should_panic(expected = "there is no request `PATCH deployments/another` that this can befall, but\n")]
fn a_request_that_is_not_sent_does_not_fail() {
    let _ = histories(run).failing("PATCH deployments/another", SimFault::Conflict).once();
}

#[test]
#[should_panic(expected = "there is no request `GET iris/iris` that this can befall, but\n")]
fn what_cannot_befall_a_request_does_not() {
    // Nobody is told of a conflict who only reads.
    let _ = histories(run).failing("GET iris/iris", SimFault::Conflict).once();
}

#[test]
#[should_panic(expected = "it does not hold that nothing is changed that is not the operator's:\n")]
fn what_may_never_be_is_told() {
    let foreign = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "foreign" } });
    let _ =
        Simulation::of_sample(project(), "test.myardyas.club/v1alpha1", "Iris", meddle).given(foreign).once();
}

/// Changes what nobody has given it.
async fn meddle(replica: Replica) -> Result<(), String> {
    let config_maps: Api<ConfigMap> = Api::namespaced(replica.client, "default");
    let patch = Patch::Merge(json!({ "data": { "a": "b" } }));
    config_maps.patch("foreign", &PatchParams::default(), &patch).await.map_err(|error| error.to_string())?;
    std::future::pending().await
}
