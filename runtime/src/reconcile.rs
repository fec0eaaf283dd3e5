//! One call of a controller's `reconcile`: measured, bounded in time, with panics kept in and failures reported.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt as _};
use tracing::{Instrument as _, error, info_span};

use crate::backoff::{jittered, random};
use crate::controller::Hub;
use crate::watch::{Watched, key};

/// What a `reconcile` that succeeded asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To wait for a change, or for `--sync-period` to pass.
    AwaitChange,
    /// To be called again after this time at the latest.
    Requeue(Duration),
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The user's reconcile with its types forgotten.
pub(crate) type Call<K> = dyn Fn(Arc<K>) -> BoxFuture<'static, Result<Action, BoxError>> + Send + Sync;

/// Why a reconcile failed, as one word for programs and for people.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) &'static str, String);

/// Reason of a reconcile that panicked.
pub(crate) const PANICKED: &str = "ReconcilePanicked";

/// Calls the user's reconcile for `object`; the result is the time after which to call it again.
pub(crate) async fn reconcile<K: Watched>(object: Arc<K>, hub: Arc<Hub>, call: Arc<Call<K>>) -> Duration {
    let key = key(object.meta());
    let reconcile_id = format!("{:016x}", random());
    let span = info_span!("reconcile", controller = hub.name, namespace = key.0, name = key.1, reconcile_id);
    async move {
        let begin = Instant::now();
        hub.metrics.begin(hub.name);
        let result = bounded(object.clone(), hub.timings.reconcile_timeout, call).await;
        hub.metrics.end(hub.name, &result, begin.elapsed());
        let Failure(reason, note) = match result {
            Ok(action) => {
                hub.backoff.reset(&key);
                // Nothing heard is not proof that nothing happened.
                let resync = jittered(hub.timings.sync_period);
                return if let Action::Requeue(delay) = action { delay.min(resync) } else { resync };
            }
            Err(failure) => failure,
        };
        error!(error = note, "reconcile failed");
        let (is_first, delay) = hub.backoff.after_failure(object.meta());
        if is_first {
            hub.warn(object, reason, note);
        }
        delay
    }
    .instrument(span)
    .await
}

async fn bounded<K: Watched>(object: Arc<K>, limit: Duration, call: Arc<Call<K>>) -> Result<Action, Failure> {
    // The call itself may panic too, before there is a future, and so may the error's text.
    let call = async move { call(object).await.map_err(|error| error.to_string()) };
    match tokio::time::timeout(limit, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(result)) => result.map_err(|note| Failure("ReconcileFailed", note)),
        Ok(Err(panic)) => Err(Failure(PANICKED, format!("panicked: {}", message(panic.as_ref())))),
        Err(_) => Err(Failure("ReconcileTimedOut", format!("no result after {limit:?}"))),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, Response};
    use futures::future::{pending, ready};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Client;
    use kube::client::Body;
    use tower::service_fn;

    /// An error that cannot say what it is.
    #[derive(Debug, thiserror::Error)]
    struct Speechless;

    impl std::fmt::Display for Speechless {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }

    async fn outcome(call: fn() -> Result<Action, std::io::Error>) -> Result<Action, Failure> {
        let call: Arc<Call<ConfigMap>> = Arc::new(move |_| {
            async move {
                tokio::task::yield_now().await;
                call().map_err(Into::into)
            }
            .boxed()
        });
        bounded(Arc::new(ConfigMap::default()), Duration::from_secs(5), call).await
    }

    #[tokio::test]
    async fn whatever_a_reconcile_does_is_a_result() {
        assert!(outcome(|| Ok(Action::AwaitChange)).await.is_ok());
        let failed = outcome(|| Err(std::io::Error::other("refused"))).await.expect_err("a failure");
        assert_eq!((failed.0, failed.1.as_str()), ("ReconcileFailed", "refused"));
        let panicked = outcome(|| panic!("no {}", "way")).await.expect_err("a failure");
        assert_eq!((panicked.0, panicked.1.as_str()), (PANICKED, "panicked: no way"));
        let speechless = outcome(|| Err(std::io::Error::other(Speechless))).await.expect_err("a failure");
        assert_eq!((speechless.0, speechless.1.as_str()), (PANICKED, "panicked: no words"));
        let stuck: Arc<Call<ConfigMap>> = Arc::new(|_| pending().boxed());
        let late = bounded(Arc::default(), Duration::from_millis(1), stuck).await.expect_err("a failure");
        assert_eq!(late.0, "ReconcileTimedOut");
    }

    #[tokio::test]
    async fn no_call_is_put_off_for_ever() {
        let server = service_fn(|_: Request<Body>| pending::<Result<Response<Body>, BoxError>>());
        let hub = Hub::for_tests(Client::new(server, "test"), ["a"]);
        let resync = hub.timings.sync_period;
        for (asked, expected) in [(Duration::MAX, resync), (Duration::from_secs(1), Duration::from_secs(1))] {
            let call: Arc<Call<ConfigMap>> = Arc::new(move |_| ready(Ok(Action::Requeue(asked))).boxed());
            let delay = reconcile(Arc::default(), hub.clone(), call).await;
            assert!(delay >= expected && delay <= expected.mul_f64(1.2), "{delay:?}");
        }
    }
}
