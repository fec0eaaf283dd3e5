//! Watches that go on whatever happens: they list anew when the server has forgotten where they were, when they hear
//! nothing, and when the server counts other objects than they do; they pass over objects that cannot be decoded, and list
//! once in a while where they may not watch.

mod pages;
#[cfg(test)]
mod tests;

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
use tracing::{debug, error, warn};

use crate::backoff::exponential;
use crate::environment::Environment;
use crate::events::{Recorder, Regarding};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::object::{Object, ObjectKey, number};
use crate::options::Timings;
use crate::queue::Priority;
use crate::scope::Scope;
use crate::store::Store;

use pages::PageSize;

/// Seconds after which the server ends a watch: below the idle time-outs of the usual load balancers.
const RENEW: u32 = 200;
/// How long one page of a list may take to arrive.
const PAGE_LIMIT: Duration = Duration::from_secs(60);
/// How soon a watch is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// How long the server may take to count.
const COUNT_LIMIT: Duration = Duration::from_secs(10);
/// How long the watch may take to tell of what the server has counted.
const LAG: Duration = Duration::from_secs(3);
/// How many watches of one kind count as often as they are told to. Where there are more, each counts less often.
const COUNTING: usize = 10;
/// How often objects are listed that may not be watched.
const POLL: Duration = Duration::from_secs(30);

/// What the informers of one manager share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) timings: Timings,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) recorder: Recorder,
    pub(crate) environment: Environment,
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
    let mut watch = Watch {
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
        has_bookmarks: false,
        silence: Silence::Unknown,
        count_at: Instant::now(),
        failures: 0,
        lists: 0,
        store,
        shared,
    };
    watch.count_at = watch.next_count();
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
    /// Whether the server sends bookmarks.
    has_bookmarks: bool,
    /// What a watch of which nothing is heard means.
    silence: Silence,
    /// When to count next.
    count_at: Instant,
    /// Attempts in a row that brought nothing.
    failures: u32,
    /// Lists in a row after which no watch lived for long.
    lists: u32,
}

/// What it means that nothing is heard of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// It was not silent so far: something may be wrong.
    Unknown,
    /// The one before was silent, too: something is, unless the server sends no bookmarks.
    Suspicious,
    /// The server sends none.
    Usual,
}

