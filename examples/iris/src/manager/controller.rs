//! One controller: watches, a queue and the reconciles of one kind.

use super::cache::{Cache, Change};
use super::events::Events;
use super::metrics::Outcome;
use super::object::{Object, ObjectKey, Scope, owner_key};
use super::objects::Objects;
use super::queue::{Queue, jitter};
use super::watch::Watch;
use super::{Manager, Shared, chain};
use futures::FutureExt;
use futures::future::BoxFuture;
use kube::core::DeserializeGuard;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Reconciles of one controller that may be under way at a time.
const CONCURRENCY: usize = 16;
/// Longest time that a reconcile may take.
const TIME_OUT: Duration = Duration::from_secs(60);
/// Every object is reconciled again after about this time, should a change have been missed.
const RESYNC: Duration = Duration::from_secs(600);

/// When to reconcile an object again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// When it or an object that it controls changes.
    Done,
    /// Also after this time.
    After(Duration),
}

/// A controller for kind `K`, on its way to [`Controller::run`].
pub struct Controller<'m, K: Object> {
    manager: &'m mut Manager,
    name: &'static str,
    /// Source of its events and field manager of its writes.
    identity: Arc<str>,
    queue: Arc<Queue>,
    cache: Cache<K>,
    watches: Vec<Runner>,
    synced: Vec<CancellationToken>,
}

/// Something that runs until dropped.
type Runner = BoxFuture<'static, ()>;

impl<'m, K: Object> Controller<'m, K> {
    pub(super) fn new(manager: &'m mut Manager, name: &'static str) -> Self {
        let mut controller = Self {
            manager,
            name,
            identity: format!("{name}-controller").into(),
            queue: Arc::default(),
            cache: Cache::default(),
            watches: Vec::new(),
            synced: Vec::new(),
        };
        let queue = Arc::clone(&controller.queue);
        controller.watch(&controller.cache.clone(), move |change| {
            if let Some(object) = change.after.or(change.before) {
                queue.add(ObjectKey::of(object.as_ref()));
            }
        });
        controller
    }

    /// The objects of the controller's own kind.
    #[must_use]
    pub fn objects(&self) -> Objects<K> {
        Objects::new(
            self.manager.shared.client.clone(),
            self.cache.clone(),
            Arc::clone(&self.identity),
        )
    }

    /// Watches the objects of kind `C`: a change of one has the object reconciled that controls it.
    #[must_use]
    pub fn owns<C: Object>(&mut self) -> Objects<C> {
        let cache = Cache::default();
        let queue = Arc::clone(&self.queue);
        self.watch(&cache, move |change: Change<C>| {
            let owners = change.before.iter().chain(&change.after);
            let owners = owners.filter_map(|object| owner_key::<K>(object.as_ref()));
            owners.chain(change.waiting).for_each(|key| queue.add(key));
        });
        Objects::new(
            self.manager.shared.client.clone(),
            cache,
            Arc::clone(&self.identity),
        )
    }

    /// Publishes events in the name of this controller.
    #[must_use]
    pub fn events(&self) -> Events {
        let shared = &self.manager.shared;
        Events::new(
            shared.client.clone(),
            Arc::clone(&self.identity),
            Arc::clone(&shared.identity),
        )
    }

    /// Has the manager call `reconcile` for every object that may need it.
    pub fn run<Ctx, F, Fut, E>(self, reconcile: F, context: Ctx)
    where
        Ctx: Send + Sync + 'static,
        F: Fn(ObjectKey, Arc<Ctx>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Action, E>> + Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let worker = Worker {
            name: self.name,
            queue: self.queue,
            shared: Arc::clone(&self.manager.shared),
            exists: Box::new(move |key| self.cache.get(key).is_some()),
            reconcile: Box::new(move |key, context| {
                reconcile(key, context).map(|r| r.map_err(|e| chain(&e))).boxed()
            }),
            context: Arc::new(context),
        };
        worker.shared.metrics.announce(self.name, CONCURRENCY);
        self.manager.shared.synced(self.name, &self.synced);
        let (watches, synced) = (self.watches, self.synced);
        self.manager.controllers.push(Box::new(move |stop| {
            run(Arc::new(worker), watches, synced, stop).boxed()
        }));
    }

