//! The HTTP servers for health probes and metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::middleware::{AddExtension, from_fn_with_state};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};
use axum_server::Server;
use axum_server::accept::{Accept, DefaultAcceptor};
use axum_server::tls_rustls::RustlsAcceptor;
use futures::future::{BoxFuture, FutureExt as _, ready};
use kube::Client;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tower::Layer as _;
use tracing::{debug, info};

use crate::health::Health;
use crate::metrics::Metrics;
use crate::{Error, Options, auth, tls};

/// How long a client may take over its request's head, or over TLS.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of a request's head.
const HEAD: u16 = 16 << 10;
/// How many connections a server has at a time, and how many from one address. Others are closed at once, so that whoever
/// opens thousands neither uses up the memory nor keeps the kubelet out.
const CONNECTIONS: usize = 256;
const OF_ONE: usize = 64;

const METRICS: &str = "/metrics";
/// The forms of metrics, of which Prometheus' own is that of whoever does not ask for the other.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves for as long as it runs.
type Serving = BoxFuture<'static, ()>;

/// Serves `/healthz` and `/readyz`.
pub(crate) fn health(options: &Options, health: Health) -> Result<Serving, Error> {
    let alive = health.clone();
    let routes = Router::new()
        .route("/healthz", get(move || ready(alive.alive())))
        .route("/readyz", get(move || ready(health.ready())));
    let server = listen(&options.health_probe_bind_address, false)?;
    let acceptor = Bounded::new(DefaultAcceptor);
    Ok(server.acceptor(acceptor).serve(routes.into_make_service()).map(drop).boxed())
}

/// What the user serves beside the metrics.
pub(crate) fn routes(own: Vec<(String, MethodRouter)>) -> Result<Router, Error> {
    let mut paths = BTreeSet::from([METRICS.to_owned()]);
    let mut routes = Router::new();
    for (path, route) in own {
        // Braces, colons and asterisks mean more to axum than themselves.
        if !path.starts_with('/') || path.contains(['{', '}', ':', '*', '?', '#']) {
            let message = format!("`{path}` cannot be served; expected a path such as `/debug/queue`");
            return Err(Error::Setup(message));
        }
        if !paths.insert(path.clone()) {
            return Err(Error::Setup(format!("`{path}` is served twice")));
        }
        routes = routes.route(&path, route);
    }
    Ok(routes)
}

/// Serves `/metrics` and the user's own, over TLS and to those who may read them if the flags say so.
pub(crate) async fn metrics(
    options: &Options,
    client: Client,
    metrics: Arc<Metrics>,
    routes: Router,
) -> Result<Serving, Error> {
    let (address, secure) = (&options.metrics_bind_address, options.metrics_secure);
    let text = move |headers: HeaderMap| {
        let asked = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let is_open = asked.flat_map(|value| value.split(',')).any(is_open_metrics);
        ready(if is_open {
            ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text())
        } else {
            ([(CONTENT_TYPE, PLAIN)], metrics.plain_text())
        })
    };
    let routes = routes.route(METRICS, get(text));
    let server = listen(address, options.enable_http2)?;
    info!(addr = address, path = METRICS, secure, "starting metrics server");
    if !secure {
        let acceptor = Bounded::new(DefaultAcceptor);
        return Ok(server.acceptor(acceptor).serve(routes.into_make_service()).map(drop).boxed());
    }
    let reviewer = Arc::new(auth::Reviewer::new(client, options.metrics_token_audiences.clone()));
    let routes = routes.route_layer(from_fn_with_state(reviewer, auth::check));
    let config = tls::config(options).await.map_err(Error::because("cannot use the metrics' certificate"))?;
    let acceptor = Bounded::new(RustlsAcceptor::new(config).handshake_timeout(PATIENCE));
    Ok(server.acceptor(acceptor).serve(routes.into_make_service()).map(drop).boxed())
}

/// Whether one of the media types that a client accepts is `OpenMetrics`.
fn is_open_metrics(accepted: &str) -> bool {
    let mut parts = accepted.split(';').map(str::trim);
    let is_named = parts.next() == OPEN_METRICS.split(';').next();
    is_named && !parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)))
}

