//! A moment at which everything stands still, except for a replica elsewhere.

use std::time::Duration;

use futures::FutureExt as _;
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::{spawn_local, yield_now};
use tokio::time::{advance, sleep};

use super::determinism;
use super::kinds::{is_lease, text};
use super::network::MERGE;
use super::plan::Event;
use super::world::{Shared, World};

const ELSEWHERE: &str = "replica-elsewhere";
/// More turns than a request takes from the one who has decided on it to the network.
const TURNS: usize = 32;

/// Lets time pass in which nobody does anything. Should the Lease expire, the replica elsewhere takes it, leads for a while
/// and then gives it up.
///
/// Whoever is ready to go on does so before any timer is asked, as it happens to a process that was frozen in the middle of
/// something. What has been decided on is sent before: a process that stands still between the two cannot know, as
/// docs/reliability.md says.
pub(super) async fn freeze(shared: &Shared, event: &Event) {
    for _ in 0..TURNS {
        yield_now().await;
    }
    let taken = {
        let mut world = shared.world();
        world.tell("everybody", format!("stands still for {:?}", event.lasts));
        take_lease(&mut world, event.lasts)
    };
    // The clock goes on at the first poll; the second one would ask the timers.
    let _ = advance(event.lasts).now_or_never();
    let mut world = shared.world();
    determinism::set_now(u64::try_from(world.now().as_nanos()).unwrap_or(u64::MAX));
    world.tell("everybody", "goes on");
    if let Some(path) = taken {
        let (shared, held) = (shared.clone(), Duration::from_millis(event.pick % 20_000));
        spawn_local(async move {
            sleep(held).await;
            let mut world = shared.world();
            let held = world.objects().any(|it| text(it, "/spec/holderIdentity") == ELSEWHERE);
            if held {
                let free = json!({ "spec": { "holderIdentity": null, "leaseDurationSeconds": 1 } });
                world.call(ELSEWHERE, Method::PATCH, &path, MERGE, &free);
            }
        });
    }
}

/// The path of the Lease, if the replica elsewhere, which has watched it for some time, sees that it is not renewed.
fn take_lease(world: &mut World, lasts: Duration) -> Option<String> {
    let lease = world.objects().find(|object| is_lease(object)).cloned()?;
    let seconds = lease["spec"]["leaseDurationSeconds"].as_u64().unwrap_or(15);
    if lasts <= Duration::from_secs(seconds + 1) || text(&lease, "/spec/holderIdentity").is_empty() {
        return None;
    }
    let path = world.kinds.path(&lease);
    let transitions = lease["spec"]["leaseTransitions"].as_i64().unwrap_or_default();
    let spec: Value = json!({ "holderIdentity": ELSEWHERE, "leaseTransitions": transitions + 1 });
    world.call(ELSEWHERE, Method::PATCH, &path, MERGE, &json!({ "spec": spec }));
    Some(path)
}
