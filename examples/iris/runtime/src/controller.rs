//! One controller: from watches to calls of `reconcile`.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::stream::select;
use futures::{FutureExt as _, Stream, StreamExt as _};
use kube::runtime::events::EventType;
use kube::runtime::scheduler::{ScheduleRequest, scheduler};
use kube::{Client, Resource};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::info;

use crate::Manager;
use crate::backoff::Backoff;
use crate::cache::{Cache, Concerned, owner};
use crate::events::Events;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::options::Timings;
use crate::reconcile::{Action, Call, reconcile};
use crate::shutdown::Shutdown;
use crate::watch::{Key, Watched, Watches, key};

/// How many objects are reconciled at the same time.
const CONCURRENCY: usize = 16;
/// How many Warnings are published at the same time.
const WARNINGS: usize = 200;

/// What the parts of one controller share.
pub(crate) struct Hub {
    pub(crate) name: &'static str,
    /// Where to watch; `None` stands for everywhere.
    pub(crate) namespaces: Vec<Option<String>>,
    pub(crate) client: Client,
    pub(crate) timings: Timings,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Events,
    /// Limits how many Warnings are being published at the same time.
    pub(crate) warnings: Semaphore,
    pub(crate) backoff: Backoff,
}

impl Hub {
    /// Publishes that something is wrong with `object`, unless too much is. Nobody waits for it.
    pub(crate) fn warn<K>(self: &Arc<Self>, object: Arc<K>, reason: &'static str, note: String)
    where
        K: Resource<DynamicType = ()> + Send + Sync + 'static,
    {
        let hub = self.clone();
        tokio::spawn(async move {
            // What went wrong is in the log. When much does, nobody is helped by events that come late.
            let Ok(_turn) = hub.warnings.try_acquire() else { return };
            let fact = object.meta().generation.unwrap_or_default().to_string();
            hub.events.publish(&*object, EventType::Warning, reason, note, &fact).await;
        });
    }
}

/// Takes objects that are to be reconciled.
pub(crate) type Queue = UnboundedSender<Key>;

/// Adds the watches of one type to those of a controller. Their objects concern whom the function finds.
type Watching = Box<dyn FnOnce(&mut Watches, Concerned) + Send>;

/// A controller that is being put together.
pub struct Builder<'m> {
    pub(crate) manager: &'m mut Manager,
    pub(crate) name: &'static str,
    pub(crate) children: Vec<Watching>,
}

impl Builder<'_> {
    /// Keeps `cache` up to date with all objects of its type, and reconciles the owner of each that changes.
    #[must_use]
    pub fn owns<C: Watched>(mut self, cache: &Cache<C>) -> Self {
        let cache = cache.clone();
        self.children.push(Box::new(move |watches, concerned| watches.add(&cache, concerned)));
        self
    }

    /// Calls `reconcile` for every object that changes or whose children do, once the manager runs.
    pub fn start<K, X, F, E>(self, context: X, reconcile: fn(Arc<K>, Arc<X>) -> F)
    where
        K: Watched,
        X: Send + Sync + 'static,
        F: Future<Output = Result<Action, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { manager, name, children } = self;
        let hub = Arc::new(Hub {
            name,
            namespaces: manager.options.namespaces(),
            client: manager.client.clone(),
            timings: manager.options.timings,
            health: manager.health.clone(),
            metrics: manager.metrics.clone(),
            events: manager.events(&format!("{name}-controller")),
            warnings: Semaphore::new(WARNINGS),
            backoff: Backoff::default(),
        });
        hub.metrics.controller(name);
        let context = Arc::new(context);
        let call =
            move |object| reconcile(object, context.clone()).map(|result| result.map_err(Into::into)).boxed();
        let controller = run(hub, children, Arc::new(call), manager.shutdown.clone());
        manager.controllers.push(controller.boxed());
    }
}

async fn run<K: Watched>(hub: Arc<Hub>, children: Vec<Watching>, call: Arc<Call<K>>, shutdown: Shutdown) {
    info!(controller = hub.name, "starting controller");
    let ((queue, requests), (unlisted, listed)) = (unbounded(), channel(1));
    let mut watches = Watches { hub: hub.clone(), tasks: JoinSet::new(), queue, unlisted };
    for watching in children {
        watching(&mut watches, owner::<K>);
    }
    let objects = Cache::default();
    watches.add(&objects, |metadata| Some(key(metadata)));
    let Watches { tasks: mut watching, unlisted, .. } = watches;
    drop(unlisted);
    tokio::select! {
        () = work(hub, objects, requests, listed, call, shutdown) => {}
        // Watches go on for ever. One that does not has a bug, and ends the controller.
        Some(_) = watching.join_next() => {}
    }
}

