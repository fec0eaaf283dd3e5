//! The manager's log: structured messages on standard error, as text or JSON.

use super::options::{LogFormat, Options};
use std::io;
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging as the options say. Later calls change nothing.
pub fn init(options: &Options) {
    let log = tracing_subscriber::registry().with(options.log_level.clone());
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    // Fails when a log is set up already, as in tests.
    let _ = match options.log_format {
        LogFormat::Text => log.with(layer.with_target(false).with_ansi(false)).try_init(),
        LogFormat::Json => log
            .with(layer.json().flatten_event(true).with_span_list(false))
            .try_init(),
    };
}
