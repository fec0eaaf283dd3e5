//! Projects of every shape: each file parses and is formatted, and the API server accepts what kustomize makes of them.

mod common;

use std::path::Path;
use std::process::Command;

use common::cluster::{Cluster, kustomize, run};
use common::{Sandbox, tree};

/// A project: its flags for `init`, and for each `create api`.
struct Shape {
    name: &'static str,
    init: &'static [&'static str],
    apis: &'static [&'static str],
}

const SHAPES: &[Shape] = &[
    Shape { name: "iris", init: &[], apis: &["--group=test --version=v1alpha1 --kind=Iris"] },
    Shape { name: "bare", init: &["--license=none"], apis: &[] },
    Shape { name: "lonely", init: &["--namespaced"], apis: &[] },
    Shape {
        name: "fleet",
        init: &["--multigroup", "--license=mit", "--owner=Example Corp"],
        apis: &[
            "--group=ship --version=v1beta1 --kind=Frigate",
            "--group=ship --version=v1 --kind=Frigate",
            "--group=crew --version=v1 --kind=Captain --template=blank",
            "--group=sea-creatures --version=v1 --kind=Kraken --namespaced=false",
            "--group=ship --version=v1 --kind=Frigate --resource=false --controller-name=frigate-backup",
        ],
    },
    Shape {
        name: "watchers",
        init: &[],
        apis: &[
            "--group=apps --version=v1 --kind=Deployment --resource=false",
            "--group=core --version=v1 --kind=Pod --resource=false",
            "--group=core --version=v1 --kind=Node --resource=false",
            "--group=networking --version=v1 --kind=Ingress --resource=false",
            "--group=cert-manager --version=v1 --kind=Certificate --resource=false --external-api-domain=io",
        ],
    },
    Shape { name: "empty", init: &[], apis: &["--group=app --version=v1 --kind=Blank --template=blank"] },
    Shape { name: "data", init: &[], apis: &["--group=app --version=v1 --kind=Record --controller=false"] },
    Shape {
        name: "names",
        init: &[],
        apis: &[
            "--group=net --version=v1 --kind=Policy",
            "--group=net --version=v1 --kind=Proxy",
            "--group=net --version=v1alpha1 --kind=DNSRecord",
            "--group=net --version=v1 --kind=Memcached --image=memcached:1.6.15-alpine --image-container-port=11211 \
             --image-container-command=memcached,-m=64,-o,modern,-v --run-as-user=1001",
            "--group=net --version=v1 --kind=Type",
            "--group=net --version=v1 --kind=Match",
            "--group=net --version=v1 --kind=Box",
            "--group=net --version=v1 --kind=BoxSet",
            "--group=net --version=v1 --kind=Result --template=blank",
            "--group=net --version=v1 --kind=String",
            "--group=net --version=v1 --kind=Con",
            "--group=net --version=v1 --kind=Null",
            "--group=net --version=v10 --kind=X",
            "--group=net --version=v2 --kind=Kindofaverylongnamethatstillfitsintothelimitofkubernetesabc",
        ],
    },
    Shape {
        name: "confined",
        init: &["--namespaced", "--multigroup"],
        apis: &[
            "--group=test --version=v1 --kind=Iris",
            "--group=test --version=v1 --kind=World --namespaced=false",
            "--group=apps --version=v1 --kind=StatefulSet --resource=false",
        ],
    },
];

#[test]
fn every_shape_is_formatted_and_accepted() {
    for shape in SHAPES {
        let sandbox = scaffold(shape);
        formatted(&sandbox, shape.name);
        accepted(&sandbox, shape);
    }
}

fn scaffold(shape: &Shape) -> Sandbox {
    let sandbox = Sandbox::new(shape.name);
    let domain = format!("--domain={}.example.com", shape.name);
    sandbox.run(&[&["init", &domain], shape.init].concat()).success();
    for api in shape.apis {
        let args: Vec<&str> = ["create", "api"].into_iter().chain(api.split_whitespace()).collect();
        sandbox.run(&args).success();
        let before = tree(sandbox.path());
        sandbox.run(&args).success();
        assert!(before == tree(sandbox.path()), "{}: {api} again changes something", shape.name);
    }
    sandbox
}

fn formatted(sandbox: &Sandbox, name: &str) {
    let files: Vec<String> = tree(sandbox.path())
        .into_keys()
        .filter(|path| Path::new(path).extension().is_some_and(|it| it == "rs"))
        .collect();
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition=2024"]).args(files).current_dir(sandbox.path());
    run(rustfmt, "").unwrap_or_else(|difference| panic!("{name} is not formatted:\n{difference}"));
}

/// Both kustomizes build the same, and the server takes it: the definitions for real, the rest as a dry run.
fn accepted(sandbox: &Sandbox, shape: &Shape) {
    let cluster = Cluster::shared();
    let build = |folder: &str| {
        kustomize(&sandbox.path().join(folder))
            .unwrap_or_else(|error| panic!("{}: {folder}: {error}", shape.name))
    };
    let definitions = build("config/crd");
    if !definitions.is_empty() {
        cluster.define(&definitions);
    }
    let all = build("config/default");
    let namespace = format!("{}-system", shape.name);
    cluster.kubectl(&["create", "namespace", &namespace]);
    cluster.kubectl(&["label", "namespace", &namespace, "pod-security.kubernetes.io/enforce=restricted"]);
    cluster.apply(&all, &["--dry-run=server"]);
    if shape.name == "iris" {
        assert_eq!(objects(&all), IRIS.map(str::to_owned));
    }
    if shape.apis.iter().any(|api| !api.contains("--resource=false")) {
        cluster.apply(&build("config/samples"), &["--dry-run=server", "-n", "default"]);
    }
}

/// Kind and name of every object, sorted.
fn objects(manifests: &str) -> Vec<String> {
    use serde::Deserialize as _;
    let mut objects: Vec<String> = serde_yaml::Deserializer::from_str(manifests)
        .map(|document| serde_yaml::Value::deserialize(document).expect("YAML"))
        .map(|object| {
            let text = |value: &serde_yaml::Value| value.as_str().unwrap_or_default().to_owned();
            format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
        })
        .collect();
    objects.sort();
    objects
}

/// What the walk-through's project installs.
const IRIS: [&str; 15] = [
    "ClusterRole iris-iris-admin-role",
    "ClusterRole iris-iris-editor-role",
    "ClusterRole iris-iris-viewer-role",
    "ClusterRole iris-manager-role",
    "ClusterRole iris-metrics-auth-role",
    "ClusterRole iris-metrics-reader",
    "ClusterRoleBinding iris-manager-rolebinding",
    "ClusterRoleBinding iris-metrics-auth-rolebinding",
    "CustomResourceDefinition iris.test.iris.example.com",
    "Deployment iris-controller-manager",
    "Namespace iris-system",
    "Role iris-leader-election-role",
    "RoleBinding iris-leader-election-rolebinding",
    "Service iris-controller-manager-metrics-service",
    "ServiceAccount iris-controller-manager",
];
