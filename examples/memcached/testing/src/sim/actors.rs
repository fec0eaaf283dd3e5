//! Who else is in the cluster: the user, the garbage collector, and the controllers of `Deployment`s and `StatefulSet`s.

use std::collections::BTreeSet;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::draw::Draw;
use super::kinds::{name, text};
use super::network::MERGE;
use super::world::{Shared, Violation, World};

const APPLY: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";
/// How long the user waits for what was deleted to be gone before making it anew.
const PATIENCE: Duration = Duration::from_secs(600);

/// Makes the object, or changes it to what it should be, as the user does.
pub(super) async fn write(shared: &Shared, object: &Value) -> Result<(), Violation> {
    let written = async {
        loop {
            {
                let mut world = shared.world();
                let path = world.kinds.path(object);
                let (_, found) = world.call("user", Method::GET, &path, JSON, &Value::Null);
                if found["metadata"]["deletionTimestamp"].is_null() {
                    let uri = format!("{path}?fieldManager=user&force=true");
                    let (status, answer) = world.call("user", Method::PATCH, &uri, APPLY, object);
                    if status.is_success() {
                        return Ok(());
                    }
                    let detail = format!("{}: {status}, {}", name(object), text(&answer, "/message"));
                    return Err(Violation::new("the server takes the story's objects", detail));
                }
            }
            sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(PATIENCE, written).await.unwrap_or_else(|_| {
        let detail = format!("{} is still there {PATIENCE:?} after it was deleted", name(object));
        Err(Violation::new("what is deleted ends", detail))
    })
}

/// Deletes the object, as the user does.
pub(super) fn delete(shared: &Shared, object: &Value) {
    let mut world = shared.world();
    let path = world.kinds.path(object);
    world.call("user", Method::DELETE, &path, JSON, &json!({ "propagationPolicy": "Background" }));
}

/// Acts whenever something has happened, sooner or later.
async fn whenever(
    shared: Shared,
    mut draw: Draw,
    most: u64,
    mut act: impl FnMut(&mut World, &mut Draw) -> bool,
) {
    let mut revisions = shared.revisions();
    let mut goes_on = true;
    loop {
        if !goes_on && revisions.changed().await.is_err() {
            return;
        }
        sleep(draw.time(20..=most)).await;
        revisions.mark_unchanged();
        goes_on = act(&mut shared.world(), &mut draw);
    }
}

/// Deletes what has owners that are all gone, and does what finalizers of deletions ask for.
pub(super) async fn collect_garbage(shared: Shared, draw: Draw, most: u64) {
    whenever(shared, draw, most, |world, _| {
        let uids: BTreeSet<String> =
            world.objects().map(|object| text(object, "/metadata/uid").to_owned()).collect();
        let objects: Vec<Value> =
            world.objects().filter(|object| concerns_collector(object)).cloned().collect();
        let mut failed = false;
        for object in objects {
            failed |= !collect(world, &uids, &object);
        }
        failed
    })
    .await;
}

fn concerns_collector(object: &Value) -> bool {
    let metadata = &object["metadata"];
    metadata["ownerReferences"].is_array() || metadata["deletionTimestamp"].is_string()
}

/// Whether nothing is left to do for the object until something happens.
fn collect(world: &mut World, uids: &BTreeSet<String>, object: &Value) -> bool {
    let (uid, path) = (text(object, "/metadata/uid"), world.kinds.path(object));
    let is_ending = !object["metadata"]["deletionTimestamp"].is_null();
    let owners = object["metadata"]["ownerReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !is_ending && !owners.is_empty() && !owners.iter().any(|owner| uids.contains(text(owner, "/uid"))) {
        let (status, _) =
            world.call(COLLECTOR, Method::DELETE, &path, JSON, &json!({ "preconditions": { "uid": uid } }));
        return is_done(status);
    }
    let finalizers: Vec<String> =
        serde_json::from_value(object["metadata"]["finalizers"].clone()).unwrap_or_default();
    let has = |name: &str| is_ending && finalizers.iter().any(|finalizer| finalizer == name);
    let (foreground, orphans) = (has("foregroundDeletion"), has("orphan"));
    if !foreground && !orphans {
        return true;
    }
    let dependents: Vec<Value> =
        world.objects().filter(|other| reference(other, uid).is_some()).cloned().collect();
    for dependent in &dependents {
        let path = world.kinds.path(dependent);
        if orphans {
            let mut rest = dependent["metadata"]["ownerReferences"].clone();
            rest.as_array_mut()
                .map(|owners| owners.retain(|owner| text(owner, "/uid") != uid))
                .unwrap_or_default();
            let kept = json!({ "metadata": { "ownerReferences": rest } });
            world.call(COLLECTOR, Method::PATCH, &path, MERGE, &kept);
        } else if dependent["metadata"]["deletionTimestamp"].is_null() {
            let uid = text(dependent, "/metadata/uid");
            world.call(COLLECTOR, Method::DELETE, &path, JSON, &json!({ "preconditions": { "uid": uid } }));
        }
    }
    let blocks = |other: &Value| reference(other, uid).is_some_and(|it| it["blockOwnerDeletion"] == true);
    if foreground && world.objects().any(blocks) {
        return true;
    }
    let rest: Vec<_> =
        finalizers.iter().filter(|it| !["foregroundDeletion", "orphan"].contains(&it.as_str())).collect();
    let kept = json!({ "metadata": { "finalizers": rest } });
    is_done(world.call(COLLECTOR, Method::PATCH, &path, MERGE, &kept).0)
}

const COLLECTOR: &str = "garbage collector";

fn is_done(status: StatusCode) -> bool {
    status.is_success() || matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT)
}

fn reference<'a>(object: &'a Value, uid: &str) -> Option<&'a Value> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| text(owner, "/uid") == uid)
}

