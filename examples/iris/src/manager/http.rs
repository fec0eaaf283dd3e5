//! A small HTTP/1.1 server for health and metrics, plain or over TLS.

use super::{BindAddress, Error};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Time for a TLS handshake and for the header of a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, whole and as text.
pub type Answer = Response<String>;

/// Listens at the first of the addresses that can be had; `None` when there is none.
pub async fn bind(address: &BindAddress) -> Result<Option<TcpListener>, Error> {
    let mut failure = None;
    for candidate in &address.0 {
        match TcpListener::bind(candidate).await {
            Ok(listener) => return Ok(Some(listener)),
            Err(source) => {
                failure = Some(Error::Io {
                    action: format!("listen on `{candidate}`"),
                    source,
                });
            }
        }
    }
    failure.map_or(Ok(None), Err)
}

/// Answers requests until dropped.
pub async fn serve<F, Fut>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: F)
where
    F: Fn(Request<Incoming>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send,
{
    let handler = Arc::new(handler);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back.
                tracing::warn!(%error, "could not accept a connection");
                sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let (tls, handler) = (tls.clone(), Arc::clone(&handler));
        tokio::spawn(async move {
            let service = service_fn(|request| async { Ok::<_, Infallible>(handler(request).await) });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // What a client does wrong is the client's to report.
            let _ = match tls {
                Some(tls) => match timeout(PATIENCE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => server.serve_connection(TokioIo::new(stream), service).await,
                    _ => return,
                },
                None => server.serve_connection(TokioIo::new(stream), service).await,
            };
        });
    }
}

/// An answer of this status and text.
#[must_use]
pub fn answer(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(text);
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    answer
}

/// An answer of plain text.
#[must_use]
pub fn text(status: StatusCode, text: impl Into<String>) -> Answer {
    answer(status, "text/plain; charset=utf-8", text.into())
}
