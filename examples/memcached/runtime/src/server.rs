//! The HTTP servers for health probes and metrics.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::{Router, middleware::from_fn_with_state, routing::get};
use axum_server::Server;
use axum_server::tls_rustls::RustlsAcceptor;
use futures::future::{BoxFuture, FutureExt as _, ready};
use kube::Client;
use tracing::{debug, info};

use crate::health::Health;
use crate::metrics::Metrics;
use crate::{Error, Options, auth, tls};

/// How long a client may take over its request's head, or over TLS.
const PATIENCE: Duration = Duration::from_secs(10);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves for as long as it runs.
type Serving = BoxFuture<'static, ()>;

/// Serves `/healthz` and `/readyz`.
pub(crate) fn health(options: &Options, health: Health) -> Result<Serving, Error> {
    let routes =
        Router::new().route("/healthz", get("ok\n")).route("/readyz", get(move || ready(health.ready())));
    let server = listen(&options.health_probe_bind_address, false)?;
    Ok(server.serve(routes.into_make_service()).map(drop).boxed())
}

/// Serves `/metrics`, over TLS and to those who may read them if the flags say so.
pub(crate) async fn metrics(
    options: &Options,
    client: Client,
    metrics: Arc<Metrics>,
) -> Result<Serving, Error> {
    let (address, secure) = (&options.metrics_bind_address, options.metrics_secure);
    let text = move || ready(([(CONTENT_TYPE, OPEN_METRICS)], metrics.text()));
    let routes = Router::new().route("/metrics", get(text));
    let server = listen(address, options.enable_http2)?;
    info!(addr = address, path = "/metrics", secure, "starting metrics server");
    if !secure {
        return Ok(server.serve(routes.into_make_service()).map(drop).boxed());
    }
    let routes = routes.route_layer(from_fn_with_state(client, auth::check));
    let config = tls::config(options).await.map_err(Error::because("cannot use the metrics' certificate"))?;
    let acceptor = RustlsAcceptor::new(config).handshake_timeout(PATIENCE);
    Ok(server.acceptor(acceptor).serve(routes.into_make_service()).map(drop).boxed())
}

fn listen(address: &str, http2: bool) -> Result<Server<SocketAddr>, Error> {
    let server = bind(address).and_then(axum_server::from_tcp);
    let server = server.map_err(Error::because(format!("cannot listen on `{address}`")))?;
    let log = |_: Option<&_>, error: &_| debug!(%error, "cannot accept a connection");
    let mut server = server.first_request_timeout(PATIENCE).accept_error_handler(log);
    server.http_builder().http1().header_read_timeout(PATIENCE);
    Ok(if http2 { server } else { server.http1_only() })
}

/// Binds `host:port`; without a host, all addresses of the machine.
fn bind(address: &str) -> std::io::Result<TcpListener> {
    if !address.starts_with(':') {
        return TcpListener::bind(address);
    }
    // A socket on the IPv6 wildcard takes IPv4 too, unless the machine has no IPv6.
    TcpListener::bind(format!("[::]{address}")).or_else(|_| TcpListener::bind(format!("0.0.0.0{address}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    /// How every connection begins on which HTTP/2 is spoken, with a frame of no settings (RFC 9113, section 3.4).
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    #[tokio::test]
    async fn http2_is_spoken_when_asked_for() {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        for (http2, type_) in [(false, None), (true, Some(4))] {
            let server = listen(&free.to_string(), http2).expect("a server");
            let serving = tokio::spawn(server.serve(Router::new().into_make_service()));
            let mut stream = TcpStream::connect(free).await.expect("a connection");
            stream.write_all(PREFACE).await.expect("sent");
            let mut head = [0; 9];
            let read = stream.read_exact(&mut head).await;
            // The fourth byte of a frame says what it is: settings.
            let frame = read.is_ok_and(|_| !head.starts_with(b"HTTP/1.1")).then_some(head[3]);
            assert_eq!(frame, type_);
            serving.abort();
            let _ = serving.await;
        }
    }
}
