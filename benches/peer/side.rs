//! One of the two operators as a process, and what it costs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::cluster::{free_port, run, target};
use crate::common::operator::{Operator, http, samples};

/// How many of its units a second of CPU has in `/proc` (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Rust,
    Go,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Go => "Go",
        })
    }
}

/// What is run.
pub struct Program {
    pub side: Side,
    pub path: PathBuf,
    /// The flag that has it log little.
    pub quiet: &'static str,
}

/// Builds the one in Go, as its image would have it, but without what debuggers need.
pub fn go() -> Program {
    let path = target().join("iris-go");
    let mut build = Command::new("go");
    build.args(["build", "-mod=readonly", "-ldflags=-s -w", "-o"]).arg(&path).arg("./cmd");
    build.env("CGO_ENABLED", "0");
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/iris-go"));
    run(build, "").expect("the one in Go builds");
    Program { side: Side::Go, path, quiet: "--zap-log-level=panic" }
}

/// A process that ends with the benchmark.
pub struct Process {
    operator: Operator,
    port: u16,
}

/// What a process has used and asked for since its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Use {
    /// Seconds.
    pub cpu: f64,
    /// Requests that read, and those that write.
    pub reads: f64,
    pub writes: f64,
}

impl Process {
    pub fn start(program: &Program, kubeconfig: &Path, workers: usize) -> Self {
        let port = free_port();
        let mut command = Command::new(&program.path);
        command.arg(program.quiet).arg("--metrics-secure=false");
        command.arg(format!("--metrics-bind-address=127.0.0.1:{port}"));
        command.arg(format!("--max-concurrent-reconciles={workers}"));
        command.env("KUBECONFIG", kubeconfig).env_remove("WATCH_NAMESPACE").stdin(Stdio::null());
        Self { operator: Operator::start(&mut command), port }
    }

    /// What it has used; nothing as long as it does not serve its metrics.
    pub fn used(&self) -> Use {
        let metrics = self.metrics();
        let requests = |is_read: bool| {
            let lines = samples(&metrics, "rest_client_requests_total{");
            let lines = lines.filter(|(line, _)| line.contains("method=\"GET\"") == is_read);
            lines.map(|(_, value)| value).sum()
        };
        Use { cpu: cpu(self.operator.id()), reads: requests(true), writes: requests(false) }
    }

    /// How often it has reconciled without an error.
    pub fn reconciled(&self) -> f64 {
        let metrics = self.metrics();
        let lines = samples(&metrics, "controller_runtime_reconcile_total{");
        lines.filter(|(line, _)| !line.contains("\"error\"")).map(|(_, value)| value).sum()
    }

    /// Bytes of memory that are resident.
    pub fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.operator.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024.0
    }

    /// Asks it to end; how long that takes.
    pub fn stop(mut self) -> Duration {
        let begin = Instant::now();
        self.operator.stop();
        begin.elapsed()
    }

    fn metrics(&self) -> String {
        http(self.port, "/metrics").unwrap_or_default()
    }
}

/// Seconds of CPU that a process has taken.
pub fn cpu(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("its times");
    // The name is in parentheses and may hold any character.
    let (_, rest) = stat.rsplit_once(')').expect("its name");
    let times = rest.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().expect("a number"));
    times.sum::<f64>() / TICKS
}
