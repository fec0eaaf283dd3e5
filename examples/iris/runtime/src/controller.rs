//! One controller: from changes of objects to calls of its reconciler.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::task::JoinSet;
use tokio::time::Duration;
use tracing::{error, info, warn};

use crate::backoff::{Backoff, RateLimiter};
use crate::contention;
use crate::context;
use crate::echo::Echoes;
use crate::manager::{Controller, Manager};
use crate::object::{Object, ObjectKey, owner_key, version};
use crate::pause;
use crate::predicate::Predicate;
use crate::queue::{Priority, WorkQueue};
use crate::reconcile::{Caller, Reconciler};
use crate::shutdown::Shutdown;
use crate::store::{Change, Store};
use crate::stores::Synced;

/// A controller of objects of the kind `K` that is being put together.
#[must_use = "a controller does nothing before `run`"]
pub struct Builder<'m, K: Object> {
    manager: &'m mut Manager,
    name: &'static str,
    store: Store<K>,
    queue: Arc<WorkQueue>,
    predicate: Option<Predicate<K>>,
    concurrency: Option<usize>,
    limiter: RateLimiter,
    /// What adds keys, for as long as it is polled.
    sources: Vec<BoxFuture<'static, ()>>,
}

impl<'m, K: Object> Builder<'m, K> {
    pub(crate) fn new(manager: &'m mut Manager, name: &'static str, store: Store<K>) -> Self {
        let queue = manager.metrics.queue(name);
        store.keep_all();
        store.record_fields_of(&reporter(name));
        store.record_fields_of(&pause::field_manager(&reporter(name)));
        store.record_fields_of(&contention::field_manager(&reporter(name)));
        Self {
            manager,
            name,
            store,
            queue,
            predicate: None,
            concurrency: None,
            limiter: RateLimiter::default(),
            sources: Vec::new(),
        }
    }

    /// The objects of the controller's own kind.
    #[must_use]
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// Reconciles an object only if `predicate` finds a change of it worth that. Without one, every change is; what this
    /// controller itself writes to the status never is, though others hear of it.
    pub fn with_predicate(mut self, predicate: Predicate<K>) -> Self {
        self.predicate = Some(predicate);
        self
    }

    /// Reconciles the owner of each object of `store` that changes.
    pub fn owns<C: Object>(self, store: &Store<C>) -> Self {
        self.owns_where(store, Predicate::new(|_| true))
    }

    /// Reconciles the owner of each object of `store` that changes in a way that `predicate` finds worth it.
    pub fn owns_where<C: Object>(self, store: &Store<C>, predicate: Predicate<C>) -> Self {
        let dynamic_type = self.store.dynamic_type().clone();
        store.keep_owned_by(&K::group(&dynamic_type), &K::kind(&dynamic_type));
        store.record_fields_of(&reporter(self.name));
        let is_namespaced = self.store.is_namespaced();
        self.handle(store, predicate, move |change, add| {
            // What cannot be decoded has an owner, too, and a change of owner concerns both.
            for metadata in
                [change.old.map(kube::Resource::meta), Some(change.metadata)].into_iter().flatten()
            {
                owner_key::<K>(metadata, &dynamic_type, is_namespaced).into_iter().for_each(&mut *add);
            }
        })
    }

    /// Reconciles the objects that `mapper` names for each object of `store` that changes, as it was and as it is. The
    /// mapper may read stores. A key of which there is no object is passed over.
    pub fn watches<C: Object, I>(
        self,
        store: &Store<C>,
        mapper: impl Fn(&C) -> I + Send + Sync + 'static,
    ) -> Self
    where
        I: IntoIterator<Item = ObjectKey>,
    {
        self.watches_where(store, Predicate::new(|_| true), mapper)
    }

