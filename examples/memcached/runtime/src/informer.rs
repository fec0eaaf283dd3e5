//! Watches that go on whatever happens: they list anew when the server has forgotten where they were, when they hear
//! nothing, and when the server counts other objects than they do; they pass over objects that cannot be decoded, and list
//! once in a while where they may not watch.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use futures::{Stream, TryStreamExt as _};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, ObjectList, WatchEvent, WatchParams};
use kube::core::{DeserializeGuard, Request, error_boundary::InvalidObject};
use kube::runtime::events::EventType;
use kube::{Client, Error, Resource};
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};
use tracing::{error, warn};

use crate::backoff::{exponential, jittered};
use crate::events::{Recorder, Regarding};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::object::{Object, ObjectKey, number};
use crate::options::Timings;
use crate::queue::Priority;
use crate::scope::Scope;
use crate::store::Store;

/// Seconds after which the server ends a watch: below the idle time-outs of the usual load balancers.
const RENEW: u32 = 200;
/// Objects in one answer to a list.
const PAGE: u32 = 500;
/// How long one page of a list may take to arrive.
const PAGE_LIMIT: Duration = Duration::from_secs(60);
/// How soon a watch is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// How long the server may take to count.
const COUNT_LIMIT: Duration = Duration::from_secs(10);
/// How long the watch may take to tell of what the server has counted.
const LAG: Duration = Duration::from_secs(3);
/// How often objects are listed that may not be watched.
const POLL: Duration = Duration::from_secs(30);

/// What the informers of one manager share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) timings: Timings,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) recorder: Recorder,
}

/// Keeps `store` up to date with the objects of `scope` in `namespace`, or everywhere, for as long as it is polled.
pub(crate) fn inform<K: Object>(
    shared: Arc<Shared>,
    store: Store<K>,
    scope: Scope,
    namespace: Option<String>,
) -> impl Future<Output = ()> + Send {
    let dynamic_type = store.dynamic_type();
    let place = namespace.as_ref().map(|name| format!("-in-{name}")).unwrap_or_default();
    let kind = format!("{}.{}", K::plural(dynamic_type), K::group(dynamic_type));
    let kind = kind.trim_end_matches('.').to_owned();
    store.watched_in(namespace.clone());
    let watch = Watch {
        request: Request::new(K::url_path(dynamic_type, namespace.as_deref())),
        check: format!("watch-{kind}{}{place}", scope.suffix()),
        kind,
        scope,
        namespace,
        objects: BTreeSet::new(),
        undecodable: BTreeMap::new(),
        since: Instant::now(),
        version: None,
        is_unlisted: true,
        polls: false,
        count_at: Instant::now() + jittered(shared.timings.watch_check_period),
        failures: 0,
        store,
        shared,
    };
    watch.shared.health.report(&watch.check, Err("the first list is not complete".into()));
    watch.shared.metrics.informer(&watch.kind);
    watch.run()
}

struct Watch<K: Object> {
    shared: Arc<Shared>,
    store: Store<K>,
    scope: Scope,
    request: Request,
    /// Plural and group, as in metrics.
    kind: String,
    /// Name of the readiness check.
    check: String,
    /// `None` for everywhere.
    namespace: Option<String>,
    /// What is known to exist, whether it can be decoded or not.
    objects: BTreeSet<ObjectKey>,
    /// Of which version it was reported that an object cannot be decoded.
    undecodable: BTreeMap<ObjectKey, Option<String>>,
    /// When the latest list was begun.
    since: Instant,
    /// Up to where everything is known; `None` when it has to be listed.
    version: Option<String>,
    is_unlisted: bool,
    /// Whether objects may be listed and not watched.
    polls: bool,
    /// When to count next.
    count_at: Instant,
    /// Attempts in a row that brought nothing.
    failures: u32,
}

