//! A control plane of etcd and kube-apiserver.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::{self, ApiResource, Scope};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};

use crate::port::free_port;
use crate::process::Process;
use crate::{Project, audit, credentials, ensure, eventually, within};

/// How long the API server may take to start.
const START: Duration = Duration::from_secs(60);

/// A running control plane of etcd and kube-apiserver, of which the test is the administrator. It ends when this is
/// dropped.
///
/// No controllers run: nothing makes pods, and nothing collects what a deleted object leaves behind. Tests play their
/// parts.
pub struct ControlPlane {
    project: Project,
    client: Client,
    assets: PathBuf,
    /// Of etcd's clients and peers, and of the API server.
    ports: [u16; 3],
    // Dropped in this order.
    api_server: Option<Process>,
    etcd: Option<Process>,
    dir: tempfile::TempDir,
}

impl ControlPlane {
    /// Starts a control plane and installs the operator's kinds.
    pub async fn start(project: Project) -> Self {
        let control_plane = Self::bare(project).await;
        control_plane.install_crds().await;
        control_plane
    }

    /// Starts a control plane that does not know the operator's kinds.
    pub async fn bare(project: Project) -> Self {
        let assets = project.binary_assets();
        // Cargo may take a program for fresh that was compiled for another folder of the same package.
        let root = project.root();
        assert!(root.is_dir(), "{} is not there: this test was compiled for a project in it", root.display());
        let dir = tempfile::tempdir().expect("temporary directory");
        let ports = [free_port(), free_port(), free_port()];
        credentials::write(dir.path(), ports[2]);
        fs::write(dir.path().join("audit.yaml"), audit::POLICY).expect("audit policy");
        let client = client(dir.path()).await;
        let mut control_plane = Self { project, client, assets, ports, api_server: None, etcd: None, dir };
        control_plane.run().await;
        control_plane
    }

    /// Starts it again after [`ControlPlane::stop`], with the data that is in [`ControlPlane::data`] then.
    pub async fn run(&mut self) {
        self.etcd = Some(self.spawn_etcd());
        let mut api_server = self.spawn_api_server();
        let ready = within(START, "the API server is ready", async || {
            api_server.assert_running();
            let request = hyper::Request::get("/readyz").body(Vec::new()).expect("request");
            self.client.request_text(request).await.map_err(|error| error.to_string())
        });
        if let Err(seen) = ready.await {
            panic!("{seen}\n{}", api_server.log_tail());
        }
        self.api_server = Some(api_server);
        let namespaces: Api<Namespace> = Api::all(self.client());
        eventually("the API server makes the default namespace", async || {
            namespaces.get("default").await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// Stops it, as a power cut does.
    pub fn stop(&mut self) {
        self.api_server = None;
        self.etcd = None;
    }

    /// The folder of etcd's data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir().join("etcd")
    }

    fn spawn_etcd(&self) -> Process {
        let [clients, peers, _] = self.ports.map(|port| format!("http://127.0.0.1:{port}"));
        Process::spawn(self.assets.join("etcd"), self.dir().join("etcd.log"), |command| {
            command.args(["--unsafe-no-fsync", "--log-level=error", "--data-dir"]).arg(self.data());
            command.arg(format!("--listen-client-urls={clients}"));
            command.arg(format!("--advertise-client-urls={clients}"));
            command.arg(format!("--listen-peer-urls={peers}"));
        })
    }

    fn spawn_api_server(&self) -> Process {
        let [etcd, _, port] = self.ports;
        let file = |flag: &str, name: &str| format!("--{flag}={}", self.dir().join(name).display());
        Process::spawn(self.assets.join("kube-apiserver"), self.dir().join("kube-apiserver.log"), |command| {
            command.arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"));
            command.arg(format!("--secure-port={port}"));
            command.arg(format!("--service-account-issuer=https://127.0.0.1:{port}"));
            command.args(["--bind-address=127.0.0.1", "--endpoint-reconciler-type=none"]);
            command.args(["--service-cluster-ip-range=10.0.0.0/24", "--authorization-mode=RBAC"]);
            command.args(["--allow-privileged=true", "--disable-admission-plugins=ServiceAccount"]);
            command.arg("--enable-admission-plugins=OwnerReferencesPermissionEnforcement");
            command.args([file("cert-dir", "certs"), file("token-auth-file", "tokens.csv")]);
            command.args([file("tls-cert-file", "tls.crt"), file("tls-private-key-file", "tls.key")]);
            command.args([file("service-account-key-file", "sa.pub")]);
            command.args([file("service-account-signing-key-file", "sa.key")]);
            command.args([file("audit-policy-file", "audit.yaml"), file("audit-log-path", "audit.log")]);
        })
    }

    /// The operator that is tested.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// A client that may do everything.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Port of the API server.
    pub(crate) fn port(&self) -> u16 {
        self.ports[2]
    }

    /// For `kubectl` and the operator.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir().join("kubeconfig")
    }

    /// The same with something else in it, in a file called `name`.
    pub(crate) fn kubeconfig_with(&self, name: &str, from: &str, to: &str) -> PathBuf {
        let administrator = fs::read_to_string(self.kubeconfig()).expect("kubeconfig");
        let file = self.dir().join(name);
        fs::write(&file, administrator.replace(from, to)).expect("kubeconfig");
        file
    }

    /// Applies an object of any kind; in `default` if it is in a namespace and does not say in which.
    pub async fn apply(&self, object: &DynamicObject) {
        self.apply_within("default", object).await;
    }

    /// Applies an object of any kind; in `namespace` if it is in one and does not say in which.
    pub(crate) async fn apply_within(&self, namespace: &str, object: &DynamicObject) {
        let name = object.name_any();
        let types = object.types.clone().expect("apiVersion and kind");
        let kind = GroupVersionKind::try_from(types).expect("apiVersion");
        let (resource, capabilities) = discovery::pinned_kind(&self.client, &kind).await.expect("the kind");
        let api: Api<DynamicObject> = if capabilities.scope == Scope::Namespaced {
            let namespace = object.metadata.namespace.as_deref().unwrap_or(namespace);
            Api::namespaced_with(self.client(), namespace, &resource)
        } else {
            Api::all_with(self.client(), &resource)
        };
        api.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(object)).await.expect("apply");
    }