fn listen(address: &str, http2: bool) -> Result<Server<SocketAddr>, Error> {
    let server = bind(address).and_then(axum_server::from_tcp);
    let server = server.map_err(Error::because(format!("cannot listen on `{address}`")))?;
    let log = |_: Option<&_>, error: &_| debug!(%error, "cannot accept a connection");
    let mut server = server.first_request_timeout(PATIENCE).accept_error_handler(log);
    let builder = server.http_builder();
    builder.http1().header_read_timeout(PATIENCE).max_buf_size(HEAD.into());
    builder.http2().max_header_list_size(HEAD.into());
    Ok(if http2 { server } else { server.http1_only() })
}

/// Accepts connections while there is room for them.
#[derive(Clone)]
struct Bounded<A> {
    acceptor: A,
    connections: Connections,
}

/// How many there are, by the address that they come from.
type Connections = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// A connection's place among those.
struct Place {
    connections: Connections,
    address: IpAddr,
}

impl Place {
    fn take(connections: &Connections, address: IpAddr) -> Option<Self> {
        let mut known = connections.lock();
        let of_one = known.get(&address).copied().unwrap_or_default();
        if of_one >= OF_ONE || known.values().sum::<usize>() >= CONNECTIONS {
            return None;
        }
        known.insert(address, of_one + 1);
        Some(Self { connections: connections.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut known = self.connections.lock();
        match known.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(known.remove(&self.address)),
        }
    }
}

impl<A> Bounded<A> {
    fn new(acceptor: A) -> Self {
        Self { acceptor, connections: Connections::default() }
    }
}

impl<A, S> Accept<TcpStream, S> for Bounded<A>
where
    A: Accept<TcpStream, S, Future: Send + 'static>,
{
    type Stream = A::Stream;
    /// The place is the connection's as long as its service lives.
    type Service = AddExtension<A::Service, Arc<Place>>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let address = stream.peer_addr().ok();
        let place = address.and_then(|address| Place::take(&self.connections, address.ip()));
        let accepting = place.map(|place| (place, self.acceptor.accept(stream, service)));
        async move {
            let (place, accepting) =
                accepting.ok_or_else(|| io::Error::other("there are too many connections"))?;
            let (stream, service) = accepting.await?;
            Ok((stream, Extension(Arc::new(place)).layer(service)))
        }
        .boxed()
    }
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

    /// The first line of what a server answers to a request with a header of that many bytes, if it answers.
    async fn answer(stream: &mut TcpStream, length: usize) -> Option<String> {
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(length));
        // It may be closed before all is sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.ok()?;
        (length > 12).then(|| String::from_utf8_lossy(&answer[..12]).into_owned())
    }

    #[tokio::test]
    async fn neither_long_heads_nor_many_connections_are_taken() {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        let options = Options::for_tests(["--health-probe-bind-address", &free.to_string()]);
        let serving = tokio::spawn(health(&options, Health::default()).expect("a server"));
        let connect = async || TcpStream::connect(free).await.expect("a connection");
        let mut first = connect().await;
        assert_eq!(answer(&mut first, 8 << 10).await.as_deref(), Some("HTTP/1.1 200"));
        let long = answer(&mut connect().await, usize::from(HEAD)).await;
        assert!(long.is_none_or(|status| status == "HTTP/1.1 431"));
        let mut others = Vec::new();
        for _ in 0..2 * OF_ONE {
            let mut stream = connect().await;
            let answer = answer(&mut stream, 1).await;
            others.push((stream, answer));
        }
        let served = others.iter().filter(|(_, answer)| answer.is_some()).count();
        // The one with the long head may not have ended yet.
        assert!((OF_ONE - 2..OF_ONE).contains(&served), "{served} are served");
        assert_eq!(answer(&mut first, 1).await.as_deref(), Some("HTTP/1.1 200"), "it is there still");
        drop(others);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while answer(&mut connect().await, 1).await.is_none() {
            assert!(tokio::time::Instant::now() < deadline, "there is room again");
        }
        serving.abort();
    }

    #[test]
    fn those_of_one_address_leave_room_for_others() {
        let connections = Connections::default();
        let take = |address: u8| Place::take(&connections, IpAddr::from([10, 0, 0, address]));
        let mut places: Vec<_> = (0..2 * OF_ONE).filter_map(|_| take(1)).collect();
        assert_eq!(places.len(), OF_ONE);
        places.extend((2..200).filter_map(take));
        assert_eq!(places.len(), CONNECTIONS);
        places.truncate(OF_ONE - 1);
        assert!(take(1).is_some());
        places.extend((2..255).filter_map(take));
        assert_eq!(places.len(), CONNECTIONS);
        places.clear();
        assert!(connections.lock().is_empty());
    }
}
