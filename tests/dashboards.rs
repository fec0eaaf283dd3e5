//! The dashboards that kubebuilder scaffolds show a generated operator: every series that their queries ask for is served,
//! with the labels that they ask for.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use common::Sandbox;
use common::cluster::{Cluster, eventually, free_port, go_module, run, target, target_environment};
use common::operator::{Operator, http};

/// Where they are, as templates.
const KUBEBUILDER: &str = "sigs.k8s.io/kubebuilder/v4@v4.16.0";
const DASHBOARD: &str = "pkg/plugins/optional/grafana/v1alpha/scaffolds/internal/templates/runtime.go";
/// Labels that Prometheus gives to all series of a pod.
const OF_THE_POD: [&str; 4] = ["job", "namespace", "pod", "instance"];

/// A part of a query: the name of a series, and the labels that it must have.
#[derive(Debug)]
struct Selector {
    name: String,
    labels: Vec<String>,
}

/// The queries of the dashboard about what every operator has.
fn queries() -> Vec<String> {
    let template = fs::read_to_string(go_module(KUBEBUILDER).join(DASHBOARD)).expect("the dashboard");
    let queries = template.lines().filter_map(|line| line.trim().strip_prefix("\"expr\": "));
    let queries = queries.map(|query| serde_json::from_str(query.trim_end_matches(',')).expect("a string"));
    queries.filter(|query: &String| !query.contains("{{")).collect()
}

fn selectors(query: &str) -> Vec<Selector> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = |list: &str| list.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
    let grouped = query.rsplit_once("by (").and_then(|(_, rest)| rest.split_once(')'));
    let grouped = grouped.map(|(labels, _)| words(labels)).unwrap_or_default();
    let found = query.match_indices('{').map(|(open, _)| {
        let name = query[..open].rsplit(|letter| !is_name(letter)).next().expect("a part").to_owned();
        let (matchers, _) = query[open + 1..].split_once('}').expect("its end");
        let matched =
            words(matchers).into_iter().map(|it| it.split('=').next().unwrap_or_default().to_owned());
        let labels = matched.chain(grouped.clone()).filter(|label| !OF_THE_POD.contains(&label.as_str()));
        Selector { name, labels: labels.collect() }
    });
    found.collect()
}

/// The names of all series, with the labels that each has.
fn series(metrics: &str) -> BTreeMap<String, Vec<String>> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    let parts = lines.filter_map(|line| line.split_once('{').or_else(|| Some((line.split_once(' ')?.0, ""))));
    let labels = |text: &str| {
        let inside = text.split_once('}').map_or("", |(inside, _)| inside);
        inside.split("\",").filter_map(|it| Some(it.split_once('=')?.0.to_owned())).collect()
    };
    parts.map(|(name, rest)| (name.to_owned(), labels(rest))).collect()
}

#[test]
fn kubebuilders_dashboards_find_what_they_ask_for() {
    let queries = queries();
    let selectors: Vec<_> = queries.iter().flat_map(|query| selectors(query)).collect();
    assert!(selectors.len() >= 13, "{selectors:#?}");

    let sandbox = Sandbox::with_iris();
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked"]).current_dir(sandbox.path()).envs(target_environment());
    run(build, "").expect("the operator compiles");
    let cluster = Cluster::shared();
    cluster.define(&sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml"));
    cluster.apply(&sandbox.read("config/samples/test_v1alpha1_iris.yaml"), &["--namespace=default"]);
    let port = free_port();
    let mut operator = Command::new(target().join("debug/iris"));
    operator.arg(format!("--metrics-bind-address=127.0.0.1:{port}")).arg("--metrics-secure=false");
    let mut operator = Operator::start(operator.env("KUBECONFIG", cluster.kubeconfig()));
    let metrics = eventually("a reconcile is counted", || {
        let metrics = http(port, "/metrics").map_err(|error| error.to_string())?;
        let is_counted = |line: &str| {
            line.starts_with("controller_runtime_reconcile_total{")
                && line.contains("success")
                && !line.ends_with(" 0")
        };
        if metrics.lines().any(is_counted) { Ok(metrics) } else { Err(metrics) }
    });
    operator.stop();
    let (head, body) = metrics.split_once("\r\n\r\n").expect("a body");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    let served = series(body);
    for Selector { name, labels } in &selectors {
        let has = served.get(name).unwrap_or_else(|| panic!("`{name}` is not among {:#?}", served.keys()));
        for label in labels {
            assert!(has.contains(label), "`{name}` has no label `{label}`, but {has:?}");
        }
    }
}
