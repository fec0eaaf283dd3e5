//! What a generated project's tests under faults tell of the kind, one way of being disturbed at a time: for weakened
//! operators.

use operator_testing::{FaultCase, Story, project};
use serde_json::json;

use crate::run;

fn withstands(case: FaultCase) {
    const ALL: [FaultCase; 5] = [
        FaultCase::Killed,
        FaultCase::AnswersLost,
        FaultCase::Conflicts,
        FaultCase::Past,
        FaultCase::Replaced,
    ];
    let story = Story::of_sample(project!(), "test.example.com/v1alpha1", "Iris")
        .then(json!({ "spec": { "replicas": 3 } }))
        .then(json!({ "spec": { "deploymentName": "other", "replicas": 2 } }))
        .then(json!({ "spec": { "replicas": 0 } }));
    let others = ALL.into_iter().filter(|other| *other != case);
    run(others.fold(story, Story::without).withstands());
}

#[test]
fn killed() {
    withstands(FaultCase::Killed);
}

#[test]
fn answers_lost() {
    withstands(FaultCase::AnswersLost);
}

#[test]
fn conflicts() {
    withstands(FaultCase::Conflicts);
}

#[test]
fn past() {
    withstands(FaultCase::Past);
}

#[test]
fn replaced() {
    withstands(FaultCase::Replaced);
}
