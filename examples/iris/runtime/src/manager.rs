//! What runs the controllers of one process: it connects to the cluster, serves health and metrics, fills the stores, takes
//! the lead among replicas, and shuts down in order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::Extensions;
use axum::routing::MethodRouter;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use hyper_util::client::proxy::matcher::Matcher;
use kube::api::ApiResource;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::PartialObjectMeta;
use kube::{Client, Config};
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, timeout, timeout_at};
use tracing::{info, warn};

use crate::connection::Connection;
use crate::controller::Builder;
use crate::environment::Environment;
use crate::errors::BoxError;
use crate::events::Recorder;
use crate::health::Health;
use crate::informer;
use crate::leader::{Elector, Fence};
use crate::metrics::Metrics;
use crate::object::Object;
use crate::options::Options;
use crate::requests;
use crate::scope::Scope;
use crate::server;
use crate::shutdown::{self, Shutdown};
use crate::store::Store;
use crate::stores::{Stores, Synced};
use crate::token::{self, TokenFile};

/// How long reconciles that run at shutdown may take to finish. The pod's grace period must be longer.
const DRAIN: Duration = Duration::from_secs(20);
/// How long events that wait at shutdown may take to be published.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Why the manager stopped other than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manager cannot be what the flags and the machine it runs on make it.
    #[error("{0}")]
    Setup(String),
    /// A controller stopped without being asked to.
    #[error("a controller ended by itself")]
    ControllerEnded,
    /// A runnable failed.
    #[error("{0} failed: {1}")]
    Runnable(String, #[source] BoxError),
    /// Another replica leads, or might.
    #[error("leadership was lost")]
    LeadershipLost,
}

impl Error {
    /// `what` was impossible, and this is why.
    pub(crate) fn because<E: std::fmt::Display>(what: impl Into<String>) -> impl Fn(E) -> Self {
        let what = what.into();
        move |error| Self::Setup(format!("{what}: {error}"))
    }
}

/// Which replicas run something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// The one that leads.
    Leader,
    /// Every one.
    All,
}

/// A controller, until it runs.
pub(crate) struct Controller {
    pub(crate) name: &'static str,
    /// Until shutdown, once the stores that it may read are filled.
    pub(crate) run: Box<dyn FnOnce(Synced, Shutdown) -> BoxFuture<'static, ()> + Send>,
}

/// Something else that runs.
struct Runnable {
    name: String,
    replicas: Replicas,
    run: Box<dyn FnOnce(Shutdown) -> BoxFuture<'static, Result<(), BoxError>> + Send>,
}

/// Runs the controllers of one process.
pub struct Manager {
    /// For the controllers: it writes only while this process leads.
    client: Client,
    /// For the manager itself.
    own_client: Client,
    /// Takes part in the election, if there is one.
    elector: Option<Elector>,
    id: &'static str,
    pub(crate) fence: Fence,
    pub(crate) options: Options,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) recorder: Recorder,
    pub(crate) environment: Environment,
    publishing: Option<BoxFuture<'static, ()>>,
    health: Health,
    shutdown: Shutdown,
    stores: Stores,
    controllers: Vec<Controller>,
    runnables: Vec<Runnable>,
    routes: Vec<(String, MethodRouter)>,
    extensions: Extensions,
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A manager that is being put together: what it would otherwise find by itself can be given to it, so that several run in
/// one process.
#[must_use = "a manager does nothing before `build` and `run`"]
pub struct ManagerBuilder {
    id: &'static str,
    options: Options,
    client: Option<Client>,
    identity: Option<String>,
    shutdown: Option<BoxFuture<'static, ()>>,
    environment: Environment,
}

impl ManagerBuilder {
    /// The connection to the API server, in place of the kubeconfig's.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Who this replica is in the election, in place of the pod's name and the process. It must be another for each.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Resolves when the manager should stop, in place of SIGTERM and SIGINT.
    pub fn shutdown(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Some(shutdown.boxed());
        self
    }

