//! Simulations: an operator, whole and unchanged, in one process and in virtual time, against an API server in memory.

mod actors;
mod determinism;
mod draw;
mod fault;
mod freeze;
mod history;
mod kinds;
mod log;
mod network;
mod plan;
mod property;
mod record;
mod replica;
mod report;
mod runner;
pub mod server;
mod shrink;
mod simulation;
mod stream;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use fault::SimFault;
pub use record::Record;
pub use replica::Replica;
pub use simulation::Simulation;

/// What `call` returns, or what it said when it panicked.
fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| panic_text(&*panic))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
