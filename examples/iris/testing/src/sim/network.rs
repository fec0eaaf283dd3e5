//! What is between a replica and the API server: each request and each answer takes its time, and much can happen to
//! them.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::channel::mpsc;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::select;
use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_local;
use tokio::time::sleep;
use tower::{BoxError, service_fn};

use super::draw::Draw;
use super::fault::{Asked, Faults, SimFault};
use super::freeze::freeze;
use super::kinds::{is_kept, is_path_of_kept};
use super::server::Answer;
use super::stream::{IDLE, stream};
use super::world::{self, Author, Shared, Unheard, error, is_collection, is_watch};

type Answered = Result<Response<UnsyncBoxBody<Bytes, io::Error>>, BoxError>;

/// What befalls requests, and until when.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) seed: u64,
    pub(super) faults: Faults,
    /// From then on, nothing.
    pub(super) calm_at: Duration,
}

/// The connection of one process, which dies with it.
#[derive(Debug, Default)]
pub(super) struct Link {
    is_dead: AtomicBool,
    cut_until: AtomicU64,
    /// A fault says that the process dies.
    pub(super) crash: Notify,
}

impl Link {
    pub(super) fn kill(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
    }

    /// The process dies now, and whoever started it hears of that.
    fn crash(&self) {
        self.kill();
        self.crash.notify_one();
    }

    /// Nothing gets through until so long after the beginning.
    pub(super) fn cut(&self, until: Duration) {
        self.cut_until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    pub(super) fn is_cut(&self, now: Duration) -> bool {
        now.as_millis() < u128::from(self.cut_until.load(Ordering::Relaxed))
    }
}

/// Waits for the answer to a request, for ever if there is none.
async fn ask(
    send: mpsc::UnboundedSender<(Request<Bytes>, oneshot::Sender<Answered>)>,
    request: Request<Body>,
) -> Answered {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head, body.collect_bytes().await?);
    let (answer, answered) = oneshot::channel();
    let _ = send.unbounded_send((request, answer));
    match answered.await {
        Ok(answer) => answer,
        Err(_) => pending().await,
    }
}

/// The way from one process to the server.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) shared: Shared,
    pub(super) conditions: Arc<Conditions>,
    pub(super) author: Author,
    pub(super) link: Arc<Link>,
}

impl Network {
    pub(super) fn client(self) -> Client {
        let (sender, mut requests) = mpsc::unbounded();
        // A request that is on its way arrives, whether its sender waits or not.
        spawn_local(async move {
            while let Some((request, answer)) = requests.next().await {
                spawn_local(self.clone().deliver(request, answer));
            }
        });
        Client::new(service_fn(move |request| ask(sender.clone(), request)), "default")
    }

