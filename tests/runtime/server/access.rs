//! What a manager does where it may not do everything.

use std::fs;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use operator_runtime::{Manager, Store};
use operator_testing::{ensure, eventually, within};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Seen, WHILE, has, logs, test, watcher};

fn rules(verbs: &[&str]) -> Value {
    json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": verbs }])
}

#[test]
fn what_may_not_be_watched_is_listed_now_and_then() {
    test("unwatchable", async |cluster| {
        cluster.config_map("one", "").await;
        let seen = Seen::default();
        let restricted = cluster.restricted(rules(&["list", "get"])).await;
        let (replica, store) = restricted
            .run(&[], |manager| {
                manager.controller("unwatchable").run(watcher::<ConfigMap>(&seen));
                manager.store::<ConfigMap>()
            })
            .await;
        replica.ready().await;
        seen.is(&["one"]).await;
        cluster.config_map("two", "").await;
        let polled = within(Duration::from_secs(45), "it is listed again", async || {
            ensure(seen.all() == ["one", "two"], &seen.all())
        });
        polled.await.expect("a list");
        replica.ready().await;
        has(&store, &["one", "two"]).await;
        let said = "cannot watch, so objects are listed every";
        let said = |line: &&str| line.contains(said) && line.contains("watch-configmaps-in-unwatchable");
        assert_eq!(logs().lines().filter(said).count(), 1);
    });
}

#[test]
fn a_token_of_a_file_is_read_as_soon_as_it_is_needed() {
    test("token-file", async |cluster| {
        cluster.config_map("one", "").await;
        let folder = tempfile::tempdir().expect("a folder");
        let (token, kubeconfig) = (folder.path().join("token"), folder.path().join("kubeconfig"));
        let text = fs::read_to_string(cluster.control_plane.kubeconfig()).expect("kubeconfig");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        let user = config.pointer_mut("/users/0/user").expect("a user");
        let valid = user["token"].as_str().expect("a token").to_owned();
        *user = json!({ "tokenFile": token });
        fs::write(&kubeconfig, config.to_string()).expect("kubeconfig");
        fs::write(&token, "wrong\n").expect("a token");
        let mut options = cluster.options(&[]);
        options.kubeconfig = Some(kubeconfig);
        let manager = Manager::builder("test", options).shutdown(std::future::pending()).build();
        let mut manager = manager.await.expect("a manager");
        let store: Store<ConfigMap> = manager.store();
        let running = tokio::spawn(manager.run());
        sleep(WHILE).await;
        assert!(!store.has_synced());
        fs::write(&token, format!("{valid}\n")).expect("a token");
        has(&store, &["one"]).await;
        running.abort();
    });
}

#[test]
fn a_namespace_that_is_forbidden_or_gone_does_not_hold_up_the_others() {
    test("partly", async |cluster| {
        cluster.config_map("one", "").await;
        let seen = Seen::default();
        let restricted = cluster.restricted(rules(&["list", "get", "watch"])).await;
        // Of these the user may see nothing, and the last does not exist.
        let flag = "--watch-namespace=default,partly,nowhere";
        let (replica, secrets) = restricted
            .run(&[flag], |manager| {
                let secrets: Store<Secret> = manager.owned();
                manager.controller("partly").owns(&secrets).run(watcher::<ConfigMap>(&seen));
                secrets
            })
            .await;
        seen.is(&["one"]).await;
        cluster.config_map("two", "").await;
        seen.is(&["one", "two"]).await;
        assert!(secrets.has_synced(), "there is nothing to wait for");
        eventually("it is said what is missing", async || {
            let seen = replica.readiness().await.expect_err("not ready");
            let has = |line: &str| seen.contains(line);
            let is_named = ["default", "nowhere"]
                .iter()
                .all(|name| has(&format!("[-] watch-configmaps-in-{name}: cannot list")));
            ensure(is_named && has("[+] watch-configmaps-in-partly ok"), &seen)
        })
        .await;
    });
}
