//! Feeds a cache from a watch, for as long as the manager works.
//!
//! An object that does not decode is set aside and reported; all others go on.

use super::cache::{Cache, Change};
use super::metrics::Metrics;
use super::object::{Object, ObjectKey};
use futures::StreamExt;
use kube::core::DeserializeGuard;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use std::pin::pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Seconds after which a watch is renewed: under the idle limits of usual load balancers.
const RENEW_AFTER: u32 = 200;

/// One watch of a kind.
pub struct Watch<K: Object> {
    pub api: Api<DeserializeGuard<K>>,
    /// Namespace that `api` is limited to.
    pub namespace: Option<String>,
    pub cache: Cache<K>,
    /// Cancelled once the first complete list is in the cache.
    pub synced: CancellationToken,
    pub metrics: Arc<Metrics>,
}

impl<K: Object> Watch<K> {
    /// Watches until dropped and tells of every change, after it is in the cache.
    pub async fn run(self, on_change: impl Fn(Change<K>)) {
        let config = Config::default().timeout(RENEW_AFTER);
        let mut events = pin!(watcher(self.api.clone(), config).default_backoff());
        let mut list = Vec::new();
        let kind = K::kind(&());
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => list.clear(),
                Ok(Event::InitApply(object)) => list.extend(self.decoded(object)),
                Ok(Event::InitDone) => {
                    tracing::debug!(%kind, objects = list.len(), "listed");
                    let changes = self
                        .cache
                        .replace(self.namespace.as_ref(), std::mem::take(&mut list));
                    changes.into_iter().for_each(&on_change);
                    self.synced.cancel();
                }
                Ok(Event::Apply(object)) => {
                    let key = ObjectKey::of(&object);
                    let uid = object.meta().uid.clone();
                    on_change(match self.decoded(object) {
                        Some(object) => self.cache.put(object),
                        None => self.cache.remove(&key, uid.as_ref()),
                    });
                }
                Ok(Event::Delete(object)) => {
                    on_change(
                        self.cache
                            .remove(&ObjectKey::of(&object), object.meta().uid.as_ref()),
                    );
                }
                Err(error) => {
                    tracing::warn!(%kind, error = %super::chain(&error), "the watch failed and is retried");
                }
            }
        }
    }

    /// The object without what no controller needs, or `None` if it is not of the expected form.
    fn decoded(&self, object: DeserializeGuard<K>) -> Option<K> {
        match object.0 {
            Ok(mut object) => {
                object.meta_mut().managed_fields = None;
                Some(object)
            }
            Err(invalid) => {
                let kind = K::kind(&());
                let namespace = invalid.metadata.namespace.as_deref();
                let name = invalid.metadata.name.as_deref();
                let error = invalid.error;
                tracing::error!(%kind, namespace, name, %error, "the object does not decode and is set aside");
                self.metrics.undecodable(&kind);
                None
            }
        }
    }
}
