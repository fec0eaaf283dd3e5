//! Events: what the controller did or found, for `kubectl describe` and `kubectl get events`.
//!
//! An event's name is made from the fact it tells, so that a fact told twice, also by another run of the manager, is
//! still one event. A failed event never fails a reconcile.

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Time for one attempt to publish an event.
const TIME_OUT: Duration = Duration::from_secs(3);
/// Waiting times before further attempts.
const RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
/// Longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Publishes events in the name of one controller.
#[derive(Clone)]
pub struct Events {
    client: Client,
    /// The source that `kubectl` shows.
    controller: Arc<str>,
    instance: Arc<str>,
}

/// One fact about an object.
#[derive(Debug)]
pub struct Fact<'a> {
    /// Something is not as it should be.
    pub warning: bool,
    /// Why, in one word: `Created`.
    pub reason: &'a str,
    /// What was done, in one word: `Create`.
    pub action: &'a str,
    /// The sentence for people.
    pub note: String,
    /// Tells this fact from others of its reason about the same object.
    pub identity: String,
}

impl Events {
    pub(super) fn new(client: Client, controller: Arc<str>, instance: Arc<str>) -> Self {
        Self {
            client,
            controller,
            instance,
        }
    }

    /// Publishes a fact about an object, unless that has been done.
    pub async fn publish(&self, regarding: &impl Resource<DynamicType = ()>, fact: Fact<'_>) {
        let event = self.event(regarding, fact);
        // Events about objects of the cluster scope go where Kubernetes' own go.
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let params = PostParams::default();

        let mut retries = RETRIES.into_iter();
        loop {
            let problem = match timeout(TIME_OUT, api.create(&params, &event)).await {
                Ok(Ok(_)) => return,
                Ok(Err(kube::Error::Api(status))) if status.is_already_exists() => return,
                Ok(Err(error)) => super::chain(&error),
                Err(_) => "no answer in time".to_owned(),
            };
            let Some(delay) = retries.next() else {
                return tracing::warn!(event = event.note, error = problem, "could not publish an event");
            };
            sleep(delay).await;
        }
    }

    fn event(&self, regarding: &impl Resource<DynamicType = ()>, fact: Fact<'_>) -> Event {
        let meta = regarding.meta();
        let uid = meta.uid.as_deref().unwrap_or_default();
        let fingerprint = fingerprint(&[uid, fact.reason, &fact.identity]);
        let mut name = meta.name.clone().unwrap_or_default();
        name.truncate(230);
        let mut note = fact.note;
        while note.len() > LONGEST_NOTE {
            note.pop();
        }
        Event {
            metadata: ObjectMeta {
                name: Some(format!(
                    "{}.{fingerprint:016x}",
                    name.trim_end_matches(['.', '-'])
                )),
                namespace: Some(meta.namespace.clone().unwrap_or_else(|| "default".to_owned())),
                ..ObjectMeta::default()
            },
            action: Some(fact.action.to_owned()),
            event_time: Some(MicroTime(Timestamp::now())),
            note: Some(note),
            reason: Some(fact.reason.to_owned()),
            regarding: Some(regarding.object_ref(&())),
            reporting_controller: Some(self.controller.to_string()),
            reporting_instance: Some(self.instance.to_string()),
            type_: Some(if fact.warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }
}

/// FNV-1a over the parts: the same in every run and every version of the manager.
fn fingerprint(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