    /// Makes a namespace.
    pub async fn create_namespace(&self, name: &str) {
        let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).expect("Namespace");
        let namespaces: Api<Namespace> = Api::all(self.client());
        namespaces.create(&PostParams::default(), &namespace).await.expect("create the namespace");
    }

    /// Creates a namespace unless it is there.
    pub(crate) async fn ensure_namespace(&self, name: &str) {
        let namespaces: Api<Namespace> = Api::all(self.client());
        if namespaces.get_opt(name).await.expect("the namespace").is_none() {
            self.create_namespace(name).await;
        }
    }

    /// The events about objects of this name, each as `Reason: note`, sorted.
    pub async fn events(&self, name: &str) -> Vec<String> {
        let events: Api<Event> = Api::all(self.client());
        let events = events.list(&ListParams::default()).await.expect("events");
        let about = events.items.into_iter().filter(|event| {
            event.regarding.as_ref().is_some_and(|object| object.name.as_deref() == Some(name))
        });
        let text = |event: Event| {
            format!("{}: {}", event.reason.unwrap_or_default(), event.note.unwrap_or_default())
        };
        let mut texts: Vec<_> = about.map(text).collect();
        texts.sort();
        texts
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Installs the operator's kinds.
    pub async fn install_crds(&self) {
        let kind = ApiResource {
            group: "apiextensions.k8s.io".to_owned(),
            version: "v1".to_owned(),
            api_version: "apiextensions.k8s.io/v1".to_owned(),
            kind: "CustomResourceDefinition".to_owned(),
            plural: "customresourcedefinitions".to_owned(),
        };
        let crds: Api<DynamicObject> = Api::all_with(self.client(), &kind);
        for crd in self.project.crds() {
            self.apply(&crd).await;
            eventually("the kind is established", async || {
                let crd = crds.get_status(&crd.name_any()).await.map_err(|error| error.to_string())?;
                let conditions = crd.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
                let is_true = |fact: &Value| fact["type"] == "Established" && fact["status"] == "True";
                ensure(conditions.iter().any(is_true), &conditions)
            })
            .await;
        }
    }
}

/// A client with the administrator's kubeconfig.
async fn client(dir: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(dir.join("kubeconfig")).expect("kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.expect("configuration");
    // That of the environment is for servers on other machines.
    config.proxy_url = None;
    Client::try_from(config).expect("client")
}
