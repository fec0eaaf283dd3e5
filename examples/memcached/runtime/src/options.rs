//! The manager's flags, named as those of managers written in Go.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use k8s_openapi::jiff::SignedDuration;

/// Flags of every manager.
#[derive(Clone, Debug, Args)]
// Not named after the type, which the user's own options may be called, too.
#[group(id = "operator_runtime_options")]
pub struct Options {
    /// File that says how to reach the cluster; otherwise KUBECONFIG and ~/.kube/config do, or the pod it runs in
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig to use; the current one when not given
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Let only one of several replicas work, by holding a Lease
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = ArgAction::Set)]
    pub leader_elect: bool,
    /// Namespace of the Lease
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAMESPACE")]
    pub leader_election_namespace: Option<String>,
    /// Where to serve metrics, such as :8443; 0 for nowhere
    #[arg(long, default_value = "0", value_name = "ADDRESS")]
    pub metrics_bind_address: String,
    /// Serve metrics over HTTPS, to those whom the cluster allows to read them; otherwise over HTTP, to everybody
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set)]
    pub metrics_secure: bool,
    /// For whom a token that reads the metrics must be meant, one of these; for the API server when not given
    #[arg(long, value_delimiter = ',', value_name = "AUDIENCES")]
    pub metrics_token_audiences: Vec<String>,
    /// Serve metrics over HTTP/2 too
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = ArgAction::Set)]
    pub enable_http2: bool,
    /// Directory of the metrics' certificate and key; without it the manager makes its own
    #[arg(long, value_name = "DIR")]
    pub metrics_cert_path: Option<PathBuf>,
    /// File name of the certificate
    #[arg(long, default_value = "tls.crt", value_name = "FILE")]
    pub metrics_cert_name: String,
    /// File name of the key
    #[arg(long, default_value = "tls.key", value_name = "FILE")]
    pub metrics_cert_key: String,
    /// Where to answer health probes, such as :8081; 0 for nowhere
    #[arg(long, default_value = "0", value_name = "ADDRESS")]
    pub health_probe_bind_address: String,
    /// Namespaces to watch, separated by commas; all when not given
    #[arg(long, env = "WATCH_NAMESPACE", value_delimiter = ',', value_name = "NAMESPACES")]
    pub watch_namespace: Vec<String>,
    /// How many objects each controller reconciles at the same time
    #[arg(long, default_value = "16", value_parser = concurrency, value_name = "COUNT")]
    pub max_concurrent_reconciles: usize,
    /// How long things may take.
    #[command(flatten)]
    pub timings: Timings,
}

/// How long things may take, such as `500ms`, `15s` or `1m30s`.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Timing")]
#[group(id = "operator_runtime_timings")]
pub struct Timings {
    /// How long a Lease is valid without renewal
    #[arg(long, default_value = "15s", value_parser = duration, value_name = "TIME")]
    pub leader_elect_lease_duration: Duration,
    /// How long the leader tries to renew its Lease before it gives up
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub leader_elect_renew_deadline: Duration,
    /// How often the Lease is looked at
    #[arg(long, default_value = "2s", value_parser = duration, value_name = "TIME")]
    pub leader_elect_retry_period: Duration,
    /// How often every object is reconciled though nothing was heard of it
    #[arg(long, default_value = "10m", value_parser = duration, value_name = "TIME")]
    pub sync_period: Duration,
    /// How long one reconcile may take
    #[arg(long, default_value = "1m", value_parser = duration, value_name = "TIME")]
    pub reconcile_timeout: Duration,
    /// How long the API server may take to answer a request
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub request_timeout: Duration,
    /// How long a watch may be silent before another one takes its place; the API server sends something every minute
    #[arg(long, default_value = "90s", value_parser = duration, value_name = "TIME")]
    pub watch_silence_limit: Duration,
    /// How often the number of known objects is compared with the API server's; less than a minute, so that there is
    /// something to send every minute. Of more than ten namespaces each is counted less often
    #[arg(long, default_value = "45s", value_parser = duration, value_name = "TIME")]
    pub watch_check_period: Duration,
}

fn concurrency(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=10_000).contains(count));
    count.ok_or_else(|| "expected a number from 1 to 10000".to_owned())
}

/// As Go and people write it: `1m30s`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "expected a time such as 500ms, 15s or 1m30s")?;
    let parsed = Duration::try_from(parsed).map_err(|_| "a time cannot be negative")?;
    let too_long = parsed > Duration::from_secs(366 * 24 * 60 * 60);
    if parsed.is_zero() || too_long {
        Err("a time cannot be zero or over a year".to_owned())
    } else {
        Ok(parsed)
    }
}

impl Options {
    /// The namespaces to watch: `None` stands for all of them.
    pub(crate) fn namespaces(&self) -> Vec<Option<String>> {
        let given = self.watch_namespace.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        let named: BTreeSet<_> = given.map(|name| Some(name.to_owned())).collect();
        if named.is_empty() { vec![None] } else { named.into_iter().collect() }
    }
}

#[cfg(test)]
impl Options {
    pub(crate) fn for_tests<const N: usize>(flags: [&str; N]) -> Self {
        let command = Self::augment_args(clap::Command::new("test"));
        let matches = command.get_matches_from(["test"].into_iter().chain(flags));
        clap::FromArgMatches::from_arg_matches(&matches).expect("flags")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_watched_once_and_times_have_bounds() {
        let options = Options::for_tests(["--watch-namespace=b, a,,b"]);
        assert_eq!(options.namespaces(), [Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(Options::for_tests(["--watch-namespace="]).namespaces(), [None]);
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        for wrong in ["", "5", "-1s", "0s", "9999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
