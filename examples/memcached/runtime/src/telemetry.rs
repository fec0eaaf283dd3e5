//! Logs, on stderr; and with the feature `otel` traces, one for each reconcile, to the OpenTelemetry collector that the
//! environment variable `OTEL_EXPORTER_OTLP_ENDPOINT` names, or the one for traces alone. `--log-level` is about both.

use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

/// Flags of the logs.
#[derive(Clone, Debug, Args)]
#[group(id = "operator_runtime_log_options")]
pub struct LogOptions {
    /// How much to log: error, warn, info, debug, trace, or directives such as info,kube=debug
    #[arg(long, default_value = "info", value_parser = filter, value_name = "LEVEL")]
    pub log_level: EnvFilter,
    /// How to log
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// A filter, in which a word that stands alone is a level: tracing takes any other for the only module that may log.
fn filter(text: &str) -> Result<EnvFilter, Box<dyn std::error::Error + Send + Sync>> {
    if text.is_empty() {
        return Err("expected a level such as info".into());
    }
    for word in text.split(',').filter(|directive| !directive.contains(['=', '['])) {
        word.parse::<LevelFilter>()?;
    }
    Ok(EnvFilter::try_new(text)?)
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Sends what is left when it is dropped.
#[must_use]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

/// Starts logging as the flags say. `service` is the operator's name in traces, unless `OTEL_SERVICE_NAME` gives another.
pub fn init(service: &'static str, options: LogOptions) -> Telemetry {
    let stderr = std::io::stderr;
    let logs = fmt::layer().with_target(false).with_ansi(stderr().is_terminal()).with_writer(stderr);
    let logs = match options.log_format {
        LogFormat::Text => logs.boxed(),
        LogFormat::Json => logs.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(logs).with(options.log_level);
    #[cfg(feature = "otel")]
    let (subscriber, traces) = {
        use opentelemetry::trace::TracerProvider as _;
        let traces = traces(service);
        let layer = traces
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer(service)));
        (subscriber.with(layer), traces)
    };
    #[cfg(not(feature = "otel"))]
    let _ = service;
    subscriber.init();
    Telemetry {
        #[cfg(feature = "otel")]
        traces: traces.unwrap_or_else(|error| {
            tracing::error!(%error, "no traces are sent");
            None
        }),
    }
}

/// Where traces go, if a collector is named.
#[cfg(feature = "otel")]
fn traces(
    service: &'static str,
) -> Result<Option<opentelemetry_sdk::trace::SdkTracerProvider>, opentelemetry_otlp::ExporterBuildError> {
    let variables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    if variables.iter().all(|variable| std::env::var_os(variable).is_none()) {
        return Ok(None);
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
    let resource = opentelemetry_sdk::Resource::builder().with_service_name(service).build();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder();
    Ok(Some(provider.with_batch_exporter(exporter).with_resource(resource).build()))
}

#[cfg(feature = "otel")]
impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.traces
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "traces are left unsent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        options: LogOptions,
    }

    /// There is nowhere yet to log that.
    #[test]
    fn a_level_that_cannot_be_is_a_mistake_in_the_flags() {
        for wrong in ["a=b=c", "verbose", "info,loud", ""] {
            let error = Cli::try_parse_from(["test", "--log-level", wrong]).expect_err(wrong);
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation);
        }
        for right in ["off", "INFO", "info,kube=debug", "kube=debug", "[reconcile]=trace"] {
            assert!(Cli::try_parse_from(["test", "--log-level", right]).is_ok(), "{right}");
        }
    }
}
