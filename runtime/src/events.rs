//! Events: what happened to an object, for people who look at it. They are published in the background, because nothing
//! may depend on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::runtime::events::EventType;
use kube::{Api, Client, Resource};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::{debug, warn};

use crate::backoff::exponential;
use crate::environment::Environment;

/// How often, and for how long each time, publishing is tried: as often as client-go does.
const ATTEMPTS: u32 = 12;
const PATIENCE: Duration = Duration::from_secs(3);
/// The shortest and the longest pause between two attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// How many events wait to be published, and how many are at the same time.
const WAITING: usize = 1000;
const AT_ONCE: usize = 8;
/// How many are between two attempts, so that those which fail for long do not hold up others.
const PAUSING: usize = 128;
/// How many events about one object are published in a row, and after how long there may be one more: client-go's.
const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);
/// About how many objects that is remembered.
const REMEMBERED: usize = 4096;

/// What an event is about.
pub(crate) struct Regarding(ObjectReference);

impl Regarding {
    pub(crate) fn new<K: Resource>(metadata: &ObjectMeta, dynamic_type: &K::DynamicType) -> Self {
        Self(ObjectReference {
            api_version: Some(K::api_version(dynamic_type).into_owned()),
            kind: Some(K::kind(dynamic_type).into_owned()),
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            ..ObjectReference::default()
        })
    }
}

/// Publishes events in the name of one controller.
#[derive(Clone)]
pub struct Recorder {
    queue: Arc<Mutex<Sender<Event>>>,
    budget: Arc<Mutex<Budget>>,
    reporter: String,
    instance: String,
    environment: Environment,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("reporter", &self.reporter).finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder, and what publishes its events: it ends when all recorders are gone or have been closed.
    pub(crate) fn new(
        client: Client,
        reporter: &str,
        environment: Environment,
    ) -> (Self, BoxFuture<'static, ()>) {
        let (queue, events) = channel(WAITING);
        let instance = std::env::var("POD_NAME").unwrap_or_else(|_| reporter.to_owned());
        let queue = Arc::new(Mutex::new(queue));
        let publishing = publish(client, events, environment.clone());
        let (budget, reporter) = (Arc::default(), reporter.to_owned());
        (Self { queue, budget, reporter, instance, environment }, Box::pin(publishing))
    }

    /// The same, in the name of another reporter.
    pub(crate) fn of(&self, reporter: &str) -> Self {
        Self { reporter: reporter.to_owned(), ..self.clone() }
    }

    /// Ends the publishing once what waits is published.
    pub(crate) fn close(&self) {
        self.queue.lock().close_channel();
    }

    /// Publishes that `note` happened to `object`, which has to do with `related`, if anything. The same event published
    /// again, even after a restart, stays one: `fact` tells this occurrence from others with the same reason.
    pub fn event<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        type_: EventType,
        reason: &str,
        note: impl Into<String>,
        fact: &str,
    ) {
        let regarding = Regarding::new::<K>(object.meta(), &());
        self.publish(regarding, None, type_, reason, note.into(), fact);
    }

    pub(crate) fn publish(
        &self,
        regarding: Regarding,
        related: Option<Regarding>,
        type_: EventType,
        reason: &str,
        mut note: String,
        fact: &str,
    ) {
        let Regarding(regarding) = regarding;
        // Events of objects without a namespace live in this one.
        let namespace = regarding.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let uid = regarding.uid.clone().unwrap_or_default();
        if !self.budget.lock().allows(&uid) {
            return debug!(reason, note, "too many events about one object, leaving this one out");
        }
        // Of the name what the name of an event may have: those of roles, for one, know no such rules.
        let plain = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '.');
        let name: String =
            regarding.name.iter().flat_map(|name| name.chars().filter(plain)).take(200).collect();
        let name = format!("{}.{:016x}", name.trim_matches(['-', '.']), fingerprint(&[&uid, reason, fact]));
        // The API server takes up to a kilobyte.
        while note.len() > 1000 {
            note.pop();
        }
        let event = Event {
            metadata: ObjectMeta {
                name: Some(name.trim_start_matches('.').to_owned()),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            action: Some(reason.to_owned()),
            reason: Some(reason.to_owned()),
            note: Some(note),
            type_: Some(format!("{type_:?}")),
            event_time: MicroTime(self.environment.now()).into(),
            reporting_controller: Some(self.reporter.clone()),
            reporting_instance: Some(self.instance.chars().take(128).collect()),
            regarding: Some(regarding),
            related: related.map(|Regarding(related)| related),
            ..Event::default()
        };
        if self.queue.lock().try_send(event).is_err() {
            debug!(reason, "too many events wait to be published, leaving this one out");
        }
    }
}

/// How many more events about each object there may be, and when that was.
#[derive(Default)]
struct Budget(BTreeMap<String, (f64, Instant)>);