/// Does what the controllers of `Deployment`s and `StatefulSet`s do, as far as their status shows: one replica after the
/// other gets ready.
pub(super) async fn run_workloads(shared: Shared, draw: Draw, most: u64) {
    whenever(shared, draw, most, |world, draw| {
        let is_workload = |object: &&Value| {
            object["apiVersion"] == "apps/v1"
                && ["Deployment", "StatefulSet"].contains(&text(object, "/kind"))
        };
        let workloads: Vec<Value> = world.objects().filter(is_workload).cloned().collect();
        let mut goes_on = false;
        for workload in workloads {
            let (status, is_last) = next_status(&workload, draw);
            let Some(status) = status else { continue };
            let path = format!("{}/status", world.kinds.path(&workload));
            let change = json!({ "status": status });
            let who = if workload["kind"] == "Deployment" { "deployments" } else { "statefulsets" };
            let (code, _) = world.call(&format!("controller of {who}"), Method::PATCH, &path, MERGE, &change);
            goes_on |= !is_last || !is_done(code);
        }
        goes_on
    })
    .await;
}

/// What the status becomes next, unless it is as it should be, and whether it is then.
fn next_status(workload: &Value, draw: &mut Draw) -> (Option<Value>, bool) {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let (wanted, status) = (workload["spec"]["replicas"].as_u64().unwrap_or(1), &workload["status"]);
    let generation = &workload["metadata"]["generation"];
    let (ready, updated) = (count(&status["readyReplicas"]), count(&status["updatedReplicas"]));
    let is_current = status["observedGeneration"] == *generation;
    if is_current && ready == wanted && updated == wanted && count(&status["replicas"]) == wanted {
        return (None, true);
    }
    let next = if is_current || ready > wanted { wanted.min(ready + 1 + draw.number() % 2) } else { ready };
    let mut fields = Map::new();
    fields.insert("observedGeneration".to_owned(), generation.clone());
    for (field, value) in [
        ("replicas", wanted),
        ("updatedReplicas", wanted),
        ("readyReplicas", next),
        ("availableReplicas", next),
    ] {
        // The server leaves out what is zero, except where it does not.
        let value = if value == 0 && field != "replicas" { Value::Null } else { value.into() };
        fields.insert(field.to_owned(), value);
    }
    (Some(fields.into()), next == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_get_ready_one_after_the_other_and_then_nothing_happens() {
        let mut workload = json!({ "metadata": { "generation": 2 }, "spec": { "replicas": 3 } });
        let mut draw = Draw::new(1, "");
        let mut seen = Vec::new();
        while let (Some(status), _) = next_status(&workload, &mut draw) {
            seen.push(status["readyReplicas"].as_u64().unwrap_or_default());
            workload["status"] = status;
        }
        assert!(seen.len() >= 2 && seen.is_sorted() && seen.last() == Some(&3), "{seen:?}");
        assert_eq!(workload["status"]["observedGeneration"], 2);
    }
}
