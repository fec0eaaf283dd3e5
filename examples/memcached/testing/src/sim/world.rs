//! What all who take part in a history share: the server, what has happened so far, and whether a property was violated.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, Request, StatusCode};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::draw::hash;
use super::fault::SimFault;
use super::kinds::{Kinds, is_lease, is_path_of_kept, text};
use super::plan::Event;
use super::property::{self, Change, Rules};
use super::report::Line;
use super::server::{Answer, Server, Watch};
use super::{determinism, guarded};

/// Where the operator is installed.
pub(super) const NAMESPACE: &str = "operator-system";

/// Why a history is a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// What should hold.
    pub(super) property: String,
    /// How it does not.
    pub(super) detail: String,
}

impl Violation {
    pub(super) fn new(property: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { property: property.into(), detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it does not hold that {}:\n  {}", self.property, self.detail)
    }
}

/// Who sends a request.
#[derive(Clone, Debug)]
pub(super) struct Author {
    /// For people, such as `replica-1`.
    pub(super) name: Arc<str>,
    /// In the election; empty for all that are no replicas of the operator.
    pub(super) identity: Arc<str>,
}

impl Author {
    /// Somebody who is no replica of the operator.
    pub(super) fn other(name: &str) -> Self {
        Self { name: name.into(), identity: "".into() }
    }

    pub(super) fn is_operator(&self) -> bool {
        !self.identity.is_empty()
    }
}

/// The world, for whoever takes part in it. All do on one thread, and nobody waits while looking at it.
#[derive(Clone)]
pub(super) struct Shared {
    world: Rc<RefCell<World>>,
    revisions: watch::Receiver<u64>,
    violations: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn world(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    /// Sees every change of an object from now on.
    pub(super) fn revisions(&self) -> watch::Receiver<u64> {
        let mut revisions = self.revisions.clone();
        revisions.mark_unchanged();
        revisions
    }

    /// Resolves once a property is violated.
    pub(super) async fn violation(&self) -> Violation {
        let mut violations = self.violations.clone();
        // The sender lives in the world, which this keeps.
        let _ = violations.wait_for(|violated| *violated).await;
        self.world().violation.clone().expect("there is one")
    }
}

pub(super) struct World {
    server: Server,
    begun: Instant,
    pub(super) kinds: Arc<Kinds>,
    rules: Arc<Rules>,
    /// Every object as it is, by uid.
    objects: BTreeMap<String, Arc<Value>>,
    /// When each was first seen.
    pub(super) born: BTreeMap<String, Duration>,
    pub(super) lines: Vec<Line>,
    pub(super) hash: u64,
    pub(super) requests: usize,
    /// How often each request was sent.
    counts: BTreeMap<String, u32>,
    /// The faults that befell requests.
    pub(super) befallen: BTreeMap<String, SimFault>,
    /// Which act of the story was done when.
    pub(super) acts: Vec<(Duration, usize)>,
    /// When somebody last wrote to the Lease by hand.
    pub(super) lease_disturbed: Option<Duration>,
    /// When the operator last wrote something other than what it keeps for itself, and what.
    pub(super) last_write: Option<(Duration, String)>,
    /// How many lists and watches owe their readers something, which those have not noticed yet.
    pub(super) unheard: usize,
    /// Everything stands still before an answer: how many more come before it.
    pub(super) freezing: Option<(usize, Event)>,
    /// Objects that somebody else made in the place of the operator's: path and uid.
    pub(super) intruders: Vec<(String, String)>,
    /// Collections that were asked for and do not exist.
    pub(super) unknown: BTreeSet<String>,
    violation: Option<Violation>,
    revision: watch::Sender<u64>,
    violated: watch::Sender<bool>,
}

impl World {
    pub(super) fn shared(seed: u64, rules: Arc<Rules>) -> Result<Shared, String> {
        let begun = Instant::now();
        let now = move || {
            let since = begun.elapsed();
            let seconds = i64::try_from(determinism::EPOCH + since.as_secs()).unwrap_or_default();
            Timestamp::new(seconds, since.subsec_nanos().cast_signed()).unwrap_or_default()
        };
        let mut server = Server::new(now, seed);
        for definition in &rules.definitions {
            server.install(definition)?;
        }
        let (revision, revisions) = watch::channel(0);
        let (violated, violations) = watch::channel(false);
        let world = Self {
            server,
            begun,
            kinds: rules.kinds.clone(),
            rules,
            objects: BTreeMap::new(),
            born: BTreeMap::new(),
            lines: Vec::new(),
            hash: 0,
            requests: 0,
            counts: BTreeMap::new(),
            befallen: BTreeMap::new(),
            acts: Vec::new(),
            lease_disturbed: None,
            last_write: None,
            unheard: 0,
            freezing: None,
            intruders: Vec::new(),
            unknown: BTreeSet::new(),
            violation: None,
            revision,
            violated,
        };
        let shared = Shared { world: Rc::new(RefCell::new(world)), revisions, violations };
        Ok(shared)
    }

