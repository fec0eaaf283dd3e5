//! The walk-through, step by step: the generated operator on a real control plane.

mod common;

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::Sandbox;
use common::cluster::{Cluster, eventually, is, kustomize, programs, target, target_environment};
use common::operator::{Operator, http};
use common::switches::turn;
use serde_json::Value;

const SAMPLE: &str = "config/samples/test_v1alpha1_iris.yaml";
/// The account that the operator has in a cluster, and a kubeconfig of it.
const ACCOUNT: &str = "system:serviceaccount:iris-system:iris-controller-manager";
const AS_ACCOUNT: &str = "account.kubeconfig";

/// What the operator says when it works; each once at least.
const MESSAGES: [&str; 10] = [
    "fetching Iris resource",
    "looking for existing Deployments for Iris resource",
    "finished cleaning up old Deployment resources",
    "checking if an existing Deployment exists for this resource",
    "could not find existing Deployment for Iris, creating one...",
    "created Deployment resource for Iris",
    "existing Deployment resource already exists for Iris, checking replica count",
    "updating replica count",
    "updating Iris resource status",
    "resource status synced",
];

/// Both parts have a kind `Iris`, so they cannot run at the same time.
#[test]
fn the_walk_through_holds() {
    a_definition_by_hand_stores_objects_and_does_nothing();
    the_generated_operator_plays_the_whole_story();
}

fn a_definition_by_hand_stores_objects_and_does_nothing() {
    let cluster = Cluster::shared_with_nodes();
    let definition = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: irises.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: irises, singular: iris, kind: Iris, shortNames: [ir]}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec: {type: object, required: [replicas], properties: {replicas: {type: integer, minimum: 0}}}
";
    let namespace = "by-hand";
    cluster.kubectl(&["create", "namespace", namespace]);
    cluster.define(definition);
    let object = "{apiVersion: example.com/v1alpha1, kind: Iris, metadata: {name: iris}, spec: {test: 42, replicas: 1}}";
    let apply = ["apply", "-n", namespace, "--validate=ignore", "-f", "-"];
    eventually("the API", || cluster.try_kubectl(&apply, object));
    let stored = cluster.get(&["-n", namespace, "irises.example.com", "iris"]);
    assert_eq!(stored["spec"], serde_json::json!({ "replicas": 1 }), "unknown fields are pruned");
    assert!(cluster.get(&["-n", namespace, "deployments"])["items"].as_array().is_some_and(Vec::is_empty));
    cluster.kubectl(&["delete", "-n", namespace, "irises.example.com/iris"]);
    cluster.kubectl(&["delete", "crd/irises.example.com", "--wait"]);
}

fn the_generated_operator_plays_the_whole_story() {
    let cluster = Cluster::shared_with_nodes();
    let sandbox = Sandbox::with_iris();
    let story = Story { cluster, sandbox: &sandbox };
    story.make("install");
    assert!(cluster.kubectl(&["get", "crd"]).contains("iris.test.myardyas.club"));

    let mut operator = story.operator("first.log", None);
    story.created();
    story.scaled();
    story.settled();
    operator.stop();
    operator = story.operator("second.log", None);
    story.settled();
    operator.stop();
    story.confined();
    operator = story.operator("third.log", Some("example.com/iris:2"));
    story.runs("example.com/iris:2");
    story.renamed();
    story.name_taken();
    metrics();
    story.deleted();
    operator.stop();

    let log = fs::read_to_string(sandbox.path().join("first.log")).expect("a log");
    for message in MESSAGES {
        assert!(log.contains(message), "`{message}` in\n{log}");
    }
    for fields in [
        "namespace=\"default\" name=\"iris\"",
        "deployment_name=\"iris\"",
        "old_count=1 new_count=2",
        "replica_count=2",
    ] {
        assert!(log.contains(fields), "`{fields}` in\n{log}");
    }
}

struct Story<'a> {
    cluster: &'static Cluster,
    sandbox: &'a Sandbox,
}

