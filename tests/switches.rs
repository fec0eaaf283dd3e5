//! What the switches in config/default turn on: kustomize builds every combination, the API server takes it, and what is
//! promised holds.

mod common;

use common::Sandbox;
use common::cluster::{Cluster, eventually, go_module, kustomize};
use common::switches::turn;
use serde_json::json;

const METRICS: &str = "METRICS";
const CERTS: &str = "METRICS-WITH-CERTS";
/// Those that need no other one.
const FREE: [&str; 3] = ["PROMETHEUS", "NETWORK POLICY", "ADMISSION POLICY"];
/// Where definitions of others' kinds are that these turn on: in Go modules.
const OTHERS: [(&str, &[&str]); 2] = [
    (
        "github.com/cert-manager/cert-manager@v1.21.2",
        &["deploy/crds/cert-manager.io_certificates.yaml", "deploy/crds/cert-manager.io_issuers.yaml"],
    ),
    (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        &["example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"],
    ),
];

#[test]
fn every_combination_of_switches_is_accepted() {
    let cluster = Cluster::shared();
    define_others(cluster);
    for (name, init) in [("open", &[][..]), ("closed", &["--namespaced"])] {
        let sandbox = project(name, init);
        // A role in another namespace stays there, whatever is turned on.
        let controller = "src/controller/iris.rs";
        let marker = "// +kubebuilder:rbac:groups=\"\",resources=secrets,verbs=get,namespace=elsewhere\n\nimpl Reconciler";
        sandbox.write(controller, &sandbox.read(controller).replacen("\nimpl Reconciler", marker, 1));
        sandbox.run(&["manifests", "--rbac-only"]).success();
        // And so does a volume of the user's own.
        let manager = "config/manager/manager.yaml";
        let own = sandbox
            .read(manager)
            .replace(
                " volumeMounts: []",
                " volumeMounts:\n        - name: scratch\n          mountPath: /scratch",
            )
            .replace(" volumes: []", " volumes:\n      - name: scratch\n        emptyDir: {}");
        sandbox.write(manager, &own);
        for namespace in [format!("{name}-system"), "elsewhere".to_owned()] {
            let _ = cluster.try_kubectl(&["create", "namespace", &namespace], "");
        }
        cluster.define(&kustomize(&sandbox.path().join("config/crd")).expect("definitions"));
        for on in combinations() {
            turn(&sandbox, &on);
            let all = kustomize(&sandbox.path().join("config/default"))
                .unwrap_or_else(|error| panic!("{name} with {on:?}: {error}"));
            holds(name, &on, &all);
            assert!(all.contains("namespace: elsewhere"), "{on:?}");
            cluster.apply(&all, &["--dry-run=server"]);
        }
    }
}

/// Asserts that what is turned on is there, and nothing else, with the names that it has then.
fn holds(name: &str, on: &[&str], all: &str) {
    for (switch, sign) in [
        (METRICS, "--metrics-bind-address=:8443"),
        (CERTS, "kind: Certificate\n"),
        ("PROMETHEUS", "kind: ServiceMonitor\n"),
        ("NETWORK POLICY", "kind: NetworkPolicy\n"),
        ("ADMISSION POLICY", "kind: ValidatingAdmissionPolicy\n"),
    ] {
        assert_eq!(on.contains(&switch), all.contains(sign), "{on:?} have `{sign}`\n{all}");
    }
    let service = format!("{name}-controller-manager-metrics-service.{name}-system.svc");
    let folder = "/tmp/k8s-metrics-server/metrics-certs";
    let monitor = format!("serverName: {service}\n");
    let mut expected = vec!["name: scratch".to_owned()];
    if on.contains(&CERTS) {
        expected.extend(["", ".cluster.local"].map(|end| format!("  - {service}{end}\n")));
        expected.extend([format!("--metrics-cert-path={folder}\n"), format!("mountPath: {folder}\n")]);
    }
    if on.contains(&"PROMETHEUS") {
        let checks = if on.contains(&CERTS) { monitor } else { "insecureSkipVerify: true\n".to_owned() };
        expected.push(checks);
    }
    if on.contains(&"ADMISSION POLICY") {
        expected.push(format!("policyName: {name}-manager-writes\n"));
        expected.push(format!("'{name}-system'"));
    }
    for text in expected {
        assert!(all.contains(&text), "{on:?} have `{text}`\n{all}");
    }
    assert!(!all.contains("SERVICE") && !all.contains("'system'"), "{on:?}: all names are filled in\n{all}");
    assert!(
        !(on.contains(&CERTS) && all.contains("insecureSkipVerify")),
        "{on:?}: the certificate is checked"
    );
}

/// All that make sense: a certificate is for metrics.
fn combinations() -> Vec<Vec<&'static str>> {
    let metrics: [&[&str]; 3] = [&[], &[METRICS], &[METRICS, CERTS]];
    let free = (0..1 << FREE.len()).map(|set| {
        let chosen = FREE.iter().enumerate().filter(move |(number, _)| set >> number & 1 == 1);
        chosen.map(|(_, name)| *name).collect::<Vec<_>>()
    });
    free.flat_map(|free| metrics.map(|metrics| [metrics, &free].concat())).collect()
}