    fn watch<C: Object>(
        &mut self,
        cache: &Cache<C>,
        on_change: impl Fn(Change<C>) + Clone + Send + Sync + 'static,
    ) {
        let shared = &self.manager.shared;
        // A kind of the cluster scope is watched as a whole, whatever the namespaces are.
        let all = [None];
        let namespaces = if C::Scope::NAMESPACED {
            shared.namespaces.as_slice()
        } else {
            &all
        };
        for namespace in namespaces {
            let synced = CancellationToken::new();
            let watch = Watch {
                api: C::Scope::api::<DeserializeGuard<C>>(shared.client.clone(), namespace.as_deref()),
                namespace: namespace.clone(),
                cache: cache.clone(),
                synced: synced.clone(),
                metrics: Arc::clone(&shared.metrics),
            };
            self.synced.push(synced);
            self.watches.push(watch.run(on_change.clone()).boxed());
        }
    }
}

/// A reconcile function whose errors are text.
type Reconcile<Ctx> = dyn Fn(ObjectKey, Arc<Ctx>) -> BoxFuture<'static, Result<Action, String>> + Send + Sync;

/// What runs the reconciles of a controller.
struct Worker<Ctx> {
    name: &'static str,
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    exists: Box<dyn Fn(&ObjectKey) -> bool + Send + Sync>,
    reconcile: Box<Reconcile<Ctx>>,
    context: Arc<Ctx>,
}

/// Runs a controller until `stop`, then waits for the reconciles under way.
async fn run<Ctx: Send + Sync + 'static>(
    worker: Arc<Worker<Ctx>>,
    watches: Vec<Runner>,
    synced: Vec<CancellationToken>,
    stop: CancellationToken,
) {
    tracing::info!(controller = worker.name, "starting controller");
    let mut watching: JoinSet<()> = watches.into_iter().collect();
    let all_synced = async {
        for one in &synced {
            one.cancelled().await;
        }
    };
    tokio::select! {
        () = all_synced => tracing::info!(controller = worker.name, "starting workers"),
        () = stop.cancelled() => return,
    }

    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = running.join_next(), if !running.is_empty() => {}
            key = worker.queue.next(), if running.len() < CONCURRENCY => {
                let worker = Arc::clone(&worker);
                running.spawn(async move { worker.work(key).await });
            }
        }
        worker.shared.metrics.queued(worker.name, worker.queue.depth());
    }
    watching.abort_all();
    while running.join_next().await.is_some() {}
    tracing::info!(controller = worker.name, "stopped controller");
}

impl<Ctx: Send + Sync + 'static> Worker<Ctx> {
    async fn work(&self, key: ObjectKey) {
        static ATTEMPTS: AtomicU64 = AtomicU64::new(1);
        let span = tracing::info_span!(
            "reconcile",
            controller = self.name,
            namespace = key.namespace.as_deref(),
            name = key.name,
            id = ATTEMPTS.fetch_add(1, Ordering::Relaxed),
        );
        self.attempt(key.clone()).instrument(span).await;
        self.queue.done(&key);
    }

    async fn attempt(&self, key: ObjectKey) {
        let metrics = &self.shared.metrics;
        metrics.started(self.name);
        let start = Instant::now();
        // The call is inside as well: a function that returns a future can panic before it does.
        let reconcile = async { (self.reconcile)(key.clone(), Arc::clone(&self.context)).await };
        let (outcome, result) = match AssertUnwindSafe(timeout(TIME_OUT, reconcile))
            .catch_unwind()
            .await
        {
            Ok(Ok(Ok(Action::Done))) => (Outcome::Success, Ok(None)),
            Ok(Ok(Ok(Action::After(delay)))) => (Outcome::RequeueAfter, Ok(Some(delay))),
            Ok(Ok(Err(error))) => (Outcome::Error, Err(error)),
            Ok(Err(_)) => (
                Outcome::Error,
                Err(format!("no result after {} s", TIME_OUT.as_secs())),
            ),
            Err(panic) => (
                Outcome::Panic,
                Err(format!("panicked: {}", panic_message(panic.as_ref()))),
            ),
        };
        metrics.ended(self.name, outcome, start.elapsed());
        match result {
            Ok(delay) => {
                self.queue.succeeded(&key);
                if (self.exists)(&key) {
                    let resync = jitter(RESYNC);
                    self.queue
                        .add_after(key, delay.map_or(resync, |delay| delay.min(resync)));
                }
            }
            Err(error) => {
                let delay = self.queue.retry(key);
                tracing::error!(error, retry_in = ?delay, "reconcile failed");
            }
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