impl Story<'_> {
    fn make(&self, target_name: &str) {
        let status = Command::new("make")
            .arg(target_name)
            .arg(format!("KUBECTL={}", programs().join("kubectl").display()))
            .arg(format!("IRIS_SCAFFOLD={}", env!("CARGO_BIN_EXE_iris-scaffold")))
            .current_dir(self.sandbox.path())
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .envs(target_environment())
            .stdout(Stdio::null())
            .status()
            .expect("make");
        assert!(status.success(), "make {target_name}: {status}");
    }

    /// From now on the operator runs as its own account, with its roles, and the API server holds it to what is its own.
    fn confined(&self) {
        turn(self.sandbox, &["METRICS", "ADMISSION POLICY"]);
        let all = kustomize(&self.sandbox.path().join("config/default")).expect("manifests");
        self.cluster.kubectl(&["create", "namespace", "iris-system"]);
        self.cluster.apply(&all, &[]);
        // Its own Deployment would run the operator a second time.
        self.cluster.kubectl(&["delete", "deploy", "-n", "iris-system", "iris-controller-manager"]);
        let kubeconfig = fs::read_to_string(self.cluster.kubeconfig()).expect("a kubeconfig");
        let mut kubeconfig: serde_yaml::Value = serde_yaml::from_str(&kubeconfig).expect("YAML");
        kubeconfig["users"][0]["user"]["as"] = ACCOUNT.into();
        self.sandbox.write(AS_ACCOUNT, &serde_yaml::to_string(&kubeconfig).expect("YAML"));
        let alone = ["create", "deployment", "alone", "--image=example.com/alone", "--as", ACCOUNT];
        eventually("the policy", || {
            let said = self.cluster.try_kubectl(&[&alone[..], &["--dry-run=server"]].concat(), "");
            is(said.is_err_and(|said| said.contains("no object of the operator's own kinds")), true)
        });
    }

    /// Starts the operator, with the image that the manager's Deployment may name.
    fn operator(&self, log: &str, image: Option<&str>) -> Operator {
        let status = Command::new("cargo")
            .args(["build", "--locked", "--quiet"])
            .current_dir(self.sandbox.path())
            .envs(target_environment())
            .status()
            .expect("cargo");
        assert!(status.success(), "the project builds");
        let log = File::create(self.sandbox.path().join(log)).expect("a log");
        let own = self.sandbox.path().join(AS_ACCOUNT);
        Operator::start(
            Command::new(target().join("debug/iris"))
                // Those of `make run`.
                .args(["--metrics-bind-address=127.0.0.1:8080", "--metrics-secure=false"])
                .arg("--health-probe-bind-address=127.0.0.1:8081")
                .env("KUBECONFIG", if own.exists() { own } else { self.cluster.kubeconfig() })
                .env_remove("WATCH_NAMESPACE")
                .env_remove("IRIS_IMAGE")
                .envs(image.map(|image| ("IRIS_IMAGE", image)))
                .stderr(log),
        )
    }

    fn iris(&self) -> Value {
        self.cluster.get(&["iris", "iris"])
    }

    fn patch(&self, spec: &str) {
        self.cluster.kubectl(&[
            "patch",
            "iris",
            "iris",
            "--type=merge",
            "-p",
            &format!("{{\"spec\": {spec}}}"),
        ]);
    }

    fn ready(&self, name: &str, replicas: i64) {
        eventually(&format!("{replicas} ready replicas of {name}"), || {
            let deployment = self.cluster.try_kubectl(&["get", "deploy", name, "-o", "json"], "")?;
            let deployment: Value = serde_json::from_str(&deployment).map_err(|error| error.to_string())?;
            is(deployment["spec"]["replicas"].as_i64(), Some(replicas))?;
            is(deployment["status"]["readyReplicas"].as_i64().unwrap_or(0), replicas)?;
            let iris = self.iris();
            is(iris["status"]["readyReplicas"].as_i64(), Some(replicas))?;
            is(iris["status"]["observedGeneration"].clone(), iris["metadata"]["generation"].clone())?;
            let ready = &iris["status"]["conditions"][0];
            is((ready["type"].as_str(), ready["status"].as_str()), (Some("Ready"), Some("True")))
        });
    }

    /// The operator's events about the Iris, as (type, reason, note), sorted.
    fn events(&self) -> Vec<(String, String, String)> {
        let list = self.cluster.get(&["events.v1.events.k8s.io", "--field-selector", "regarding.kind=Iris"]);
        let mut events: Vec<_> = list["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|event| {
                assert_eq!(event["reportingController"], "iris-controller");
                assert!(
                    event["series"].is_null() && event["deprecatedCount"].as_i64().unwrap_or(1) == 1,
                    "{event}"
                );
                let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
                (text("type"), text("reason"), text("note"))
            })
            .collect();
        events.sort();
        events
    }

    fn events_become(&self, expected: &[(&str, &str)]) {
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(reason, note)| {
                let kind = if *reason == "NameConflict" { "Warning" } else { "Normal" };
                (kind.to_owned(), (*reason).to_owned(), (*note).to_owned())
            })
            .collect();
        expected.sort();
        eventually("exactly these events", || is(self.events(), expected.clone()));
    }

    fn created(&self) {
        self.cluster.kubectl(&["apply", "-f", &self.sandbox.path().join(SAMPLE).to_string_lossy()]);
        self.ready("iris", 1);
        let deployment = self.cluster.get(&["deploy", "iris"]);
        let owner = &deployment["metadata"]["ownerReferences"][0];
        assert_eq!((&owner["kind"], &owner["controller"]), (&"Iris".into(), &true.into()));
        assert_eq!(owner["blockOwnerDeletion"], true);
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["name"], "iris");
        assert_eq!(container["image"], "store/intersystems/iris-community:2020.4.0.524.0");
        assert_eq!(deployment["spec"]["selector"]["matchLabels"]["iris/deployment-name"], "iris");
        assert!(self.cluster.kubectl(&["get", "deploy"]).contains("1/1"));
        let pods = self.cluster.kubectl(&["get", "pod", "-l", "iris/deployment-name=iris"]);
        assert_eq!(pods.matches("Running").count(), 1, "{pods}");
        self.events_become(&[("Created", "Created deployment \"iris\"")]);
    }

    fn scaled(&self) {
        self.cluster.kubectl(&["annotate", "deploy", "iris", "example.com/foreign=kept"]);
        self.patch("{\"replicas\": 2}");
        self.ready("iris", 2);
        let text = self.cluster.kubectl(&["get", "events"]);
        assert!(
            text.contains("iris/iris") && text.contains("Scaled deployment \"iris\" to 2 replicas"),
            "{text}"
        );
        assert!(text.contains("ScalingReplicaSet"), "{text}");
        self.patch("{\"replicas\": 0}");
        self.ready("iris", 0);
        self.cluster.kubectl(&["scale", "iris/iris", "--replicas=2"]);
        self.ready("iris", 2);
        let deployment = self.cluster.get(&["deploy", "iris"]);
        assert_eq!(deployment["metadata"]["annotations"]["example.com/foreign"], "kept");
        self.events_become(&[
            ("Created", "Created deployment \"iris\""),
            ("Scaled", "Scaled deployment \"iris\" to 2 replicas"),
            ("Scaled", "Scaled deployment \"iris\" to 0 replicas"),
            ("Scaled", "Scaled deployment \"iris\" to 2 replicas"),
        ]);
    }

    /// Nothing is written while nothing changes.
    fn settled(&self) {
        let versions = || {
            let version = |object: Value| object["metadata"]["resourceVersion"].clone();
            (version(self.iris()), version(self.cluster.get(&["deploy", "iris"])), self.events())
        };
        // What a start brings with it is over by then.
        std::thread::sleep(Duration::from_secs(3));
        let before = versions();
        std::thread::sleep(Duration::from_secs(8));
        assert_eq!(before, versions());
    }

    fn runs(&self, image: &str) {
        let manager =
            fs::read_to_string(self.sandbox.path().join("config/manager/manager.yaml")).expect("a manifest");
        assert!(manager.contains("- name: IRIS_IMAGE\n"), "{manager}");
        eventually("the image that the environment names", || {
            let deployment = self.cluster.get(&["deploy", "iris"]);
            is(deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str(), Some(image))
        });
        self.ready("iris", 2);
    }

    fn renamed(&self) {
        self.patch("{\"deploymentName\": \"other\", \"replicas\": 1}");
        self.ready("other", 1);
        eventually("the old Deployment to go", || {
            is(self.cluster.try_kubectl(&["get", "deploy", "iris"], "").is_err(), true)
        });
        let notes: Vec<_> = self.events().into_iter().map(|(_, _, note)| note).collect();
        for note in ["Deleted deployment \"iris\"", "Created deployment \"other\""] {
            assert_eq!(notes.iter().filter(|found| *found == note).count(), 1, "{notes:?}");
        }
    }

    fn name_taken(&self) {
        self.cluster.kubectl(&[
            "create",
            "deployment",
            "taken",
            "--image=example.com/foreign",
            "--replicas=3",
        ]);
        let before = self.cluster.get(&["deploy", "taken"])["spec"].clone();
        self.patch("{\"deploymentName\": \"taken\"}");
        let reason = || self.iris()["status"]["conditions"][0].clone();
        eventually("the conflict", || {
            is(
                (reason()["status"].as_str(), reason()["reason"].as_str()),
                (Some("False"), Some("NameConflict")),
            )
        });
        assert_eq!(before, self.cluster.get(&["deploy", "taken"])["spec"], "it is not touched");
        let warnings = || self.events().into_iter().filter(|(kind, ..)| kind == "Warning").count();
        eventually("the warning", || is(warnings(), 1));
        self.cluster.kubectl(&["delete", "deploy", "taken"]);
        self.ready("taken", 1);
        assert_eq!(warnings(), 1);
    }

    fn deleted(&self) {
        self.cluster.kubectl(&["delete", "iris", "iris"]);
        eventually("garbage collection", || {
            let left = self.cluster.get(&["deploy,replicaset,pod"]);
            is(left["items"].as_array().map(Vec::len), Some(0))
        });
    }
}

fn metrics() {
    let metrics = http(8080, "/metrics").expect("metrics");
    for name in [
        "controller_runtime_reconcile_total{controller=\"iris\",result=\"success\"}",
        "process_",
        "leader_election",
    ] {
        assert!(metrics.contains(name), "{name} in\n{metrics}");
    }
    assert!(http(8081, "/readyz").is_ok());
    assert!(http(8081, "/healthz").is_ok());
}
