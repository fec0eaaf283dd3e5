//! What happens to every request to the API server: it is answered in time or given up together with its connection,
//! counted once however often kube sends it when the server is too busy, and not sent at all when it would write and this
//! process does not lead.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{HeaderValue, USER_AGENT};
use axum::http::{Method, Request};
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, sleep};
use tower::{BoxError, service_fn};

use crate::connection::Connection;
use crate::leader::Fence;
use crate::metrics::Metrics;

/// A client for what writes only while this process leads, or, if nothing ever closes the `fence`, for what may always.
///
/// Requests say that they come from `agent`, unless they say otherwise.
///
/// An answer must begin within `limit`. What follows is up to whoever asked: a watch goes on. A write is given up when
/// this process ceases to lead, because kube sends it again when the server is too busy.
pub(crate) fn limited(
    connection: Connection,
    host: Arc<str>,
    limit: Duration,
    metrics: Arc<Metrics>,
    fence: Fence,
    agent: &str,
) -> Client {
    let agent = HeaderValue::from_str(agent).ok();
    let namespace = connection.default_namespace().to_owned();
    let send = move |mut request: Request<Body>| {
        if let Some(agent) = &agent {
            request.headers_mut().entry(USER_AGENT).or_insert_with(|| agent.clone());
        }
        let (connection, host) = (connection.clone(), host.clone());
        let (metrics, fence) = (metrics.clone(), fence.clone());
        async move {
            let (method, begun) = (request.method().clone(), Instant::now());
            let answer = async {
                let (client, unanswered) = connection.request().await;
                let answer = tokio::select! {
                    biased;
                    answer = client.send(request) => answer,
                    () = sleep(limit) => {
                        unanswered.timed_out();
                        return Err(format!("no answer from the API server within {limit:?}").into());
                    }
                };
                unanswered.answered();
                answer.map_err(BoxError::from)
            };
            let answer = tokio::select! {
                // Looked at first, because to look at the answer may be to send the request, if it was held back.
                biased;
                () = fence.closed(), if method != Method::GET => Err("given up: this process leads no more".into()),
                answer = answer => answer,
            };
            let code = answer.as_ref().map_or("<error>".into(), |answer| answer.status().as_str().to_owned());
            metrics.request(&method, code, &host, begun.elapsed());
            answer
        }
    };
    Client::new(service_fn(send), namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Response;
    use std::future::pending;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_write_is_given_up_when_the_lead_may_end() {
        let silent = Client::new(service_fn(|_| pending::<Result<Response<Body>, BoxError>>()), "test");
        let fence = Fence::default();
        let client = limited(
            silent.clone().into(),
            "".into(),
            Duration::from_secs(60),
            Arc::default(),
            fence.clone(),
            "test",
        );
        let write = || async {
            let request = Request::post("/").body(Body::empty()).expect("a request");
            let answer = timeout(Duration::from_secs(5), client.send(request)).await.expect("an end");
            match answer.expect_err("an error") {
                kube::Error::Service(error) => error.to_string(),
                error => panic!("{error}"),
            }
        };
        let given_up = "given up: this process leads no more";
        fence.open_until(Instant::now() + Duration::from_millis(50));
        assert_eq!(write().await, given_up, "nobody has renewed the lead");
        assert_eq!(write().await, given_up);
        fence.open_until(Instant::now() + Duration::from_secs(60));
        let lose = async {
            sleep(Duration::from_millis(50)).await;
            fence.open_until(Instant::now());
        };
        assert_eq!(tokio::join!(write(), lose).0, given_up, "somebody else has taken the lead");
        let short = limited(
            silent.into(),
            "".into(),
            Duration::from_millis(50),
            Arc::default(),
            Fence::default(),
            "test",
        );
        let error = short.send(Request::get("/").body(Body::empty()).expect("a request")).await;
        assert!(error.expect_err("an error").to_string().contains("no answer"));
    }
}