fn project(name: &str, init: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new(name);
    let domain = format!("--domain={name}.example.com");
    sandbox.run(&[&["init", &domain], init].concat()).success();
    sandbox.run(&["create", "api", "--group=test", "--version=v1", "--kind=Iris"]).success();
    sandbox
}

fn define_others(cluster: &Cluster) {
    for (module, files) in OTHERS {
        let folder = go_module(module);
        for file in files {
            cluster.define(&std::fs::read_to_string(folder.join(file)).expect("a definition"));
        }
    }
}

#[test]
fn the_admission_policy_confines_the_managers_account() {
    let cluster = Cluster::shared();
    let sandbox = project("guarded", &[]);
    turn(&sandbox, &[METRICS, "ADMISSION POLICY"]);
    cluster.define(&kustomize(&sandbox.path().join("config/crd")).expect("definitions"));
    let all = kustomize(&sandbox.path().join("config/default")).expect("manifests");
    cluster.kubectl(&["create", "namespace", "guarded-system"]);
    cluster.apply(&all, &[]);

    let account = "--as=system:serviceaccount:guarded-system:guarded-controller-manager";
    let object = json!({ "apiVersion": "test.guarded.example.com/v1", "kind": "Iris",
        "metadata": { "name": "iris", "namespace": "default" },
        "spec": { "deploymentName": "own", "replicas": 1 } });
    cluster.apply(&object.to_string(), &[]);
    let uid = cluster.get(&["iris.test.guarded.example.com", "iris"])["metadata"]["uid"].clone();
    let owner = |api_version: &str, kind: &str, controls: bool| json!([{ "apiVersion": api_version, "kind": kind, "name": "iris", "uid": uid, "controller": controls }]);
    let deployment = |name: &str, owners: serde_json::Value| {
        let labels = json!({ "app": name });
        json!({ "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": name, "namespace": "default", "ownerReferences": owners },
            "spec": { "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "web", "image": "example.com/web" }] } } } })
        .to_string()
    };
    let create = |text: &str| cluster.try_kubectl(&[account, "create", "-f", "-"], text);
    let refused = "no object of the operator's own kinds controls this object";
    let is_refused = |said: Result<String, String>| match said {
        Err(error) if error.contains(refused) => Ok(()),
        other => Err(format!("{other:?}")),
    };

    cluster.apply(&deployment("foreign", json!([])), &[]);
    let mut number = 0;
    // The API server takes a moment to heed a policy.
    eventually("the policy", || {
        number += 1;
        is_refused(create(&deployment(&format!("free-{number}"), json!([]))))
    });
    let ours = "test.guarded.example.com/v1";
    create(&deployment("own", owner(ours, "Iris", true))).expect("what its own kind controls");
    for (name, owners) in [
        ("not-controlled", owner(ours, "Iris", false)),
        ("another-kinds", owner("apps/v1", "ReplicaSet", true)),
        ("a-suffix", owner("test.notguarded.example.com/v1", "Iris", true)),
    ] {
        is_refused(create(&deployment(name, owners))).unwrap_or_else(|said| panic!("{name}: {said}"));
    }
    let scale = |name: &str| {
        let patch = ["patch", "deployment", name, "--type=merge", "-p", "{\"spec\":{\"replicas\":2}}"];
        cluster.try_kubectl(&[&[account], &patch[..]].concat(), "")
    };
    let delete = |name: &str| cluster.try_kubectl(&[account, "delete", "deployment", name], "");
    is_refused(scale("foreign")).expect("a foreign one is not changed");
    is_refused(delete("foreign")).expect("a foreign one is not deleted");
    scale("own").expect("its own is changed");
    delete("own").expect("its own is deleted");

    // What it writes for itself, and of its own kinds.
    let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "guarded.guarded.example.com", "namespace": "guarded-system" },
        "spec": { "holderIdentity": "somebody" } });
    create(&lease.to_string()).expect("its Lease");
    let other = lease.to_string().replace("guarded.guarded.example.com", "another");
    create(&other).expect("a Lease has no name yet when it is created");
    let hold = |name: &str| {
        let patch = lease.to_string().replace("guarded.guarded.example.com", name).replace("somebody", "me");
        cluster.try_kubectl(&[account, "replace", "-f", "-"], &patch)
    };
    hold("guarded.guarded.example.com").expect("its Lease is renewed");
    let said = hold("another").expect_err("another Lease is not its own");
    assert!(said.contains("forbidden"), "{said}");
    let mut status = object.clone();
    status["status"] = json!({ "readyReplicas": 1 });
    let written = [account, "apply", "--server-side", "--subresource=status", "-f", "-"];
    cluster.try_kubectl(&written, &status.to_string()).expect("a status");
}
