//! What a manager serves beside its own: checks and routes of the user's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::Request;
use kube::{Client, Config};
use operator_runtime::Error;
use operator_runtime::axum::routing::get;
use operator_testing::{eventually, free_port};
use serde_json::json;
use tokio::sync::oneshot;

use crate::harness::{Cluster, test};

#[test]
fn checks_say_whether_it_is_alive_and_ready() {
    test("checks", async |cluster| {
        let (alive, ready) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let (replica, ()) = cluster
            .run(&[], |manager| {
                let (alive, ready) = (alive.clone(), ready.clone());
                let ask = |flag: &AtomicBool| {
                    if flag.load(Ordering::Relaxed) { Ok(()) } else { Err("it is stuck".to_owned()) }
                };
                manager.liveness_check("heart", move || ask(&alive));
                manager.check("disk", move || ask(&ready));
            })
            .await;
        ready.store(true, Ordering::Relaxed);
        replica.ready().await;
        assert!(replica.liveness().await.expect_err("not alive").contains("[-] heart: it is stuck\n"));
        alive.store(true, Ordering::Relaxed);
        assert!(replica.liveness().await.expect("alive").contains("[+] heart ok\n"));
        ready.store(false, Ordering::Relaxed);
        assert!(replica.readiness().await.expect_err("not ready").contains("[-] disk: it is stuck\n"));
    });
}

/// Lets the service account `reader` of the test's namespace, which is called like the role, `get` a path.
async fn allow_reader(cluster: &Cluster, name: &str, path: &str) {
    let api = "rbac.authorization.k8s.io";
    let account = format!("system:serviceaccount:{name}:reader");
    for object in [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": "reader", "namespace": name } }),
        json!({ "apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": { "name": name },
            "rules": [{ "nonResourceURLs": [path], "verbs": ["get"] }] }),
        json!({ "apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": { "name": name },
            "roleRef": { "apiGroup": api, "kind": "ClusterRole", "name": name },
            "subjects": [{ "apiGroup": api, "kind": "User", "name": account }] }),
    ] {
        cluster.control_plane.apply(&serde_json::from_value(object).expect("an object")).await;
    }
}

/// What a manager's metrics server says to a request with that token.
async fn ask(port: u16, token: &str, method: &str, path: &str) -> Result<String, String> {
    let mut config = Config::new(format!("https://127.0.0.1:{port}").parse().expect("a URL"));
    config.accept_invalid_certs = true;
    config.auth_info.token = Some(token.to_owned().into());
    let client = Client::try_from(config).expect("a client");
    let request = Request::builder().method(method).uri(path).body(Vec::new()).expect("a request");
    client.request_text(request).await.map_err(|error| error.to_string())
}

#[test]
fn a_route_is_served_to_those_who_may_get_it() {
    test("routes", async |cluster| {
        let port = free_port();
        let address = format!("--metrics-bind-address=127.0.0.1:{port}");
        let (_stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let mut manager =
            cluster.manager(&[&address, "--metrics-secure"], shutdown).await.expect("a manager");
        manager.route("/debug/queue", get("empty").post("emptied"));
        let running = tokio::spawn(manager.run());

        allow_reader(&cluster, "routes", "/debug/queue").await;
        let token = cluster.token("reader", &[]).await;
        let text = eventually("it is served", async || ask(port, &token, "GET", "/debug/queue").await).await;
        assert_eq!(text, "empty");
        for (method, path) in [("POST", "/debug/queue"), ("GET", "/metrics")] {
            let said = ask(port, &token, method, path).await.expect_err("refused");
            assert!(said.contains("not allowed"), "{method} {path}: {said}");
        }
        let said = ask(port, &token, "GET", "/debug").await.expect_err("not there");
        assert!(said.contains("404"), "{said}");
        running.abort();
    });
}

#[test]
fn a_token_is_meant_for_the_metrics_where_that_is_asked_for() {
    test("audiences", async |cluster| {
        let port = free_port();
        let address = format!("--metrics-bind-address=127.0.0.1:{port}");
        let flags = [address.as_str(), "--metrics-token-audiences=metrics,others"];
        let manager = cluster.manager(&flags, std::future::pending()).await.expect("a manager");
        let running = tokio::spawn(manager.run());
        allow_reader(&cluster, "audiences", "/metrics").await;
        let (meant, usual) =
            (cluster.token("reader", &["metrics"]).await, cluster.token("reader", &[]).await);
        let text = eventually("it is served", async || ask(port, &meant, "GET", "/metrics").await).await;
        assert!(text.contains("leader_election_master_status"), "{text}");
        let said = ask(port, &usual, "GET", "/metrics").await.expect_err("meant for the API server");
        assert!(said.contains("a valid bearer token is needed"), "{said}");
        running.abort();
    });
}

#[test]
fn what_cannot_be_served_is_refused() {
    test("no-routes", async |cluster| {
        for (paths, said) in [
            (vec!["debug"], "`debug` cannot be served; expected a path such as `/debug/queue`"),
            (vec!["/{all}"], "`/{all}` cannot be served; expected a path such as `/debug/queue`"),
            (vec!["/metrics"], "`/metrics` is served twice"),
            (vec!["/debug", "/debug"], "`/debug` is served twice"),
        ] {
            let mut manager = cluster.manager(&[], std::future::pending()).await.expect("a manager");
            for path in paths {
                manager.route(path, get("text"));
            }
            match manager.run().await.expect_err("a failure") {
                Error::Setup(message) => assert_eq!(message, said),
                error => panic!("{error}"),
            }
        }
    });
}
