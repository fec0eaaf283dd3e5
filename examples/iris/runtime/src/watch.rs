//! Watches that go on whatever happens: they list anew when the server has forgotten where they were, when they hear
//! nothing, and when the server counts other objects than they do; and they pass over objects that cannot be decoded.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;

use futures::{Stream, TryStreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, ObjectList, WatchEvent, WatchParams};
use kube::core::{DeserializeGuard, PartialObjectMetaExt as _, Request, error_boundary::InvalidObject};
use kube::{Error, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};
use tracing::{error, warn};

use crate::backoff::{exponential, jittered};
use crate::cache::{Cache, Concerned};
use crate::controller::{Hub, Queue};
use crate::options::Timings;

/// Seconds after which the server ends a watch: below the idle time-outs of the usual load balancers.
const RENEW: u32 = 200;
/// Objects in one answer to a list.
const PAGE: u32 = 500;
/// How long one page of a list may take to arrive.
const PAGE_LIMIT: Duration = Duration::from_secs(60);
/// How soon a watch is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// What `kubectl apply` remembers.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How long the server may take to count.
const COUNT_LIMIT: Duration = Duration::from_secs(10);
/// How long the watch may take to tell of what the server has counted.
const LAG: Duration = Duration::from_secs(3);

/// Objects that can be watched.
pub trait Watched: Resource<DynamicType = ()> + Clone + DeserializeOwned + Send + Sync + 'static {}

impl<K> Watched for K where K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Send + Sync + 'static {}

/// Whether objects of the type live in namespaces.
pub(crate) fn is_namespaced<K: Watched>() -> bool {
    TypeId::of::<K::Scope>() == TypeId::of::<NamespaceResourceScope>()
}

/// Namespace, empty for objects that live in none, and name.
pub(crate) type Key = (String, String);

