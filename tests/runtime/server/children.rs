//! Children: what `apply` writes and takes away, whom it leaves alone, and what `prune` deletes.

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::{Resource as _, ResourceExt as _};
use operator_runtime::{Action, ApplyError, Context, Scope, Store};
use operator_testing::{ensure, eventually};
use serde_json::{Value, json};

use crate::harness::{Seen, reconciler, test};

fn secret(name: &str, keys: &[&str]) -> Secret {
    let data: serde_json::Map<_, _> = keys.iter().map(|&key| (key.to_owned(), json!("eA=="))).collect();
    serde_json::from_value(json!({ "metadata": { "name": name }, "data": data })).expect("a Secret")
}

fn keys(secret: &Secret) -> Vec<&str> {
    secret.data.iter().flatten().map(|(key, _)| key.as_str()).collect()
}

#[test]
fn an_object_of_somebody_else_is_taken_only_on_request() {
    test("adoption", async |cluster| {
        cluster.put::<Secret>("free", json!({ "stringData": { "theirs": "x" } })).await;
        let foreign = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "1", "controller": true }]);
        cluster.put::<Secret>("controlled", json!({ "metadata": { "ownerReferences": foreign } })).await;
        cluster.config_map("owner", "").await;
        let seen = Seen::default();
        let outcomes = seen.clone();
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let secrets: Store<Secret> = manager.owned();
                manager.controller("adoption").owns(&secrets).run(reconciler(
                    move |_: &ConfigMap, context: &Context<ConfigMap>| {
                        let (secrets, outcomes) = (secrets.clone(), outcomes.clone());
                        async move {
                            let attempts = [
                                context.apply(&secrets, secret("free", &["ours"])).await,
                                context.apply(&secrets, secret("controlled", &["ours"])).await,
                                context.adopt(&secrets, secret("controlled", &["ours"])).await,
                                context.adopt(&secrets, secret("free", &["ours"])).await,
                            ];
                            for attempt in attempts {
                                outcomes.add(match attempt {
                                    Ok(applied) => format!("{:?}", applied.operation),
                                    Err(ApplyError::Taken { kind, key }) => {
                                        format!("{kind} {} is taken", key.name)
                                    }
                                    Err(error) => error.to_string(),
                                });
                            }
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        eventually("the reconcile has ended", async || ensure(seen.all().len() >= 4, &seen.all())).await;
        let expected =
            ["Secret free is taken", "Secret controlled is taken", "Secret controlled is taken", "Updated"];
        assert_eq!(seen.all()[..4], expected);
        let secrets = cluster.api::<Secret>();
        assert_eq!(keys(&secrets.get("free").await.expect("it")), ["ours", "theirs"]);
        assert_eq!(keys(&secrets.get("controlled").await.expect("it")), [""; 0]);
    });
}

#[test]
fn what_is_desired_no_more_goes_and_what_others_wrote_stays() {
    test("removal", async |cluster| {
        let (_replica, ()) = cluster
            .run(&[], |manager| {
                let secrets: Store<Secret> = manager.owned();
                manager.controller("removal").owns(&secrets).run(reconciler(
                    move |object: &ConfigMap, context: &Context<ConfigMap>| {
                        let secrets = secrets.clone();
                        async move {
                            // The value says which children there are, and which keys they have.
                            let value = &object.data.clone().unwrap_or_default()["value"];
                            let desired: Value = serde_json::from_str(value)?;
                            for (name, keys) in desired.as_object().into_iter().flatten() {
                                let keys: Vec<String> = serde_json::from_value(keys.clone())?;
                                let keys: Vec<_> = keys.iter().map(String::as_str).collect();
                                context.apply(&secrets, secret(name, &keys)).await?;
                            }
                            context.prune(&secrets, |secret| !desired[secret.name_any()].is_null()).await?;
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        let secrets = cluster.api::<Secret>();
        let has = async |name: &str, expected: Option<&[&str]>| {
            eventually(&format!("{name} has {expected:?}"), async || {
                let found = secrets.get_opt(name).await.map_err(|error| error.to_string())?;
                let found = found.as_ref().map(keys);
                ensure(found.as_deref() == expected, &found)
            })
            .await;
        };
        cluster.put::<Secret>("foreign", json!({})).await;
        cluster.config_map("owner", r#"{ "one": ["a", "b"], "two": ["a"] }"#).await;
        has("one", Some(&["a", "b"])).await;
        has("two", Some(&["a"])).await;
        cluster.put::<Secret>("one", json!({ "data": { "theirs": "eA==" } })).await;
        cluster.config_map("owner", r#"{ "one": ["a"] }"#).await;
        has("one", Some(&["a", "theirs"])).await;
        has("two", None).await;
        has("foreign", Some(&[])).await;
        // A field that was ours is put right.
        let changed = Patch::Merge(json!({ "data": { "a": "eQ==" } }));
        secrets.patch("one", &PatchParams::default(), &changed).await.expect("a change");
        eventually("the change is undone", async || {
            let found = secrets.get("one").await.map_err(|error| error.to_string())?;
            ensure(found.data.as_ref().is_some_and(|data| data["a"].0 == b"x"), &found)
        })
        .await;
    });
}

#[test]
fn an_owner_of_the_cluster_has_children_in_namespaces() {
    test("cluster-owner", async |cluster| {
        cluster.control_plane.create_namespace("cluster-owner-other").await;
        let (_replica, ()) = cluster
            .run(&["--watch-namespace=cluster-owner,cluster-owner-other"], |manager| {
                let owners = Scope::default().fields("metadata.name=cluster-owner");
                let owners: Store<Namespace> = manager.store_where(owners);
                let config_maps: Store<ConfigMap> = manager.owned();
                manager.controller_of("cluster-owner", &owners).owns(&config_maps).run(reconciler(
                    move |_: &Namespace, context: &Context<Namespace>| {
                        let config_maps = config_maps.clone();
                        async move {
                            for namespace in ["cluster-owner", "cluster-owner-other"] {
                                let desired =
                                    json!({ "metadata": { "name": "child", "namespace": namespace } });
                                context.apply(&config_maps, serde_json::from_value(desired)?).await?;
                            }
                            Ok(Action::AwaitChange)
                        }
                        .boxed()
                    },
                ));
            })
            .await;
        for namespace in ["cluster-owner", "cluster-owner-other"] {
            let api: Api<ConfigMap> = Api::namespaced(cluster.control_plane.client(), namespace);
            let exists = async || {
                eventually("the child is there", async || {
                    api.get("child").await.map_err(|error| error.to_string())
                })
                .await
            };
            let child = exists().await;
            let owners: Vec<_> = child.owner_references().iter().map(|owner| owner.name.as_str()).collect();
            assert_eq!(owners, ["cluster-owner"]);
            // Its owner is found, though that is in no namespace.
            api.delete("child", &DeleteParams::default()).await.expect("delete");
            assert_ne!(exists().await.meta().uid, child.meta().uid);
        }
    });
}
