//! The status, as a replica writes it that has not heard of what another one has written.

use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DynamicObject, Patch, PatchParams};
use operator_runtime::{Action, ApplyError, Context, Scope, Store};
use operator_testing::{ensure, eventually};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Seen, reconciler, test, widget};

#[test]
fn an_old_copy_of_the_object_does_not_undo_a_status() {
    /// When it became ready, in the other replica's opinion.
    const BEFORE: &str = "2026-01-02T03:04:05Z";
    test("statuses", async |cluster| {
        let (cluster, proxy) = cluster.proxied().await;
        let owner = cluster.widget("one", 1).await;
        let owner = json!([{ "apiVersion": "example.com/v1", "kind": "Widget", "name": "one",
            "uid": owner.metadata.uid, "controller": true }]);
        let child = async |value: &str| {
            let child = json!({ "metadata": { "ownerReferences": owner }, "data": { "value": value } });
            cluster.put::<ConfigMap>("child", child).await;
        };
        child("first").await;
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let widgets = manager.dynamic_store(widget(), Scope::default());
                let config_maps: Store<ConfigMap> = manager.owned();
                manager.controller_of("statuses", &widgets).owns(&config_maps).run(reconciler(
                    move |object: &DynamicObject, context: &Context<DynamicObject>| {
                        let config_maps = config_maps.clone();
                        async move {
                            let uid = object.metadata.uid.as_deref().unwrap_or_default();
                            let [child] = &config_maps.owned_by(uid)[..] else {
                                return Ok(Action::AwaitChange);
                            };
                            let mut conditions = context.conditions();
                            conditions.set("Ready", true, "Tested", "");
                            let conditions: Vec<_> = conditions.into();
                            let status = json!({ "seen": object.data["spec"]["size"], "conditions": conditions,
                                "note": child.data.as_ref().map(|data| &data["value"]) });
                            context.patch_status(status).await?;
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        let status = async |seen: u32, note: &str| {
            eventually("the status is as the Widget and its child are", async || {
                let status =
                    cluster.widgets().get("one").await.map_err(|error| error.to_string())?.data["status"]
                        .clone();
                ensure(status["seen"] == seen && status["note"] == note, &status).map(|()| status)
            })
            .await
        };
        let written = || proxy.count(|request| request.writes_to("widgets/one/status"));
        let mut known: Value = status(1, "first").await;
        assert_eq!(written(), 1);
        // From now on no watch tells of changes of the Widget.
        proxy.filter_watches(|asked, event| !(asked.is_of("widgets") && event["type"] == "MODIFIED"));

        known["note"] = json!("second");
        known["conditions"][0]["lastTransitionTime"] = json!(BEFORE);
        let others = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "status": known });
        let params = PatchParams::apply("statuses-controller").force();
        cluster.widgets().patch_status("one", &params, &Patch::Apply(others)).await.expect("a status");
        child("second").await;
        eventually("it is tried", async || ensure(written() == 2, &written())).await;
        child("third").await;
        let now = status(1, "third").await;
        assert_eq!(now["conditions"][0]["lastTransitionTime"], BEFORE, "{now}");
        assert_eq!(written(), 3, "the second was right: {:#?}", proxy.requests());

        cluster.widget("one", 2).await;
        child("fourth").await;
        status(2, "fourth").await;
    });
}

#[test]
fn a_status_of_a_spec_that_is_known_to_have_changed_is_not_written() {
    test("old-specs", async |cluster| {
        cluster.widget("one", 1).await;
        let (cluster, proxy) = cluster.proxied().await;
        let seen = Seen::default();
        let refused = seen.clone();
        let changing = cluster.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let widgets = manager.dynamic_store(widget(), Scope::default());
                manager.controller_of("old-specs", &widgets).run(reconciler(
                    move |object: &DynamicObject, context: &Context<DynamicObject>| {
                        let (cluster, widgets, refused) =
                            (changing.clone(), widgets.clone(), refused.clone());
                        let size = object.data["spec"]["size"].clone();
                        async move {
                            if size == 1 {
                                cluster.widget("one", 2).await;
                                let key = cluster.key("one");
                                // Until the watch tells of it.
                                while widgets.get(&key).is_none_or(|it| it.data["spec"]["size"] != 2) {
                                    sleep(Duration::from_millis(5)).await;
                                }
                            }
                            let patched = context.patch_status(json!({ "seen": size })).await;
                            if matches!(patched, Err(ApplyError::Stale(_))) {
                                refused.add("stale");
                            }
                            patched?;
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        eventually("the status is that of the new spec", async || {
            let status =
                cluster.widgets().get("one").await.map_err(|error| error.to_string())?.data["status"].clone();
            ensure(status["seen"] == 2, &status)
        })
        .await;
        seen.times("stale", 1).await;
        assert_eq!(proxy.count(|request| request.writes_to("widgets/one/status")), 1);
    });
}