impl Budget {
    fn allows(&mut self, uid: &str) -> bool {
        let now = Instant::now();
        let left = |(left, at): (f64, Instant)| {
            BURST.min(left + now.duration_since(at).as_secs_f64() / REFILL.as_secs_f64())
        };
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, known| left(*known) < BURST - 1.0);
        }
        let left = self.0.get(uid).copied().map_or(BURST, left);
        let allowed = left >= 1.0;
        if self.0.len() < REMEMBERED || self.0.contains_key(uid) {
            self.0.insert(uid.to_owned(), (if allowed { left - 1.0 } else { left }, now));
        }
        allowed
    }
}

async fn publish(client: Client, events: Receiver<Event>, environment: Environment) {
    let room = Semaphore::new(AT_ONCE);
    events.for_each_concurrent(PAUSING, |event| send(client.clone(), event, &room, &environment)).await;
}

async fn send(client: Client, event: Event, room: &Semaphore, environment: &Environment) {
    let events = Api::<Event>::namespaced(client, event.metadata.namespace.as_deref().unwrap_or_default());
    let reason = event.reason.as_deref().unwrap_or_default();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            sleep(environment.jittered(exponential(PAUSES.0, attempt - 1, PAUSES.1))).await;
        }
        let permit = room.acquire().await;
        let answer = timeout(PATIENCE, events.create(&PostParams::default(), &event)).await;
        drop(permit);
        match answer {
            Ok(Ok(_)) => return,
            Ok(Err(kube::Error::Api(status))) if status.is_already_exists() => return,
            // To ask again would be answered in the same way.
            Ok(Err(kube::Error::Api(status))) if status.code < 500 && status.code != 429 => {
                return warn!(error = %status, reason, "cannot publish an event");
            }
            Ok(Err(error)) => debug!(%error, reason, attempt, "cannot publish an event yet"),
            Err(_) => debug!(reason, attempt, "no answer to an event yet"),
        }
    }
    warn!(reason, "cannot publish an event: the API server did not take it, however often it was asked");
}

/// The FNV-1a hash of the parts: the same on every machine and in every version.
pub(crate) fn fingerprint(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, Response};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::client::Body;
    use tower::{BoxError, service_fn};

    /// How often an event was sent to a server that always answers `code`, under which name, and how long that took.
    async fn attempts(code: u16, object: &str) -> (usize, String, Duration) {
        let names = Arc::new(Mutex::new(Vec::new()));
        let seen = names.clone();
        let server = service_fn(move |request: Request<Body>| {
            let seen = seen.clone();
            async move {
                let event: Event = serde_json::from_slice(&request.into_body().collect_bytes().await?)?;
                seen.lock().extend(event.metadata.name);
                Ok::<_, BoxError>(Response::builder().status(code).body(Body::empty())?)
            }
        });
        let begun = Instant::now();
        let (recorder, publishing) =
            Recorder::new(Client::new(server, "test"), "test", Environment::default());
        let metadata = ObjectMeta { name: Some(object.to_owned()), ..ObjectMeta::default() };
        let object = ConfigMap { metadata, ..ConfigMap::default() };
        recorder.event(&object, EventType::Normal, "Tested", "A test", "once");
        recorder.close();
        publishing.await;
        let names = names.lock();
        (names.len(), names[0].clone(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_fails_is_asked_again_after_a_pause_and_one_that_refuses_is_not() {
        let (count, _, took) = attempts(500, "x").await;
        assert_eq!(count, usize::try_from(ATTEMPTS).expect("a few"));
        let minutes = Duration::from_secs(60)..Duration::from_secs(180);
        assert!(minutes.contains(&took), "{took:?}");
        assert_eq!(attempts(403, "x").await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn names_of_events_have_letters_that_may_be_there() {
        let long = "x".repeat(300);
        let other = format!("x{}", "\u{e9}".repeat(150));
        for (object, expected) in [
            ("a.b-c", "a.b-c."),
            ("system:x", "systemx."),
            (&long, &format!("{}.", &long[..200])),
            (&other, "x."),
            ("\u{e9}", ""),
        ] {
            let (_, name, _) = attempts(200, object).await;
            let hash = name.strip_prefix(expected).expect("the object's name");
            assert!(hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_object_has_a_burst_and_then_a_trickle() {
        let mut budget = Budget::default();
        let mut allowed = |uid: &str, times: u32| (0..times).filter(|_| budget.allows(uid)).count();
        assert_eq!((allowed("1", 100), allowed("2", 10)), (25, 10));
        sleep(REFILL + Duration::from_secs(1)).await;
        assert_eq!((allowed("1", 100), allowed("2", 100)), (1, 16));
        for other in 0..10_000 {
            allowed(&other.to_string(), 1);
        }
        assert!(budget.0.len() <= REMEMBERED);
    }
}
