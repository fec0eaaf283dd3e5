//! What runs the controllers: it connects to the cluster, serves health and metrics, takes the lead among replicas,
//! watches, calls reconcilers with time-outs and back-off, and shuts down in order.
//!
//! A controller registers itself with [`Manager::controller`] and implements one function, `reconcile`. Nothing in
//! here knows what the controllers do.

mod auth;
mod backoff;
mod cache;
mod conditions;
mod controller;
mod difference;
mod events;
mod health;
mod leader;
mod metrics;
mod options;
mod process;
mod reconcile;
mod requests;
mod server;
mod shutdown;
pub mod telemetry;
mod tls;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::task::JoinSet;
use tracing::{info, warn};

pub use cache::Cache;
pub use conditions::{Fact, set_condition};
pub use controller::Builder;
pub use difference::covers;
pub use events::Events;
pub use kube::runtime::events::EventType;
pub use options::{Options, Timings};
pub use reconcile::Action;

use health::Health;
use leader::{Elector, Fence};
use metrics::Metrics;
use shutdown::Shutdown;

/// How long reconciles that run at shutdown may take to finish. The pod's grace period must be longer.
const DRAIN: Duration = Duration::from_secs(20);

/// Why the manager stopped other than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manager cannot be what the flags and the machine it runs on make it.
    #[error("{0}")]
    Setup(String),
    /// A controller stopped without being asked to.
    #[error("a controller ended by itself")]
    ControllerEnded,
    /// Another replica leads, or might.
    #[error("leadership was lost")]
    LeadershipLost,
}

impl Error {
    /// `what` was impossible, and this is why.
    fn because<E: std::fmt::Display>(what: impl Into<String>) -> impl Fn(E) -> Self {
        let what = what.into();
        move |error| Self::Setup(format!("{what}: {error}"))
    }
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
    options: Options,
    health: Health,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
    controllers: Vec<BoxFuture<'static, ()>>,
}

impl Manager {
    /// Connects to the cluster of the kubeconfig, or to the one this pod runs in. `id` names the Lease that replicas
    /// compete for.
    pub async fn new(id: &'static str, options: Options) -> Result<Self, Error> {
        let mut config = if let Some(file) = &options.kubeconfig {
            let unusable = Error::because("cannot use the kubeconfig");
            let kubeconfig = Kubeconfig::read_from(file).map_err(&unusable)?;
            let defaults = KubeConfigOptions::default();
            Config::from_custom_kubeconfig(kubeconfig, &defaults).await.map_err(unusable)?
        } else {
            Config::infer().await.map_err(Error::because("cannot find a cluster to connect to"))?
        };
        config.connect_timeout = Some(Duration::from_secs(10));
        let host: Arc<str> =
            config.cluster_url.authority().map(ToString::to_string).unwrap_or_default().into();
        let client = Client::try_from(config).map_err(Error::because("cannot connect"))?;
        let (fence, metrics) = (Fence::default(), Arc::new(Metrics::default()));
        let limited = |fence| {
            let limit = options.timings.request_timeout;
            requests::limited(client.clone(), host.clone(), limit, metrics.clone(), fence)
        };
        let (client, own_client) = (limited(fence.clone()), limited(Fence::default()));
        let elector = options.leader_elect.then(|| Elector::new(own_client.clone(), id, &options, fence));
        let elector = elector.transpose()?;
        metrics.leader(id, elector.is_none());
        let (health, shutdown, controllers) = (Health::default(), shutdown::on_signal()?, Vec::new());
        Ok(Self { client, own_client, elector, id, options, health, metrics, shutdown, controllers })
    }

    /// The connection to the API server.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Publishes events in the name of `reporter`.
    #[must_use]
    pub fn events(&self, reporter: &str) -> Events {
        Events::new(self.client.clone(), reporter)
    }

    /// A new controller. It starts with the manager, when [`Builder::start`] was called.
    pub fn controller(&mut self, name: &'static str) -> Builder<'_> {
        Builder { manager: self, name, children: Vec::new() }
    }

    /// Runs until a signal arrives or leadership is lost.
    pub async fn run(mut self) -> Result<(), Error> {
        info!("setup starting manager");
        // They stay up while the controllers finish, so that nobody restarts the pod meanwhile.
        let mut servers = JoinSet::new();
        if self.options.health_probe_bind_address != "0" {
            servers.spawn(server::health(&self.options, self.health.clone())?);
        }
        if self.options.metrics_bind_address != "0" {
            let (client, metrics) = (self.own_client.clone(), self.metrics.clone());
            servers.spawn(server::metrics(&self.options, client, metrics).await?);
        }
        let result = self.lead().await;
        info!("manager stopped");
        result
    }

    /// Takes the lead if it has to be taken, then runs the controllers until shutdown or loss of the lead.
    async fn lead(&mut self) -> Result<(), Error> {
        let Some(mut elector) = self.elector.take() else { return self.run_controllers().await };
        if !elector.acquire(self.shutdown.clone()).await {
            return Ok(());
        }
        self.metrics.leader(self.id, true);
        let result = tokio::select! {
            result = self.run_controllers() => result,
            // Not one more write may happen: the fence is closed, and whatever was running is ended.
            () = elector.renew() => return Err(Error::LeadershipLost),
        };
        self.metrics.leader(self.id, false);
        elector.release().await;
        result
    }

    /// Runs the controllers until shutdown, and until what they are at then is done, or has been ended.
    async fn run_controllers(&mut self) -> Result<(), Error> {
        let mut controllers: JoinSet<()> = self.controllers.drain(..).collect();
        tokio::select! {
            biased;
            () = self.shutdown.clone() => {}
            Some(_) = controllers.join_next() => return Err(Error::ControllerEnded),
        }
        info!("stopping: waiting for reconciles to finish");
        let drained = async { while controllers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            warn!("reconciles still run after {DRAIN:?}; ending them");
            controllers.shutdown().await;
        }
        Ok(())
    }
}
