//! Controllers, a scheduler and a simulated node, on which pods run as soon as they are scheduled.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::{Cluster, eventually, free_port, programs};

/// The programs; each ends when its [`Child`] is dropped, or with the process.
pub struct Nodes(#[expect(dead_code, reason = "held until it is dropped")] [Child; 3]);

impl Nodes {
    /// Starts them, and waits until pods can run.
    pub fn start(cluster: &Cluster) -> Self {
        let kubeconfig = cluster.kubeconfig();
        let dir = kubeconfig.parent().expect("a folder");
        let flag = |name: &str, value: &Path| format!("--{name}={}", value.display());
        let launch = |program: &str, args: &[&str]| {
            let path = programs().join(program);
            assert!(path.is_file(), "{} is not there; tests/control-plane/build builds it", path.display());
            // Its own standard input is the shell's, which closes when this process ends.
            let script = r#"trap '' HUP INT TERM; "$@" >"$0" 2>&1 </dev/null & read -r _; kill -9 $!"#;
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).arg(dir.join(format!("{program}.log"))).arg(path);
            shell.arg(flag("kubeconfig", &kubeconfig)).args(args).stdin(Stdio::piped());
            shell.spawn().expect("a shell")
        };
        let port = || format!("--secure-port={}", free_port());
        let common =
            ["--leader-elect=false", "--bind-address=127.0.0.1", &flag("cert-dir", &dir.join("certs"))];
        let controllers = [
            &port(),
            "--use-service-account-credentials=true",
            &flag("service-account-private-key-file", &dir.join("sa.key")),
            &flag("root-ca-file", &dir.join("ca.crt")),
            // No kubelet renews the simulated node's heartbeat: it would be lost after 50 s, and its pods with it.
            "--node-monitor-grace-period=24h",
            // One client per controller: with the usual limits they take turns for seconds.
            "--kube-api-qps=500",
            "--kube-api-burst=500",
        ];
        let simulator = [
            "--manage-all-nodes",
            &flag("config", &programs().join("stages.yaml")),
            "--node-ip=127.0.0.1",
            &format!("--server-address=127.0.0.1:{}", free_port()),
        ];
        let nodes = Self([
            launch("kube-controller-manager", &[&common[..], &controllers].concat()),
            launch("kube-scheduler", &[&common[..], &[&port()]].concat()),
            launch("kwok", &simulator),
        ]);
        cluster.apply(&node().to_string(), &[]);
        let log = |program: &str| fs::read_to_string(dir.join(format!("{program}.log"))).unwrap_or_default();
        eventually("the node", || {
            let node = cluster.get(&["node", "node-0"]);
            let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
            let mut ready = conditions.filter(|it| it["type"] == "Ready" && it["status"] == "True");
            if ready.next().is_some() && node["spec"]["taints"].is_null() {
                return cluster.try_kubectl(&["get", "serviceaccount", "default", "--namespace=default"], "");
            }
            Err(format!("{node:#}\n{}\n{}", log("kube-controller-manager"), log("kwok")))
        });
        nodes
    }
}

fn node() -> Value {
    let capacity = json!({ "cpu": "32", "memory": "256Gi", "pods": "1000" });
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "node-0",
            "annotations": { "kwok.x-k8s.io/node": "fake" },
            "labels": { "kubernetes.io/hostname": "node-0" },
        },
        "status": { "allocatable": capacity, "capacity": capacity },
    })
}