    /// How long the history has been going on.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn revision(&self) -> u64 {
        *self.revision.borrow()
    }

    /// All objects, in no order that means anything.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.values().map(Arc::as_ref)
    }

    /// The object of that uid.
    pub(super) fn object(&self, uid: &str) -> Option<&Value> {
        self.objects.get(uid).map(Arc::as_ref)
    }

    pub(super) fn tell(&mut self, who: &str, what: impl Into<String>) {
        self.say(who, what.into(), false);
    }

    /// A request does not reach the server.
    pub(super) fn lose(&mut self, by: &Author, request: &Request<Bytes>, why: &str) {
        self.say(&by.name, format!("{} \u{2192} {why}", called(request)), is_write(request));
    }

    fn say(&mut self, who: &str, what: String, is_write: bool) {
        self.digest(&[who.as_bytes(), what.as_bytes()]);
        tracing::info!(target: "simulation", "{who} {what}");
        self.lines.push(Line { at: self.now(), who: who.into(), what, matters: true, is_write });
    }

    /// The first violation ends the history.
    pub(super) fn violate(&mut self, violation: Violation) {
        if self.violation.is_none() {
            self.violation = Some(violation);
            self.violated.send_replace(true);
        }
    }

    /// A name for the next request of its kind that stays the same as long as what came before it does.
    pub(super) fn key(&mut self, who: &str, request: &Request<Bytes>) -> String {
        let watches = if is_watch(request) { " (watch)" } else { "" };
        let key = format!("{who} {} {}{watches}", request.method(), request.uri().path());
        let count = self.counts.entry(key.clone()).or_default();
        *count += 1;
        format!("{key} {count}")
    }

    /// What the server answers, and everybody is told of.
    pub(super) fn handle(
        &mut self,
        by: &Author,
        request: &Request<Bytes>,
        unled: Option<&str>,
        note: &str,
    ) -> Answer {
        let answer = guarded(|| self.server.handle(&by.name, request)).unwrap_or_else(|panic| {
            let what = format!("{} {}: {panic}", request.method(), request.uri());
            self.violate(Violation::new("the simulated API server goes on", what));
            Answer::Response(error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "it panicked"))
        });
        let (status, body) = match &answer {
            Answer::Response(response) => (response.status(), response.body().clone()),
            Answer::Watch(_) => (StatusCode::OK, Bytes::new()),
        };
        self.record(by, request, status, &body, note);
        if status == StatusCode::NOT_FOUND && is_collection(request) {
            self.unknown.insert(request.uri().path().to_owned());
        }
        if *request.method() != Method::GET && status.is_success() {
            let changes = self.changes();
            for change in &changes {
                self.check(by, change, unled);
            }
            if !changes.is_empty() {
                self.revision.send_modify(|revision| *revision += 1);
            }
        }
        answer
    }

    /// Writes down that `request` was answered, or refused on the way.
    pub(super) fn record(
        &mut self,
        by: &Author,
        request: &Request<Bytes>,
        status: StatusCode,
        body: &Bytes,
        note: &str,
    ) {
        let at = self.now();
        self.requests += 1;
        let uri = request.uri().to_string();
        self.digest(&[
            by.name.as_bytes(),
            request.method().as_str().as_bytes(),
            uri.as_bytes(),
            request.body(),
            status.as_str().as_bytes(),
            body,
        ]);
        let is_write = is_write(request);
        let mut what = format!("{} \u{2192} {}", called(request), status.as_u16());
        if is_write && by.is_operator() {
            self.last_write = Some((at, what.clone()));
        }
        if !note.is_empty() {
            what.push_str(", ");
            what.push_str(note);
        }
        tracing::info!(target: "simulation", "{}: {what}", by.name);
        let matters = !note.is_empty() || is_write;
        self.lines.push(Line { at, who: by.name.clone(), what, matters, is_write });
    }

    fn digest(&mut self, parts: &[&[u8]]) {
        let at = u64::try_from(self.now().as_nanos()).unwrap_or_default();
        self.hash = hash(self.hash, &at.to_le_bytes());
        for part in parts {
            self.hash = hash(hash(self.hash, part), &[0]);
        }
    }

    /// What is otherwise than it was when this was last asked.
    fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut gone: BTreeSet<&String> = self.objects.keys().collect();
        for object in self.server.objects() {
            let uid = text(object, "/metadata/uid");
            let known = self.objects.get_key_value(uid);
            if let Some((uid, _)) = known {
                gone.remove(uid);
            }
            let version = &object["metadata"]["resourceVersion"];
            if known.is_none_or(|(_, known)| known["metadata"]["resourceVersion"] != *version) {
                let before = known.map(|(_, known)| known.clone());
                changes.push(Change { before, after: Some(Arc::new(object.clone())) });
            }
        }
        let gone: Vec<String> = gone.into_iter().cloned().collect();
        for uid in gone {
            changes.push(Change { before: self.objects.remove(&uid), after: None });
        }
        let now = self.now();
        for after in changes.iter().filter_map(|change| change.after.as_ref()) {
            let uid = text(after, "/metadata/uid").to_owned();
            self.born.entry(uid.clone()).or_insert(now);
            self.objects.insert(uid, after.clone());
        }
        changes
    }

    fn check(&mut self, by: &Author, change: &Change, unled: Option<&str>) {
        let rules = self.rules.clone();
        let checked = property::of_a_write(self, &rules, by, change, unled);
        let checked = checked.and_then(|()| rules.always(self.objects()));
        if let Err(violation) = checked {
            self.violate(violation);
        }
    }

    /// Why a replica may not write now; `None` if it may.
    pub(super) fn unled(&self, by: &Author) -> Option<String> {
        let lease = self.objects().find(|object| is_lease(object)).filter(|_| by.is_operator())?;
        let holder = text(lease, "/spec/holderIdentity");
        // A holder that was robbed hears of it when it next renews, and at the renew deadline stops in any case.
        let is_recent = |at: Duration| self.now().saturating_sub(at) < property::RENEW_DEADLINE;
        if holder.is_empty() || *holder == *by.identity || self.lease_disturbed.is_some_and(is_recent) {
            return None;
        }
        Some(format!("{holder} holds the Lease"))
    }

    /// The next lines of a watch.
    pub(super) fn poll(&mut self, watch: &mut Watch) -> Vec<Bytes> {
        let lines = guarded(|| self.server.poll(watch));
        lines.unwrap_or_else(|panic| {
            self.violate(Violation::new("the simulated API server goes on", panic));
            Vec::new()
        })
    }

    pub(super) fn compact(&mut self) {
        self.server.compact();
    }

    /// Somebody else makes an object that looks alike, with these fields of its metadata, and that nobody controls. Whether
    /// there was none of its name.
    pub(super) fn intrude(&mut self, mut object: Value, kept: &[&str]) -> bool {
        if let Some(fields) = object["metadata"].as_object_mut() {
            fields.retain(|key, _| kept.contains(&key.as_str()));
        }
        object.as_object_mut().map(|fields| fields.remove("status"));
        self.kinds.place(&mut object);
        let path = self.kinds.path(&object);
        let collection = path.rsplit_once('/').map_or("", |(collection, _)| collection);
        let (status, made) =
            self.call("somebody else", Method::POST, collection, "application/json", &object);
        if status.is_success() {
            self.intruders.push((path, text(&made, "/metadata/uid").to_owned()));
        }
        status.is_success()
    }

    /// Asks the server as somebody else, at once.
    pub(super) fn call(
        &mut self,
        who: &str,
        method: Method,
        uri: &str,
        content_type: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder().method(method).uri(uri).header("Content-Type", content_type);
        let request = request.body(body).expect("a request");
        match self.handle(&Author::other(who), &request, None, "") {
            Answer::Response(response) => {
                (response.status(), serde_json::from_slice(response.body()).unwrap_or_default())
            }
            Answer::Watch(_) => (StatusCode::OK, Value::Null),
        }
    }
}

