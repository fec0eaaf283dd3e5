//! The manager's command line. Names and meanings are those of kubebuilder's managers.

use clap::{ArgAction, Parser, ValueEnum};
use std::{path::PathBuf, str::FromStr};
use tracing_subscriber::filter::Targets;

/// What the command line and the environment say.
#[derive(Clone, Debug, Parser)]
#[command(version, about)]
pub struct Options {
    /// Let only one replica work at a time; the others stand by
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value_t = false, default_missing_value = "true")]
    pub leader_elect: bool,

    /// Name of the Lease by which replicas elect their leader, instead of the built-in one
    #[arg(long, value_name = "NAME")]
    pub leader_election_id: Option<String>,

    /// Namespace of that Lease, instead of the manager's own
    #[arg(long, value_name = "NAMESPACE")]
    pub leader_election_namespace: Option<String>,

    /// Address to serve `/metrics` on, such as `:8080`; 0 serves none
    #[arg(long, value_name = "ADDRESS", default_value = ":8080")]
    pub metrics_bind_address: BindAddress,

    /// Serve metrics over HTTPS, to those whom the API server lets `get` the path
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value_t = false, default_missing_value = "true")]
    pub metrics_secure: bool,

    /// Folder with the certificate for metrics; a self-signed one is made when not given
    #[arg(long, value_name = "DIR")]
    pub metrics_cert_path: Option<PathBuf>,

    /// File name of the certificate in that folder
    #[arg(long, value_name = "FILE", default_value = "tls.crt")]
    pub metrics_cert_name: String,

    /// File name of the private key in that folder
    #[arg(long, value_name = "FILE", default_value = "tls.key")]
    pub metrics_cert_key: String,

    /// Address to serve `/healthz` and `/readyz` on; 0 serves none
    #[arg(long, value_name = "ADDRESS", default_value = ":8081")]
    pub health_probe_bind_address: BindAddress,

    /// Namespaces to watch, separated by commas; all when empty
    #[arg(
        long = "watch-namespace",
        value_name = "LIST",
        env = "WATCH_NAMESPACE",
        value_delimiter = ','
    )]
    pub watch_namespaces: Vec<String>,

    /// What to log: error, warn, info, debug or trace, also per module: `info,kube=debug`
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: Targets,

    /// How to log
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl Options {
    /// The namespaces to watch; `None` stands for all.
    #[must_use]
    pub fn namespaces(&self) -> Vec<Option<String>> {
        let mut named: Vec<_> = self.watch_namespaces.iter().map(|name| name.trim()).collect();
        named.retain(|name| !name.is_empty());
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            vec![None]
        } else {
            named.into_iter().map(|name| Some(name.to_owned())).collect()
        }
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// One readable line per message
    Text,
    /// One JSON object per message
    Json,
}

/// Where a server listens, in Go's form: without a host it is every interface, `0` is nowhere.
#[derive(Clone, Debug)]
pub struct BindAddress(
    /// Addresses to try in turn; none means that nothing is served.
    pub Vec<String>,
);

impl FromStr for BindAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if matches!(text, "" | "0") {
            return Ok(Self(Vec::new()));
        }
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("expected `host:port`, `:port` or `0`")?;
        port.parse::<u16>()
            .map_err(|_| format!("`{port}` is not a port"))?;
        Ok(Self(match host {
            // Both families where there are two, else IPv4 alone.
            "" => vec![format!("[::]:{port}"), format!("0.0.0.0:{port}")],
            _ => vec![text.to_owned()],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["manager"], arguments].concat())
    }

    #[test]
    fn switches_take_go_spellings() {
        assert!(!parse(&[]).expect("no flags").leader_elect);
        assert!(parse(&["--leader-elect"]).expect("a bare switch").leader_elect);
        assert!(
            !parse(&["--leader-elect=false"])
                .expect("an explicit switch")
                .leader_elect
        );
        assert!(parse(&["--metrics-secure=maybe"]).is_err());
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(
            parse(&["--metrics-bind-address=0"])
                .expect("off")
                .metrics_bind_address
                .0
                .len(),
            0
        );
        assert_eq!(
            parse(&[]).expect("default").metrics_bind_address.0[1],
            "0.0.0.0:8080"
        );
        assert!(parse(&["--metrics-bind-address=:http"]).is_err());
    }

    #[test]
    fn namespaces_are_a_list() {
        let options = parse(&["--watch-namespace=b, a,b,"]).expect("a list");
        assert_eq!(options.namespaces(), [Some("a".to_owned()), Some("b".to_owned())]);
    }
}
