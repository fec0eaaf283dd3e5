//! An API server in memory: it answers requests at once, has no clock, no threads and no chance of its own, and does to
//! objects what kube-apiserver does to them. docs/simulation-fidelity.md says what it leaves out.
//!
//! A request goes to its kind (`kinds`), is decoded (`decode`, `rules`), filled in (`defaults`), patched (`patch`)
//! or applied (`managed`, on values with types, `typed`), prepared (`strategy`) and checked (`validate`), and then
//! stored (`store`).

mod body;
mod decode;
mod defaults;
mod delete;
mod discovery;
mod event;
mod field_set;
mod kinds;
mod list;
mod managed;
mod patch;
mod projection;
mod quantity;
mod request;
mod review;
mod rules;
mod scale;
mod schema;
mod selector;
mod status;
mod store;
mod strategy;
#[cfg(test)]
mod tests;
mod typed;
mod types;
mod validate;
mod watch;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use self::kinds::Kind;
use self::request::{Query, Target};
use self::status::{Refusal, Result, respond};
use self::store::Store;
use self::strategy::Part;
pub use self::watch::Watch;

/// The API server and all that it stores.
pub struct Server {
    now: Box<dyn Fn() -> Timestamp + Send>,
    chance: u64,
    store: Store,
    kinds: Vec<Arc<Kind>>,
    /// Group, version and plural to a kind.
    served: BTreeMap<(String, String, String), usize>,
}

/// What a request gets.
pub enum Answer {
    /// All of it.
    Response(http::Response<Bytes>),
    /// The events of a watch, as [`Server::poll`] has them; the status is 200 and the content is JSON.
    Watch(Watch),
}

/// A request to one kind, as the parts of the server take it.
struct Call<'a> {
    kind: Arc<Kind>,
    target: &'a Target,
    query: &'a Query,
    request: &'a http::Request<Bytes>,
    part: Part,
}

impl Server {
    /// A cluster with nothing but the namespace `default`. `now` is the time of day, `seed` the source of uids and of
    /// generated names.
    pub fn new(now: impl Fn() -> Timestamp + Send + 'static, seed: u64) -> Self {
        let mut server = Self {
            now: Box::new(now),
            chance: seed,
            store: Store::default(),
            kinds: Vec::new(),
            served: BTreeMap::new(),
        };
        for kind in kinds::built_in() {
            server.serve(kind);
        }
        for namespace in ["default", "kube-system"] {
            let body = format!("{{\"metadata\":{{\"name\":\"{namespace}\"}}}}");
            let request = http::Request::post("/api/v1/namespaces").body(Bytes::from(body));
            if let Ok(request) = request {
                server.handle("system:apiserver", &request);
            }
        }
        server
    }

    fn serve(&mut self, kind: Arc<Kind>) {
        let path = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        if let Some(index) = self.served.get(&path) {
            self.kinds[*index] = kind;
        } else {
            self.served.insert(path, self.kinds.len());
            self.kinds.push(kind);
        }
    }

    /// Serves a kind from now on.
    ///
    /// # Errors
    /// What of the definition is not understood.
    pub fn install(&mut self, definition: &CustomResourceDefinition) -> std::result::Result<(), String> {
        let definition = serde_json::to_value(definition).map_err(|error| error.to_string())?;
        let body = Bytes::from(definition.to_string());
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let request = http::Request::post(path).body(body).map_err(|error| error.to_string())?;
        match self.handle("system:admin", &request) {
            Answer::Response(response) if response.status().is_success() => Ok(()),
            Answer::Response(response) => Err(String::from_utf8_lossy(response.body()).into_owned()),
            Answer::Watch(_) => Err("a definition was answered with a watch".to_owned()),
        }
    }

    /// Answers a request of `user`.
    pub fn handle(&mut self, user: &str, request: &http::Request<Bytes>) -> Answer {
        match self.route(user, request) {
            Ok(answer) => answer,
            Err(refusal) => Answer::Response(refusal.response()),
        }
    }

    fn route(&mut self, user: &str, request: &http::Request<Bytes>) -> Result<Answer> {
        let path = request.uri().path();
        if let Some(answer) = review::answer(user, request).or_else(|| discovery::answer(self, request)) {
            return Ok(Answer::Response(answer?));
        }
        let target = Target::of(path).ok_or_else(Refusal::path_not_found)?;
        let kind = self.kind(&target).ok_or_else(Refusal::path_not_found)?;
        if kind.namespaced == target.namespace.is_empty() && !(kind.namespaced && target.name.is_empty()) {
            return Err(Refusal::path_not_found());
        }
        let part = match target.subresource.as_str() {
            "" => Part::Main,
            "status" if kind.status => Part::Status,
            "scale" if kind.scale.is_some() => Part::Scale,
            "finalize" if kind.is("", "Namespace") => Part::Finalize,
            _ => return Err(Refusal::path_not_found()),
        };
        let query = Query::of(request);
        let call = Call { kind, target: &target, query: &query, request, part };
        let named = !target.name.is_empty();
        let (code, object) = match *request.method() {
            Method::GET if !named && query.is_true("watch") => return self.watch(&call).map(Answer::Watch),
            Method::GET if !named => (200, self.list(&call)?),
            Method::GET => (200, self.get(&call)?),
            Method::POST if !named => self.create(&call)?,
            Method::PUT if named => self.replace(&call)?,
            Method::PATCH if named => self.patch(&call)?,
            Method::DELETE if named => self.delete(&call)?,
            Method::DELETE => (200, self.delete_all(&call)?),
            _ => return Err(Refusal::method_not_allowed()),
        };
        Ok(Answer::Response(respond(code, &projection::shaped(&call, object))))
    }

    fn kind(&self, target: &Target) -> Option<Arc<Kind>> {
        let path = (target.group.clone(), target.version.clone(), target.plural.clone());
        self.served.get(&path).map(|index| self.kinds[*index].clone())
    }

    /// Forgets history: watches and lists of older versions are answered with 410 from now on.
    pub fn compact(&mut self) {
        self.store.compact();
    }

    /// All objects, sorted by kind, namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = &Value> {
        self.store.all().map(AsRef::as_ref)
    }

    /// The version of the store, which each write raises.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.store.version()
    }

    /// Now, in whole seconds as objects have it.
    fn time(&self) -> String {
        (self.now)().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn draw(&mut self) -> u64 {
        // SplitMix64.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn uid(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        let (high, low) = (high & !0xf000 | 0x4000, low & !(0b11 << 62) | 0b10 << 62);
        let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
        format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }

    /// The end of a generated name.
    fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let letter = |draw: u64| {
            let count = LETTERS.len() as u64;
            usize::try_from(draw % count).map_or('x', |index| char::from(LETTERS[index]))
        };
        (0..5).map(|_| letter(self.draw())).collect()
    }
}

impl Call<'_> {
    fn named(&self) -> status::Named<'_> {
        status::Named { group: &self.kind.group, resource: &self.kind.plural, name: &self.target.name }
    }

    fn key(&self) -> String {
        self.kind.key(&self.target.namespace, &self.target.name)
    }

    fn dry_run(&self) -> bool {
        self.query.get("dryRun") == "All"
    }

    /// Who owns what this request writes.
    fn manager(&self) -> String {
        let given = self.query.get("fieldManager");
        if !given.is_empty() {
            return given.to_owned();
        }
        let agent = self.request.headers().get(http::header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        agent.split('/').next().unwrap_or_default().chars().take(128).collect()
    }
}