    /// As [`Builder::watches`], if `predicate` finds the change worth it.
    pub fn watches_where<C: Object, I>(
        self,
        store: &Store<C>,
        predicate: Predicate<C>,
        mapper: impl Fn(&C) -> I + Send + Sync + 'static,
    ) -> Self
    where
        I: IntoIterator<Item = ObjectKey>,
    {
        store.keep_all();
        self.handle(store, predicate, move |change, add| {
            for object in [change.old, change.new].into_iter().flatten() {
                mapper(object).into_iter().for_each(&mut *add);
            }
        })
    }

    fn handle<C: Object>(
        self,
        store: &Store<C>,
        predicate: Predicate<C>,
        map: impl Fn(&Change<'_, C>, &mut dyn FnMut(ObjectKey)) + Send + Sync + 'static,
    ) -> Self {
        let (queue, objects) = (self.queue.clone(), self.store.clone());
        store.handle(Box::new(move |change, priority| {
            if predicate.allows(change) {
                map(change, &mut |key| {
                    // Before the objects are listed nobody knows which there are, and all of them are reconciled then.
                    if objects.contains(&key) {
                        queue.add(key, priority);
                    }
                });
            }
        }));
        self
    }

    /// Reconciles each object that `keys` names: events from outside the cluster, or a timer.
    pub fn source(mut self, keys: impl Stream<Item = ObjectKey> + Send + 'static) -> Self {
        let (queue, name) = (self.queue.clone(), self.name);
        let adding = async move {
            let mut keys = pin!(keys);
            while let Some(key) = keys.next().await {
                queue.add(key, Priority::High);
            }
            warn!(controller = name, "a source has ended");
        };
        self.sources.push(adding.boxed());
        self
    }

    /// How many objects are reconciled at the same time, whatever `--max-concurrent-reconciles` says.
    pub fn max_concurrent_reconciles(mut self, count: usize) -> Self {
        self.concurrency = Some(count.max(1));
        self
    }

    /// How long an object that failed waits before it is tried again.
    pub fn rate_limiter(mut self, limiter: RateLimiter) -> Self {
        self.limiter = limiter;
        self
    }

    /// Calls `reconciler` for every object that changes, or has to be looked at because something else did, once the
    /// manager runs.
    pub fn run<R: Reconciler<Object = K>>(self, reconciler: R) {
        let Self { manager, name, queue, .. } = self;
        let echoes = Arc::new(Echoes::new(queue.clone()));
        let (heard, predicate) = (echoes.clone(), self.predicate);
        self.store.handle(Box::new(move |change, priority| {
            let key = ObjectKey::from(change.metadata);
            if change.new.is_none() {
                // It is looked at, so that it can be forgotten.
                return heard.gone(key, priority);
            }
            let is_worth_it = predicate.as_ref().is_none_or(|predicate| predicate.allows(change));
            heard.changed(key, version(change.metadata), is_worth_it.then_some(priority));
        }));
        let concurrency = self.concurrency.unwrap_or(manager.options.max_concurrent_reconciles);
        manager.metrics.controller(name, concurrency);
        let reporter = format!("{name}-controller");
        let shared = context::Shared {
            client: manager.client(),
            recorder: manager.recorder.of(&reporter),
            field_manager: reporter,
            fence: manager.fence.clone(),
            store: self.store.clone(),
            echoes,
            environment: manager.environment.clone(),
        };
        let caller = Caller {
            name,
            reconciler,
            shared: Arc::new(shared),
            metrics: manager.metrics.clone(),
            backoff: Backoff::new(self.limiter, manager.environment.clone()),
            timeout: manager.options.timings.reconcile_timeout,
            sync_period: manager.options.timings.sync_period,
        };
        let work = Work { caller: Arc::new(caller), store: self.store, queue, concurrency };
        let sources = self.sources;
        let run = move |synced: Synced, shutdown: Shutdown| {
            async move {
                info!(controller = name, "starting controller");
                let mut adding: JoinSet<()> = sources.into_iter().collect();
                work.run(synced, shutdown).await;
                adding.shutdown().await;
            }
            .boxed()
        };
        manager.add(Controller { name, run: Box::new(run) });
    }
}

/// Who publishes the events of a controller, and owns the fields that it writes.
fn reporter(name: &str) -> String {
    format!("{name}-controller")
}

/// What reconciles the objects of one controller.
struct Work<R: Reconciler> {
    caller: Arc<Caller<R>>,
    store: Store<R::Object>,
    queue: Arc<WorkQueue>,
    concurrency: usize,
}

impl<R: Reconciler> Work<R> {
    /// Reconciles what is queued once everything is `synced`, several objects at a time but none twice, until `shutdown`
    /// and until what runs then is done.
    async fn run(self, synced: Synced, shutdown: Shutdown) {
        // Deciding what to do about children before they are all known would mean deciding wrongly.
        tokio::select! {
            biased;
            () = shutdown.clone() => return,
            () = synced => {}
        }
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = shutdown.clone() => break,
                Some(done) = running.join_next() => {
                    // Panics are caught further in; one out here has a bug.
                    let Ok((key, delay)) = done else { return };
                    self.done(key, delay);
                }
                key = self.queue.get(), if running.len() < self.concurrency => {
                    if let Some(object) = self.store.get(&key) {
                        let call = self.caller.clone().call(object);
                        running.spawn(async { (key, call.await) });
                    } else {
                        self.forget(&key);
                    }
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn done(&self, key: ObjectKey, delay: Duration) {
        self.queue.done(&key);
        self.queue.add_after(key, delay);
    }

    fn forget(&self, key: &ObjectKey) {
        self.caller.backoff.reset(key);
        if catch_unwind(AssertUnwindSafe(|| self.caller.reconciler.gone(key))).is_err() {
            error!(controller = self.caller.name, %key, "what is to be done about a gone object panicked");
        }
        self.queue.done(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::reconcile::Action;
    use crate::reconcile::tests::{Fn, caller};
    use k8s_openapi::api::core::v1::ConfigMap;
    use parking_lot::Mutex;
    use serde_json::json;
    use tokio::time::{Instant, sleep};

    const CONCURRENCY: usize = 16;

    fn put(store: &Store<ConfigMap>, name: &str) {
        let metadata = json!({ "namespace": "a", "name": name, "resourceVersion": "1" });
        let object: ConfigMap = serde_json::from_value(json!({ "metadata": metadata })).expect("an object");
        assert_eq!(version(&object.metadata), 1);
        store.observe(Ok(object), Instant::now(), Priority::Low);
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("a", name)
    }

    /// What works on the objects of these names, and its queue.
    fn work<R: Reconciler<Object = ConfigMap>>(reconciler: R, names: &[String]) -> (Work<R>, Arc<WorkQueue>) {
        let (caller, queue) = (caller(reconciler), Arc::new(WorkQueue::default()));
        let store = caller.shared.store.clone();
        for name in names {
            put(&store, name);
        }
        (Work { caller, store, queue: queue.clone(), concurrency: CONCURRENCY }, queue)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_before_all_is_known_and_then_each_thing_once() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let reconciler = Fn(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            ready(Ok(Action::AwaitChange))
        });
        let (work, queue) = work(reconciler, &["x".to_owned()]);
        let (listed, wait) = futures::channel::oneshot::channel::<()>();
        let synced = wait.map(drop).boxed().shared();
        let worker = tokio::spawn(work.run(synced, pending().boxed().shared()));
        for _ in 0..1000 {
            queue.add(key("x"), Priority::High);
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!((queue.depth(), calls.load(Ordering::SeqCst)), (1, 0));
        drop(listed);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        worker.abort();
    }

    struct Gone(Arc<Mutex<Vec<ObjectKey>>>);

    impl Reconciler for Gone {
        type Object = ConfigMap;

        async fn reconcile(&self, _: &ConfigMap, _: &crate::Context<ConfigMap>) -> crate::Result {
            Ok(Action::AwaitChange)
        }

        fn gone(&self, key: &ObjectKey) {
            self.0.lock().push(key.clone());
            panic!("which must not matter");
        }
    }

    #[tokio::test]
    async fn what_is_gone_is_forgotten() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (work, queue) = work(Gone(seen.clone()), &[]);
        let caller = work.caller.clone();
        let mut gone = ConfigMap::default();
        (gone.metadata.namespace, gone.metadata.name) = (Some("a".to_owned()), Some("gone".to_owned()));
        assert_eq!(caller.backoff.after_failure(&gone.metadata).0, 1);
        queue.add(key("gone"), Priority::High);
        let shutdown = sleep(Duration::from_millis(200)).boxed().shared();
        work.run(ready(()).boxed().shared(), shutdown).await;
        assert_eq!(caller.backoff.after_failure(&gone.metadata).0, 1, "the first one again");
        assert_eq!(*seen.lock(), [key("gone")]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn reconciles_compute_at_the_same_time() {
        let (begun, (done, mut finished)) = (Arc::new(AtomicUsize::new(0)), tokio::sync::mpsc::channel(2));
        let reconciler = Fn(move |_| {
            let (begun, done) = (begun.clone(), done.clone());
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                let deadline = Instant::now() + Duration::from_secs(3);
                while begun.load(Ordering::SeqCst) < 2 && Instant::now() < deadline {
                    std::thread::sleep(Duration::from_millis(10));
                }
                let _ = done.send(begun.load(Ordering::SeqCst)).await;
                Ok(Action::AwaitChange)
            }
        });
        let names = ["x".to_owned(), "y".to_owned()];
        let (work, queue) = work(reconciler, &names);
        for name in &names {
            queue.add(key(name), Priority::High);
        }
        let worker = tokio::spawn(work.run(ready(()).boxed().shared(), pending().boxed().shared()));
        assert_eq!((finished.recv().await, finished.recv().await), (Some(2), Some(2)));
        worker.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn many_objects_are_reconciled_at_a_time_but_none_twice() {
        let names: Vec<_> = (0..20).map(|number| number.to_string()).collect();
        // Which ones run, how many did at most, how many are done, and whether one ran twice at a time.
        let seen = Arc::new(Mutex::new((BTreeSet::new(), 0, 0, false)));
        let state = || {
            let seen = seen.lock();
            (seen.0.len(), seen.1, seen.2, seen.3)
        };
        let watched = seen.clone();
        let reconciler = Fn(move |key: ObjectKey| {
            let seen = watched.clone();
            async move {
                {
                    let mut seen = seen.lock();
                    seen.3 |= !seen.0.insert(key.clone());
                    seen.1 = seen.1.max(seen.0.len());
                }
                sleep(Duration::from_secs(1)).await;
                let mut seen = seen.lock();
                seen.0.remove(&key);
                seen.2 += 1;
                Ok(Action::Requeue(Duration::from_secs(10)))
            }
        });
        let (work, queue) = work(reconciler, &names);
        let (stop, stopped) = futures::channel::oneshot::channel::<()>();
        let worker = tokio::spawn(work.run(ready(()).boxed().shared(), stopped.map(drop).boxed().shared()));
        let ask = || {
            for name in &names {
                queue.add(key(name), Priority::High);
            }
        };
        ask();
        sleep(Duration::from_millis(500)).await;
        // Those that run do so once more when they are done, however often they are asked for; those that wait do not.
        ask();
        ask();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(state(), (0, CONCURRENCY, 20 + CONCURRENCY, false));
        sleep(Duration::from_secs(10)).await;
        assert_eq!(state().2, 40 + CONCURRENCY, "each asked for another call");
        ask();
        sleep(Duration::from_millis(500)).await;
        drop(stop);
        worker.await.expect("an end");
        assert_eq!(state(), (0, CONCURRENCY, 40 + 2 * CONCURRENCY, false), "what runs is waited for");
    }
}