impl<K: Object> Watch<K> {
    async fn run(mut self) {
        loop {
            if let Err(reason) = self.attempt().await {
                warn!(watch = self.check, "{reason}; trying again");
                self.shared.health.report(&self.check, Err(reason));
            }
            // To go on where it was costs little, and should not take long. A list may cost a lot.
            let lists = if self.version.is_none() { self.lists.saturating_sub(1) } else { 0 };
            let failures = self.failures.max(lists);
            sleep(self.shared.environment.jittered(exponential(RETRY.0, failures, RETRY.1))).await;
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
        let begun = Instant::now();
        let end = self.receive(events).await;
        if begun.elapsed() > RETRY.1 {
            (self.failures, self.lists) = (0, 0);
        }
        end
    }

    /// Waits until it is time to list again, because there is no right, or no way, to watch.
    async fn poll(&mut self, reason: &str) -> Result<(), String> {
        if !std::mem::replace(&mut self.polls, true) {
            warn!(watch = self.check, reason, "cannot watch, so objects are listed every {POLL:?}");
        }
        self.shared.health.report(&self.check, Ok(()));
        sleep(self.shared.environment.jittered(POLL)).await;
        (self.version, self.failures, self.lists) = (None, 0, 0);
        Ok(())
    }

    /// Lists all objects, page by page; the result is their version.
    async fn list(&mut self) -> Result<String, String> {
        let mut params = self.scope.list(ListParams::default());
        let mut page_size = PageSize::default();
        self.objects.clear();
        self.since = Instant::now();
        loop {
            params.limit = Some(page_size.objects());
            let (page, bytes) = match self.page(&params).await {
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
            page_size.learn(page.items.len(), bytes);
            // What was there before this process is no news.
            let priority = if self.is_unlisted { Priority::Low } else { Priority::High };
            page.items.into_iter().for_each(|object| self.apply(object, priority));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.lists += 1;
                self.version = page.metadata.resource_version;
                self.listed();
                return self.version.clone().ok_or_else(|| "a list without a version".into());
            }
        }
    }

    /// A part of a list, and how many bytes it has.
    async fn page(&self, params: &ListParams) -> kube::Result<(ObjectList<DeserializeGuard<K>>, usize)> {
        let request =
            if K::metadata_api() { self.request.list_metadata(params) } else { self.request.list(params) };
        let request = request.map_err(Error::BuildRequest)?;
        let answer = timeout(PAGE_LIMIT, self.shared.client.request_text(request)).await;
        let text = answer.unwrap_or_else(|_| Err(Error::Service("the answer does not end".into())))?;
        Ok((serde_json::from_str(&text).map_err(Error::SerdeError)?, text.len()))
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

    /// Follows a watch to its end. Unless it can go on where it was, the version is forgotten.
    async fn receive(
        &mut self,
        events: impl Stream<Item = kube::Result<WatchEvent<DeserializeGuard<K>>>>,
    ) -> Result<(), String> {
        let mut events = pin!(events);
        let silence = self.shared.timings.watch_silence_limit;
        let mut silent = Instant::now() + silence;
        let mut counted = None;
        let differs = "the server has other objects than the watch told of";
        loop {
            tokio::select! {
                // Nobody listens while it is counted, so what came meanwhile is looked at before the clock.
                biased;
                event = events.try_next() => {
                    let event = match event {
                        Ok(Some(event)) => event,
                        Ok(None) => return Ok(()),
                        // All that came before is known, and the server has the rest.
                        Err(error @ Error::ReadEvents(_)) => return Err(format!("the watch broke: {error}")),
                        Err(error) => return self.forget(format!("cannot read what the watch tells: {error}")),
                    };
                    silent = Instant::now() + silence;
                    let before = self.objects.len();
                    self.take(event)?;
                    // Past the version that was counted at, nothing can be on its way any more.
                    let passed = |(at, _): &mut (u128, usize)| number(self.version.as_deref()) > *at;
                    if let Some((_, count)) = counted.take_if(passed) {
                        if count != before {
                            return self.forget(differs);
                        }
                        self.count_at = self.next_count();
                    }
                }
                () = sleep_until(silent) => return self.silent(silence),
                () = sleep_until(self.count_at) => match counted.take() {
                    Some((_, count)) if count != self.objects.len() => return self.forget(differs),
                    Some(_) => self.count_at = self.next_count(),
                    None => {
                        counted = timeout(COUNT_LIMIT, self.count()).await.ok().flatten();
                        if counted.is_some() {
                            // It answers: should something be wrong, there is no reason to wait.
                            self.failures = 0;
                        }
                        if counted.is_some_and(|(at, _)| at < number(self.version.as_deref())) {
                            return self.forget("the server has gone back in time");
                        }
                        self.count_at =
                            if counted.is_some() { Instant::now() + LAG } else { self.next_count() };
                    }
                }
            }
        }
    }

    /// When to count the next time. Where one kind is watched in many namespaces, each is counted less often: to answer one,
    /// the server brings what it has of all up to date.
    fn next_count(&self) -> Instant {
        let share = u32::try_from(self.store.watches().div_ceil(COUNTING)).unwrap_or(u32::MAX);
        let period = self.shared.timings.watch_check_period.saturating_mul(share);
        Instant::now() + self.shared.environment.jittered(period)
    }

    /// Ends a watch of which nothing was heard for so long. One that goes on where it was brings what it has missed.
    fn silent(&mut self, silence: Duration) -> Result<(), String> {
        let reason = format!("nothing heard for {silence:?}");
        match std::mem::replace(&mut self.silence, Silence::Suspicious) {
            Silence::Unknown => Err(reason),
            Silence::Suspicious if self.has_bookmarks => {
                self.silence = Silence::Unknown;
                self.forget(reason)
            }
            // The server does not say that there is nothing to say.
            Silence::Suspicious | Silence::Usual => {
                self.silence = Silence::Usual;
                debug!(watch = self.check, "{reason}; watching anew");
                Ok(())
            }
        }
    }

    /// Ends a watch after which all is to be listed, because what is known may be wrong.
    fn forget(&mut self, reason: impl Into<String>) -> Result<(), String> {
        self.version = None;
        Err(reason.into())
    }

    fn take(&mut self, event: WatchEvent<DeserializeGuard<K>>) -> Result<(), String> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.reach(object.meta());
                self.apply(object, Priority::High);
            }
            WatchEvent::Deleted(object) => {
                self.reach(object.meta());
                self.objects.remove(&ObjectKey::of(&object));
                self.undecodable.remove(&ObjectKey::of(&object));
                self.store.observe(Err(object.meta()), self.since, Priority::High);
            }
            WatchEvent::Bookmark(bookmark) => {
                self.version = Some(bookmark.metadata.resource_version);
                (self.has_bookmarks, self.silence) = (true, Silence::Unknown);
                self.sweep();
            }
            // Mostly that the version is too old.
            WatchEvent::Error(status) => {
                return self.forget(format!("the server ended the watch: {status}"));
            }
        }
        self.failures = 0;
        if self.silence == Silence::Suspicious {
            self.silence = Silence::Unknown;
        }
        Ok(())
    }

    fn reach(&mut self, metadata: &ObjectMeta) {
        self.version.clone_from(&metadata.resource_version);
        self.store.reached(self.namespace.as_deref(), self.version.as_deref());
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
        let (page, _) = self.page(&self.scope.list(ListParams::default().limit(1))).await.ok()?;
        let is_all = page.metadata.continue_.is_none_or(|token| token.is_empty());
        let rest = page.metadata.remaining_item_count.or(is_all.then_some(0))?;
        let count = page.items.len() + usize::try_from(rest).ok()?;
        Some((number(page.metadata.resource_version.as_deref()), count))
    }
}