/// Where an object is found.
pub(crate) fn key(metadata: &ObjectMeta) -> Key {
    (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

/// Drops what nobody reads and is most of an object.
pub(crate) fn trim(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    metadata.annotations.as_mut().map(|annotations| annotations.remove(LAST_APPLIED));
}

/// Resource versions are numbers that grow, unless the server's data is restored from a backup.
pub(crate) fn version(metadata: &ObjectMeta) -> u128 {
    number(metadata.resource_version.as_deref())
}

fn number(version: Option<&str>) -> u128 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// The watches of one controller. They end when this is dropped.
pub(crate) struct Watches {
    pub(crate) hub: Arc<Hub>,
    pub(crate) tasks: JoinSet<()>,
    /// Where is said what has to be reconciled.
    pub(crate) queue: Queue,
    /// Each watch has a clone until its first list is complete.
    pub(crate) unlisted: Sender<()>,
}

impl Watches {
    /// Keeps `cache` up to date, for ever, with the objects in the namespaces that the controller is about, or with all
    /// if they live in none, and queues whom each change concerns.
    pub(crate) fn add<C: Watched>(&mut self, cache: &Cache<C>, concerned: Concerned) {
        let everywhere = [None];
        let wanted = if is_namespaced::<C>() { &*self.hub.namespaces } else { &everywhere };
        cache.subscribe(wanted, self.queue.clone(), concerned);
        for namespace in wanted.iter().cloned() {
            let place = namespace.as_ref().map(|name| format!("-in-{name}")).unwrap_or_default();
            let kind = format!("{}.{}", C::plural(&()), C::group(&()));
            let watch = Watch {
                hub: self.hub.clone(),
                cache: cache.clone(),
                request: Request::new(C::url_path(&(), namespace.as_deref())),
                check: format!("{}-watch-{}{place}", self.hub.name, kind.trim_end_matches('.')),
                namespace,
                objects: HashSet::new(),
                undecodable: HashMap::new(),
                since: Instant::now(),
                version: None,
                unlisted: Some(self.unlisted.clone()),
                count_at: Instant::now() + jittered(self.hub.timings.watch_check_period),
                failures: 0,
            };
            self.hub.health.report(&watch.check, Err("the first list is not complete".into()));
            self.tasks.spawn(watch.run());
        }
    }
}

struct Watch<C> {
    hub: Arc<Hub>,
    cache: Cache<C>,
    request: Request,
    /// Name of the readiness check.
    check: String,
    /// `None` for everywhere.
    namespace: Option<String>,
    /// What is known to exist, whether it can be decoded or not.
    objects: HashSet<Key>,
    /// Of which version it was reported that an object cannot be decoded.
    undecodable: HashMap<Key, Option<String>>,
    /// When the latest list was begun.
    since: Instant,
    /// Up to where everything is known; `None` when it has to be listed.
    version: Option<String>,
    unlisted: Option<Sender<()>>,
    /// When to count next.
    count_at: Instant,
    /// Attempts in a row that brought nothing.
    failures: u32,
}

impl<C: Watched> Watch<C> {
    async fn run(mut self) {
        loop {
            let begun = Instant::now();
            if let Err(reason) = self.attempt().await {
                warn!(watch = self.check, "{reason}; trying again");
                self.hub.health.report(&self.check, Err(reason));
            }
            if begun.elapsed() > RETRY.1 {
                self.failures = 0;
            }
            sleep(jittered(exponential(RETRY.0, self.failures, RETRY.1))).await;
            self.failures += 1;
        }
    }

    /// Follows what happens, after a list if there must be one, until the watch ends or fails.
    async fn attempt(&mut self) -> Result<(), String> {
        let from = match self.version.clone() {
            Some(version) => version,
            None => self.list().await?,
        };
        let request = self.request.watch(&WatchParams::default().timeout(RENEW), &from);
        let request = request.map_err(|error| error.to_string())?;
        let events = self.hub.client.request_events(request).await.map_err(|error| {
            // The server has no use for the version, the kind or us. If it is too busy, a list would not help it.
            if matches!(&error, Error::Api(status) if status.code < 500 && status.code != 429) {
                self.version = None;
            }
            format!("cannot watch: {error}")
        })?;
        self.hub.health.report(&self.check, Ok(()));
        let end = self.receive(events).await;
        if end.is_err() {
            // What is known may be wrong.
            self.version = None;
        }
        end
    }

    /// Lists all objects, page by page; the result is their version.
    async fn list(&mut self) -> Result<String, String> {
        let mut params = ListParams::default().limit(PAGE);
        self.objects.clear();
        self.since = Instant::now();
        loop {
            let page = match self.page(&params).await {
                Ok(page) => page,
                // Where the whole group is unknown, the server says so in plain text.
                Err(Error::Api(status)) if status.code == 404 => {
                    // Where there is no such kind there are no objects of it.
                    self.objects.clear();
                    self.listed();
                    return Err("no such kind; is its CustomResourceDefinition installed?".into());
                }
                Err(error) => return Err(format!("cannot list: {error}")),
            };
            page.items.into_iter().for_each(|object| self.apply(object));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.version = page.metadata.resource_version;
                self.listed();
                return self.version.clone().ok_or_else(|| "a list without a version".into());
            }
        }
    }

    async fn page(&self, params: &ListParams) -> kube::Result<ObjectList<DeserializeGuard<C>>> {
        let request = self.request.list(params).map_err(Error::BuildRequest)?;
        let page = timeout(PAGE_LIMIT, self.hub.client.request(request)).await;
        page.unwrap_or_else(|_| Err(Error::Service("the answer does not end".into())))
    }

    fn listed(&mut self) {
        self.sweep();
        self.undecodable.retain(|key, _| self.objects.contains(key));
        self.unlisted = None;
    }

    fn sweep(&self) {
        let told = number(self.version.as_deref());
        self.cache.sweep(self.namespace.as_deref(), &self.objects, told, self.since);
    }

    async fn receive(
        &mut self,
        events: impl Stream<Item = kube::Result<WatchEvent<DeserializeGuard<C>>>>,
    ) -> Result<(), String> {
        let mut events = pin!(events);
        let Timings { watch_silence_limit: silence, watch_check_period: period, .. } = self.hub.timings;
        let mut silent = Instant::now() + silence;
        let mut counted = None;
        let differs = || Err("the server has other objects than the watch told of".into());
        loop {
            tokio::select! {
                // Nobody listens while it is counted, so what came meanwhile is looked at before the clock.
                biased;
                event = events.try_next() => {
                    // If it broke, an event may be missing.
                    let event = event.map_err(|error| format!("the watch broke: {error}"))?;
                    let Some(event) = event else { return Ok(()) };
                    silent = Instant::now() + silence;
                    let before = self.objects.len();
                    self.take(event)?;
                    // Past the version that was counted at, nothing can be on its way any more.
                    let passed = |(at, _): &mut (u128, usize)| number(self.version.as_deref()) > *at;
                    if let Some((_, count)) = counted.take_if(passed) {
                        if count != before {
                            return differs();
                        }
                        self.count_at = Instant::now() + jittered(period);
                    }
                }
                () = sleep_until(silent) => return Err(format!("nothing heard for {silence:?}")),
                () = sleep_until(self.count_at) => match counted.take() {
                    Some((_, count)) if count != self.objects.len() => return differs(),
                    Some(_) => self.count_at = Instant::now() + jittered(period),
                    None => {
                        counted = timeout(COUNT_LIMIT, self.count()).await.ok().flatten();
                        if counted.is_some_and(|(at, _)| at < number(self.version.as_deref())) {
                            return Err("the server has gone back in time".into());
                        }
                        self.count_at = Instant::now() + if counted.is_some() { LAG } else { jittered(period) };
                    }
                }
            }
        }
    }

    fn take(&mut self, event: WatchEvent<DeserializeGuard<C>>) -> Result<(), String> {
        self.failures = 0;
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.version.clone_from(&object.meta().resource_version);
                self.apply(object);
            }
            WatchEvent::Deleted(object) => {
                self.version.clone_from(&object.meta().resource_version);
                self.objects.remove(&key(object.meta()));
                self.undecodable.remove(&key(object.meta()));
                self.cache.told(Err(object.meta()), self.since);
            }
            WatchEvent::Bookmark(bookmark) => {
                self.version = Some(bookmark.metadata.resource_version);
                self.sweep();
            }
            // Mostly that the version is too old.
            WatchEvent::Error(status) => return Err(format!("the server ended the watch: {status}")),
        }
        Ok(())
    }

    fn apply(&mut self, object: DeserializeGuard<C>) {
        self.objects.insert(key(object.meta()));
        match object.0 {
            Ok(mut object) => {
                trim(object.meta_mut());
                self.cache.told(Ok(object), self.since);
            }
            Err(InvalidObject { metadata, error }) => {
                self.cache.told(Err(&metadata), self.since);
                let version = metadata.resource_version.clone();
                if self.undecodable.insert(key(&metadata), version.clone()) != Some(version) {
                    self.report(metadata, &error);
                }
            }
        }
    }

    /// Reports an object that cannot be decoded.
    fn report(&self, metadata: ObjectMeta, error: &str) {
        let (kind, name, namespace) = (C::kind(&()), &metadata.name, &metadata.namespace);
        error!(%kind, name, namespace, error, "cannot decode an object, setting it aside");
        self.hub.metrics.undecodable(self.hub.name);
        let note = format!("Set aside until it can be decoded: {error}");
        self.hub.warn(Arc::new(metadata.into_response_partial::<C>()), "Undecodable", note);
    }

    /// The server's version and how many objects it has, if it says. To answer, it brings its cache up to date, without
    /// which it has no bookmarks to send for a kind that nobody changes.
    async fn count(&self) -> Option<(u128, usize)> {
        let page = self.page(&ListParams::default().limit(1)).await.ok()?;
        let is_all = page.metadata.continue_.is_none_or(|token| token.is_empty());
        let rest = page.metadata.remaining_item_count.or(is_all.then_some(0))?;
        let count = page.items.len() + usize::try_from(rest).ok()?;
        Some((number(page.metadata.resource_version.as_deref()), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Method, Request, Response};
    use futures::channel::mpsc::unbounded;
    use futures::future::pending;
    use futures::{FutureExt as _, stream};
    use k8s_openapi::api::apps::v1::Deployment;
    use kube::Client;
    use parking_lot::Mutex;
    use serde_json::{Value, json};
    use tokio::sync::mpsc::channel;
    use tower::{BoxError, service_fn};

    /// How often a server was asked.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Asked {
        lists: u64,
        counts: u64,
    }

    fn deployment(version: u64) -> Value {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "namespace": "a", "name": "x", "uid": "1", "resourceVersion": version.to_string() } })
    }

    /// An API server with one Deployment, `object`, that changes every second. It counts only if it `counts`, sends a
    /// bookmark every minute, and forgets where watches were every two if it `forgets`.
    fn server(object: fn(u64) -> Value, counts: bool, forgets: bool) -> (Client, Arc<Mutex<Asked>>) {
        let (asked, begun) = (Arc::new(Mutex::new(Asked::default())), Instant::now());
        let seen = asked.clone();
        let answer = move |request: Request<kube::client::Body>| {
            let query = request.uri().query().unwrap_or_default();
            let version = begun.elapsed().as_secs() + 1;
            let list =
                json!({ "metadata": { "resourceVersion": version.to_string() }, "items": [object(version)] });
            let body = if query.contains("watch=true") {
                Body::from_stream(stream::unfold(version + 1, move |version| async move {
                    sleep_until(begun + Duration::from_secs(version - 1)).await;
                    let event = match version {
                        _ if forgets && version % 120 == 0 => json!({ "type": "ERROR", "object": {
                            "status": "Failure", "code": 410, "reason": "Expired", "message": "too old" } }),
                        _ if version % 60 == 0 => json!({ "type": "BOOKMARK", "object": {
                            "apiVersion": "apps/v1", "kind": "Deployment", "spec": null,
                            "metadata": { "resourceVersion": version.to_string() } } }),
                        _ => json!({ "type": "MODIFIED", "object": object(version) }),
                    };
                    Some((Ok::<_, BoxError>(format!("{event}\n")), version + 1))
                }))
            } else if query.contains("limit=1&") || query.ends_with("limit=1") {
                seen.lock().counts += 1;
                if !counts {
                    return pending().boxed();
                }
                Body::from(list.to_string())
            } else if *request.method() == Method::GET {
                seen.lock().lists += 1;
                Body::from(list.to_string())
            } else {
                // An event.
                return pending().boxed();
            };
            std::future::ready(Ok::<_, BoxError>(Response::new(body))).boxed()
        };
        (Client::new(service_fn(answer), "test"), asked)
    }

    fn watch(client: Client) -> (Cache<Deployment>, Watches) {
        let (cache, (unlisted, _), (queue, _)) = (Cache::default(), channel(1), unbounded());
        let hub = Hub::for_tests(client, ["a"]);
        let mut watches = Watches { hub, tasks: JoinSet::new(), queue, unlisted };
        watches.add(&cache, |_| None);
        (cache, watches)
    }

    fn known(cache: &Cache<Deployment>) -> u128 {
        cache.get("a", "x").map(|object| version(&object.metadata)).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_is_counted_once_in_a_while_however_much_happens() {
        let (client, asked) = server(deployment, true, false);
        let (cache, watches) = watch(client);
        sleep(Duration::from_secs(10)).await;
        assert!(watches.hub.health.ready().1.contains("[+] test-watch-deployments.apps-in-a ok"));
        // The answer to a creation comes after the watch told of the deletion.
        let mut ghost: Deployment = serde_json::from_value(deployment(2)).expect("a Deployment");
        ghost.metadata.name = Some("ghost".to_owned());
        cache.wrote(ghost);
        sleep(Duration::from_secs(590)).await;
        assert!(cache.get("a", "ghost").is_none(), "the server does not know it");
        assert!(known(&cache) >= 599);
        let Asked { lists, counts } = *asked.lock();
        assert!(lists == 1 && (10..=14).contains(&counts), "{lists} lists, {counts} counts");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_count_holds_nothing_up() {
        let (client, asked) = server(deployment, false, false);
        let (cache, _watches) = watch(client);
        let mut behind = 0;
        for second in 1..600 {
            sleep(Duration::from_secs(1)).await;
            behind = behind.max(second - known(&cache));
        }
        assert!(behind <= u128::from(COUNT_LIMIT.as_secs()) + 1, "{behind} s behind");
        let Asked { lists, counts } = *asked.lock();
        assert!(lists == 1 && counts > 5, "{lists} lists, {counts} counts");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_decoded_is_reported_once() {
        let broken = |_| {
            let mut object = deployment(1);
            object["spec"] = json!({ "replicas": "three" });
            object
        };
        let (client, asked) = server(broken, true, true);
        let (cache, watches) = watch(client);
        sleep(Duration::from_secs(600)).await;
        assert!(cache.get("a", "x").is_none());
        let lists = asked.lock().lists;
        assert!(lists > 4, "it is listed anew: {lists} lists");
        let text = watches.hub.metrics.text();
        assert!(
            text.contains("controller_runtime_undecodable_objects_total{controller=\"test\"} 1\n"),
            "{text}"
        );
    }
}
