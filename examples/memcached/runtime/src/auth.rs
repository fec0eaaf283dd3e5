//! Who may read the metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header::AUTHORIZATION};
use axum::middleware::Next;
use axum::response::Response;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, timeout};

use crate::bounded::forget_oldest;

/// How long it is remembered whose a token is, and what somebody may and may not: controller-runtime's values.
const KNOWN: Duration = Duration::from_secs(60);
const ALLOWED: Duration = Duration::from_secs(300);
const DENIED: Duration = Duration::from_secs(30);
/// How long it is remembered after that who was known.
const KEPT: Duration = Duration::from_secs(600);
/// Of how many that is remembered.
const REMEMBERED: usize = 1000;
/// How many requests the API server is asked about at a time: whoever sends tokens that nobody knows must not keep it, or
/// this process, from its work. Those whom it knew before have room of their own.
const AT_ONCE: usize = 8;
/// How long they wait: less than Prometheus does.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why a request is not passed on.
type Refusal = (StatusCode, String);

/// Asks the API server about those who send requests, and remembers what it said for a while.
pub(crate) struct Reviewer {
    client: Client,
    /// A token must be meant for one of these; for the API server if there are none.
    audiences: Vec<String>,
    strangers: Semaphore,
    others: Semaphore,
    users: Cache<UserInfo>,
    verdicts: Cache<bool>,
}

impl Reviewer {
    pub(crate) fn new(client: Client, audiences: Vec<String>) -> Self {
        let (strangers, others) = (Semaphore::new(AT_ONCE), Semaphore::new(AT_ONCE));
        Self { client, audiences, strangers, others, users: Cache::default(), verdicts: Cache::default() }
    }

    /// Fails unless whoever has the token may do so.
    async fn review(&self, token: &str, attributes: NonResourceAttributes) -> Result<(), Refusal> {
        let user = match self.users.get(token) {
            Some(user) => user,
            None => self.user(token).await?,
        };
        let spec = SubjectAccessReviewSpec {
            user: user.username,
            uid: user.uid,
            groups: user.groups,
            extra: user.extra,
            non_resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        let question = serde_json::to_string(&spec).unwrap_or_default();
        let is_allowed = match self.verdicts.get(&question) {
            Some(verdict) => verdict,
            None => self.verdict(&question, spec).await?,
        };
        if is_allowed { Ok(()) } else { Err((StatusCode::FORBIDDEN, "not allowed\n".to_owned())) }
    }

    async fn user(&self, token: &str) -> Result<UserInfo, Refusal> {
        let audiences = Some(self.audiences.clone()).filter(|audiences| !audiences.is_empty());
        let spec = TokenReviewSpec { token: token.to_owned().into(), audiences };
        // Nobody waits behind strangers, and they do not wait at all.
        let _permit = if self.users.has(token) {
            self.others.acquire().await.ok()
        } else {
            let full = |_| unclear("too many tokens are being looked at");
            Some(self.strangers.try_acquire().map_err(full)?)
        };
        let reviewed = self.ask(TokenReview { spec, ..TokenReview::default() }).await?;
        let status = reviewed.status.filter(|status| status.authenticated == Some(true));
        // A server that knows nothing of audiences has not looked at them.
        let is_meant = |audience: &String| self.audiences.contains(audience);
        let status = status
            .filter(|status| self.audiences.is_empty() || status.audiences.iter().flatten().any(is_meant));
        let user = status.and_then(|status| status.user).ok_or_else(unknown)?;
        self.users.put(token, user.clone(), KNOWN);
        Ok(user)
    }

    async fn verdict(&self, question: &str, spec: SubjectAccessReviewSpec) -> Result<bool, Refusal> {
        let _permit = self.others.acquire().await;
        let reviewed = self.ask(SubjectAccessReview { spec, ..SubjectAccessReview::default() }).await?;
        let is_allowed = reviewed.status.is_some_and(|status| status.allowed);
        self.verdicts.put(question, is_allowed, if is_allowed { ALLOWED } else { DENIED });
        Ok(is_allowed)
    }

    async fn ask<R>(&self, review: R) -> Result<R, Refusal>
    where
        R: kube::Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
            + serde::Serialize
            + serde::de::DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        Api::all(self.client.clone())
            .create(&PostParams::default(), &review)
            .await
            .map_err(|error| unclear(&error.to_string()))
    }
}

fn unclear(why: &str) -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
}

fn unknown() -> Refusal {
    (StatusCode::UNAUTHORIZED, "a valid bearer token is needed\n".to_owned())
}

/// Passes a request on if the API server knows who sends it and that they may do so: a request by GET is a `get` of its
/// path.
pub(crate) async fn check(
    State(reviewer): State<Arc<Reviewer>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let header = request.headers().get(AUTHORIZATION);
    let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).ok_or_else(unknown)?;
    let attributes = NonResourceAttributes {
        path: Some(request.uri().path().to_owned()),
        verb: Some(request.method().as_str().to_ascii_lowercase()),
    };
    let verdict = timeout(PATIENCE, reviewer.review(token.trim(), attributes)).await;
    verdict.unwrap_or_else(|_| Err(unclear("the API server does not answer")))?;
    Ok(next.run(request).await)
}

