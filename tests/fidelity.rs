//! The simulated API server held to a real one: random sequences of requests go to both, and the answers, lists and watches
//! have to be the same, but for what docs/simulation-fidelity.md names. The sequences are the same in each run, unless
//! `FIDELITY_FRESH` is set; a failure says its seed, and `FIDELITY_SEED` plays that one alone. `FIDELITY_SEQUENCES` says how
//! many there are.

mod common;
#[path = "fidelity/draw.rs"]
mod draw;
#[path = "fidelity/normal.rs"]
mod normal;
#[path = "fidelity/sequence.rs"]
mod sequence;
#[path = "fidelity/shapes.rs"]
mod shapes;
#[path = "fidelity/sides.rs"]
mod sides;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::cluster::{Cluster, programs};
use operator_testing::sim::server;
use serde_json::Value;
use sides::{Ask, Real, Side as _, Simulated};

const SEQUENCES: u64 = 500;
const STEPS: usize = 12;
/// The sequences of one simulated server and one connection.
const BATCH: u64 = 100;

/// `kubectl proxy`, which ends with this.
struct Proxy(Child, u16);

impl Proxy {
    fn start() -> Self {
        let kubeconfig = Cluster::shared().kubeconfig();
        let mut command = Command::new(programs().join("kubectl"));
        command.arg("--kubeconfig").arg(kubeconfig).args(["proxy", "--port=0"]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("kubectl");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Self(child, port.unwrap_or_else(|| panic!("no port: {line}")))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn simulated() -> Simulated {
    let mut simulated = Simulated(server::Server::new(jiff::Timestamp::now, 1));
    let (code, body) = simulated.ask(&Ask::new("POST", DEFINITIONS).body(shapes::definition()));
    assert_eq!(code, 201, "{body}");
    simulated
}

#[test]
fn both_servers_answer_alike() {
    let proxy = Proxy::start();
    let mut real = Real::new(proxy.1);
    real.ask(&Ask::new("POST", DEFINITIONS).body(shapes::definition()));
    let begin = Instant::now();
    while real.ask(&Ask::new("GET", "/apis/fidelity.example.com/v1/things")).0 != 200 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the kind is not served");
        std::thread::sleep(Duration::from_millis(100));
    }
    if let Some(seed) = number("FIDELITY_SEED") {
        if let Err(difference) = sequence::play(seed, STEPS, &mut real, &mut simulated()) {
            panic!("{difference}");
        }
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let salt = if std::env::var_os("FIDELITY_FRESH").is_some() { now.as_secs() << 20 } else { 0 };
    let count = number("FIDELITY_SEQUENCES").unwrap_or(SEQUENCES);
    let mut differences = Vec::new();
    for first in (0..count).step_by(BATCH.try_into().expect("a number")) {
        let mut simulated = simulated();
        for seed in first..count.min(first + BATCH) {
            if let Err(difference) = sequence::play(salt + seed, STEPS, &mut real, &mut simulated) {
                differences.push(difference);
            }
        }
    }
    let some = differences.iter().take(5).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "{} of {count} sequences differ:\n{some}", differences.len());
}

/// The table of types is what the API server publishes.
#[test]
fn types_are_those_of_the_api_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::shared();
    let index: Value =
        serde_json::from_str(&cluster.kubectl(&["get", "--raw", "/openapi/v3"])).expect("JSON");
    for (name, place) in index["paths"].as_object().expect("paths") {
        let url = place["serverRelativeURL"].as_str().expect("a path");
        let text = cluster.kubectl(&["get", "--raw", url]);
        std::fs::write(folder.path().join(name.replace('/', "__") + ".json"), text).expect("a file");
    }
    // The control plane may have been built long ago, and its sources be gone.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut download = Command::new("go");
    download.args(["mod", "download", "k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver"]);
    let downloaded = download.current_dir(root.join("tests/control-plane/kubernetes")).status().expect("go");
    assert!(downloaded.success(), "the types' sources cannot be fetched");
    let cache = Command::new("go").args(["env", "GOMODCACHE"]).output().expect("go");
    let cache = String::from_utf8(cache.stdout).expect("a path");
    let output = Command::new("python3")
        .arg(root.join("tests/fidelity/types.py"))
        .arg(folder.path())
        .args([cache.trim(), "v1.37.2"])
        .output()
        .expect("python3");
    let made = String::from_utf8(output.stdout).expect("text");
    let table = root.join("testing/src/sim/server/types.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&table, &made).expect("the table");
    }
    let kept = std::fs::read_to_string(&table).expect("the table");
    let wrong: Vec<_> = made.lines().zip(kept.lines()).filter(|(made, kept)| made != kept).take(5).collect();
    assert!(made == kept, "BLESS=1 cargo test --test fidelity types renews types.txt: {wrong:#?}");
}