/// Reconciles what is queued once everything is `listed`, several objects at a time but none twice, until `shutdown`
/// and until what runs then is done.
async fn work<K: Watched>(
    hub: Arc<Hub>,
    objects: Cache<K>,
    requests: impl Stream<Item = Key>,
    mut listed: Receiver<()>,
    call: Arc<Call<K>>,
    shutdown: Shutdown,
) {
    let (again, repeats) = unbounded();
    let requests = requests.map(|message| ScheduleRequest { message, run_at: Instant::now() });
    let mut due = pin!(scheduler(select(requests, repeats)));
    let (mut running, mut busy, mut is_listed) = (JoinSet::new(), HashSet::new(), false);
    loop {
        // Deciding what to do about children before they are all known would mean deciding wrongly.
        let next = async {
            let due = due.as_mut();
            if is_listed {
                due.hold_unless(|key| !busy.contains(key)).next().await
            } else {
                due.hold().next().await
            }
        };
        tokio::select! {
            () = shutdown.clone() => break,
            _ = listed.recv(), if !is_listed => is_listed = true,
            Some(done) = running.join_next() => {
                // Panics are caught further in; one out here has a bug.
                let Ok((message, delay)) = done else { return };
                busy.remove(&message);
                let _ = again.unbounded_send(ScheduleRequest { message, run_at: Instant::now() + delay });
            }
            Some(key) = next, if busy.len() < CONCURRENCY => {
                if let Some(object) = objects.get(&key.0, &key.1) {
                    busy.insert(key.clone());
                    let delay = reconcile(object, hub.clone(), call.clone());
                    running.spawn(async { (key, delay.await) });
                } else {
                    hub.backoff.reset(&key);
                }
            }
        }
    }
    while running.join_next().await.is_some() {}
}

