//! The engine: from texts to a [`Plan`], and from a plan to the disk. It knows no Kubernetes.
//!
//! A command collects [`File`]s and [`Insert`]s in a [`Draft`]. The draft sees the disk through a read-only [`Tree`]
//! and becomes a plan, which is plain data. [`apply()`] is the only function that writes.

mod apply;
mod conflict;
mod diff;
mod digest;
mod draft;
mod edit;
mod file;
mod found;
mod journal;
mod lines;
mod list;
mod lock;
mod merge;
mod plan;
mod recover;
mod staging;
mod tree;

pub use apply::{Step, apply, apply_with};
pub use conflict::{Answer, OnConflict, resolve, resolve_by};
pub use diff::{unified, unified_change};
pub use draft::Draft;
pub use edit::Insert;
pub use file::{Certainty, File, Ownership};
pub use journal::Journals;
pub use lines::same_lines;
pub use lock::{Lock, PATIENCE};
pub use merge::{merged, without_others};
pub use plan::{Action, Change, Plan};
pub use recover::{check_whole, recover};
pub use tree::Tree;

pub use crate::path::RelPath;
