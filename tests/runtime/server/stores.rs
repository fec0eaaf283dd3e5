//! What stores hold, what is asked of the API server for it, and how it is found.

use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, DynamicObject};
use operator_runtime::{Action, Scope, Store};
use operator_testing::{Fault, Request, ensure, eventually};
use serde_json::json;

use crate::harness::{Seen, has, names, reconciler, test, watcher, widget};

#[test]
fn a_scope_narrows_what_is_asked_for() {
    test("scopes", async |cluster| {
        cluster.control_plane.create_namespace("scopes-elsewhere").await;
        let mut elsewhere = cluster.clone();
        elsewhere.namespace = "scopes-elsewhere".to_owned();
        elsewhere.config_map("elsewhere", "").await;
        cluster.config_map("plain", "").await;
        cluster.put::<ConfigMap>("labelled", json!({ "metadata": { "labels": { "app": "web" } } })).await;
        let (cluster, proxy) = cluster.proxied().await;
        let (_replica, stores) = cluster
            .run(&[], |manager| {
                let mut store = |scope| manager.store_where::<ConfigMap>(scope);
                [
                    store(Scope::default()),
                    store(Scope::default().namespaces(["scopes-elsewhere"])),
                    store(Scope::default().labels("app=web")),
                    store(Scope::default().fields("metadata.name=plain")),
                ]
            })
            .await;
        let [all, namespace, labels, fields] = &stores;
        has(all, &["labelled", "plain"]).await;
        has(namespace, &["elsewhere"]).await;
        has(labels, &["labelled"]).await;
        has(fields, &["plain"]).await;
        cluster.config_map("later", "").await;
        cluster.put::<ConfigMap>("plain", json!({ "metadata": { "labels": { "app": "web" } } })).await;
        has(all, &["labelled", "later", "plain"]).await;
        has(labels, &["labelled", "plain"]).await;
        assert_eq!((names(namespace), names(fields)), (vec!["elsewhere".into()], vec!["plain".into()]));
        // The rest was not even sent.
        for query in ["labelSelector=app%3Dweb", "fieldSelector=metadata.name%3Dplain"] {
            let asked = |watches| {
                proxy.count(|request| request.query.contains(query) && request.watches() == watches)
            };
            assert!(asked(false) > 0 && asked(true) > 0, "{query}: {:#?}", proxy.requests());
        }
        let others = ["/api/v1/configmaps", "/api/v1/namespaces/default/configmaps"];
        assert_eq!(proxy.count(|request| others.contains(&request.path.as_str())), 0);
    });
}

#[test]
fn of_metadata_nothing_else_is_sent() {
    test("metadata", async |cluster| {
        cluster.put::<Secret>("one", json!({ "stringData": { "password": "secret" } })).await;
        let (cluster, proxy) = cluster.proxied().await;
        let (_replica, store) =
            cluster.run(&[], |manager| manager.metadata::<Secret>(Scope::default())).await;
        has(&store, &["one"]).await;
        cluster.put::<Secret>("two", json!({ "stringData": { "password": "secret" } })).await;
        has(&store, &["one", "two"]).await;
        let asked = proxy.requests().into_iter().filter(|request| request.is_of("secrets"));
        let (watches, lists): (Vec<_>, Vec<_>) = asked.partition(Request::watches);
        assert!(!watches.is_empty() && !lists.is_empty());
        assert!(
            watches.iter().all(|request| request.accept.contains("as=PartialObjectMetadata;")),
            "{watches:?}"
        );
        assert!(
            lists.iter().all(|request| request.accept.contains("as=PartialObjectMetadataList;")),
            "{lists:?}"
        );
    });
}

#[test]
fn a_reconcile_reads_stores_that_are_filled_though_it_does_not_hear_of_them() {
    test("filled", async |cluster| {
        cluster.put::<Secret>("known", json!({})).await;
        cluster.put::<ServiceAccount>("known", json!({})).await;
        cluster.config_map("one", "").await;
        let (cluster, proxy) = cluster.proxied().await;
        let late = Fault::Delay(Duration::from_secs(2));
        let is_late = |request: &Request| request.is_of("secrets") || request.is_of("serviceaccounts");
        proxy.inject(move |request| if is_late(request) { late.clone() } else { Fault::None });
        let seen = Seen::default();
        let calls = seen.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let secrets: Store<Secret> = manager.store();
                // Another controller hears of these.
                let accounts: Store<ServiceAccount> = manager.store();
                manager.controller_of("accounts", &accounts).run(reconciler(|_: &ServiceAccount, _| {
                    std::future::ready(Ok(Action::AwaitChange)).boxed()
                }));
                let known = cluster.key("known");
                manager.controller("filled").run(reconciler(move |_: &ConfigMap, _| {
                    let is_known = secrets.contains(&known) && accounts.contains(&known);
                    calls.add(if is_known { "known" } else { "unknown" });
                    std::future::ready(Ok(Action::AwaitChange)).boxed()
                }));
            })
            .await;
        seen.times("known", 1).await;
        assert_eq!(seen.count("unknown"), 0);
    });
}

