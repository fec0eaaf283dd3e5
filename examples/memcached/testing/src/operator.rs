//! The operator, running as a process of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::port::free_port;
use crate::process::Process;
use crate::{ControlPlane, eventually, http};

/// The operator as a process, which takes kubebuilder's flags of addresses and serves `/healthz`, `/readyz` and
/// `/metrics`. It is killed when this is dropped.
pub struct Operator {
    process: Process,
    metrics_port: u16,
    health_port: u16,
}

impl Operator {
    /// Starts the operator with `args` besides the addresses it serves at, and waits until it is ready.
    pub async fn start(control_plane: &ControlPlane, args: &[&str]) -> Self {
        let mut operator = Self::launch(control_plane, &control_plane.kubeconfig(), args);
        operator.ready().await;
        operator
    }

    /// As [`Operator::start`], with any kubeconfig, and without waiting.
    #[must_use]
    pub fn launch(control_plane: &ControlPlane, kubeconfig: &Path, args: &[&str]) -> Self {
        let (metrics_port, health_port) = (free_port(), free_port());
        let log = control_plane.dir().join(format!("operator-{metrics_port}.log"));
        let process = Process::spawn(control_plane.project().program(), log, |command| {
            command.arg(format!("--metrics-bind-address=127.0.0.1:{metrics_port}"));
            command.arg(format!("--health-probe-bind-address=127.0.0.1:{health_port}"));
            if !args.iter().any(|arg| arg.starts_with("--metrics-secure")) {
                command.arg("--metrics-secure=false");
            }
            command.args(args).env("KUBECONFIG", kubeconfig);
            // They are about the test's own surroundings; the API server is on this machine.
            for name in ["WATCH_NAMESPACE", "POD_NAMESPACE", "HTTPS_PROXY", "https_proxy"] {
                command.env_remove(name);
            }
            command.envs(control_plane.project().env().iter().cloned());
        });
        Self { process, metrics_port, health_port }
    }

    /// Port of the metrics.
    #[must_use]
    pub fn metrics_port(&self) -> u16 {
        self.metrics_port
    }

    /// Waits until the operator is ready.
    pub async fn ready(&mut self) {
        let port = self.health_port;
        eventually("the operator is ready", async || {
            self.process.assert_running();
            http::get(port, "/readyz").await
        })
        .await;
    }

    /// What the operator says at `/readyz`; an error unless it is ready.
    pub async fn readiness(&self) -> Result<String, String> {
        http::get(self.health_port, "/readyz").await
    }

    /// Fails unless the operator runs and says that it is alive.
    pub async fn assert_alive(&mut self) {
        self.process.assert_running();
        http::get(self.health_port, "/healthz").await.expect("alive");
    }

    /// What the operator says at `/metrics`.
    pub async fn metrics(&self) -> Result<String, String> {
        http::get(self.metrics_port, "/metrics").await
    }

    /// The sum of the metrics whose line begins so.
    pub async fn metric(&self, begin: &str) -> f64 {
        let metrics = self.metrics().await.expect("metrics");
        let lines = metrics.lines().filter(|line| line.starts_with(begin));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// What the operator has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Stops the process until [`Operator::thaw`], without its knowing.
    pub fn freeze(&self) {
        self.process.signal("STOP");
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.process.signal("CONT");
    }

    /// Tells the operator to stop, as Kubernetes does, and waits until it did; how long that took.
    pub async fn stop(mut self) -> Duration {
        let start = Instant::now();
        self.process.signal("TERM");
        let status = eventually("the operator stops", async || self.process.exit_status()).await;
        assert!(status.success(), "the operator stopped with {status}\n{}", self.process.log_tail());
        start.elapsed()
    }

    /// Waits until the operator has ended by itself; whether it was content.
    pub async fn ended(mut self) -> bool {
        eventually("the operator ends", async || self.process.exit_status()).await.success()
    }

    /// Ends the operator without a warning, as a crash does.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.process.log_tail());
        }
    }
}
