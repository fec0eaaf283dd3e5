//! Where the time of day and random numbers come from: the operating system, unless the manager is given others. Delays
//! are measured by tokio's clock.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::Duration;

/// How much longer than asked for a jittered delay may be.
pub(crate) const JITTER: f64 = 1.2;

/// What one manager takes from outside.
#[derive(Clone)]
pub(crate) struct Environment {
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    random: Arc<Mutex<u64>>,
}

impl Default for Environment {
    fn default() -> Self {
        // A hasher's keys are randomness enough for this.
        Self {
            clock: Arc::new(SystemTime::now),
            random: Arc::new(Mutex::new(RandomState::new().hash_one(0))),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

impl Environment {
    pub(crate) fn set_clock(&mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) {
        self.clock = Arc::new(clock);
    }

    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.random = Arc::new(Mutex::new(seed));
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        // Only years that nobody lives in have no time stamp.
        Timestamp::try_from((self.clock)()).unwrap_or_default()
    }

    /// Another number each time (Vigna's `splitmix64`).
    pub(crate) fn random(&self) -> u64 {
        let mut state = self.random.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `delay` and up to a fifth more.
    pub(crate) fn jittered(&self, delay: Duration) -> Duration {
        let random = u16::try_from(self.random() % 1000).unwrap_or_default();
        delay.mul_f64(1.0 + (JITTER - 1.0) * f64::from(random) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    use crate::reconcile::tests::Fn;
    use crate::{Manager, Options};
    use axum::body::Body;
    use axum::http::{Method, Request, Response};
    use futures::FutureExt as _;
    use kube::Client;
    use serde_json::{Value, json};
    use tokio::time::{Instant, sleep};
    use tower::{BoxError, service_fn};

    /// When a request came, and what it was.
    type Log = Arc<Mutex<Vec<(Duration, String)>>>;

    /// An API server that has three `ConfigMap`s, takes what is written, and tells of nothing.
    fn server(log: &Log) -> Client {
        let (log, begun) = (log.clone(), Instant::now());
        let answer = move |request: Request<kube::client::Body>| {
            let log = log.clone();
            async move {
                let (method, uri) = (request.method().clone(), request.uri().to_string());
                let body = request.into_body().collect_bytes().await?;
                log.lock()
                    .push((begun.elapsed(), format!("{method} {uri} {}", String::from_utf8_lossy(&body))));
                if uri.contains("watch=true") {
                    return pending().await;
                }
                let object = |name: &str| {
                    json!({ "metadata": { "namespace": "a", "name": name, "uid": name,
                    "resourceVersion": "1" } })
                };
                let (code, body) = if method != Method::GET {
                    let mut body: Value = serde_json::from_slice(&body)?;
                    body["metadata"]["resourceVersion"] = json!("2");
                    (200, body)
                } else if uri.contains("/configmaps") {
                    let items = ["x", "y", "z"].map(object);
                    (200, json!({ "metadata": { "resourceVersion": "1" }, "items": items }))
                } else {
                    (404, json!({ "code": 404, "status": "Failure", "message": "", "reason": "NotFound" }))
                };
                let answer = Response::builder().status(code).body(Body::from(body.to_string()));
                Ok::<_, BoxError>(answer?)
            }
        };
        Client::new(service_fn(answer), "a")
    }

    /// What a manager whose reconciles fail asks for in ten minutes of virtual time.
    async fn history(seed: u64) -> Vec<(Duration, String)> {
        let (log, begun) = (Log::default(), Instant::now());
        let flags = [
            "--leader-elect",
            "--leader-election-namespace=a",
            "--watch-namespace=a",
            "--metrics-bind-address=0",
            "--health-probe-bind-address=0",
        ];
        let manager = Manager::builder("test", Options::for_tests(flags))
            .client(server(&log))
            .identity("one")
            .shutdown(sleep(Duration::from_secs(600)))
            .clock(move || SystemTime::UNIX_EPOCH + begun.elapsed())
            .seed(seed);
        let mut manager = manager.build().await.expect("a manager");
        manager.controller("test").run(Fn(|_| ready(Err("it fails".into())).boxed()));
        manager.run().await.expect("an end");
        log.lock().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_seed_and_clock_give_the_same_history() {
        let (first, second, other) = (history(1).await, history(1).await, history(2).await);
        assert!(first.len() > 100, "{first:#?}");
        assert_eq!(first, second);
        assert_ne!(first, other);
        let times = |field: &str| {
            let all = first.iter().filter(|(_, request)| request.contains(field));
            (
                all.clone().count(),
                all.filter(|(_, request)| request.contains(&format!("\"{field}\":\"1970-01-01T00:"))).count(),
            )
        };
        for field in ["renewTime", "acquireTime", "eventTime"] {
            let (all, given) = times(field);
            assert!(all > 0 && all == given, "{field}: {given} of {all} are the clock's");
        }
    }
}
