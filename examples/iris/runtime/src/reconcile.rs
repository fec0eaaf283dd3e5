//! One call of a controller's reconciler: measured, bounded in time, with panics kept in and failures reported.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use kube::Resource as _;
use kube::runtime::events::EventType;
use tokio::time::{Duration, Instant};
use tracing::{Instrument as _, debug, error, info_span};

use crate::backoff::Backoff;
use crate::contention;
use crate::context::{Context, Shared};
use crate::errors::{ApplyError, BoxError, Result, Stale, TerminalError, find};
use crate::metrics::Metrics;
use crate::object::{Object, ObjectKey};
use crate::pause;

/// What a reconcile that succeeded asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To wait for a change, or for `--sync-period` to pass.
    AwaitChange,
    /// To be called again after this time at the latest.
    Requeue(Duration),
}

impl Action {
    /// The same, but to be called again after `limit` at the latest, if there is one.
    fn within(self, limit: Option<Duration>) -> Self {
        match (self, limit) {
            (action, None) => action,
            (Self::AwaitChange, Some(limit)) => Self::Requeue(limit),
            (Self::Requeue(delay), Some(limit)) => Self::Requeue(delay.min(limit)),
        }
    }
}

/// Brings the cluster closer to what objects of one kind say: what the user of this library writes.
pub trait Reconciler: Send + Sync + 'static {
    /// The kind.
    type Object: Object;

    /// Brings the cluster closer to what `object` says. It is called when the object changes, when what it owns or is
    /// mapped to does, and once in each `--sync-period`; never twice at a time for one object.
    ///
    /// # Errors
    /// A failure is reported by a Warning, and tried again later and later. What is [`Stale`] is tried again in a moment,
    /// and a [`TerminalError`] when the object changes.
    fn reconcile(
        &self,
        object: &Self::Object,
        context: &Context<Self::Object>,
    ) -> impl Future<Output = Result> + Send;

    /// The object is gone, so that what is kept about it, such as metrics of its own, can go too. It may be called more
    /// than once.
    fn gone(&self, key: &ObjectKey) {
        let _ = key;
    }
}

/// Why a reconcile failed, as one word for programs and for people.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: &'static str,
    note: String,
    kind: Kind,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Ordinary,
    Terminal,
    /// Something else was found than was known.
    Stale,
    /// Something belongs to somebody else.
    Taken,
}

/// Reason of a reconcile that panicked.
pub(crate) const PANICKED: &str = "ReconcilePanicked";
/// Reason of one that took too long.
pub(crate) const TIMED_OUT: &str = "ReconcileTimedOut";

/// How soon to look again whether what is in the way is gone.
const TAKEN_RETRY: Duration = Duration::from_secs(10);
/// How often in a row an object may be stale before that is a failure.
const STALE_LIMIT: u32 = 5;

/// What the calls of one reconciler have in common.
pub(crate) struct Caller<R: Reconciler> {
    pub(crate) name: &'static str,
    pub(crate) reconciler: R,
    pub(crate) shared: Arc<Shared<R::Object>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) backoff: Backoff,
    pub(crate) timeout: Duration,
    pub(crate) sync_period: Duration,
}

impl<R: Reconciler> Caller<R> {
    /// Calls the reconciler for `object`; the result is the time after which to call it again.
    pub(crate) async fn call(self: Arc<Self>, object: Arc<R::Object>) -> Duration {
        let key = ObjectKey::of(&*object);
        let reconcile_id = format!("{:016x}", self.shared.environment.random());
        let ObjectKey { namespace, name } = &key;
        let span = info_span!("reconcile", controller = self.name, namespace, name, reconcile_id);
        let context = Context::new(object, self.shared.clone());
        async move {
            let begin = Instant::now();
            self.metrics.begin(self.name);
            let result = self.bounded(&context).await;
            self.metrics.end(self.name, &result, begin.elapsed());
            match result {
                Ok(action) => {
                    self.backoff.reset(&key);
                    // Nothing heard is not proof that nothing happened.
                    let resync = self.shared.environment.jittered(self.sync_period);
                    if let Action::Requeue(delay) = action { delay.min(resync) } else { resync }
                }
                Err(failure) => self.after(failure, &context),
            }
        }
        .instrument(span)
        .await
    }

