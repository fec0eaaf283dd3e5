//! Events: how many there are, and that nothing waits for them.

use std::time::Instant;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt as _;
use kube::api::ListParams;
use operator_runtime::{Action, Context, EventType};
use operator_testing::{Fault, ensure, eventually};
use tokio::time::{Duration, sleep};

use crate::harness::{Seen, WHILE, reconciler, test};

#[test]
fn events_about_one_object_have_a_budget() {
    test("budget", async |cluster| {
        cluster.config_map("noisy", "").await;
        cluster.config_map("quiet", "").await;
        let (_replica, ()) = cluster
            .run(&["--max-concurrent-reconciles=1"], |manager| {
                manager.controller("budget").run(reconciler(
                    |object: &ConfigMap, context: &Context<ConfigMap>| {
                        let count = if object.name_any() == "noisy" { 60 } else { 2 };
                        for number in 0..count {
                            // The same twice is one.
                            context.warn("Noise", format!("number {}", number / 2 * 2));
                        }
                        context.event(EventType::Normal, "Related", "to itself", object);
                        std::future::ready(Ok(Action::AwaitChange)).boxed()
                    },
                ));
            })
            .await;
        let events = cluster.api::<Event>();
        let about = async |name: &str| {
            let events = events.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
            let about = events.items.into_iter().filter(|event| {
                event.regarding.as_ref().is_some_and(|object| object.name.as_deref() == Some(name))
            });
            Ok::<_, String>(about.filter_map(|event| event.note).collect::<Vec<_>>())
        };
        eventually("the quiet one has its two events", async || {
            let mut about = about("quiet").await?;
            about.sort();
            ensure(about == ["number 0", "to itself"], &about)
        })
        .await;
        sleep(WHILE).await;
        // Of 25, every second one was there already.
        let noisy = about("noisy").await.expect("events");
        assert_eq!(noisy.len(), 13, "{noisy:?}");
    });
}

#[test]
fn reconciles_do_not_wait_for_events() {
    test("silent-events", async |cluster| {
        let (cluster, proxy) = cluster.proxied().await;
        proxy.inject(|request| if request.writes_to("events") { Fault::Hang } else { Fault::None });
        for number in 0..20 {
            cluster.config_map(&format!("object-{number}"), "").await;
        }
        let seen = Seen::default();
        let calls = seen.clone();
        let begun = Instant::now();
        let (_replica, ()) = cluster
            .run(&["--max-concurrent-reconciles=1"], |manager| {
                manager.controller("silent-events").run(reconciler(
                    move |object: &ConfigMap, context: &Context<ConfigMap>| {
                        context.warn("Test", "one");
                        calls.add(object.name_any());
                        std::future::ready(Ok(Action::AwaitChange)).boxed()
                    },
                ));
            })
            .await;
        eventually("all are reconciled", async || ensure(seen.all().len() == 20, &seen.all())).await;
        eventually("events are tried", async || {
            let tried = proxy.count(|request| request.writes_to("events"));
            ensure(tried > 0, &tried)
        })
        .await;
        // One event that nobody answers takes longer.
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    });
}
