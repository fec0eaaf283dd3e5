//! A proxy between the operator and the API server, which injects faults.

use std::collections::BTreeMap;
use std::io::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::channel::mpsc;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::{ControlPlane, Cut, Fault, Request};

type Answer = Response<BoxBody<Bytes, Error>>;

#[derive(Clone)]
enum Order {
    Cut(Cut),
    Send(String),
}

type Rule = dyn Fn(&Request) -> Fault + Send + Sync;
type Filter = dyn Fn(&Request, &Value) -> bool + Send + Sync;

struct State {
    agent: String,
    upstream: u16,
    tls: TlsConnector,
    /// Whether connections end with a reset.
    resets: bool,
    rule: Mutex<Arc<Rule>>,
    filter: Mutex<Arc<Filter>>,
    requests: Mutex<Vec<Request>>,
    lists: Mutex<BTreeMap<(String, String), String>>,
    /// How many answers were lost.
    lost: watch::Sender<usize>,
    frozen: watch::Sender<bool>,
    /// Changes when all connections that are open become silent.
    silences: watch::Sender<()>,
    /// How many requests came over silent connections.
    unanswered: AtomicUsize,
    orders: broadcast::Sender<Order>,
}

/// A proxy between the operator and the API server, which injects faults: into requests by a rule, and into the watches
/// that run. It serves as long as the tokio runtime that it was started in.
pub struct Proxy {
    state: Arc<State>,
    port: u16,
}

impl Proxy {
    /// A proxy without faults, whose requests the API server records as those of the program `agent`.
    pub async fn start(control_plane: &ControlPlane, agent: &str) -> Self {
        Self::with(control_plane, agent, false).await
    }

    /// As [`Proxy::start`]; where a connection breaks, it is reset.
    pub async fn resetting(control_plane: &ControlPlane, agent: &str) -> Self {
        Self::with(control_plane, agent, true).await
    }