    /// The delay after a failure, which is reported.
    fn after(&self, failure: Failure, context: &Context<R::Object>) -> Duration {
        let Failure { reason, note, kind } = failure;
        let (count, delay) = self.backoff.after_failure(context.object.meta());
        if kind == Kind::Stale && count < STALE_LIMIT {
            debug!("something else was found than was known here; trying again");
            return delay;
        }
        error!(error = note, "reconcile failed");
        // What went on being stale has failed before, though nobody was told.
        if count == 1 || (kind == Kind::Stale && count == STALE_LIMIT) {
            let generation = context.object.meta().generation.unwrap_or_default();
            context.publish(None, EventType::Warning, reason, note, &generation.to_string());
        }
        match kind {
            Kind::Ordinary | Kind::Stale => delay,
            Kind::Terminal => self.shared.environment.jittered(self.sync_period),
            Kind::Taken => delay.max(TAKEN_RETRY),
        }
    }

    async fn bounded(&self, context: &Context<R::Object>) -> Result<Action, Failure> {
        // The call itself may panic too, before there is a future, and so may the error's text.
        let call = async {
            if let Some(action) = pause::pause(context).await {
                return Ok(action);
            }
            match self.reconciler.reconcile(&context.object, context).await {
                Ok(action) => Ok(action.within(contention::tell(context).await)),
                Err(error) => Err(Failure {
                    kind: Kind::of(&error),
                    reason: "ReconcileFailed",
                    note: error.to_string(),
                }),
            }
        };
        let failed = |reason, note| Err(Failure { reason, note, kind: Kind::Ordinary });
        match tokio::time::timeout(self.timeout, AssertUnwindSafe(call).catch_unwind()).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => failed(PANICKED, format!("panicked: {}", message(panic.as_ref()))),
            Err(_) => failed(TIMED_OUT, format!("no result after {:?}", self.timeout)),
        }
    }
}

impl Kind {
    fn of(error: &BoxError) -> Self {
        if find::<Stale>(error).is_some() {
            Self::Stale
        } else if find::<TerminalError>(error).is_some() {
            Self::Terminal
        } else if matches!(find(error), Some(ApplyError::Taken { .. })) {
            Self::Taken
        } else {
            Self::Ordinary
        }
    }
}

impl Failure {
    /// Whether it counts as an error: what was stale is looked at again, and no more.
    pub(crate) fn is_error(&self) -> bool {
        self.kind != Kind::Stale
    }