/// As long as it lives, a reader waits in vain for something that has happened.
pub(super) struct Unheard(Shared);

impl Unheard {
    pub(super) fn new(shared: &Shared) -> Self {
        shared.world().unheard += 1;
        Self(shared.clone())
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        self.0.world().unheard -= 1;
    }
}

/// An answer without the server's doing.
pub(super) fn error(status: StatusCode, reason: &str, message: &str) -> hyper::Response<Bytes> {
    let body = serde_json::json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status.as_u16() });
    let response = hyper::Response::builder().status(status).header("Content-Type", "application/json");
    let response =
        if status == StatusCode::TOO_MANY_REQUESTS { response.header("Retry-After", "1") } else { response };
    response.body(Bytes::from(body.to_string())).expect("a response")
}

pub(super) fn is_watch(request: &Request<Bytes>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|word| word == "watch=true" || word == "watch=1")
}

/// Whether it writes something other than what an operator keeps for itself.
fn is_write(request: &Request<Bytes>) -> bool {
    *request.method() != Method::GET && !is_path_of_kept(request.uri().path())
}

/// What a report calls it.
fn called(request: &Request<Bytes>) -> String {
    let watches = if is_watch(request) { " (watch)" } else { "" };
    format!("{} {}{watches}", request.method(), short(request.uri().path()))
}

/// Whether it reads a list or a watch, rather than one object.
pub(super) fn is_collection(request: &Request<Bytes>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    *request.method() == Method::GET && (is_watch(request) || query.contains("limit="))
}

/// A path without group, version and the default namespace.
pub(super) fn short(path: &str) -> String {
    let mut parts = path.trim_start_matches('/').split('/');
    let skipped = if parts.next() == Some("api") { 1 } else { 2 };
    let rest: Vec<_> = parts.skip(skipped).collect();
    match rest.as_slice() {
        ["namespaces", "default", rest @ ..] if !rest.is_empty() => rest.join("/"),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => {
            format!("{} in {namespace}", rest.join("/"))
        }
        rest => rest.join("/"),
    }
}
