//! A real Kubernetes for tests: API server, controllers, scheduler and simulated nodes.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The folder of the control plane's programs; built on first use.
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = std::env::var_os("IRIS_CONTROL_PLANE_BIN") {
            return folder.into();
        }
        let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control-plane/build");
        let output = Command::new(build).stderr(Stdio::inherit()).output().expect("the build runs");
        assert!(output.status.success(), "the control plane could not be built");
        String::from_utf8(output.stdout).expect("a path").trim().into()
    })
}

/// Where generated projects are built, so that all share their dependencies.
pub fn target() -> PathBuf {
    std::env::var_os("IRIS_GENERATED_TARGET")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/generated"), PathBuf::from)
}

/// Cargo in a generated project, whose tests find the control plane's programs.
pub fn cargo(project: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(project).env("CARGO_TARGET_DIR", target()).env("KUBEBUILDER_ASSETS", programs());
    cargo
}

/// A running cluster.
pub struct Cluster {
    // Its standard input closes when the test process ends, and it stops with that.
    _process: Child,
    folder: PathBuf,
}

impl Cluster {
    /// The cluster that all tests of this process share. Namespaces and names keep them apart.
    pub fn shared() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(|| Self::start(""))
    }

    /// An API server without controllers, nodes and scheduler.
    pub fn api_only() -> Self {
        Self::start("--api-only")
    }

    fn start(option: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("iris-cluster-").tempdir().expect("a folder").keep();
        // Nothing in this process runs after the tests. The logs of a cluster that failed stay.
        let script = r#"trap '' HUP INT TERM; "$0" up --until-stdin-closes $2 --dir "$1" && rm -rf "$1""#;
        let mut process = Command::new("sh")
            .args(["-c", script])
            .arg(programs().join("kubernetes"))
            .arg(&folder)
            .arg(option)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the control plane starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(line.starts_with("ready "), "the control plane did not start: {line}");
        Self { _process: process, folder }
    }

    /// Its kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
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
            Err(seen) if begin.elapsed() > Duration::from_secs(60) => {
                let mut message = format!("waited in vain for {what}; last seen:\n");
                let _ = write!(message, "{seen}");
                panic!("{message}");
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// `Ok` when `seen` is `expected`.
#[expect(clippy::needless_pass_by_value, reason = "read as assert_eq!")]
pub fn is<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{seen:?} instead of {expected:?}")) }
}