impl<K: Object> Watch<K> {
    async fn run(mut self) {
        loop {
            let begun = Instant::now();
            if let Err(reason) = self.attempt().await {
                warn!(watch = self.check, "{reason}; trying again");
                self.shared.health.report(&self.check, Err(reason));
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
        let params = self.scope.watch(WatchParams::default().timeout(RENEW));
        let request = if K::metadata_api() {
            self.request.watch_metadata(&params, &from)
        } else {
            self.request.watch(&params, &from)
        };
        let request = request.map_err(|error| error.to_string())?;
        let events = match self.shared.client.request_events(request).await {
            Err(Error::Api(status)) if matches!(status.code, 403 | 405) => {
                return self.poll(&status.message).await;
            }
            events => events,
        };
        let events = events.map_err(|error| {
            // The server has no use for the version, the kind or us. If it is too busy, a list would not help it.
            if matches!(&error, Error::Api(status) if status.code < 500 && status.code != 429) {
                self.version = None;
            }
            format!("cannot watch: {error}")
        })?;
        self.polls = false;
        self.shared.health.report(&self.check, Ok(()));
        let end = self.receive(events).await;
        if end.is_err() {
            // What is known may be wrong.
            self.version = None;
        }
        end
    }

    /// Waits until it is time to list again, because there is no right, or no way, to watch.
    async fn poll(&mut self, reason: &str) -> Result<(), String> {
        if !std::mem::replace(&mut self.polls, true) {
            warn!(watch = self.check, reason, "cannot watch, so objects are listed every {POLL:?}");
        }
        self.shared.health.report(&self.check, Ok(()));
        sleep(jittered(POLL)).await;
        (self.version, self.failures) = (None, 0);
        Ok(())
    }

    /// Lists all objects, page by page; the result is their version.
    async fn list(&mut self) -> Result<String, String> {
        let mut params = self.scope.list(ListParams::default().limit(PAGE));
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
                // Others are served meanwhile: of what may not be seen nothing is decided.
                Err(Error::Api(status)) if status.code == 403 => {
                    self.first_list_ends();
                    return Err(format!("cannot list: {}", status.message));
                }
                Err(error) => return Err(format!("cannot list: {error}")),
            };
            // What was there before this process is no news.
            let priority = if self.is_unlisted { Priority::Low } else { Priority::High };
            page.items.into_iter().for_each(|object| self.apply(object, priority));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.version = page.metadata.resource_version;
                self.listed();
                return self.version.clone().ok_or_else(|| "a list without a version".into());
            }
        }
    }

    async fn page(&self, params: &ListParams) -> kube::Result<ObjectList<DeserializeGuard<K>>> {
        let request =
            if K::metadata_api() { self.request.list_metadata(params) } else { self.request.list(params) };
        let request = request.map_err(Error::BuildRequest)?;
        let page = timeout(PAGE_LIMIT, self.shared.client.request(request)).await;
        page.unwrap_or_else(|_| Err(Error::Service("the answer does not end".into())))
    }

    fn listed(&mut self) {
        self.sweep();
        self.undecodable.retain(|key, _| self.objects.contains(key));
        self.first_list_ends();
    }

    fn first_list_ends(&mut self) {
        if std::mem::take(&mut self.is_unlisted) {
            self.store.listed();
        }
    }

    fn sweep(&self) {
        let told = number(self.version.as_deref());
        self.store.replace(self.namespace.as_deref(), &self.objects, told, self.since);
    }

    async fn receive(
        &mut self,
        events: impl Stream<Item = kube::Result<WatchEvent<DeserializeGuard<K>>>>,
    ) -> Result<(), String> {
        let mut events = pin!(events);
        let Timings { watch_silence_limit: silence, watch_check_period: period, .. } = self.shared.timings;
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
                        if counted.is_some() {
                            // It answers: should something be wrong, there is no reason to wait.
                            self.failures = 0;
                        }
                        if counted.is_some_and(|(at, _)| at < number(self.version.as_deref())) {
                            return Err("the server has gone back in time".into());
                        }
                        self.count_at = Instant::now() + if counted.is_some() { LAG } else { jittered(period) };
                    }
                }
            }
        }
    }

    fn take(&mut self, event: WatchEvent<DeserializeGuard<K>>) -> Result<(), String> {
        self.failures = 0;
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.version.clone_from(&object.meta().resource_version);
                self.apply(object, Priority::High);
            }
            WatchEvent::Deleted(object) => {
                self.version.clone_from(&object.meta().resource_version);
                self.objects.remove(&ObjectKey::of(&object));
                self.undecodable.remove(&ObjectKey::of(&object));
                self.store.observe(Err(object.meta()), self.since, Priority::High);
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

    fn apply(&mut self, object: DeserializeGuard<K>, priority: Priority) {
        self.objects.insert(ObjectKey::of(&object));
        match object.0 {
            Ok(object) => self.store.observe(Ok(object), self.since, priority),
            Err(InvalidObject { metadata, error }) => {
                self.store.observe(Err(&metadata), self.since, priority);
                let version = metadata.resource_version.clone();
                if self.undecodable.insert(ObjectKey::from(&metadata), version.clone()) != Some(version) {
                    self.report(&metadata, &error);
                }
            }
        }
    }

    /// Reports an object that cannot be decoded.
    fn report(&self, metadata: &ObjectMeta, error: &str) {
        let kind = K::kind(self.store.dynamic_type());
        error!(%kind, key = %ObjectKey::from(metadata), error, "cannot decode an object, setting it aside");
        self.shared.metrics.undecodable(&self.kind);
        let fact = metadata.generation.unwrap_or_default().to_string();
        let note = format!("Set aside until it can be decoded: {error}");
        let regarding = Regarding::new::<K>(metadata, self.store.dynamic_type());
        self.shared.recorder.publish(regarding, None, EventType::Warning, "Undecodable", note, &fact);
    }

    /// The server's version and how many objects it has, if it says. To answer, it brings its cache up to date, without
    /// which it has no bookmarks to send for a kind that nobody changes.
    async fn count(&self) -> Option<(u128, usize)> {
        let page = self.page(&self.scope.list(ListParams::default().limit(1))).await.ok()?;
        let is_all = page.metadata.continue_.is_none_or(|token| token.is_empty());
        let rest = page.metadata.remaining_item_count.or(is_all.then_some(0))?;
        let count = page.items.len() + usize::try_from(rest).ok()?;
        Some((number(page.metadata.resource_version.as_deref()), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::object::version;
    use axum::body::Body;
    use axum::http::{Method, Request, Response};
    use futures::future::pending;
    use futures::{FutureExt as _, stream};
    use k8s_openapi::api::apps::v1::Deployment;
    use kube::Client;
    use parking_lot::Mutex;
    use serde_json::{Value, json};
    use tokio::task::JoinSet;
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

    struct Watched {
        store: Store<Deployment>,
        shared: Arc<Shared>,
        // Ends when it is dropped.
        _watch: JoinSet<()>,
    }

    fn watch(client: Client) -> Watched {
        let store = Store::new((), true);
        store.keep_all();
        let shared = Arc::new(Shared {
            recorder: Recorder::new(client.clone(), "test").0,
            client,
            timings: Options::for_tests([]).timings,
            health: Health::default(),
            metrics: Arc::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(inform(shared.clone(), store.clone(), Scope::default(), Some("a".to_owned())));
        Watched { store, shared, _watch: tasks }
    }

    fn known(store: &Store<Deployment>) -> u128 {
        let known = store.get(&ObjectKey::new("a", "x"));
        known.map(|object| version(&object.metadata)).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_is_counted_once_in_a_while_however_much_happens() {
        let (client, asked) = server(deployment, true, false);
        let Watched { store, shared, .. } = &watch(client);
        sleep(Duration::from_secs(10)).await;
        assert!(shared.health.ready().1.contains("[+] watch-deployments.apps-in-a ok"));
        // The answer to a creation comes after the watch told of the deletion.
        let mut ghost: Deployment = serde_json::from_value(deployment(2)).expect("a Deployment");
        ghost.metadata.name = Some("ghost".to_owned());
        store.mutation(ghost, None, false);
        sleep(Duration::from_secs(590)).await;
        assert!(!store.contains(&ObjectKey::new("a", "ghost")), "the server does not know it");
        assert!(known(store) >= 599);
        let Asked { lists, counts } = *asked.lock();
        assert!(lists == 1 && (10..=14).contains(&counts), "{lists} lists, {counts} counts");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_count_holds_nothing_up() {
        let (client, asked) = server(deployment, false, false);
        let Watched { store, .. } = &watch(client);
        let mut behind = 0;
        for second in 1..600 {
            sleep(Duration::from_secs(1)).await;
            behind = behind.max(second - known(store));
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
        let Watched { store, shared, .. } = &watch(client);
        sleep(Duration::from_secs(600)).await;
        assert!(!store.contains(&ObjectKey::new("a", "x")));
        let lists = asked.lock().lists;
        assert!(lists > 4, "it is listed anew: {lists} lists");
        let text = shared.metrics.text();
        assert!(
            text.contains("controller_runtime_undecodable_objects_total{kind=\"deployments.apps\"} 1\n"),
            "{text}"
        );
    }

    /// A server that answers `code` to `verb`, and lists one object.
    fn refusing(verb: &'static str, code: u16) -> (Client, Arc<Mutex<Asked>>) {
        let asked = Arc::new(Mutex::new(Asked::default()));
        let seen = asked.clone();
        let answer = move |request: Request<kube::client::Body>| {
            let is_watch = request.uri().query().unwrap_or_default().contains("watch=true");
            let body = if (verb == "watch") == is_watch {
                json!({ "code": code, "status": "Failure", "message": "not for you", "reason": "Forbidden" })
            } else {
                seen.lock().lists += 1;
                json!({ "metadata": { "resourceVersion": "1" }, "items": [deployment(1)] })
            };
            let status = if body["code"].is_null() { 200 } else { code };
            let answer = Response::builder().status(status).body(Body::from(body.to_string()));
            std::future::ready(Ok::<_, BoxError>(answer.expect("an answer"))).boxed()
        };
        (Client::new(service_fn(answer), "test"), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_not_be_watched_is_listed_once_in_a_while() {
        for code in [403, 405] {
            let (client, asked) = refusing("watch", code);
            let Watched { store, shared, .. } = &watch(client);
            sleep(Duration::from_secs(300)).await;
            assert!(store.has_synced() && known(store) == 1);
            assert_eq!(shared.health.ready().0.as_u16(), 200);
            let lists = asked.lock().lists;
            assert!((8..=11).contains(&lists), "{lists} lists");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_not_be_listed_keeps_nobody_waiting_and_readyz_names_it() {
        let (client, _) = refusing("list", 403);
        let Watched { store, shared, .. } = &watch(client);
        sleep(Duration::from_secs(1)).await;
        assert!(store.has_synced());
        let (code, text) = shared.health.ready();
        assert!(
            code.as_u16() == 503 && text.contains("watch-deployments.apps-in-a: cannot list: not for you"),
            "{text}"
        );
    }
}