/// What is remembered, and until when.
struct Cache<V>(Mutex<BTreeMap<String, (V, Instant)>>);

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone> Cache<V> {
    fn get(&self, key: &str) -> Option<V> {
        let entries = self.0.lock();
        let (value, until) = entries.get(key)?;
        (*until > Instant::now()).then(|| value.clone())
    }

    /// Whether there is something about it, old as it may be.
    fn has(&self, key: &str) -> bool {
        self.0.lock().contains_key(key)
    }

    fn put(&self, key: &str, value: V, period: Duration) {
        let (now, mut entries) = (Instant::now(), self.0.lock());
        entries.retain(|_, (_, until)| *until + KEPT > now);
        forget_oldest(&mut entries, REMEMBERED - 1, |(_, until)| *until);
        entries.insert(key.to_owned(), (value, now + period));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use axum::body::Body;
    use axum::http;
    use axum::routing::get;
    use axum::{Router, middleware::from_fn_with_state};
    use futures::future::join_all;
    use serde_json::{Value, json};
    use tokio::time::advance;
    use tower::{BoxError, ServiceExt as _, service_fn};

    /// What the API server was asked, and whether it answers.
    #[derive(Default)]
    struct Server {
        tokens: AtomicUsize,
        accesses: AtomicUsize,
        is_away: AtomicBool,
    }

    /// The metrics of a manager whose API server knows tokens that begin with `known`, and lets `known-reader` get them.
    fn metrics(server: &Arc<Server>, audiences: Vec<String>) -> Router {
        let server = server.clone();
        let answer = move |request: http::Request<kube::client::Body>| {
            let server = server.clone();
            async move {
                if server.is_away.load(Ordering::Relaxed) {
                    return pending().await;
                }
                let body = request.into_body().collect_bytes().await?;
                let mut review: Value = serde_json::from_slice(&body)?;
                review["status"] = if let Some(token) = review["spec"]["token"].as_str() {
                    server.tokens.fetch_add(1, Ordering::Relaxed);
                    json!({ "authenticated": token.starts_with("known"), "user": { "username": token } })
                } else {
                    server.accesses.fetch_add(1, Ordering::Relaxed);
                    json!({ "allowed": review["spec"]["user"] == "known-reader" })
                };
                Ok::<_, BoxError>(http::Response::new(Body::from(review.to_string())))
            }
        };
        let reviewer = Arc::new(Reviewer::new(Client::new(service_fn(answer), "test"), audiences));
        Router::new().route("/metrics", get("text")).route_layer(from_fn_with_state(reviewer, check))
    }

    async fn ask(metrics: &Router, token: &str) -> u16 {
        let request = Request::get("/metrics").header(AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Body::empty()).expect("a request");
        metrics.clone().oneshot(request).await.expect("an answer").status().as_u16()
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_api_server_said_is_remembered_for_a_while() {
        let server = Arc::<Server>::default();
        let metrics = metrics(&server, Vec::new());
        let asked = || (server.tokens.load(Ordering::Relaxed), server.accesses.load(Ordering::Relaxed));
        for _ in 0..10 {
            assert_eq!((ask(&metrics, "known-reader").await, ask(&metrics, "known-other").await), (200, 403));
        }
        assert_eq!(asked(), (2, 2));
        for _ in 0..3 {
            assert_eq!(ask(&metrics, "stranger").await, 401);
        }
        assert_eq!(asked(), (5, 2), "nothing is remembered of those whom nobody knows");
        // As long as a verdict lasts, nothing depends on the API server.
        server.is_away.store(true, Ordering::Relaxed);
        assert_eq!(ask(&metrics, "known-reader").await, 200);
        let begun = Instant::now();
        assert_eq!(ask(&metrics, "known-third").await, 503);
        assert!(begun.elapsed() < Duration::from_secs(10), "Prometheus gives up after ten seconds");
        server.is_away.store(false, Ordering::Relaxed);
        advance(KNOWN).await;
        assert_eq!((ask(&metrics, "known-reader").await, ask(&metrics, "known-other").await), (200, 403));
        assert_eq!(asked(), (7, 3), "that somebody may is remembered longer than that he may not");
        advance(ALLOWED).await;
        assert_eq!(ask(&metrics, "known-reader").await, 200);
        assert_eq!(asked(), (8, 4));
    }

    #[tokio::test]
    async fn a_server_that_does_not_say_whom_a_token_is_meant_for_is_not_believed() {
        let metrics = metrics(&Arc::default(), vec!["metrics".to_owned()]);
        assert_eq!(ask(&metrics, "known-reader").await, 401);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_tokens_leaves_the_api_server_alone_and_those_in_who_are_known() {
        let server = Arc::<Server>::default();
        let metrics = metrics(&server, Vec::new());
        assert_eq!(ask(&metrics, "known-reader").await, 200);
        server.is_away.store(true, Ordering::Relaxed);
        let flood = join_all((0..1500).map(|number| {
            let metrics = metrics.clone();
            async move {
                let begun = Instant::now();
                assert_eq!(ask(&metrics, &format!("stranger-{number}")).await, 503);
                begun.elapsed()
            }
        }));
        let (flood, known) = futures::join!(flood, ask(&metrics, "known-reader"));
        assert_eq!(known, 200);
        let waited = flood.iter().filter(|waited| !waited.is_zero()).count();
        assert_eq!(waited, AT_ONCE, "all others are refused at once");
        let cache = Cache::default();
        for number in 0..2 * REMEMBERED {
            cache.put(&number.to_string(), (), KNOWN);
        }
        assert_eq!(cache.0.lock().len(), REMEMBERED);
    }
}
