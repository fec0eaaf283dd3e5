//! Properties of the user's own, and what a failure says.

use serde_json::Value;

use crate::{histories, run};

fn deployments(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| object["kind"] == "Deployment")
}

#[test]
fn a_property_is_asked_after_each_change() {
    let few = |objects: &[Value]| match deployments(objects).find(|it| it["spec"]["replicas"] == 3) {
        Some(_) => Err("there are three".to_owned()),
        None => Ok(()),
    };
    let failure = histories(run).always("there are never three replicas", few).first_failure(3);
    let failure = failure.expect("a failure");
    let said = "even when nothing goes wrong, it does not hold that there are never three replicas:\n  there are three";
    assert!(failure.contains(said), "{failure}");
}

#[test]
fn a_property_is_asked_in_the_end() {
    let none = |objects: &[Value]| {
        let count = deployments(objects).count();
        if count == 0 { Ok(()) } else { Err(format!("there are {count}")) }
    };
    let failure = histories(run).without_deletion().finally("nothing is left", none).first_failure(3);
    let failure = failure.expect("a failure");
    assert!(
        failure.contains("nothing is left (within 360s after the last fault):\n  there are 1"),
        "{failure}"
    );
}