    /// The time of day, in place of the machine's, for whatever is written: Leases, events and conditions. Delays are
    /// measured by tokio's clock.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.environment.set_clock(clock);
        self
    }

    /// Where random numbers start, in place of anywhere: delays are the same for the same seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.environment.set_seed(seed);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// [`Error::Setup`] when there is no cluster to connect to, or the flags contradict each other.
    pub async fn build(self) -> Result<Manager, Error> {
        let Self { id, options, client, identity, shutdown, environment } = self;
        let (connection, host) = match client {
            Some(client) => (client.into(), String::new()),
            None => connect(&options).await?,
        };
        let (fence, metrics, host) = (Fence::default(), Arc::new(Metrics::default()), Arc::from(host));
        let limited = |fence| {
            let limit = options.timings.request_timeout;
            let agent = format!("{id} (operator-runtime/{})", env!("CARGO_PKG_VERSION"));
            requests::limited(connection.clone(), Arc::clone(&host), limit, metrics.clone(), fence, &agent)
        };
        let (client, own_client) = (limited(fence.clone()), limited(Fence::default()));
        let elector = if options.leader_elect {
            Some(Elector::new(
                own_client.clone(),
                id,
                identity,
                &options,
                fence.clone(),
                environment.clone(),
                metrics.clone(),
            )?)
        } else {
            None
        };
        metrics.leader(id, elector.is_none());
        let shutdown = shutdown.map_or_else(shutdown::on_signal, |shutdown| Ok(shutdown.shared()))?;
        let (recorder, publishing) = Recorder::new(client.clone(), id, environment.clone());
        Ok(Manager {
            client,
            own_client,
            elector,
            id,
            fence,
            options,
            metrics,
            recorder,
            environment,
            publishing: Some(publishing),
            health: Health::default(),
            shutdown,
            stores: Stores::default(),
            controllers: Vec::new(),
            runnables: Vec::new(),
            routes: Vec::new(),
            extensions: Extensions::new(),
        })
    }
}

