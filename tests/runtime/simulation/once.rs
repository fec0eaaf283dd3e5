//! One history, in which nothing goes wrong but what is asked for.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use operator_testing::{Replica, SimFault, Simulation};
use serde_json::{Value, json};

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
fn what_is_lost_is_done_in_the_end_and_a_watch_has_a_name() {
    for (request, fault, said) in [
        ("PATCH deployments/iris", SimFault::RequestLost, " \u{2192} the request is lost"),
        ("PATCH deployments/iris", SimFault::AnswerLost, " \u{2192} 201, the answer is lost"),
        ("PATCH deployments/iris", SimFault::Crash, " \u{2192} "),
        ("PATCH iris/iris/status", SimFault::RequestLost, " \u{2192} the request is lost"),
        ("GET deployments (watch)", SimFault::WatchBroken, ""),
        ("GET iris (watch)", SimFault::WatchSilent, ""),
    ] {
        // Whoever dies or waits in vain takes longer than those who are told.
        let sample = Simulation::of_sample(project(), "test.myardyas.club/v1alpha1", "Iris", run);
        let record = sample.failing(request, fault).once();
        let writes = record.writes();
        assert!(writes.iter().all(|write| write.starts_with("PATCH ")), "{fault}: {writes:#?}");
        if !said.is_empty() {
            let begin = format!("{request}{said}");
            assert!(writes.iter().any(|write| write.starts_with(&begin)), "{fault}: {begin}: {writes:#?}");
        }
        assert!(record.object("Deployment", "iris").is_some(), "{fault}: {writes:#?}");
        let status = &record.object("Iris", "iris").expect("the object")["status"];
        assert_eq!(status["readyReplicas"], 1, "{fault}: {status}");
    }
}

#[test]
#[should_panic(expected = "it does not hold that there is no Deployment:\n  there is one")]
fn what_should_hold_in_the_end_is_asked() {
    let sample = Simulation::of_sample(project(), "test.myardyas.club/v1alpha1", "Iris", run);
    let none = |objects: &[Value]| match objects.iter().find(|it| it["kind"] == "Deployment") {
        Some(_) => Err("there is one".to_owned()),
        None => Ok(()),
    };
    let _ = sample.finally("there is no Deployment", none).once();
}

#[test]
#[should_panic(expected = "`freeze` does not happen to a request, such as `PATCH deployments/iris`")]
fn what_happens_to_no_request_is_refused() {
    let _ = histories(run).failing("PATCH deployments/iris", SimFault::Freeze);
}

#[test]
#[should_panic(expected = "`failing` is for `once`")]
fn faults_that_are_drawn_are_not_asked_for() {
    histories(run).failing("PATCH deployments/iris", SimFault::Conflict).survives();
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
