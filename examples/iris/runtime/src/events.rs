//! Events: what happened to an object, for people who look at it.

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::runtime::events::EventType;
use kube::{Api, Client, Resource};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::backoff::jittered;

/// How often, and for how long each time, publishing is tried.
const ATTEMPTS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);

/// Publishes events in the name of one controller.
#[derive(Clone)]
pub struct Events {
    client: Client,
    reporter: String,
    instance: String,
}

impl Events {
    pub(crate) fn new(client: Client, reporter: &str) -> Self {
        let instance = std::env::var("POD_NAME").unwrap_or_else(|_| reporter.to_owned());
        Self { client, reporter: reporter.to_owned(), instance }
    }

    /// Publishes that `note` happened to `object`. `fact` tells this occurrence from others with the same reason, such
    /// as the uid of what was created: the same fact published again, even after a restart, stays one event.
    ///
    /// An event that cannot be published is logged and otherwise ignored, because nothing may depend on it.
    pub async fn publish<K>(&self, object: &K, type_: EventType, reason: &str, mut note: String, fact: &str)
    where
        K: Resource<DynamicType = ()>,
    {
        let regarding = object.object_ref(&());
        // Events of objects without a namespace live in this one.
        let namespace = regarding.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let uid = regarding.uid.clone().unwrap_or_default();
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
                namespace: Some(namespace.clone()),
                ..ObjectMeta::default()
            },
            action: Some(reason.to_owned()),
            reason: Some(reason.to_owned()),
            note: Some(note),
            type_: Some(format!("{type_:?}")),
            event_time: MicroTime(k8s_openapi::jiff::Timestamp::now()).into(),
            reporting_controller: Some(self.reporter.clone()),
            reporting_instance: Some(self.instance.chars().take(128).collect()),
            regarding: Some(regarding),
            ..Event::default()
        };
        let events = Api::<Event>::namespaced(self.client.clone(), &namespace);
        for attempt in 1..=ATTEMPTS {
            match timeout(PATIENCE, events.create(&PostParams::default(), &event)).await {
                Ok(Ok(_)) => return,
                Ok(Err(kube::Error::Api(status))) if status.is_already_exists() => return,
                // To ask again would be answered in the same way.
                Ok(Err(kube::Error::Api(status))) if status.code < 500 && status.code != 429 => {
                    return warn!(error = %status, reason, "cannot publish an event");
                }
                Ok(Err(error)) => warn!(%error, reason, attempt, "cannot publish an event"),
                Err(_) => warn!(reason, attempt, "no answer to an event"),
            }
            sleep(jittered(PAUSE)).await;
        }
    }
}

/// The FNV-1a hash of the parts: the same on every machine and in every version.
fn fingerprint(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, Response};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::client::Body;
    use parking_lot::Mutex;
    use std::sync::Arc;
    use tokio::time::Instant;
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
        let (events, begun) = (Events::new(Client::new(server, "test"), "test"), Instant::now());
        let metadata = ObjectMeta { name: Some(object.to_owned()), ..ObjectMeta::default() };
        let object = ConfigMap { metadata, ..ConfigMap::default() };
        events.publish(&object, EventType::Normal, "Tested", "A test".into(), "once").await;
        let names = names.lock();
        (names.len(), names[0].clone(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_fails_is_asked_again_after_a_pause_and_one_that_refuses_is_not() {
        let (count, _, took) = attempts(500, "x").await;
        assert_eq!(count, usize::try_from(ATTEMPTS).expect("a few"));
        assert!(took >= PAUSE * (ATTEMPTS - 1), "{took:?}");
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
}
