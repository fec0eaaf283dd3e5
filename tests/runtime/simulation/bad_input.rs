//! Simulations that cannot be told say why, and end.

use operator_testing::{Project, Replica, Simulation};
use serde_json::json;

use crate::{histories, project, run};

#[test]
fn a_property_that_panics_is_one_that_does_not_hold() {
    let failure = histories(run).always("it holds", |_| panic!("out of order")).first_failure(1);
    assert!(failure.expect("a failure").contains("it panicked: out of order"));
}

#[test]
fn an_operator_that_ends_says_why() {
    let ends = |_: Replica| async { Err::<(), _>("no such flag") };
    let failure = histories(ends).first_failure(1).expect("a failure");
    assert!(failure.contains("it ended: no such flag"), "{failure}");
}

#[test]
fn an_object_that_is_invalid_is_refused() {
    let invalid = histories(run).then(json!({ "spec": { "replicas": -1 } }));
    let failure = invalid.first_failure(1).expect("a failure");
    assert!(failure.contains("the server takes the story's objects") && failure.contains("422"), "{failure}");
}

#[test]
#[should_panic = "the project has no CustomResourceDefinition of Iris of test.myardyas.club/v1alpha1"]
fn a_kind_without_a_definition_is_named() {
    let sample = project().sample("test.myardyas.club/v1alpha1", "Iris");
    let _ = Simulation::of(Project::new("/nowhere"), sample, run).first_failure(1);
}

/// Another test's process must not see the variable.
#[test]
fn a_seed_that_is_no_number_is_named() {
    let this = std::env::current_exe().expect("a program");
    let told = |variable: &str, value: &str| {
        let told = std::process::Command::new(&this).args(["--exact", "iris"]).env(variable, value).output();
        let told = told.expect("an end");
        assert!(!told.status.success());
        String::from_utf8_lossy(&told.stdout).into_owned()
    };
    let seed = told("SIM_SEED", "abc");
    assert!(seed.contains("SIM_SEED must be a number, such as SIM_SEED=127, not `abc`"), "{seed}");
    let count = told("SIM_SEEDS", "0");
    assert!(count.contains("SIM_SEEDS must be a number"), "{count}");
}

#[test]
fn a_flag_that_the_operator_does_not_have_is_named() {
    let failure = histories(run).with_args(["--no-such-flag"]).first_failure(1).expect("a failure");
    assert!(
        failure.contains("the operator does not panic") && failure.contains("--no-such-flag"),
        "{failure}"
    );
}
