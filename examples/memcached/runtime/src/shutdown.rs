//! The signal to stop.

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::Error;

/// Resolves, for everyone who holds a clone, once the process should stop.
pub type Shutdown = Shared<BoxFuture<'static, ()>>;

/// Stops at SIGTERM or SIGINT; a second one ends the process at once.
pub(crate) fn on_signal() -> Result<Shutdown, Error> {
    let listen = |kind| signal(kind).map_err(Error::because("cannot listen to signals"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (first, requested) = oneshot::channel::<()>();
    tokio::spawn(async move {
        tokio::select! { biased; _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        drop(first);
        tokio::select! { biased; _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        info!("second signal: stopping at once");
        std::process::exit(1);
    });
    Ok(requested.map(drop).boxed().shared())
}