    async fn with(control_plane: &ControlPlane, agent: &str, resets: bool) -> Self {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(control_plane.dir().join("ca.crt")).expect("CA");
        roots.add(ca).expect("CA");
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let state = Arc::new(State {
            agent: agent.to_owned(),
            upstream: control_plane.port(),
            tls: TlsConnector::from(Arc::new(config)),
            resets,
            rule: Mutex::new(Arc::new(|_: &Request| Fault::None)),
            filter: Mutex::new(Arc::new(|_: &Request, _: &Value| true)),
            requests: Mutex::default(),
            lists: Mutex::default(),
            lost: watch::Sender::new(0),
            frozen: watch::Sender::new(false),
            silences: watch::Sender::new(()),
            unanswered: AtomicUsize::new(0),
            orders: broadcast::Sender::new(16),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("listen");
        let port = listener.local_addr().expect("its address").port();
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(accepting.clone(), stream));
            }
        });
        Self { state, port }
    }

    /// The administrator's kubeconfig, by way of this proxy.
    #[must_use]
    pub fn kubeconfig(&self, control_plane: &ControlPlane) -> PathBuf {
        let (from, to) =
            (format!("https://127.0.0.1:{}", self.state.upstream), format!("http://127.0.0.1:{}", self.port));
        control_plane.kubeconfig_with(&format!("proxy-{}.json", self.port), &from, &to)
    }

    /// Injects from now on what `rule` says of a request.
    pub fn inject(&self, rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) {
        *lock(&self.state.rule) = Arc::new(rule);
    }

    /// Injects nothing into requests any more.
    pub fn heal(&self) {
        self.inject(|_| Fault::None);
    }

    /// Lets watches deliver only what `filter` holds of: it is given the watch and the event.
    pub fn filter_watches(&self, filter: impl Fn(&Request, &Value) -> bool + Send + Sync + 'static) {
        *lock(&self.state.filter) = Arc::new(filter);
    }

    /// Lets watches deliver nothing until [`Proxy::thaw_watches`].
    pub fn freeze_watches(&self) {
        self.state.frozen.send_replace(true);
    }

    /// Lets watches deliver again, what came meanwhile first.
    pub fn thaw_watches(&self) {
        self.state.frozen.send_replace(false);
    }

    /// From now on nothing arrives over the connections that are open, nor are they closed, as when a router has forgotten
    /// them. New ones work.
    pub fn silence_connections(&self) {
        self.state.silences.send_replace(());
    }

    /// How many requests have had no answer because of [`Proxy::silence_connections`].
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.state.unanswered.load(Ordering::Relaxed)
    }

    /// Ends the watches that run.
    pub fn cut_watches(&self, cut: Cut) {
        let _ = self.state.orders.send(Order::Cut(cut));
    }

    /// Lets the watches that run deliver this event, too.
    pub fn send_to_watches(&self, event: &Value) {
        let _ = self.state.orders.send(Order::Send(event.to_string()));
    }

    /// Lets the API server say, in all watches that run, that it has forgotten where they were.
    pub fn expire_watches(&self) {
        self.send_to_watches(&json!({ "type": "ERROR", "object": { "kind": "Status", "apiVersion": "v1",
            "status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version" } }));
    }

    /// Waits until the first answer is lost.
    pub async fn response_lost(&self) {
        let mut lost = self.state.lost.subscribe();
        lost.wait_for(|lost| *lost > 0).await.expect("the sender lives as long as this");
    }

    /// What was answered last to each list, by its path and query: to be shown again with [`Fault::Body`].
    #[must_use]
    pub fn lists(&self) -> BTreeMap<(String, String), String> {
        lock(&self.state.lists).clone()
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state.requests).clone()
    }

    /// How many requests of that kind there were so far.
    #[must_use]
    pub fn count(&self, which: impl Fn(&Request) -> bool) -> usize {
        lock(&self.state.requests).iter().filter(|request| which(request)).count()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection of the operator, with one of its own to the API server.
async fn serve(state: Arc<State>, stream: TcpStream) {
    if state.resets {
        stream.set_zero_linger().expect("a socket");
    }
    let upstream = Arc::new(tokio::sync::Mutex::new(None));
    let silences = state.silences.subscribe();
    let service = service_fn(move |request| {
        let (state, upstream, silences) = (state.clone(), upstream.clone(), silences.clone());
        async move { answer(&state, &mut *upstream.lock().await, silences, request).await }
    });
    // Connections that break are what this is for.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Upstream = Option<SendRequest<Full<Bytes>>>;

async fn answer(
    state: &Arc<State>,
    upstream: &mut Upstream,
    silences: watch::Receiver<()>,
    request: hyper::Request<Incoming>,
) -> Result<Answer, Error> {
    let asked = Request::new(&request);
    lock(&state.requests).push(asked.clone());
    unless_silent(state, &silences).await;
    let rule = lock(&state.rule).clone();
    let fault = rule(&asked);
    match fault {
        Fault::None | Fault::LoseResponse => {}
        Fault::Delay(delay) => tokio::time::sleep(delay).await,
        Fault::Hang => std::future::pending().await,
        Fault::Body(text) => return Ok(document(StatusCode::OK, text)),
        Fault::Status { code, retry_after } => {
            let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason(code), "message": "a fault" });
            let code = StatusCode::from_u16(code).expect("a status of HTTP");
            let mut answer = document(code, status.to_string());
            if let Some(seconds) = retry_after {
                answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            return Ok(answer);
        }
    }
    let answer = forward(state, upstream, request).await?;
    unless_silent(state, &silences).await;
    if matches!(fault, Fault::LoseResponse) {
        answer.into_body().collect().await.map_err(Error::other)?;
        state.lost.send_modify(|lost| *lost += 1);
        return Err(Error::other("lost"));
    }
    if asked.watches() && answer.status().is_success() {
        // It may end in the middle; what is asked next goes another way.
        *upstream = None;
        return Ok(follow(state.clone(), asked, silences, answer));
    }
    let (head, body) = answer.into_parts();
    let mut answer = document(head.status, String::new());
    let bytes = body.collect().await.map_err(Error::other)?.to_bytes();
    remember(state, &asked, &bytes);
    *answer.body_mut() = full(bytes);
    if let Some(after) = head.headers.get(RETRY_AFTER) {
        answer.headers_mut().insert(RETRY_AFTER, after.clone());
    }
    if let Some(kind) = head.headers.get(CONTENT_TYPE) {
        answer.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    Ok(answer)
}

/// Goes on unless the connection has become silent, on which no request is answered.
async fn unless_silent(state: &State, silences: &watch::Receiver<()>) {
    if silences.has_changed().unwrap_or_default() {
        state.unanswered.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
}

/// Keeps the answer to a list.
fn remember(state: &State, asked: &Request, answer: &[u8]) {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    if asked.writes() {
        return;
    }
    let head = serde_json::from_slice::<Head>(answer);
    if head.is_ok_and(|head| head.kind.ends_with("List")) {
        let text = String::from_utf8_lossy(answer).into_owned();
        lock(&state.lists).insert((asked.path.clone(), asked.query.clone()), text);
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    }
}

fn document(code: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(full(text.into()));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn full(bytes: Bytes) -> BoxBody<Bytes, Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("the value of a header")
}

/// Asks the API server.
async fn forward(
    state: &State,
    upstream: &mut Upstream,
    request: hyper::Request<Incoming>,
) -> Result<Response<Incoming>, Error> {
    let (mut head, body) = request.into_parts();
    head.headers.insert(HOST, value(&format!("127.0.0.1:{}", state.upstream)));
    head.headers.insert(USER_AGENT, value(&state.agent));
    let request =
        hyper::Request::from_parts(head, Full::new(body.collect().await.map_err(Error::other)?.to_bytes()));
    if upstream.as_ref().is_none_or(SendRequest::is_closed) {
        let stream = TcpStream::connect(("127.0.0.1", state.upstream)).await?;
        let stream = state.tls.connect("127.0.0.1".try_into().expect("an address"), stream).await?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Error::other)?;
        tokio::spawn(connection);
        *upstream = Some(sender);
    }
    let sender = upstream.as_mut().ok_or_else(|| Error::other("no connection"))?;
    sender.ready().await.map_err(Error::other)?;
    sender.send_request(request).await.map_err(Error::other)
}

/// Passes on what a watch tells, event by event.
fn follow(
    state: Arc<State>,
    asked: Request,
    mut silences: watch::Receiver<()>,
    answer: Response<Incoming>,
) -> Answer {
    let (sender, receiver) = mpsc::unbounded::<Result<Frame<Bytes>, Error>>();
    let (mut orders, mut frozen) = (state.orders.subscribe(), state.frozen.subscribe());
    let mut body = answer.into_body();
    tokio::spawn(async move {
        let mut partial = Vec::new();
        let send = |line: Vec<u8>| sender.unbounded_send(Ok(Frame::data(line.into()))).is_ok();
        loop {
            let is_frozen = *frozen.borrow_and_update();
            tokio::select! {
                order = orders.recv() => match order {
                    Ok(Order::Send(line)) => { send(format!("{line}\n").into_bytes()); }
                    Ok(Order::Cut(Cut::Break)) => { let _ = sender.unbounded_send(Err(Error::other("cut"))); return; }
                    Ok(Order::Cut(Cut::End)) | Err(_) => return,
                },
                _ = frozen.changed() => {}
                _ = silences.changed() => std::future::pending().await,
                frame = body.frame(), if !is_frozen => {
                    let Some(Ok(frame)) = frame else { return };
                    partial.extend(frame.into_data().unwrap_or_default());
                    while let Some(end) = partial.iter().position(|byte| *byte == b'\n') {
                        let line: Vec<u8> = partial.drain(..=end).collect();
                        let event = serde_json::from_slice(&line).unwrap_or_default();
                        let filter = lock(&state.filter).clone();
                        if filter(&asked, &event) && !send(line) {
                            return;
                        }
                    }
                }
            }
        }
    });
    let mut answer = document(StatusCode::OK, String::new());
    *answer.body_mut() = StreamBody::new(receiver).boxed();
    answer
}