#[test]
fn only_what_is_owned_is_kept_unless_somebody_asks_for_more() {
    test("owned", async |cluster| {
        let object = cluster.config_map("owner", "").await;
        let reference = |kind: &str, uid| {
            json!({ "metadata": { "ownerReferences": [{ "apiVersion": "v1", "kind": kind, "name": "owner",
                "uid": uid, "controller": true }] } })
        };
        cluster.put::<Secret>("child", reference("ConfigMap", object.uid())).await;
        cluster.put::<Secret>("foreign", json!({})).await;
        cluster.put::<Secret>("of-another-kind", reference("Service", Some("1".to_owned()))).await;
        for (asks, expected) in [(false, &["child"][..]), (true, &["child", "foreign", "of-another-kind"])] {
            let seen = Seen::default();
            let (replica, owned) = cluster
                .run(&[], |manager| {
                    let owned: Store<Secret> = manager.owned();
                    manager.controller("owned").owns(&owned).run(watcher::<ConfigMap>(&seen));
                    asks.then(|| manager.store::<Secret>());
                    owned
                })
                .await;
            replica.ready().await;
            seen.times("owner", 1).await;
            assert_eq!(names(&owned), expected);
            assert_eq!(owned.owned_by(&object.uid().expect("a uid")).len(), 1);
            replica.stop().await;
        }
    });
}

#[test]
fn a_transform_drops_what_nobody_reads() {
    test("transforms", async |cluster| {
        cluster.put::<Secret>("one", json!({ "stringData": { "password": "secret" } })).await;
        let (_replica, store) = cluster
            .run(&[], |manager| {
                let store: Store<Secret> = manager.store();
                store.transform(|secret| secret.data = None);
                store
            })
            .await;
        has(&store, &["one"]).await;
        cluster.put::<Secret>("two", json!({ "stringData": { "password": "secret" } })).await;
        has(&store, &["one", "two"]).await;
        assert!(store.list().iter().all(|secret| secret.data.is_none()));
    });
}

#[test]
fn an_index_follows_what_is_in_the_objects() {
    test("indexes", async |cluster| {
        cluster.config_map("one", "red").await;
        cluster.config_map("two", "red").await;
        let (_replica, by_value) = cluster
            .run(&[], |manager| {
                let store: Store<ConfigMap> = manager.store();
                store.index(|object| object.data.iter().flatten().map(|(_, value)| value.clone()).collect())
            })
            .await;
        let finds = async |value: &str, expected: &[&str]| {
            eventually(&format!("{value} finds {expected:?}"), async || {
                let found: Vec<_> = by_value.get(value).iter().map(|object| object.name_any()).collect();
                ensure(found == expected, &found)
            })
            .await;
        };
        finds("red", &["one", "two"]).await;
        cluster.config_map("two", "blue").await;
        finds("blue", &["two"]).await;
        finds("red", &["one"]).await;
        cluster.api::<ConfigMap>().delete("one", &DeleteParams::default()).await.expect("delete");
        finds("red", &[]).await;
    });
}

#[test]
fn a_kind_that_is_known_at_run_time_only_is_a_kind_like_others() {
    test("dynamic", async |cluster| {
        let seen = Seen::default();
        let calls = seen.clone();
        let (_replica, widgets) = cluster
            .run(&[], |manager| {
                let widgets = manager.dynamic_store(widget(), Scope::default());
                let config_maps: Store<ConfigMap> = manager.owned();
                manager.controller_of("dynamic", &widgets).owns(&config_maps).run(reconciler(
                    move |object: &DynamicObject, context| {
                        let (calls, config_maps) = (calls.clone(), config_maps.clone());
                        async move {
                            calls.add(object.name_any());
                            let size = object.data["spec"]["size"].to_string();
                            let desired =
                                json!({ "metadata": { "name": "child" }, "data": { "size": size } });
                            context.apply(&config_maps, serde_json::from_value(desired)?).await?;
                            let mut conditions = context.conditions();
                            conditions.set("Ready", true, "Applied", "");
                            let conditions: Vec<_> = conditions.into();
                            context.patch_status(json!({ "conditions": conditions })).await?;
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
                widgets
            })
            .await;
        for size in [1, 2] {
            let created = cluster.widget("one", size).await;
            eventually("the child and the status are as the Widget says", async || {
                let child =
                    cluster.api::<ConfigMap>().get("child").await.map_err(|error| error.to_string())?;
                let status =
                    &cluster.widgets().get("one").await.map_err(|error| error.to_string())?.data["status"];
                let is_applied = child.data.as_ref().is_some_and(|data| data["size"] == size.to_string());
                let is_owned = child.owner_references().iter().any(|owner| owner.kind == "Widget");
                let is_told =
                    status["conditions"][0]["observedGeneration"] == json!(created.metadata.generation);
                ensure(is_applied && is_owned && is_told, &(&child, status))
            })
            .await;
        }
        let calls = seen.all().len();
        cluster.api::<ConfigMap>().delete("child", &DeleteParams::default()).await.expect("delete");
        eventually("the child is back", async || {
            cluster.api::<ConfigMap>().get("child").await.map_err(|error| error.to_string())
        })
        .await;
        assert!(seen.all().len() > calls);
        has(&widgets, &["one"]).await;
    });
}
