//! YAML, read and written: what may come from strangers, and what every reader is to understand the same way.

mod guard;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Fault, documents, one, probe};
pub use write::document;
