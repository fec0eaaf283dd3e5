//! A real Kubernetes for tests: the control plane of `operator-testing`, seen through kubectl, and on request
//! controllers, a scheduler and a simulated node beside it.

mod nodes;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use operator_testing::free_port;
use operator_testing::{ControlPlane, Project};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use hyper::Request;
use nodes::Nodes;

/// The folder of the control plane's programs: what `KUBEBUILDER_ASSETS` names, or else built on first use.
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS").filter(|it| !it.is_empty()) {
            return folder.into();
        }
        let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("../control-plane/build");
        let output = Command::new(build).stderr(Stdio::inherit()).output().expect("the build runs");
        assert!(output.status.success(), "the control plane could not be built");
        String::from_utf8(output.stdout).expect("a path").trim().into()
    })
}

/// A running cluster. It ends when this is dropped, or with the process.
pub struct Cluster {
    control_plane: ControlPlane,
    nodes: Option<Nodes>,
    // The control plane's client is connected by it.
    runtime: Runtime,
}

impl Cluster {
    /// The API server that all tests of this process share. Namespaces and names keep them apart.
    pub fn shared() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::start)
    }

    /// The same with nodes, on which pods run.
    pub fn shared_with_nodes() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::with_nodes)
    }

    /// An API server without controllers, scheduler and nodes.
    pub fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let project = Project::new(env!("CARGO_MANIFEST_DIR")).with_binary_assets(programs());
        let control_plane = runtime.block_on(ControlPlane::bare(project));
        Self { control_plane, nodes: None, runtime }
    }

    /// An API server with the kinds of the project in a folder, as its tests would have it.
    pub fn of_project(root: &Path) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let project = Project::new(root).with_binary_assets(programs());
        let control_plane = runtime.block_on(ControlPlane::start(project));
        Self { control_plane, nodes: None, runtime }
    }

    /// An API server with the controllers of Kubernetes, a scheduler and a simulated node.
    pub fn with_nodes() -> Self {
        let mut cluster = Self::start();
        cluster.nodes = Some(Nodes::start(&cluster));
        cluster
    }

    /// Its kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.control_plane.kubeconfig()
    }

    /// Runs kubectl, which must succeed, and returns what it prints.
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.try_kubectl(args, "").unwrap_or_else(|error| panic!("kubectl {args:?}: {error}"))
    }

    /// Applies manifests on the server's side, with further arguments, and without a single warning.
    pub fn apply(&self, manifests: &str, more: &[&str]) {
        let args =
            [&["apply", "--server-side", "--force-conflicts", "--warnings-as-errors", "-f", "-"], more]
                .concat();
        self.try_kubectl(&args, manifests)
            .unwrap_or_else(|error| panic!("apply {more:?}: {error}\n{manifests}"));
    }

    /// Applies definitions of kinds, and waits until the kinds are there.
    pub fn define(&self, definitions: &str) {
        self.apply(definitions, &[]);
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "-f", "-"];
        // Again, because kubectl fails where a definition has no conditions at all, which it has not at first.
        eventually("the kinds", || self.try_kubectl(&wait, definitions));
    }

    /// An object, or a list, as JSON.
    pub fn get(&self, args: &[&str]) -> Value {
        let text = self.kubectl(&[&["get", "-o", "json"], args].concat());
        serde_json::from_str(&text).expect("JSON")
    }

    /// What the API server shows of objects at a path as a table, which `kubectl get` prints.
    pub fn table(&self, path: &str) -> Value {
        let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let request = Request::get(path).header("Accept", accept).body(Vec::new()).expect("a request");
        self.runtime.block_on(self.control_plane.client().request(request)).expect("a table")
    }

    /// Runs kubectl with `input`; what it prints, or its errors.
    pub fn try_kubectl(&self, args: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(programs().join("kubectl"));
        command.args(args).env("KUBECONFIG", self.kubeconfig());
        run(command, input)
    }
}

/// Runs a command with `input`; what it prints, or its errors.
pub fn run(mut command: Command, input: &str) -> Result<String, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().expect("a pipe");
    // At the same time, because a program may wait until what it printed is read.
    let (written, output) = std::thread::scope(|scope| {
        let written = scope.spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output();
        (written.join().expect("no panic"), output)
    });
    let output = output.map_err(|error| error.to_string())?;
    written.map_err(|error| error.to_string())?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(stdout.into_owned()) } else { Err(format!("{stdout}{stderr}")) }
}

/// Waits until `check` succeeds, and returns its result.
pub fn eventually<T>(what: &str, mut check: impl FnMut() -> Result<T, String>) -> T {
    let begin = Instant::now();
    loop {
        match check() {
            Ok(result) => return result,
            Err(seen) if begin.elapsed() > Duration::from_mins(1) => {
                panic!("waited in vain for {what}; last seen:\n{seen}");
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