/// The connection that the flags, the environment or the pod give, and the API server's host.
async fn connect(options: &Options) -> Result<(Connection, String), Error> {
    let (file, context) = (&options.kubeconfig, &options.context);
    let mut config = if file.is_some() || context.is_some() {
        let unusable = Error::because("cannot use the kubeconfig");
        let kubeconfig = match file {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        let given = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
        let kubeconfig = kubeconfig.map_err(&unusable)?;
        Config::from_custom_kubeconfig(kubeconfig, &given).await.map_err(unusable)?
    } else {
        Config::infer().await.map_err(Error::because("cannot find a cluster to connect to"))?
    };
    config.connect_timeout = Some(Duration::from_secs(10));
    if passes_over_proxy(&config) {
        config.proxy_url = None;
    }
    let host = config.cluster_url.authority().map(ToString::to_string).unwrap_or_default();
    let credentials = &mut config.auth_info;
    // kube would send the file's line end, too, and keep to a token that is not accepted any more for up to a minute.
    let file = credentials.token_file.take_if(|_| credentials.token.is_none());
    let file = file.map(|path| Arc::new(TokenFile::new(path)));
    let connection = Connection::new(move || {
        let client = Client::try_from(config.clone())?;
        Ok(if let Some(file) = &file { token::authorized(client, file.clone()) } else { client })
    });
    Ok((connection.map_err(Error::because("cannot connect"))?, host))
}

/// Whether the environment names a proxy for others than this API server. kube 5.0 asks `NO_PROXY` about the proxy.
fn passes_over_proxy(config: &Config) -> bool {
    let named = |name| std::env::var(name).ok()?.parse().ok();
    let is_of_environment = config.proxy_url.is_some()
        && ["HTTPS_PROXY", "https_proxy"].into_iter().any(|name| named(name) == config.proxy_url);
    is_of_environment && Matcher::from_env().intercept(&config.cluster_url).is_none()
}

/// What controllers are made of.
impl Manager {
    /// A manager of the cluster of the kubeconfig, or of the one this pod runs in. `id` names the Lease that replicas
    /// compete for.
    ///
    /// # Errors
    /// Those of [`ManagerBuilder::build`].
    pub async fn new(id: &'static str, options: Options) -> Result<Self, Error> {
        Self::builder(id, options).build().await
    }

    /// A manager that is being put together.
    pub fn builder(id: &'static str, options: Options) -> ManagerBuilder {
        ManagerBuilder {
            id,
            options,
            client: None,
            identity: None,
            shutdown: None,
            environment: Environment::default(),
        }
    }

    /// The connection to the API server. It writes only while this process leads.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What `main` hands to the controllers, such as flags of one's own, by type.
    pub fn extensions(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Publishes events in the name of `reporter`.
    #[must_use]
    pub fn recorder(&self, reporter: &str) -> Recorder {
        self.recorder.of(reporter)
    }

    /// A new controller of the kind `K`. It starts with the manager, when [`Builder::run`] was called.
    pub fn controller<K: Object<DynamicType: Default>>(&mut self, name: &'static str) -> Builder<'_, K> {
        let store = self.stores.get(K::DynamicType::default(), Scope::default());
        Builder::new(self, name, store)
    }

    /// A new controller of the objects of a store, such as one for a kind that is known at run time only.
    pub fn controller_of<K: Object>(&mut self, name: &'static str, store: &Store<K>) -> Builder<'_, K> {
        Builder::new(self, name, store.clone())
    }

    /// All objects of a type in the namespaces that the manager watches. Everybody who asks gets the same store.
    pub fn store<K: Object<DynamicType: Default>>(&mut self) -> Store<K> {
        self.store_where(Scope::default())
    }

    /// The objects of a type that are in `scope`.
    pub fn store_where<K: Object<DynamicType: Default>>(&mut self, scope: Scope) -> Store<K> {
        let store = self.stores.get(K::DynamicType::default(), scope);
        store.keep_all();
        store
    }

    /// The objects of a type that are owned by objects of this manager's controllers. Of all others nothing is kept,
    /// unless somebody asks for [`Manager::store`].
    pub fn owned<K: Object<DynamicType: Default>>(&mut self) -> Store<K> {
        self.stores.get(K::DynamicType::default(), Scope::default())
    }

    /// Nothing but the metadata of the objects of a type: nothing else is sent.
    pub fn metadata<K: Object<DynamicType: Default>>(&mut self, scope: Scope) -> Store<PartialObjectMeta<K>> {
        self.store_where(scope)
    }

    /// The objects of a type that is known at run time only. Those without a namespace need [`Scope::cluster`].
    pub fn dynamic_store(&mut self, resource: ApiResource, scope: Scope) -> Store<kube::api::DynamicObject> {
        let store = self.stores.get(resource, scope);
        store.keep_all();
        store
    }

    /// Runs `run` beside the controllers. It is told when to stop, and has as long for it as reconciles have; should it
    /// fail, the manager stops.
    pub fn runnable<F>(
        &mut self,
        name: impl Into<String>,
        replicas: Replicas,
        run: impl FnOnce(Shutdown) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let run = Box::new(move |shutdown| run(shutdown).boxed());
        self.runnables.push(Runnable { name: name.into(), replicas, run });
    }

    /// Adds metrics of one's own to those that are served.
    pub fn metrics(&mut self, register: impl FnOnce(&mut Registry)) {
        self.metrics.register(register);
    }

    /// Measures how long requests to the API server take, too: `rest_client_request_duration_seconds`, which controller-runtime
    /// has as an option as well, because it has many series.
    pub fn measure_requests(&mut self) {
        self.metrics.measure_requests();
    }

    /// Serves `path` beside `/metrics`, under the same rules: with `--metrics-secure` to callers who are allowed, on that
    /// non-resource URL, the verb that is called like the method of their request, such as `get`; without, to everybody. A
    /// path has no parameters.
    pub fn route(&mut self, path: impl Into<String>, route: MethodRouter) {
        self.routes.push((path.into(), route));
    }

    /// Makes `/readyz` ask `check`, too.
    pub fn check(
        &mut self,
        name: impl Into<String>,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.health.ask(name.into(), Arc::new(check));
    }

    /// Makes `/healthz` ask `check`, too; without one, it passes as long as the process answers. Kubernetes restarts a
    /// container whose `/healthz` fails.
    pub fn liveness_check(
        &mut self,
        name: impl Into<String>,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.health.ask_whether_alive(name.into(), Arc::new(check));
    }

    pub(crate) fn add(&mut self, controller: Controller) {
        self.controllers.push(controller);
    }
}

/// How it runs.
impl Manager {
    /// Runs until a signal arrives or leadership is lost.
    ///
    /// # Errors
    /// [`Error`] says why it stopped without a signal.
    pub async fn run(mut self) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.controllers.iter().find(|controller| !names.insert(controller.name)) {
            let name = twice.name;
            return Err(Error::Setup(format!(
                "two controllers are called `{name}`; each needs a name of its own"
            )));
        }
        let routes = server::routes(std::mem::take(&mut self.routes))?;
        info!("setup starting manager");
        // They stay up while the controllers finish, so that nobody restarts the pod meanwhile.
        let mut servers = JoinSet::new();
        if self.options.health_probe_bind_address != "0" {
            servers.spawn(server::health(&self.options, self.health.clone())?);
        }
        if self.options.metrics_bind_address != "0" {
            let (client, metrics) = (self.own_client.clone(), self.metrics.clone());
            servers.spawn(server::metrics(&self.options, client, metrics, routes).await?);
        }
        // Stores fill before the lead is won.
        let mut informers = self.informers();
        let (everywhere, leading) = std::mem::take(&mut self.runnables)
            .into_iter()
            .partition(|runnable: &Runnable| runnable.replicas == Replicas::All);
        let mut runnables = Runnables::start(everywhere, &self.shutdown);
        let mut elector = self.elector.take();
        let failure = tokio::select! {
            biased;
            result = self.lead(elector.as_mut(), leading) => result.err(),
            error = runnables.failed() => Some(give_up(elector.as_ref(), error).await),
            // Watches go on for ever. One that does not has a bug.
            Some(_) = informers.join_next() => Some(give_up(elector.as_ref(), Error::ControllerEnded).await),
        };
        runnables.stop(Instant::now() + LAST_EVENTS).await;
        info!("manager stopped");
        failure.map_or(Ok(()), Err)
    }

    fn informers(&mut self) -> JoinSet<()> {
        let shared = Arc::new(informer::Shared {
            client: self.client.clone(),
            timings: self.options.timings,
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            recorder: self.recorder.clone(),
            environment: self.environment.clone(),
        });
        self.stores.informers(&shared, &self.options.namespaces())
    }

    /// Takes the lead if it has to be taken, then runs the controllers until shutdown or loss of the lead.
    async fn lead(&mut self, elector: Option<&mut Elector>, runnables: Vec<Runnable>) -> Result<(), Error> {
        let Some(elector) = elector else { return self.run_controllers(runnables).await };
        if !elector.acquire(self.shutdown.clone()).await {
            return Ok(());
        }
        self.metrics.leader(self.id, true);
        let result = tokio::select! {
            biased;
            // Not one more write may happen: the fence is closed, and whatever was running is ended.
            () = elector.renew() => return Err(Error::LeadershipLost),
            result = self.run_controllers(runnables) => result,
        };
        self.metrics.leader(self.id, false);
        elector.release().await;
        result
    }

    /// Runs the controllers until shutdown, and until what they are at then is done, or has been ended.
    async fn run_controllers(&mut self, runnables: Vec<Runnable>) -> Result<(), Error> {
        let mut events: JoinSet<()> = self.publishing.take().into_iter().collect();
        let mut runnables = Runnables::start(runnables, &self.shutdown);
        let synced = self.stores.synced();
        let start = |controller: Controller| (controller.run)(synced.clone(), self.shutdown.clone());
        let mut controllers: JoinSet<()> = self.controllers.drain(..).map(start).collect();
        let waits = controllers.is_empty();
        tokio::select! {
            biased;
            () = self.shutdown.clone() => {}
            error = runnables.failed() => return Err(error),
            Some(_) = controllers.join_next(), if !waits => return Err(Error::ControllerEnded),
        }
        info!("stopping: waiting for reconciles to finish");
        let end = Instant::now() + DRAIN;
        end_by(end, "reconciles", &mut controllers).await;
        runnables.stop(end).await;
        self.recorder.close();
        let published = async { while events.join_next().await.is_some() {} };
        let _ = timeout(LAST_EVENTS, published).await;
        Ok(())
    }
}

/// Gives up the lead, which this process may have, because of `error`.
async fn give_up(elector: Option<&Elector>, error: Error) -> Error {
    if let Some(elector) = elector {
        elector.release().await;
    }
    error
}

/// The runnables that run.
struct Runnables(JoinSet<(String, Result<(), BoxError>)>);

impl Runnables {
    fn start(runnables: Vec<Runnable>, shutdown: &Shutdown) -> Self {
        let start = |Runnable { name, run, .. }: Runnable| {
            let running = run(shutdown.clone());
            async move { (name, running.await) }
        };
        Self(runnables.into_iter().map(start).collect())
    }

    /// Resolves when one has failed. One that has ended otherwise was done.
    async fn failed(&mut self) -> Error {
        while let Some(ended) = self.0.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((name, Err(error))) => return Error::Runnable(name, error),
                Err(error) => return Error::Runnable("a runnable".to_owned(), error.into()),
            }
        }
        std::future::pending().await
    }

    /// Waits until all have ended, or ends them at `end`.
    async fn stop(&mut self, end: Instant) {
        end_by(end, "runnables", &mut self.0).await;
    }
}

/// Waits until all tasks have ended, or ends them at `end`.
async fn end_by<T: 'static>(end: Instant, what: &str, tasks: &mut JoinSet<T>) {
    let ended = async { while tasks.join_next().await.is_some() {} };
    if timeout_at(end, ended).await.is_err() {
        warn!("{what} still run; ending them");
        tasks.shutdown().await;
    }
}
