//! What the controllers run in: watches, queues, leader election, metrics, health and shutdown.
//!
//! Each file has one purpose. A controller is written against [`Controller`], [`Objects`], [`Events`] and
//! [`condition`]; the rest works behind them.

use futures::future::BoxFuture;
use kube::{Client, Config};
use metrics::Metrics;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, io};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod access;
mod cache;
mod conditions;
mod controller;
mod events;
mod health;
mod http;
mod leader;
mod metrics;
mod object;
mod objects;
mod options;
mod queue;
pub mod shutdown;
pub mod telemetry;
mod watch;

pub use conditions::condition;
pub use controller::{Action, Controller};
pub use events::{Events, Fact};
pub use object::{Object, ObjectKey, is_controlled_by};
pub use objects::{Objects, is_current};
pub use options::{BindAddress, LogFormat, Options};

/// Time for reconciles under way to finish: shorter than a Pod's grace period of 30 s.
const DRAIN: Duration = Duration::from_secs(20);

/// Why the manager could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not find out how to reach a cluster")]
    Config(#[from] kube::config::InferConfigError),
    #[error("could not set up the client")]
    Client(#[from] kube::Error),
    #[error("could not {action}")]
    Io { action: String, source: io::Error },
    #[error("no longer the leader")]
    LeadershipLost,
    #[error("a controller ended unexpectedly")]
    ControllerEnded,
}

/// An error with everything that caused it.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some errors repeat their cause's message.
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

/// Runs controllers.
pub struct Manager {
    options: Options,
    lease: Lease,
    shared: Arc<Shared>,
    controllers: Vec<Start>,
}

/// Starts a controller, which then works until the token is cancelled.
type Start = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

struct Lease {
    name: String,
    namespace: String,
}

/// What all parts of the manager have in common.
struct Shared {
    client: Client,
    metrics: Arc<Metrics>,
    /// The namespaces to watch; `None` stands for all.
    namespaces: Vec<Option<String>>,
    /// Names this process, among replicas and in events.
    identity: Arc<str>,
    leading: AtomicBool,
    /// Per controller, what is cancelled once its caches are filled.
    synced: Mutex<Vec<(&'static str, Vec<CancellationToken>)>>,
}

impl Shared {
    fn is_leading(&self) -> bool {
        self.leading.load(Ordering::Relaxed)
    }

    fn synced(&self, controller: &'static str, synced: &[CancellationToken]) {
        self.synced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((controller, synced.to_vec()));
    }

    fn checks(&self) -> Vec<(&'static str, bool)> {
        let synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        synced
            .iter()
            .map(|(name, tokens)| (*name, tokens.iter().all(CancellationToken::is_cancelled)))
            .collect()
    }
}

impl Manager {
    /// A manager for the cluster of the kubeconfig, or else of the Pod it runs in. `lease` is what replicas compete for.
    pub async fn new(options: Options, lease: &str) -> Result<Self, Error> {
        let config = Config::infer().await?;
        let namespace = env::var("POD_NAMESPACE").unwrap_or_else(|_| config.default_namespace.clone());
        let lease = Lease {
            name: options
                .leader_election_id
                .clone()
                .unwrap_or_else(|| lease.to_owned()),
            namespace: options.leader_election_namespace.clone().unwrap_or(namespace),
        };
        let shared = Shared {
            client: Client::try_from(config)?,
            metrics: Arc::new(Metrics::new()),
            namespaces: options.namespaces(),
            identity: identity().into(),
            leading: AtomicBool::new(false),
            synced: Mutex::default(),
        };
        Ok(Self {
            options,
            lease,
            shared: Arc::new(shared),
            controllers: Vec::new(),
        })
    }

    /// A controller for kind `K`. Its name appears in logs and metrics and, with `-controller` behind, in events.
    pub fn controller<K: Object>(&mut self, name: &'static str) -> Controller<'_, K> {
        Controller::new(self, name)
    }

    /// Runs every controller until `stop` is cancelled or leadership is lost.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let _servers = self.serve().await?;
        let Self {
            options,
            lease,
            shared,
            controllers,
        } = self;

        let mut candidate = leader::Candidate::new(
            shared.client.clone(),
            &lease.namespace,
            &lease.name,
            Arc::clone(&shared.identity),
        );
        if options.leader_elect {
            shared.metrics.leading(&lease.name, false);
            tokio::select! {
                () = candidate.acquire() => shared.metrics.leading(&lease.name, true),
                () = stop.cancelled() => return Ok(()),
            }
        }
        shared.leading.store(true, Ordering::Relaxed);

        let mut running: JoinSet<()> = controllers.into_iter().map(|start| start(stop.clone())).collect();
        let work = async {
            if running.is_empty() {
                stop.cancelled().await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = running.join_next() => if !stop.is_cancelled() { return Err(Error::ControllerEnded) },
            }
            let drained = timeout(DRAIN, async { while running.join_next().await.is_some() {} }).await;
            if drained.is_err() {
                tracing::warn!("reconciles did not finish in time and are abandoned");
            }
            Ok(())
        };
        if !options.leader_elect {
            return work.await;
        }
        // The claim is renewed while the last reconciles finish, too.
        tokio::select! {
            result = work => {
                running.abort_all();
                candidate.release().await;
                result
            }
            () = candidate.keep() => Err(Error::LeadershipLost),
        }
    }

    /// Starts the servers for health and metrics; they end with what is returned.
    async fn serve(&self) -> Result<JoinSet<()>, Error> {
        let mut servers = JoinSet::new();
        if let Some(listener) = http::bind(&self.options.health_probe_bind_address).await? {
            let shared = Arc::clone(&self.shared);
            servers.spawn(http::serve(listener, None, move |request| {
                let answer = health::answer(&shared, &request);
                async move { answer }
            }));
        }
        if let Some(listener) = http::bind(&self.options.metrics_bind_address).await? {
            let secure = self.options.metrics_secure;
            let tls = if secure {
                Some(access::tls(&self.options)?)
            } else {
                None
            };
            let shared = Arc::clone(&self.shared);
            servers.spawn(http::serve(listener, tls, move |request| {
                let shared = Arc::clone(&shared);
                async move { access::metrics(&shared, secure, request).await }
            }));
        }
        Ok(servers)
    }
}

/// The Pod's name, or the machine's, and something that no other run has.
fn identity() -> String {
    let host = env::var("POD_NAME")
        .or_else(|_| env::var("HOSTNAME"))
        .unwrap_or_else(|_| "local".to_owned());
    let unique = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    format!("{host}_{unique:016x}")
}
