//! Functions and names that a user may get wrong.

use std::iter::repeat_n;
use std::time::{Duration, Instant};

use futures::future::pending;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use operator_runtime::{Error, Manager, ObjectKey, Store};
use operator_testing::{ensure, eventually};
use serde_json::json;

use crate::harness::{Seen, has, logs, test, watcher};

#[test]
fn a_mapper_may_panic_or_name_a_million_keys() {
    test("mappers", async |cluster| {
        cluster.config_map("one", "").await;
        let seen = Seen::default();
        let (replica, secrets) = cluster
            .run(&[], |manager| {
                let secrets: Store<Secret> = manager.store();
                let (namespace, key) = (cluster.namespace.clone(), cluster.key("one"));
                manager
                    .controller("mappers")
                    .watches(&secrets, move |secret: &Secret| {
                        let count = match secret.name_any().as_str() {
                            "panics" => panic!("the mapper is broken"),
                            "million" => 1_000_000,
                            _ => 1,
                        };
                        // None of which there is, and one that there is.
                        let namespace = namespace.clone();
                        let strangers =
                            (0..count).map(move |number| ObjectKey::new(&namespace, format!("{number}")));
                        strangers.chain(repeat_n(key.clone(), count))
                    })
                    .run(watcher::<ConfigMap>(&seen));
                secrets
            })
            .await;
        seen.times("one", 1).await;
        replica.ready().await;
        cluster.put::<Secret>("panics", json!({})).await;
        has(&secrets, &["panics"]).await;
        cluster.put::<Secret>("fine", json!({})).await;
        seen.times("one", 2).await;
        let begun = Instant::now();
        cluster.put::<Secret>("million", json!({})).await;
        has(&secrets, &["fine", "million", "panics"]).await;
        cluster.config_map("two", "").await;
        seen.times("two", 1).await;
        eventually("the mapper has named it", async || ensure(seen.count("one") > 2, &seen.all())).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        // However often it was named: once while it ran, and once more at most.
        assert!((3..=4).contains(&seen.count("one")), "{:?}", seen.all());
        assert!(logs().contains("a predicate or mapper panicked, and nothing is reconciled because of this change kind=Secret key=mappers/panics"));
    });
}

#[test]
fn an_index_that_panics_has_the_other_objects() {
    test("broken-index", async |cluster| {
        cluster.config_map("broken", "value").await;
        cluster.config_map("one", "value").await;
        let (_replica, (store, index)) = cluster
            .run(&[], |manager| {
                let store: Store<ConfigMap> = manager.store();
                let index = store.index(|object| {
                    assert_ne!(object.name_any(), "broken", "the index is broken");
                    vec!["value".to_owned()]
                });
                (store, index)
            })
            .await;
        has(&store, &["broken", "one"]).await;
        cluster.config_map("two", "value").await;
        has(&store, &["broken", "one", "two"]).await;
        let found: Vec<_> = index.get("value").iter().map(|object| object.name_any()).collect();
        assert_eq!(found, ["one", "two"]);
    });
}

#[test]
fn names_that_cannot_be_are_refused_at_the_start() {
    test("names", async |cluster| {
        let mut manager = cluster.manager(&[], pending()).await.expect("a manager");
        for _ in 0..2 {
            manager.controller("twice").run(watcher::<ConfigMap>(&Seen::default()));
        }
        let refused = |error: Error, expected: &str| {
            assert!(matches!(&error, Error::Setup(message) if message.contains(expected)), "{error}");
        };
        let ended = tokio::time::timeout(Duration::from_secs(5), manager.run()).await.expect("an end");
        refused(ended.expect_err("an error"), "two controllers are called `twice`");

        let (long, mut flags) = ("x".repeat(254).leak(), cluster.options(&["--leader-elect"]));
        let build = async |id, flags| {
            Manager::builder(id, flags)
                .client(cluster.control_plane.client())
                .shutdown(pending())
                .build()
                .await
        };
        let error = build(long, flags.clone()).await.expect_err("an error");
        refused(error, "has a name of more than 253 characters");
        flags.leader_election_namespace = None;
        refused(
            build("test", flags.clone()).await.expect_err("an error"),
            "needs `--leader-election-namespace`",
        );
        flags.leader_elect = false;
        build("test", flags).await.expect("nobody needs a Lease");
    });
}
