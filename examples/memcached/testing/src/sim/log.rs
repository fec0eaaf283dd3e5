//! The operator's own log, in virtual time, among the requests of everybody.

use std::fmt;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use super::determinism;

/// Runs a history with everything that is logged on this thread printed.
pub(super) fn with<T>(run: impl FnOnce() -> T) -> T {
    let subscriber =
        tracing_subscriber::fmt().with_timer(Virtual).with_ansi(false).with_writer(std::io::stderr);
    tracing::subscriber::with_default(subscriber.finish(), run)
}

struct Virtual;

impl FormatTime for Virtual {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:>9.3}s", determinism::elapsed().as_secs_f64())
    }
}