    /// Whether trying again does not help.
    pub(crate) fn is_terminal(&self) -> bool {
        self.kind == Kind::Terminal
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::future::pending;

    use crate::Options;
    use crate::echo::Echoes;
    use crate::environment::Environment;
    use crate::events::Recorder;
    use crate::leader::Fence;
    use crate::store::Store;
    use axum::http::{Request, Response};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Client;
    use kube::client::Body;
    use tower::service_fn;

    /// A reconciler that does what a function does.
    pub(crate) struct Fn<F>(pub(crate) F);

    impl<F, T> Reconciler for Fn<F>
    where
        F: std::ops::Fn(ObjectKey) -> T + Send + Sync + 'static,
        T: Future<Output = Result> + Send,
    {
        type Object = ConfigMap;

        fn reconcile(
            &self,
            object: &ConfigMap,
            _: &Context<ConfigMap>,
        ) -> impl Future<Output = Result> + Send {
            (self.0)(ObjectKey::of(object))
        }
    }

    /// A caller whose API server never answers, and whose store has what the test puts there.
    pub(crate) fn caller<R: Reconciler<Object = ConfigMap>>(reconciler: R) -> Arc<Caller<R>> {
        let silent = service_fn(|_: Request<Body>| pending::<Result<Response<Body>, BoxError>>());
        let client = Client::new(silent, "test");
        let timings = Options::for_tests([]).timings;
        let store = Store::new((), true);
        store.keep_all();
        let shared = Shared {
            recorder: Recorder::new(client.clone(), "test", Environment::default()).0,
            client,
            field_manager: "test-controller".to_owned(),
            fence: Fence::default(),
            store,
            echoes: Arc::new(Echoes::new(Arc::default())),
            environment: Environment::default(),
        };
        Arc::new(Caller {
            name: "test",
            reconciler,
            shared: Arc::new(shared),
            metrics: Arc::default(),
            backoff: Backoff::default(),
            timeout: timings.reconcile_timeout,
            sync_period: timings.sync_period,
        })
    }

    /// An error that cannot say what it is.
    #[derive(Debug, thiserror::Error)]
    struct Speechless;

    impl std::fmt::Display for Speechless {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }

    async fn outcome(call: fn() -> Result) -> Result<(Action, Duration), Failure> {
        let caller = caller(Fn(move |_| async move {
            tokio::task::yield_now().await;
            call()
        }));
        let context = Context::new(Arc::default(), caller.shared.clone());
        let delay = caller.clone().call(Arc::default()).await;
        caller.bounded(&context).await.map(|action| (action, delay))
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_a_reconcile_does_is_a_result() {
        assert!(outcome(|| Ok(Action::AwaitChange)).await.is_ok());
        let failed = outcome(|| Err("refused".into())).await.expect_err("a failure");
        assert_eq!((failed.reason, failed.note.as_str()), ("ReconcileFailed", "refused"));
        let panicked = outcome(|| panic!("no {}", "way")).await.expect_err("a failure");
        assert_eq!((panicked.reason, panicked.note.as_str()), (PANICKED, "panicked: no way"));
        let speechless = outcome(|| Err(Speechless.into())).await.expect_err("a failure");
        assert_eq!((speechless.reason, speechless.note.as_str()), (PANICKED, "panicked: no words"));
        let stuck = caller(Fn(|_| pending()));
        let context = Context::new(Arc::default(), stuck.shared.clone());
        assert_eq!(stuck.bounded(&context).await.expect_err("a failure").reason, "ReconcileTimedOut");
    }

    #[tokio::test(start_paused = true)]
    async fn what_kind_of_failure_it_is_says_when_to_try_again() {
        let resync = Options::for_tests([]).timings.sync_period;
        let delay = async |error: fn() -> BoxError| {
            let caller = caller(Fn(move |_| std::future::ready(Err(error()))));
            let delay = caller.clone().call(Arc::default()).await;
            let errors = "controller_runtime_reconcile_errors_total{controller=\"test\"} 1";
            (delay, caller.metrics.text().contains(errors))
        };
        let between = |(delay, is_error): (Duration, bool), low: Duration, counts: bool| {
            assert!(delay >= low && delay <= low.mul_f64(1.2) && is_error == counts, "{delay:?} {is_error}");
        };
        between(delay(|| "ordinary".into()).await, Duration::from_secs(1), true);
        between(delay(|| Stale.into()).await, Duration::from_secs(1), false);
        between(delay(|| TerminalError::new("never").into()).await, resync, true);
        let taken = || ApplyError::Taken { kind: "Secret".into(), key: ObjectKey::default() }.into();
        between(delay(taken).await, TAKEN_RETRY, true);
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_is_put_off_for_ever() {
        let resync = Options::for_tests([]).timings.sync_period;
        for (asked, expected) in [(Duration::MAX, resync), (Duration::from_secs(1), Duration::from_secs(1))] {
            let caller = caller(Fn(move |_| std::future::ready(Ok(Action::Requeue(asked)))));
            let delay = caller.call(Arc::default()).await;
            assert!(delay >= expected && delay <= expected.mul_f64(1.2), "{delay:?}");
        }
    }
}