    async fn deliver(self, request: Request<Bytes>, answer: oneshot::Sender<Answered>) {
        let (now, key, unled) = {
            let mut world = self.shared.world();
            (world.now(), world.key(&self.author.name, &request), world.unled(&self.author))
        };
        if self.link.is_dead() || self.link.is_cut(now) {
            return self.unanswered(&request, answer).await;
        }
        let asked = asked(&request);
        let fault = self.befalls(now, &key, asked);
        let mut draw = Draw::new(self.conditions.seed, &format!("{key} delay"));
        let mut delays = [draw.time(1..=12), draw.time(1..=12)];
        if fault == Some(SimFault::Slow) {
            delays[draw.below(2)] += draw.time(300..=4000);
        }
        let is_early = draw.chance(500);
        sleep(delays[0]).await;
        let sent = Sent { request: &request, unled: unled.as_deref() };
        let response = match fault {
            Some(SimFault::Crash) if is_early => {
                self.shared.world().lose(&self.author, &request, "the process dies before it is sent");
                return self.link.crash();
            }
            Some(SimFault::RequestLost) => {
                self.shared.world().lose(&self.author, &request, "the request is lost");
                return if is_early {
                    broken(answer, draw.time(0..=3000)).await;
                } else {
                    self.unanswered(&request, answer).await;
                };
            }
            Some(SimFault::Conflict) => Some(Self::refused(StatusCode::CONFLICT, "Conflict")),
            Some(SimFault::TooManyRequests) => {
                Some(Self::refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"))
            }
            Some(SimFault::ServerError) => {
                Some(Self::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"))
            }
            Some(SimFault::Unavailable) => {
                Some(Self::refused(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"))
            }
            Some(SimFault::GatewayTimeout) if is_early => {
                Some(Self::refused(StatusCode::GATEWAY_TIMEOUT, "Timeout"))
            }
            _ => None,
        };
        if let Some(response) = response {
            let (status, body) = (response.status(), response.body().clone());
            self.shared.world().record(&self.author, &request, status, &body, "and it was not done");
            sleep(delays[1]).await;
            let _ = answer.send(Ok(response.map(full)));
            return;
        }
        let response = match self.handle(&sent, fault) {
            Answer::Response(response) => response.map(full),
            Answer::Watch(watch) => {
                let (sender, lines) = mpsc::unbounded();
                let seconds = parameter(&request, "timeoutSeconds").unwrap_or(1800);
                let lasts = Duration::from_secs(seconds);
                spawn_local(stream(self.clone(), watch, sender, lasts, fault, draw.clone()));
                let body = StreamBody::new(lines.map(|line: io::Result<Bytes>| line.map(Frame::data)));
                let response = Response::builder().header("Content-Type", "application/json");
                response.body(body.boxed_unsync()).expect("a response")
            }
        };
        sleep(delays[1]).await;
        match fault {
            Some(SimFault::Crash) => self.link.crash(),
            Some(SimFault::AnswerLost) if is_early => broken(answer, draw.time(0..=3000)).await,
            Some(SimFault::AnswerLost) => self.unanswered(&request, answer).await,
            Some(SimFault::GatewayTimeout) => {
                let late = Self::refused(StatusCode::GATEWAY_TIMEOUT, "Timeout");
                let _ = answer.send(Ok(late.map(full)));
            }
            _ if self.link.is_dead() || self.link.is_cut(self.shared.world().now()) => {
                self.unanswered(&request, answer).await;
            }
            _ => {
                self.freezes(&request).await;
                let _ = answer.send(Ok(response));
            }
        }
    }

    /// Nobody answers. Whoever asks for a list or a watch hears of nothing until he gives up.
    async fn unanswered(&self, request: &Request<Bytes>, mut answer: oneshot::Sender<Answered>) {
        if is_collection(request) {
            let _unheard = Unheard::new(&self.shared);
            while !answer.is_closed() && !self.link.is_dead() {
                select! {
                    biased;
                    () = answer.closed() => {}
                    () = sleep(IDLE) => {}
                }
            }
        }
    }

    /// Everything may stand still before the answer to such a request.
    async fn freezes(&self, request: &Request<Bytes>) {
        let due = {
            let mut world = self.shared.world();
            let is_calm = world.now() >= self.conditions.calm_at;
            if is_calm || is_watch(request) || is_path_of_kept(request.uri().path()) {
                return;
            }
            if let Some((left, _)) = world.freezing.as_mut().filter(|(left, _)| *left > 0) {
                *left -= 1;
                return;
            }
            world.freezing.take()
        };
        if let Some((_, event)) = due {
            freeze(&self.shared, &event).await;
        }
    }

    /// The fault of a request, which is remembered.
    fn befalls(&self, now: Duration, key: &str, asked: Asked) -> Option<SimFault> {
        if now >= self.conditions.calm_at {
            return None;
        }
        let fault = self.conditions.faults.of(self.conditions.seed, key, asked)?;
        self.shared.world().befallen.insert(key.to_owned(), fault);
        Some(fault)
    }

    fn refused(status: StatusCode, reason: &str) -> Response<Bytes> {
        error(status, reason, "simulated")
    }

    fn handle(&self, sent: &Sent, fault: Option<SimFault>) -> Answer {
        let mut world = self.shared.world();
        let request = sent.request;
        let path = request.uri().path();
        match fault {
            Some(SimFault::OtherWriter) => {
                let touched = json!({ "metadata": { "annotations": { TOUCHED: world.now().as_millis().to_string() } } });
                let path = path.trim_end_matches("/status");
                world.call("another writer", Method::PATCH, path, MERGE, &touched);
            }
            Some(SimFault::Intruder) => intrude(&mut world, request),
            _ => {}
        }
        let note = match fault {
            Some(SimFault::Crash) => "and the process dies before it hears".to_owned(),
            Some(SimFault::GatewayTimeout) => "but the answer is 504".to_owned(),
            Some(SimFault::Intruder | SimFault::OtherWriter) | None => String::new(),
            Some(fault) => fault.to_string(),
        };
        world.handle(&self.author, request, sent.unled, &note)
    }
}

/// A request, and why it may not write, should it.
struct Sent<'a> {
    request: &'a Request<Bytes>,
    unled: Option<&'a str>,
}

pub(super) const MERGE: &str = "application/merge-patch+json";
/// What somebody else writes into objects; no snapshot has it.
pub(super) const TOUCHED: &str = crate::story::snapshot::TOUCHED;

/// Somebody else makes the object that the request is about to make, or puts another one in the place of what it is about
/// to delete; nobody controls it.
fn intrude(world: &mut world::World, request: &Request<Bytes>) {
    let path = request.uri().path();
    let object = if request.method() == Method::DELETE {
        world.objects().find(|object| world.kinds.path(object) == path).cloned()
    } else {
        serde_json::from_slice::<Value>(request.body()).ok()
    };
    let Some(object) = object else { return };
    let named = object["metadata"]["name"].is_string() && !is_kept(&object);
    if !named || path.ends_with("/status") {
        return;
    }
    if request.method() == Method::DELETE {
        world.call("somebody else", Method::DELETE, path, "application/json", &Value::Null);
    }
    world.intrude(object, &["name", "namespace", "labels", "annotations"]);
}

/// What the request is.
fn asked(request: &Request<Bytes>) -> Asked {
    match *request.method() {
        Method::GET if is_watch(request) => Asked::Watch,
        Method::GET => Asked::Read,
        Method::DELETE => Asked::Delete,
        _ => Asked::Change,
    }
}

fn parameter(request: &Request<Bytes>, name: &str) -> Option<u64> {
    let query = request.uri().query()?;
    query.split('&').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// The sender hears that the connection broke.
async fn broken(answer: oneshot::Sender<Answered>, after: Duration) {
    sleep(after).await;
    let _ = answer.send(Err(io::Error::from(io::ErrorKind::ConnectionReset).into()));
}

fn full(body: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}
