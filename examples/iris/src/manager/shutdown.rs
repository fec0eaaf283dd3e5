//! When to stop: at the first SIGTERM or SIGINT in order, at the second at once.

use super::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that the first signal cancels. The second one ends the process with status 1.
pub fn on_signal() -> Result<CancellationToken, Error> {
    let failed = |source| Error::Io {
        action: "listen for signals".to_owned(),
        source,
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;

    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                tracing::info!("told to stop: finishing what is under way");
                token.cancel();
            }
        }
        tracing::warn!("told to stop again: leaving at once");
        std::process::exit(1);
    });
    Ok(stop)
}
