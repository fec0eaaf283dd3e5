//! What the tests have in common: a control plane, and for each test a namespace, managers and reconcilers of its own.

use std::io::Write;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Request};
use clap::Parser;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Client, Config, Resource, ResourceExt as _};
use operator_runtime::{
    Action, Context, Error, Manager, Object, ObjectKey, Options, Reconciler, Result, Store,
};
use operator_testing::{ControlPlane, Project, Proxy, ensure, eventually, free_port, http_get};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tower::service_fn;

/// Long enough for what must not happen to happen.
pub(crate) const WHILE: Duration = Duration::from_millis(1500);

/// Outlives the tests, because what one connects others use.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(8).enable_all().build().expect("a runtime"));
static CONTROL_PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Logs;

impl Write for Logs {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        LOGS.lock().extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What all managers have logged.
pub(crate) fn logs() -> String {
    String::from_utf8_lossy(&LOGS.lock()).into_owned()
}

async fn start() -> ControlPlane {
    tracing_subscriber::fmt().with_ansi(false).with_writer(|| Logs).init();
    let project = Project::new(env!("CARGO_MANIFEST_DIR"));
    let project = project.with_crds(["server/crds"]).with_binary_assets(test_cluster::programs());
    ControlPlane::start(project).await
}

/// Runs a test in the namespace `name`, which is made for it.
pub(crate) fn test(name: &str, body: impl AsyncFnOnce(Cluster)) {
    RUNTIME.block_on(async {
        let control_plane = CONTROL_PLANE.get_or_init(start).await;
        control_plane.create_namespace(name).await;
        let client = control_plane.client();
        body(Cluster { control_plane, namespace: name.to_owned(), client }).await;
    });
}

/// What a test sees of the cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) control_plane: &'static ControlPlane,
    pub(crate) namespace: String,
    /// For its managers.
    client: Client,
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

impl Cluster {
    /// The objects in the test's namespace, for the administrator.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.control_plane.client(), &self.namespace)
    }

