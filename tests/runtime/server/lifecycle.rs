//! How managers start, stand by, take over, and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use operator_runtime::{Action, Context, Error, Manager, Replicas, Scope, Store};
use operator_testing::{Fault, ensure, eventually};
use serde_json::json;
use tokio::time::sleep;

use crate::harness::{Cluster, Seen, has, reconciler, test, watcher, widget};

const ELECTION: [&str; 2] = ["--leader-elect", "--leader-elect-retry-period=200ms"];

async fn holder(cluster: &Cluster) -> Option<String> {
    cluster
        .api::<Lease>()
        .get("test.example.com")
        .await
        .expect("a Lease")
        .spec
        .and_then(|spec| spec.holder_identity)
}

/// Adds a runnable that says when it begins, when it is told to stop, and when it did.
fn runnable(manager: &mut Manager, name: &'static str, replicas: Replicas, seen: &Seen) {
    let seen = seen.clone();
    manager.runnable(name, replicas, move |shutdown| async move {
        seen.add(format!("{name} begins"));
        shutdown.await;
        sleep(Duration::from_millis(300)).await;
        seen.add(format!("{name} ends"));
        Ok(())
    });
}

#[test]
fn a_standby_is_ready_and_takes_over_when_the_leader_stops() {
    test("standby", async |cluster| {
        cluster.config_map("one", "").await;
        let start = async |seen: &Seen| {
            cluster
                .run(&ELECTION, |manager| {
                    runnable(manager, "everywhere", Replicas::All, seen);
                    runnable(manager, "leading", Replicas::Leader, seen);
                    manager.controller("standby").run(watcher::<ConfigMap>(seen));
                    manager.store::<ConfigMap>()
                })
                .await
        };
        let (first_seen, second_seen) = <(Seen, Seen)>::default();
        let (first, _) = start(&first_seen).await;
        first.ready().await;
        first_seen.times("one", 1).await;
        let (second, store) = start(&second_seen).await;
        second.ready().await;
        has(&store, &["one"]).await;
        cluster.config_map("two", "").await;
        has(&store, &["one", "two"]).await;
        first_seen.times("two", 1).await;
        second_seen.is(&["everywhere begins"]).await;
        assert_eq!(second.metric("leader_election_master_status").await.to_string(), "0");

        let before = holder(&cluster).await;
        let stopped = Instant::now();
        first.stop().await;
        let ended: Vec<_> = first_seen.all().into_iter().filter(|what| what.ends_with("ends")).collect();
        assert_eq!(ended.len(), 2, "both were waited for: {ended:?}");
        second_seen.times("two", 1).await;
        second_seen.times("one", 1).await;
        second_seen.times("leading begins", 1).await;
        assert!(
            stopped.elapsed() < Duration::from_secs(5),
            "the Lease was released: {:?}",
            stopped.elapsed()
        );
        assert_ne!(holder(&cluster).await, before);
        second.stop().await;
        assert_eq!(holder(&cluster).await, None);
    });
}

#[test]
fn a_runnable_that_fails_stops_the_manager_which_gives_up_its_lead() {
    test("runnables", async |cluster| {
        for (replicas, panics) in [(Replicas::Leader, false), (Replicas::All, false), (Replicas::All, true)] {
            let seen = Seen::default();
            let (replica, ()) = cluster
                .run(&ELECTION, |manager| {
                    let begun = seen.clone();
                    runnable(manager, "other", Replicas::All, &seen);
                    manager.runnable("broken", replicas, move |_| async move {
                        while begun.count("one") == 0 {
                            sleep(Duration::from_millis(20)).await;
                        }
                        assert!(!panics, "it panics");
                        Err("it is broken".into())
                    });
                    manager.controller("runnables").run(watcher::<ConfigMap>(&seen));
                })
                .await;
            cluster.config_map("one", "").await;
            match replica.ended().await.expect_err("a failure") {
                Error::Runnable(name, error) if !panics => {
                    assert_eq!((name.as_str(), error.to_string().as_str()), ("broken", "it is broken"));
                }
                Error::Runnable(_, error) if panics => {
                    assert!(error.to_string().contains("it panics"), "{error}");
                }
                error => panic!("{error}"),
            }
            assert_eq!(holder(&cluster).await, None, "{replicas:?} panics: {panics}");
        }
    });
}

#[test]
fn what_is_reconciled_at_shutdown_is_done_before_runnables_are_waited_for() {
    test("shutdown", async |cluster| {
        cluster.config_map("one", "").await;
        let seen = Seen::default();
        let calls = seen.clone();
        let (replica, ()) = cluster
            .run(&[], |manager| {
                runnable(manager, "leading", Replicas::Leader, &seen);
                manager.controller("shutdown").run(reconciler(move |_: &ConfigMap, _| {
                    let calls = calls.clone();
                    async move {
                        calls.add("reconcile begins");
                        sleep(Duration::from_secs(1)).await;
                        calls.add("reconcile ends");
                        Ok(Action::AwaitChange)
                    }
                    .boxed()
                }));
            })
            .await;
        seen.times("reconcile begins", 1).await;
        replica.stop().await;
        assert_eq!(seen.all(), ["leading begins", "reconcile begins", "leading ends", "reconcile ends"]);
    });
}

