//! What the API server has, as watches tell of it, and whether it is as it should be.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use http::Request;
use kube::Client;
use kube::api::WatchEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::sleep;

pub const OBJECTS: &str = "/apis/test.myardyas.club/v1alpha1/namespaces/default/iris";
pub const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
/// How many requests of users go on at the same time.
const USERS: usize = 16;
/// How long a phase may last.
const LIMIT: Duration = Duration::from_secs(900);

/// What matters of an object of either kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Seen {
    pub metadata: Metadata,
    pub spec: Spec,
    pub status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    pub name: String,
    pub resource_version: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    pub replicas: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    pub observed_generation: i64,
    pub ready_replicas: i64,
}

/// The objects by name, and which numbers are still to be done in the phase.
#[derive(Default)]
pub struct State {
    pub objects: HashMap<String, Seen>,
    pub deployments: HashMap<String, Seen>,
    phase: Option<Phase>,
}

/// Whether the object of a number, and its Deployment, are as they should be.
pub type IsDone = fn(&State, usize) -> bool;

struct Phase {
    is_done: IsDone,
    /// When each number was asked for, and was done.
    asked: Vec<Option<Instant>>,
    done: Vec<Option<Instant>>,
}

/// How long a phase took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// Seconds from the first change until everything was done.
    pub wall: f64,
    /// Seconds from the change of one object until it was done, of 99 in 100.
    pub slowest: f64,
}

/// The cluster as its users see it.
pub struct World {
    client: Client,
    state: Arc<Mutex<State>>,
}

impl World {
    pub fn new(client: Client) -> Self {
        let world = Self { client, state: Arc::default() };
        world.watch(OBJECTS, |state| &mut state.objects);
        world.watch(DEPLOYMENTS, |state| &mut state.deployments);
        world
    }

    fn watch(&self, path: &'static str, of: fn(&mut State) -> &mut HashMap<String, Seen>) {
        let (client, state) = (self.client.clone(), self.state.clone());
        tokio::spawn(async move {
            let mut version = "0".to_owned();
            // The API server ends a watch that does not read fast enough.
            loop {
                let query = format!("watch=1&resourceVersion={version}&timeoutSeconds=7200");
                let request = Request::get(format!("{path}?{query}")).body(Vec::new()).expect("a request");
                let events = client.request_events::<Seen>(request).await.expect("a watch");
                let mut events = std::pin::pin!(events);
                while let Some(event) = events.try_next().await.expect("an event") {
                    let (seen, is_there) = match event {
                        WatchEvent::Added(seen) | WatchEvent::Modified(seen) => (seen, true),
                        WatchEvent::Deleted(seen) => (seen, false),
                        WatchEvent::Bookmark(_) => continue,
                        WatchEvent::Error(error) => panic!("a watch of {path}: {error}"),
                    };
                    version.clone_from(&seen.metadata.resource_version);
                    let (mut state, name) = (state.lock().await, seen.metadata.name.clone());
                    if is_there {
                        of(&mut state).insert(name.clone(), seen);
                    } else {
                        of(&mut state).remove(&name);
                    }
                    state.check(number(&name));
                }
            }
        });
    }

    /// Changes every object, or what is made of it, and waits until each is done.
    pub async fn phase(
        &self,
        objects: usize,
        change: impl Fn(usize) -> (&'static str, String, Value),
        is_done: IsDone,
    ) -> Took {
        let phase = Phase { is_done, asked: vec![None; objects], done: vec![None; objects] };
        self.state.lock().await.phase = Some(phase);
        let begin = Instant::now();
        let changes = (0..objects).map(|number| {
            let (method, path, body) = change(number);
            async move {
                self.state.lock().await.ask(number);
                self.send(method, &path, &body).await;
            }
        });
        futures::stream::iter(changes).buffer_unordered(USERS).collect::<()>().await;
        loop {
            let mut state = self.state.lock().await;
            let phase = state.phase.as_ref().expect("a phase");
            if phase.done.iter().all(Option::is_some) {
                return state.phase.take().expect("a phase").took(begin);
            }
            if begin.elapsed() > LIMIT {
                let open = phase.done.iter().position(Option::is_none).expect("one that is not done");
                panic!("number {open} is not done: {:?}", state.objects.get(&format!("iris-{open}")));
            }
            drop(state);
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) {
        let sort = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder().method(method).uri(path).header("Content-Type", sort);
        let request = request.body(body.to_string().into_bytes()).expect("a request");
        let answer = self.client.request_text(request).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    }
}

impl State {
    fn ask(&mut self, number: usize) {
        let phase = self.phase.as_mut().expect("a phase");
        phase.asked[number] = Some(Instant::now());
    }

    fn check(&mut self, number: usize) {
        let Some(is_done) = self.phase.as_ref().map(|phase| phase.is_done) else { return };
        let done = is_done(self, number).then(Instant::now);
        let phase = self.phase.as_mut().expect("a phase");
        phase.done[number] = phase.done[number].filter(|_| done.is_some()).or(done);
    }
}

impl Phase {
    fn took(self, begin: Instant) -> Took {
        let pairs = self.asked.iter().zip(&self.done).filter_map(|(asked, done)| Some(((*asked)?, (*done)?)));
        let mut each: Vec<f64> = pairs.map(|(asked, done)| (done - asked).as_secs_f64()).collect();
        each.sort_by(f64::total_cmp);
        let last = self.done.iter().flatten().max().expect("an object");
        let slowest = each[(each.len() * 99 / 100).min(each.len() - 1)];
        Took { wall: (*last - begin).as_secs_f64(), slowest }
    }
}

/// The number that a name ends with.
fn number(name: &str) -> usize {
    name.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).expect("a name with a number")
}

/// The object of that number, as a user creates it.
pub fn object(number: usize) -> Value {
    json!({
        "apiVersion": "test.myardyas.club/v1alpha1",
        "kind": "Iris",
        "metadata": { "name": format!("iris-{number}") },
        "spec": { "deploymentName": format!("web-{number}"), "replicas": 1 },
    })
}
