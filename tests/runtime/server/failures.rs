//! What follows a reconcile that failed, an object that is paused, and one that is gone.

use std::time::{Duration, Instant};

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use operator_runtime::{Action, BoxError, Context, Scope, Stale, TerminalError};
use operator_testing::{ensure, eventually};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Seen, reconciler, test, watcher, widget};

#[test]
fn the_kind_of_failure_says_when_to_try_again() {
    test("failures", async |cluster| {
        for name in ["terminal", "stale", "ordinary"] {
            cluster.config_map(name, "").await;
        }
        let seen = Seen::default();
        let calls = seen.clone();
        let (replica, ()) = cluster
            .run(&[], |manager| {
                manager.controller("failures").run(reconciler(move |object: &ConfigMap, _| {
                    let name = object.name_any();
                    calls.add(&name);
                    let error: BoxError = match name.as_str() {
                        "terminal" => TerminalError::new("never").into(),
                        "stale" if calls.count("stale") == 1 => Stale.into(),
                        "ordinary" => "a failure".into(),
                        _ => return std::future::ready(Ok(Action::AwaitChange)).boxed(),
                    };
                    std::future::ready(Err(error)).boxed()
                }));
            })
            .await;
        let begun = Instant::now();
        seen.times("stale", 2).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        eventually("the ordinary one is tried twice more", async || {
            ensure(seen.count("ordinary") == 3, &seen.all())
        })
        .await;
        seen.times("terminal", 1).await;
        seen.times("stale", 2).await;
        // Three of the ordinary one, and one of the terminal one: what is stale is no error.
        let errors = replica.metric("controller_runtime_reconcile_errors_total").await;
        assert_eq!(errors.to_string(), "4");
        cluster.config_map("terminal", "changed").await;
        seen.times("terminal", 2).await;
        eventually("events tell of what failed", async || {
            let mut said = cluster.control_plane.events("terminal").await;
            said.extend(cluster.control_plane.events("stale").await);
            ensure(said == ["ReconcileFailed: never"], &said)
        })
        .await;
    });
}

#[test]
fn a_controller_is_told_what_is_gone() {
    test("gone", async |cluster| {
        let (seen, gone) = <(Seen, Seen)>::default();
        cluster.config_map("one", "").await;
        cluster.config_map("two", "").await;
        let calls = seen.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let hook = reconciler(move |object: &ConfigMap, _| {
                    calls.add(object.name_any());
                    std::future::ready(Ok(Action::AwaitChange)).boxed()
                });
                manager.controller("gone").run(hook.gone(&gone));
            })
            .await;
        seen.times("one", 1).await;
        cluster.api::<ConfigMap>().delete("one", &DeleteParams::default()).await.expect("delete");
        gone.is(&["one"]).await;
        seen.times("one", 1).await;
        seen.times("two", 1).await;
    });
}

#[test]
fn a_paused_object_is_left_alone_until_it_goes() {
    const FINALIZER: &str = "example.com/test";
    test("paused", async |cluster| {
        let seen = Seen::default();
        let calls = seen.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let widgets = manager.dynamic_store(widget(), Scope::default());
                manager.controller_of("paused", &widgets).run(reconciler(
                    move |object: &DynamicObject, context: &Context<DynamicObject>| {
                        let calls = calls.clone();
                        async move {
                            let clean_up = async || {
                                calls.add("cleaned up");
                                Ok::<_, BoxError>(())
                            };
                            if !context.finalizer(FINALIZER, clean_up).await? {
                                calls.add(object.data["spec"]["size"].to_string());
                                context.patch_status(json!({ "seen": object.data["spec"]["size"] })).await?;
                            }
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        let widgets = cluster.widgets();
        let pause = async |value: Value| {
            let patch =
                Patch::Merge(json!({ "metadata": { "annotations": { "example.com/paused": value } } }));
            widgets.patch("one", &PatchParams::default(), &patch).await.expect("a change");
        };
        let is_paused = async |expected: bool| {
            eventually("the condition says so", async || {
                let status =
                    widgets.get("one").await.map_err(|error| error.to_string())?.data["status"].clone();
                let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
                let is_paused = conditions.iter().any(|it| it["type"] == "Paused" && it["status"] == "True");
                ensure(is_paused == expected && status["seen"].is_number(), &status)
            })
            .await;
        };
        cluster.widget("one", 1).await;
        eventually("it is reconciled", async || ensure(seen.count("1") > 0, &seen.all())).await;
        pause(json!("true")).await;
        is_paused(true).await;
        cluster.widget("one", 2).await;
        sleep(Duration::from_millis(700)).await;
        assert_eq!(seen.count("2"), 0, "{:?}", seen.all());
        pause(Value::Null).await;
        eventually("it is reconciled again", async || ensure(seen.count("2") > 0, &seen.all())).await;
        is_paused(false).await;
        pause(json!("true")).await;
        is_paused(true).await;
        widgets.delete("one", &DeleteParams::default()).await.expect("delete");
        seen.times("cleaned up", 1).await;
        eventually("it is gone", async || {
            ensure(widgets.get_opt("one").await.map_err(|error| error.to_string())?.is_none(), &seen.all())
        })
        .await;
    });
}

#[test]
fn a_reconcile_that_panics_is_a_failure_and_no_more() {
    test("panics", async |cluster| {
        cluster.config_map("broken", "").await;
        let seen = Seen::default();
        let (replica, ()) = cluster
            .run(&[], |manager| {
                manager
                    .controller("panics")
                    .run(reconciler(|object: &ConfigMap, _| panic!("{} is broken", object.name_any())));
                manager.controller("others").run(watcher::<ConfigMap>(&seen));
            })
            .await;
        replica.ready().await;
        eventually("it is tried again", async || {
            let panics = replica.metric("controller_runtime_reconcile_panics_total").await;
            ensure(panics >= 2.0, &panics)
        })
        .await;
        seen.times("broken", 1).await;
    });
}
