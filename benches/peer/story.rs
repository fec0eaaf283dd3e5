//! What both operators are put through: every object is created, scaled, reported ready and renamed, and then the operator
//! is started again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use operator_testing::{ControlPlane, Project};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::common::cluster::programs;
use crate::side::{Process, Program, Use, cpu};
use crate::world::{DEPLOYMENTS, IsDone, OBJECTS, State, Took, World, object};

/// What is measured of a phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    pub took: Took,
    pub used: Use,
    /// Seconds of CPU that the API server took.
    pub api_server: f64,
}

/// What is measured of one telling.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// By the names of [`PHASES`], and at last of a restart.
    pub phases: Vec<Measured>,
    /// Bytes of memory after all of that, and after the restart.
    pub memory: [f64; 2],
    /// Seconds that the operator took to stop.
    pub stop: f64,
}

/// A request for the object of a number.
type Change = fn(usize) -> (&'static str, String, Value);

/// A name, what users do to each object, and what comes of it.
pub const PHASES: [(&str, Change, IsDone); 4] = [
    (
        "create",
        |number| ("POST", OBJECTS.to_owned(), object(number)),
        |state, number| has(state, number, "web", 1) && is_observed(state, number, 1),
    ),
    (
        "scale",
        |number| patch(number, &json!({ "replicas": 2 })),
        |state, number| has(state, number, "web", 2) && is_observed(state, number, 2),
    ),
    ("status", report, |state, number| {
        state.objects.get(&format!("iris-{number}")).is_some_and(|seen| seen.status.ready_replicas == 2)
    }),
    (
        "rename",
        |number| patch(number, &json!({ "deploymentName": format!("api-{number}") })),
        |state, number| {
            has(state, number, "api", 2)
                && is_observed(state, number, 3)
                && !state.deployments.contains_key(&format!("web-{number}"))
        },
    ),
];

fn patch(number: usize, spec: &Value) -> (&'static str, String, Value) {
    ("PATCH", format!("{OBJECTS}/iris-{number}"), json!({ "spec": spec }))
}

/// Does what the controller of Deployments would do once all pods are ready.
fn report(number: usize) -> (&'static str, String, Value) {
    let status = json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2 });
    ("PATCH", format!("{DEPLOYMENTS}/web-{number}/status"), json!({ "status": status }))
}

fn has(state: &State, number: usize, name: &str, replicas: i64) -> bool {
    let deployment = state.deployments.get(&format!("{name}-{number}"));
    deployment.is_some_and(|seen| seen.spec.replicas == replicas)
}

fn is_observed(state: &State, number: usize, generation: i64) -> bool {
    let object = state.objects.get(&format!("iris-{number}"));
    object.is_some_and(|seen| seen.status.observed_generation == generation)
}

/// Tells the story to one operator.
pub async fn tell(program: &Program, project: &Path, objects: usize, workers: usize) -> Told {
    let control_plane = ControlPlane::start(Project::new(project).with_binary_assets(programs())).await;
    let kubeconfig = control_plane.kubeconfig();
    let api_server = process_in(kubeconfig.parent().expect("a folder"));
    let world = World::new(control_plane.client());
    let mut operator = Process::start(program, &kubeconfig, workers);
    until(|| operator.used().reads >= 2.0, "the operator watches").await;

    let mut told = Told::default();
    for (_, change, is_done) in PHASES {
        let (before, api_before) = (operator.used(), cpu(api_server));
        let took = world.phase(objects, change, is_done).await;
        rest(&operator).await;
        let used = since(before, operator.used());
        told.phases.push(Measured { took, used, api_server: cpu(api_server) - api_before });
    }
    told.memory[0] = operator.memory();
    told.stop = operator.stop().as_secs_f64();

    let (begin, api_before) = (Instant::now(), cpu(api_server));
    operator = Process::start(program, &kubeconfig, workers);
    let all = f64::from(u32::try_from(objects).expect("a number of objects"));
    until(|| operator.reconciled() >= all, "everything has been reconciled").await;
    let wall = begin.elapsed().as_secs_f64();
    rest(&operator).await;
    let took = Took { wall, slowest: wall };
    let used = operator.used();
    told.phases.push(Measured { took, used, api_server: cpu(api_server) - api_before });
    told.memory[1] = operator.memory();
    told
}

/// The API server whose files are in this folder.
fn process_in(folder: &Path) -> u32 {
    let folder = folder.to_str().expect("a path");
    let ids = fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
        let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let arguments = fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
        let is_it = arguments.split('\0').next()?.ends_with("/kube-apiserver") && arguments.contains(folder);
        is_it.then_some(id)
    });
    ids.min().expect("an API server")
}

async fn until(is_so: impl Fn() -> bool, what: &str) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(900), "waited in vain: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until nothing has been asked for during a second.
async fn rest(operator: &Process) {
    let mut last = operator.used();
    loop {
        sleep(Duration::from_secs(1)).await;
        let now = operator.used();
        #[expect(clippy::float_cmp, reason = "they are counts")]
        if now.writes == last.writes {
            return;
        }
        last = now;
    }
}

fn since(before: Use, after: Use) -> Use {
    Use {
        cpu: after.cpu - before.cpu,
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
    }
}