#[test]
fn cleaning_up_does_not_begin_after_the_lead_is_lost() {
    const FINALIZER: &str = "example.com/test";
    test("lost-lead", async |cluster| {
        let seen = Seen::default();
        let (events, blocked) = (seen.clone(), Arc::new(AtomicBool::new(true)));
        let blocks = blocked.clone();
        let set_up = |manager: &mut Manager| {
            let (events, blocks) = (events.clone(), blocks.clone());
            manager.controller("lost-lead").run(reconciler(
                move |object: &ConfigMap, context: &Context<ConfigMap>| {
                    let (events, blocks) = (events.clone(), blocks.clone());
                    async move {
                        if object.metadata.deletion_timestamp.is_some() {
                            events.add("looked at");
                            // As a process that is frozen at this point.
                            while blocks.load(Ordering::SeqCst) && context.is_leading() {
                                std::thread::sleep(Duration::from_millis(10));
                            }
                        }
                        let clean_up = async || {
                            events.add("cleaned up");
                            Ok::<_, Error>(())
                        };
                        let is_leaving = context.finalizer(FINALIZER, clean_up).await;
                        events.add(if is_leaving.is_ok() { "done" } else { "given up" });
                        is_leaving?;
                        Ok(Action::AwaitChange)
                    }
                    .boxed()
                },
            ));
        };
        let (first, ()) = cluster.run(&ELECTION, set_up).await;
        cluster.config_map("one", "").await;
        let api = cluster.api::<ConfigMap>();
        eventually("the finalizer is there", async || {
            let object = api.get("one").await.map_err(|error| error.to_string())?;
            ensure(object.finalizers() == [FINALIZER], &object)
        })
        .await;
        api.delete("one", &DeleteParams::default()).await.expect("delete");
        seen.times("looked at", 1).await;
        let thief = Patch::Merge(json!({ "spec": { "holderIdentity": "thief", "leaseDurationSeconds": 1 } }));
        let params = PatchParams::default();
        cluster.api::<Lease>().patch("test.example.com", &params, &thief).await.expect("a theft");
        let error = first.ended().await.expect_err("the lead is lost");
        assert!(matches!(error, Error::LeadershipLost), "{error}");
        eventually("the reconcile has ended", async || {
            ensure(seen.all().last().is_some_and(|it| it == "given up"), &seen.all())
        })
        .await;
        assert_eq!(seen.count("cleaned up"), 0);

        blocked.store(false, Ordering::SeqCst);
        let (_second, ()) = cluster.run(&ELECTION, set_up).await;
        seen.times("cleaned up", 1).await;
        eventually("the object is gone", async || {
            ensure(api.get_opt("one").await.map_err(|error| error.to_string())?.is_none(), &seen.all())
        })
        .await;
    });
}

#[test]
fn nothing_is_begun_with_an_object_that_is_gone_before_it_has_its_finalizer() {
    test("gone-early", async |cluster| {
        let (cluster, proxy) = cluster.proxied().await;
        proxy.inject(|asked| {
            if asked.writes_to("widgets/one") { Fault::Delay(Duration::from_secs(1)) } else { Fault::None }
        });
        let seen = Seen::default();
        let events = seen.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let widgets = manager.dynamic_store(widget(), Scope::default());
                manager.controller_of("gone-early", &widgets).run(reconciler(
                    move |_: &DynamicObject, context: &Context<DynamicObject>| {
                        let events = events.clone();
                        async move {
                            let clean_up = async || Ok::<_, Error>(());
                            let ended = context.finalizer("example.com/test", clean_up).await;
                            events.add(if ended.is_ok() { "begun" } else { "refused" });
                            ended?;
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        cluster.widget("one", 1).await;
        let asked = || proxy.count(|request| request.writes_to("widgets/one"));
        eventually("the finalizer is asked for", async || ensure(asked() == 1, &asked())).await;
        cluster.widgets().delete("one", &DeleteParams::default()).await.expect("delete");
        seen.times("refused", 1).await;
        sleep(Duration::from_secs(3)).await;
        assert_eq!((seen.count("begun"), asked()), (0, 1), "nor is it tried again");
    });
}

#[test]
fn a_store_without_a_controller_is_filled_too() {
    test("no-controllers", async |cluster| {
        cluster.config_map("one", "").await;
        let (replica, store) = cluster.run(&[], |manager| -> Store<ConfigMap> { manager.store() }).await;
        replica.ready().await;
        has(&store, &["one"]).await;
        replica.stop().await;
    });
}
