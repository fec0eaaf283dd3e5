//! What calls for a reconcile, when, and how many run at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::channel::mpsc;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use kube::api::{DynamicObject, Patch, PatchParams};
use operator_runtime::{Action, ObjectKey, Predicate, Scope, Store};
use operator_testing::{ensure, eventually};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::harness::{Seen, WHILE, reconciler, test, watcher, widget};

#[test]
fn a_users_change_comes_before_what_waits_since_the_start() {
    test("priorities", async |cluster| {
        for number in 0..20 {
            cluster.config_map(&format!("object-{number:02}"), "old").await;
        }
        let (seen, others, gate) = (Seen::default(), Seen::default(), Arc::new(Semaphore::new(0)));
        let (calls, open) = (seen.clone(), gate.clone());
        let (_replica, ()) = cluster
            .run(&["--max-concurrent-reconciles=1"], |manager| {
                manager.controller("priorities").run(reconciler(move |object: &ConfigMap, _| {
                    let (calls, open, name) = (calls.clone(), open.clone(), object.name_any());
                    async move {
                        calls.add(name);
                        drop(open.acquire().await);
                        Ok(Action::AwaitChange)
                    }
                    .boxed()
                }));
                // It hears of everything after the first controller.
                manager.controller("others").run(watcher::<ConfigMap>(&others));
            })
            .await;
        seen.is(&["object-00"]).await;
        eventually("the others are at rest", async || ensure(others.all().len() == 20, &others.all())).await;
        cluster.config_map("object-19", "new").await;
        others.times("object-19", 2).await;
        gate.add_permits(1);
        seen.times("object-18", 1).await;
        let order = seen.all();
        assert_eq!(order[..3], ["object-00", "object-19", "object-01"]);
        assert_eq!(order.len(), 20, "each once: {order:?}");
    });
}

#[test]
fn a_source_and_a_timer_call_for_reconciles() {
    test("sources", async |cluster| {
        cluster.config_map("told", "").await;
        cluster.config_map("timed", "").await;
        let (seen, (tell, told)) = (Seen::default(), mpsc::unbounded());
        let calls = seen.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                manager.controller("sources").source(told).run(reconciler(move |object: &ConfigMap, _| {
                    let name = object.name_any();
                    calls.add(&name);
                    let again = if name == "timed" {
                        Action::Requeue(Duration::from_millis(200))
                    } else {
                        Action::AwaitChange
                    };
                    std::future::ready(Ok(again)).boxed()
                }));
            })
            .await;
        eventually("the timer fires", async || ensure(seen.count("timed") > 3, &seen.all())).await;
        seen.times("told", 1).await;
        for key in [cluster.key("told"), ObjectKey::new("nowhere", "nothing")] {
            tell.unbounded_send(key).expect("somebody listens");
        }
        seen.times("told", 2).await;
    });
}

#[test]
fn no_more_are_reconciled_at_a_time_than_the_controller_allows() {
    test("concurrency", async |cluster| {
        for number in 0..8 {
            cluster.config_map(&format!("object-{number}"), "").await;
        }
        let (running, most, done) = <(AtomicUsize, AtomicUsize, AtomicUsize)>::default();
        let counts = Arc::new((running, most, done));
        let counted = counts.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                manager.controller("concurrency").max_concurrent_reconciles(3).run(reconciler(
                    move |_: &ConfigMap, _| {
                        let counted = counted.clone();
                        async move {
                            let (running, most, done) = &*counted;
                            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            sleep(Duration::from_millis(200)).await;
                            running.fetch_sub(1, Ordering::SeqCst);
                            done.fetch_add(1, Ordering::SeqCst);
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        let (_, most, done) = &*counts;
        eventually("all are done", async || {
            let done = done.load(Ordering::SeqCst);
            ensure(done == 8, &done)
        })
        .await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_predicate_decides_about_the_kind_and_about_what_it_owns() {
    test("predicates", async |cluster| {
        let owner = cluster.config_map("owner", "one").await;
        let seen = Seen::default();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let secrets: Store<Secret> = manager.owned();
                manager
                    .controller("predicates")
                    .with_predicate(Predicate::label_changed())
                    .owns_where(
                        &secrets,
                        Predicate::new(|change| {
                            change
                                .new
                                .is_some_and(|secret: &Secret| secret.type_.as_deref() == Some("worth-it"))
                        }),
                    )
                    .run(watcher::<ConfigMap>(&seen));
            })
            .await;
        seen.is(&["owner"]).await;
        let reference = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
            "uid": owner.uid(), "controller": true }]);
        let metadata = json!({ "ownerReferences": reference });
        cluster.config_map("owner", "two").await;
        cluster.put::<Secret>("other", json!({ "metadata": metadata, "type": "not-worth-it" })).await;
        sleep(WHILE).await;
        assert_eq!(seen.all(), ["owner"], "nothing worth it has changed");
        cluster.put::<Secret>("one", json!({ "metadata": metadata, "type": "worth-it" })).await;
        seen.times("owner", 2).await;
        cluster.put::<ConfigMap>("owner", json!({ "metadata": { "labels": { "new": "label" } } })).await;
        seen.times("owner", 3).await;
    });
}

#[test]
fn what_a_controller_writes_to_the_status_calls_others_but_not_itself() {
    test("own-status", async |cluster| {
        cluster.widget("one", 1).await;
        cluster.config_map("other", "").await;
        // The watch may tell of a write before its answer comes.
        for (round, cluster) in [cluster.clone(), cluster.with_late_answers()].into_iter().enumerate() {
            let (seen, statuses) = <(Seen, Seen)>::default();
            let calls = seen.clone();
            let (replica, ()) = cluster
                .run(&[], |manager| {
                    let widgets = manager.dynamic_store(widget(), Scope::default());
                    manager.controller_of("own-status", &widgets).run(reconciler(
                        move |object: &DynamicObject, context| {
                            let calls = calls.clone();
                            async move {
                                calls.add(object.name_any());
                                // Never the same.
                                let note = format!("{:?} {}", Instant::now(), calls.all().len());
                                context.patch_status(json!({ "note": note })).await?;
                                Ok(Action::AwaitChange)
                            }
                            .boxed()
                        },
                    ));
                    let (other, known, statuses) = (cluster.key("other"), widgets.clone(), statuses.clone());
                    let controller =
                        manager.controller("others").watches(&widgets, move |_| Some(other.clone()));
                    controller.run(reconciler(move |_: &ConfigMap, _| {
                        let notes = known.list().into_iter().map(|it| it.data["status"]["note"].to_string());
                        notes.for_each(|note| statuses.add(note));
                        std::future::ready(Ok(Action::AwaitChange)).boxed()
                    }));
                })
                .await;
            seen.is(&["one"]).await;
            sleep(WHILE).await;
            seen.is(&["one"]).await;
            let note =
                async || cluster.widgets().get("one").await.expect("it").data["status"]["note"].to_string();
            eventually("the other controller has heard of the status", async || {
                let note = note().await;
                ensure(statuses.all().last() == Some(&note), &(note, statuses.all()))
            })
            .await;
            let status = json!({ "status": { "seen": round } });
            let params = PatchParams::default();
            cluster.widgets().patch_status("one", &params, &Patch::Merge(status)).await.expect("a status");
            seen.times("one", 2).await;
            replica.stop().await;
        }
    });
}