    /// The Widgets in the test's namespace.
    pub(crate) fn widgets(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.control_plane.client(), &self.namespace, &widget())
    }

    pub(crate) fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(&self.namespace, name)
    }

    /// Applies what `object` says of a type that is in a namespace, as an administrator does.
    pub(crate) async fn put<K>(&self, name: &str, object: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let mut object = object;
        object["apiVersion"] = json!(K::api_version(&()));
        object["kind"] = json!(K::kind(&()));
        object["metadata"]["name"] = json!(name);
        let params = PatchParams::apply("administrator").force();
        self.api::<K>().patch(name, &params, &Patch::Apply(object)).await.expect("apply")
    }

    /// Makes or changes a `ConfigMap`, which most tests take for their primary.
    pub(crate) async fn config_map(&self, name: &str, value: &str) -> ConfigMap {
        self.put(name, json!({ "data": { "value": value } })).await
    }

    pub(crate) async fn widget(&self, name: &str, size: u32) -> DynamicObject {
        let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": name }, "spec": { "size": size } });
        let params = PatchParams::apply("administrator").force();
        self.widgets().patch(name, &params, &Patch::Apply(widget)).await.expect("apply")
    }

    /// The same, but its managers connect in another way.
    pub(crate) fn with_client(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// The same, but its managers connect by way of a proxy.
    pub(crate) async fn proxied(&self) -> (Self, Proxy) {
        let proxy = Proxy::start(self.control_plane, &self.namespace).await;
        let config = config(&proxy.kubeconfig(self.control_plane)).await;
        (self.with_client(Client::try_from(config).expect("a client")), proxy)
    }

    /// The same, but its managers hear of what they write to a status some time after everybody else.
    pub(crate) fn with_late_answers(&self) -> Self {
        let client = self.client.clone();
        let send = move |request: Request<Body>| {
            let (client, is_late) = (client.clone(), request.uri().path().ends_with("/status"));
            async move {
                let answer = client.send(request).await;
                if is_late {
                    sleep(Duration::from_millis(300)).await;
                }
                answer
            }
        };
        self.with_client(Client::new(service_fn(send), &self.namespace))
    }

    /// The same, but its managers may do no more than `rules` say, in the test's namespace.
    pub(crate) async fn restricted(&self, rules: Value) -> Self {
        let user = format!("user-of-{}", self.namespace);
        let metadata = json!({ "name": "user", "namespace": self.namespace });
        let api = "rbac.authorization.k8s.io";
        let (first, version) = (rules[0].clone(), format!("{api}/v1"));
        for object in [
            json!({ "apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules }),
            json!({ "apiVersion": version, "kind": "RoleBinding", "metadata": metadata,
                "roleRef": { "apiGroup": api, "kind": "Role", "name": "user" },
                "subjects": [{ "apiGroup": api, "kind": "User", "name": user }] }),
        ] {
            self.control_plane.apply(&serde_json::from_value(object).expect("an object")).await;
        }
        let mut config = config(&self.control_plane.kubeconfig()).await;
        let user = HeaderValue::from_str(&user).expect("a header");
        config.headers.push((HeaderName::from_static("impersonate-user"), user));
        let client = Client::try_from(config).expect("a client");
        let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
        eventually("the rules apply", async || {
            let attributes = json!({ "namespace": self.namespace, "group": first["apiGroups"][0],
                "verb": first["verbs"][0], "resource": first["resources"][0] });
            let review = json!({ "spec": { "resourceAttributes": attributes } });
            let review = serde_json::from_value(review).expect("a review");
            let review =
                reviews.create(&PostParams::default(), &review).await.map_err(|error| error.to_string())?;
            ensure(review.status.as_ref().is_some_and(|status| status.allowed), &review)
        })
        .await;
        self.with_client(client)
    }

    /// A token of the service account `name` in the test's namespace, meant for the API server unless for others.
    pub(crate) async fn token(&self, name: &str, audiences: &[&str]) -> String {
        let audiences: Vec<_> = audiences.iter().map(|&audience| audience.to_owned()).collect();
        let spec = TokenRequestSpec { audiences: audiences.into(), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec: spec.into(), ..TokenRequest::default() };
        let accounts = self.api::<ServiceAccount>();
        let token = accounts.create_token_request(name, &PostParams::default(), &request).await;
        token.expect("a token").status.expect("a token").token.expect("a token")
    }

    /// The flags of a manager of the test's namespace, unless `flags` name others.
    pub(crate) fn options(&self, flags: &[&str]) -> Options {
        let namespace = format!("--watch-namespace={}", self.namespace);
        let lease = format!("--leader-election-namespace={}", self.namespace);
        let mut args = vec!["test", &lease];
        args.extend(flags);
        for default in [namespace.as_str(), "--metrics-bind-address=0", "--health-probe-bind-address=0"] {
            let name = default.split_once('=').map_or(default, |(name, _)| name);
            if !flags.iter().any(|flag| flag.starts_with(name)) {
                args.push(default);
            }
        }
        Cli::try_parse_from(args).expect("flags").options
    }

    pub(crate) async fn manager(
        &self,
        flags: &[&str],
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::result::Result<Manager, Error> {
        // A port is given out once.
        let identity = format!("replica-{}", free_port());
        let manager = Manager::builder("test.example.com", self.options(flags)).client(self.client.clone());
        manager.identity(identity).shutdown(shutdown).build().await
    }

    /// Runs a manager that `set_up` has given its controllers.
    pub(crate) async fn run<T>(
        &self,
        flags: &[&str],
        set_up: impl FnOnce(&mut Manager) -> T,
    ) -> (Replica, T) {
        let (stop, stopped) = oneshot::channel();
        let (health, metrics) = (free_port(), free_port());
        let health_flag = format!("--health-probe-bind-address=127.0.0.1:{health}");
        let metrics_flag = format!("--metrics-bind-address=127.0.0.1:{metrics}");
        let flags: Vec<_> = [health_flag.as_str(), metrics_flag.as_str(), "--metrics-secure=false"]
            .into_iter()
            .chain(flags.iter().copied())
            .collect();
        let mut manager = self.manager(&flags, stopped.map(drop)).await.expect("a manager");
        let result = set_up(&mut manager);
        (Replica { stop, task: tokio::spawn(manager.run()), health, metrics }, result)
    }
}

/// Of the administrator, or whose kubeconfig it is.
async fn config(kubeconfig: &std::path::Path) -> Config {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("kubeconfig");
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("configuration")
}

/// The kind of which this process has no type.
pub(crate) fn widget() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"))
}

/// A manager that runs, until this is dropped.
pub(crate) struct Replica {
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::result::Result<(), Error>>,
    health: u16,
    metrics: u16,
}

impl Replica {
    /// What it says at `/readyz`; an error unless it is ready.
    pub(crate) async fn readiness(&self) -> std::result::Result<String, String> {
        http_get(self.health, "/readyz").await
    }

    /// What it says at `/healthz`; an error unless it is alive.
    pub(crate) async fn liveness(&self) -> std::result::Result<String, String> {
        http_get(self.health, "/healthz").await
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&self) {
        eventually("the manager is ready", async || self.readiness().await).await;
    }

    /// The sum of the metrics whose line begins so.
    pub(crate) async fn metric(&self, begin: &str) -> f64 {
        let metrics = http_get(self.metrics, "/metrics").await.expect("metrics");
        let lines = metrics.lines().filter(|line| line.starts_with(begin));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Tells it to stop, and waits until it did.
    pub(crate) async fn stop(mut self) {
        drop(std::mem::replace(&mut self.stop, oneshot::channel().0));
        self.ended().await.expect("an orderly end");
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> std::result::Result<(), Error> {
        let ended = tokio::time::timeout(Duration::from_secs(15), &mut self.task).await;
        ended.expect("the manager ends").expect("no panic")
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A reconciler that does what a function does.
pub(crate) struct Fn<K, F> {
    reconcile: F,
    gone: Seen,
    of: std::marker::PhantomData<std::sync::Mutex<K>>,
}

pub(crate) fn reconciler<K: Object, F>(reconcile: F) -> Fn<K, F>
where
    F: for<'a> std::ops::Fn(&'a K, &'a Context<K>) -> BoxFuture<'a, Result> + Send + Sync + 'static,
{
    Fn { reconcile, gone: Seen::default(), of: std::marker::PhantomData }
}

/// A reconciler that remembers whom it is called for.
pub(crate) fn watcher<K: Object>(seen: &Seen) -> impl Reconciler<Object = K> + use<K> {
    let seen = seen.clone();
    reconciler(move |object: &K, _| {
        seen.add(object.name_any());
        ready(Ok(Action::AwaitChange)).boxed()
    })
}

impl<K, F> Fn<K, F> {
    /// Remembers which objects are gone.
    pub(crate) fn gone(self, gone: &Seen) -> Self {
        Self { gone: gone.clone(), ..self }
    }
}

impl<K: Object, F> Reconciler for Fn<K, F>
where
    F: for<'a> std::ops::Fn(&'a K, &'a Context<K>) -> BoxFuture<'a, Result> + Send + Sync + 'static,
{
    type Object = K;

    async fn reconcile(&self, object: &K, context: &Context<K>) -> Result {
        (self.reconcile)(object, context).await
    }

    fn gone(&self, key: &ObjectKey) {
        self.gone.add(&key.name);
    }
}

/// What happened so far, in order.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().push(what.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.0.lock().iter().filter(|seen| *seen == what).count()
    }

    /// Waits until `what` has happened that often, which must not be exceeded.
    pub(crate) async fn times(&self, what: &str, count: usize) {
        eventually(&format!("`{what}` has happened {count} times"), async || {
            ensure(self.count(what) >= count, &self.all())
        })
        .await;
        assert_eq!(self.count(what), count, "{what}: {:?}", self.all());
    }

    /// Waits until just that has happened.
    pub(crate) async fn is(&self, all: &[&str]) {
        eventually(&format!("{all:?} has happened"), async || ensure(self.all() == all, &self.all())).await;
    }
}

/// The names of what a store has.
pub(crate) fn names<K: Object>(store: &Store<K>) -> Vec<String> {
    store.list().iter().map(|object| object.name_any()).collect()
}

/// Waits until a store has the objects of these names, and no other.
pub(crate) async fn has<K: Object>(store: &Store<K>, expected: &[&str]) {
    eventually(&format!("the store has {expected:?}"), async || {
        ensure(names(store) == expected, &names(store))
    })
    .await;
}