#[cfg(test)]
impl Hub {
    pub(crate) fn for_tests<const N: usize>(client: Client, namespaces: [&str; N]) -> Arc<Self> {
        Arc::new(Self {
            name: "test",
            namespaces: namespaces.map(|name| Some(name.to_owned())).to_vec(),
            events: Events::new(client.clone(), "test"),
            warnings: Semaphore::new(WARNINGS),
            client,
            timings: crate::Options::for_tests([]).timings,
            health: Health::default(),
            metrics: Arc::default(),
            backoff: Backoff::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, Response};
    use futures::future::{pending, ready};
    use k8s_openapi::api::core::v1::{ConfigMap, Secret};
    use kube::client::Body;
    use parking_lot::Mutex;
    use serde_json::json;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::sleep;
    use tower::{BoxError, service_fn};

    /// An API server that fails to list the Secrets of one of two namespaces, until it is healed.
    fn server(is_healed: Arc<AtomicBool>) -> Client {
        let answer = move |request: Request<Body>| {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
            let (is_healed, watches) = (is_healed.load(Ordering::SeqCst), query.contains("watch=true"));
            let (code, items) = match path {
                _ if watches && is_healed => return pending().boxed(),
                // What is known has to be listed again and again.
                _ if watches => (410, json!([])),
                "/api/v1/namespaces/b/secrets" if !is_healed => (500, json!([])),
                "/api/v1/namespaces/b/configmaps" => {
                    (200, json!([{ "metadata": { "namespace": "b", "name": "x" } }]))
                }
                _ => (200, json!([])),
            };
            let answer = json!({ "metadata": { "resourceVersion": "1" }, "items": items, "code": code,
                "status": "Failure", "message": "", "reason": "" });
            let answer = Response::builder().status(code).body(Body::from(answer.to_string().into_bytes()));
            ready(Ok::<_, BoxError>(answer.expect("an answer"))).boxed()
        };
        Client::new(service_fn(answer), "test")
    }

    /// A reconcile that does nothing, and how often it was called.
    fn counted() -> (Arc<Call<ConfigMap>>, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let call = move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            ready(Ok(Action::AwaitChange)).boxed()
        };
        (Arc::new(call), calls)
    }

    #[tokio::test]
    async fn nothing_is_decided_before_all_namespaces_are_listed() {
        let (healed, (call, calls)) = (Arc::new(AtomicBool::new(false)), counted());
        let secrets = Cache::<Secret>::default();
        let children: Watching = Box::new(move |watches, concerned| watches.add(&secrets, concerned));
        let shutdown = pending().boxed().shared();
        let hub = Hub::for_tests(server(healed.clone()), ["a", "b"]);
        let controller = tokio::spawn(run(hub, vec![children], call, shutdown));
        sleep(Duration::from_secs(1)).await;
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        healed.store(true, Ordering::SeqCst);
        while calls.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(50)).await;
        }
        controller.abort();
    }

    fn config_map(name: &str) -> ConfigMap {
        let metadata = json!({ "namespace": "a", "name": name });
        serde_json::from_value(json!({ "metadata": metadata })).expect("an object")
    }

    fn key(name: &str) -> Key {
        ("a".to_owned(), name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_before_all_is_listed_is_asked_for_once() {
        let (objects, (queue, requests), (unlisted, listed)) = (Cache::default(), unbounded(), channel(1));
        objects.told(Ok(config_map("x")), Instant::now());
        let (call, calls) = counted();
        let hub = Hub::for_tests(server(Arc::default()), ["a"]);
        let worker = tokio::spawn(work(hub, objects, requests, listed, call, pending().boxed().shared()));
        (0..1000).for_each(|_| queue.unbounded_send(key("x")).expect("a worker"));
        sleep(Duration::from_secs(1)).await;
        assert_eq!((queue.len(), calls.load(Ordering::SeqCst)), (0, 0), "nothing piles up");
        drop(unlisted);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        worker.abort();
    }

    #[tokio::test]
    async fn failures_of_what_is_gone_are_forgotten() {
        let hub = Hub::for_tests(server(Arc::default()), ["a"]);
        let gone = config_map("gone");
        assert!(hub.backoff.after_failure(&gone.metadata).0);
        let never: Arc<Call<ConfigMap>> = Arc::new(|_| pending().boxed());
        let requests = futures::stream::iter([key("gone")]).chain(futures::stream::pending());
        let shutdown = sleep(Duration::from_millis(200)).boxed().shared();
        let (_, listed) = channel(1);
        work(hub.clone(), Cache::default(), requests, listed, never, shutdown).await;
        assert!(hub.backoff.after_failure(&gone.metadata).0, "the first one again");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn reconciles_compute_at_the_same_time() {
        let (objects, (queue, requests)) = (Cache::default(), unbounded());
        let (begun, (done, mut finished)) = (Arc::new(AtomicUsize::new(0)), channel(2));
        let call: Arc<Call<ConfigMap>> = Arc::new(move |_| {
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
            .boxed()
        });
        for name in ["x", "y"] {
            objects.told(Ok(config_map(name)), Instant::now());
            queue.unbounded_send(key(name)).expect("a worker");
        }
        let hub = Hub::for_tests(server(Arc::default()), ["a"]);
        let shutdown = pending().boxed().shared();
        let worker = tokio::spawn(work(hub, objects, requests, channel(1).1, call, shutdown));
        assert_eq!((finished.recv().await, finished.recv().await), (Some(2), Some(2)));
        worker.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn many_objects_are_reconciled_at_a_time_but_none_twice() {
        let (objects, names) = (Cache::default(), (0..20).map(|number| number.to_string()));
        names.clone().for_each(|name| objects.told(Ok(config_map(&name)), Instant::now()));
        // Which ones run, how many did at most, how many are done, and whether one ran twice at a time.
        let seen = Arc::new(Mutex::new((HashSet::new(), 0, 0, false)));
        let state = || {
            let seen = seen.lock();
            (seen.0.len(), seen.1, seen.2, seen.3)
        };
        let watched = seen.clone();
        let call: Arc<Call<ConfigMap>> = Arc::new(move |object| {
            let (seen, name) = (watched.clone(), object.metadata.name.clone());
            async move {
                {
                    let mut seen = seen.lock();
                    seen.3 |= !seen.0.insert(name.clone());
                    seen.1 = seen.1.max(seen.0.len());
                }
                sleep(Duration::from_secs(1)).await;
                let mut seen = seen.lock();
                seen.0.remove(&name);
                seen.2 += 1;
                Ok(Action::Requeue(Duration::from_secs(10)))
            }
            .boxed()
        });
        let (queue, requests) = unbounded();
        let (stop, stopped) = futures::channel::oneshot::channel::<()>();
        let shutdown = stopped.map(drop).boxed().shared();
        let hub = Hub::for_tests(server(Arc::default()), ["a"]);
        let worker = tokio::spawn(work(hub, objects, requests, channel(1).1, call, shutdown));
        let ask = || names.clone().for_each(|name| queue.unbounded_send(key(&name)).expect("a worker"));
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
