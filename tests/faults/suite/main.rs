//! The operator when things go wrong: it ends in the state that it reaches when nothing does, by the same creations and
//! deletions, is quiet afterwards, alive, and stops in time.
//!
//! Each case has a namespace, an operator and a proxy of its own, so that they can run at the same time. They are put into
//! a generated project as `tests/suite`.

mod case;
mod crashes;
mod creations;
mod events;
mod leaders;
mod objects;
mod proxies;
mod requests;
mod rights;
mod rivals;
mod scrapes;
mod servers;
mod sizes;
mod staleness;
mod stories;
mod subject;
mod tokens;
mod watches;

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::Runtime;

/// Runs a case. All share the runtime, because they share the control plane and with it its client.
fn run(case: impl Future<Output = ()>) {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).block_on(case);
}
