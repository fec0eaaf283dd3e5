//! Those who read the metrics, or only seem to.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use futures::future::join_all;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::Request;
use kube::{Client, Config};
use operator_testing::{Fault, Operator, eventually};
use serde_json::json;

use crate::case::{Case, NAME};
use crate::run;

const SECURE: &str = "--metrics-secure=true";

/// A token of a service account that may read the metrics.
async fn reader(case: &Case<'_>, name: &str) -> String {
    let client = case.control_plane.client();
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &case.name);
    let params = PatchParams::apply("test");
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } });
    accounts.patch(name, &params, &Patch::Apply(account)).await.expect("an account");
    let api = "rbac.authorization.k8s.io";
    let role = format!("{}-reader", case.name);
    let object = json!({ "apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": { "name": role },
        "rules": [{ "nonResourceURLs": ["/metrics"], "verbs": ["get"] }] });
    case.control_plane.apply(&serde_json::from_value(object).expect("a role")).await;
    let bindings: Api<ClusterRoleBinding> = Api::all(client);
    let name_of_binding = format!("{role}-{name}");
    let binding = json!({ "apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding",
        "metadata": { "name": name_of_binding }, "roleRef": { "apiGroup": api, "kind": "ClusterRole", "name": role },
        "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": case.name }] });
    bindings.patch(&name_of_binding, &params, &Patch::Apply(binding)).await.expect("a binding");
    let token = accounts.create_token_request(name, &PostParams::default(), &TokenRequest::default()).await;
    token.expect("a token").status.expect("a token").token.expect("a token")
}

/// What an operator answers at `/metrics` to whoever has this token: nothing, or an error.
async fn scrape(operator: &Operator, token: &str) -> Result<(), String> {
    let url = format!("https://127.0.0.1:{}", operator.metrics_port());
    let mut config = Config::new(url.parse().expect("a URL"));
    config.accept_invalid_certs = true;
    config.auth_info.token = Some(token.to_owned().into());
    // What fails is not asked for again.
    config.default_retry = false;
    let client = Client::try_from(config).expect("a client");
    let request = Request::new("").get("metrics", &kube::api::GetParams::default()).expect("a request");
    client.request_text(request).await.map(drop).map_err(|error| error.to_string())
}

#[test]
fn f27_verdicts_outlive_the_api_server() {
    /// After as long Prometheus gives up.
    const LIMIT: Duration = Duration::from_secs(10);
    run(async {
        let case = Case::new("f27").await;
        let operator = case.operator(&[SECURE, "--request-timeout=30s"]).await;
        let (known, new) = (reader(&case, "known").await, reader(&case, "new").await);
        eventually("the metrics are served", async || scrape(&operator, &known).await).await;
        case.proxy.inject(|asked| if asked.path.ends_with("reviews") { Fault::Hang } else { Fault::None });
        let begun = Instant::now();
        scrape(&operator, &known).await.expect("what was said of it is remembered");
        assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
        let begun = Instant::now();
        let said = scrape(&operator, &new).await.expect_err("nobody knows it");
        let took = begun.elapsed();
        assert!(took < LIMIT && said.contains("503"), "after {took:?}: {said}");
        case.proxy.heal();
        scrape(&operator, &new).await.expect("it is known now");
        case.play().await;
        case.is_sound(operator).await;
        let seconds = took.as_secs_f64();
        case.report("F27", &format!("known readers were served, others refused after {seconds:.1} s"));
    });
}

#[test]
fn f28_flood_of_tokens() {
    const FLOOD: usize = 50;
    run(async {
        let case = Case::new("f28").await;
        let lease = format!("--leader-election-namespace={}", case.name);
        let mut operator = case.operator(&[SECURE, "--leader-elect", &lease]).await;
        let known = reader(&case, "known").await;
        eventually("the metrics are served", async || scrape(&operator, &known).await).await;
        let asked = || case.proxy.count(|asked| asked.path.ends_with("tokenreviews"));
        let before = asked();
        // Those that are sent are answered late.
        case.proxy.inject(|asked| {
            let is_review = asked.path.ends_with("reviews");
            if is_review { Fault::Delay(Duration::from_secs(20)) } else { Fault::None }
        });
        let tokens: Vec<_> = (0..FLOOD).map(|number| format!("token-{number}")).collect();
        let flood = join_all(tokens.iter().map(|token| scrape(&operator, token)));
        let work = async {
            case.write(NAME, "web", 1).await;
            case.settled("web", 1).await;
            scrape(&operator, &known).await
        };
        let (flood, served) = futures::join!(flood, work);
        served.expect("those who are known are served");
        assert!(flood.iter().all(Result::is_err), "nobody else is");
        let reviews = asked() - before;
        // As many again when the first are given up.
        assert!((1..=16).contains(&reviews), "{reviews} were looked at");
        case.proxy.heal();
        case.play().await;
        operator.assert_alive().await;
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "stopping took {took:?}");
        case.report("F28", &format!("of {FLOOD} tokens {reviews} were looked at; the work went on"));
    });
}

#[test]
fn f29_long_heads_on_many_connections() {
    const CONNECTIONS: usize = 300;
    const LENGTH: usize = 390 << 10;
    run(async {
        let case = Case::new("f29").await;
        let mut operator = case.operator(&[]).await;
        let address = format!("127.0.0.1:{}", operator.metrics_port());
        let flood = tokio::task::spawn_blocking(move || {
            let head = format!("GET /metrics HTTP/1.1\r\nx-long: {}", "x".repeat(LENGTH));
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut connection = TcpStream::connect(&address).expect("a connection");
                connection.set_write_timeout(Some(Duration::from_millis(200))).expect("a limit");
                // It is closed before all is sent, or not read any more.
                let _ = connection.write_all(head.as_bytes());
                connections.push(connection);
            }
            connections
        });
        let connections = flood.await.expect("a flood");
        operator.assert_alive().await;
        let memory = async || {
            operator.metrics().await?;
            Ok::<_, String>(operator.metric("process_resident_memory_bytes").await)
        };
        // Mostly there is no room to ask meanwhile.
        let meanwhile = memory().await.unwrap_or_default();
        drop(connections);
        let afterwards = eventually("the metrics are served", memory).await;
        let mebibytes = meanwhile.max(afterwards) / f64::from(1 << 20);
        assert!(mebibytes < 64.0, "memory is bounded: {mebibytes:.0} MiB");
        case.play().await;
        case.is_sound(operator).await;
        let seen = format!("{CONNECTIONS} connections with {} KiB each: {mebibytes:.0} MiB", LENGTH >> 10);
        case.report("F29", &seen);
    });
}
