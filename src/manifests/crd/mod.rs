//! Custom resource definitions: from Rust types to the files below `config/crd/bases`.
//!
//! There are two ways in, and both end in the same canonical form. `create api` takes the types of its templates,
//! which are compiled into this tool ([`builtin`]); `manifests` takes what the project's `crdgen` printed
//! ([`from_crdgen`]). Documents are [`serde_json::Value`]s throughout, so that nothing is lost that the Rust types of
//! the Kubernetes API do not know.

mod breaking;
mod builtin;
mod depth;
mod descriptions;
mod keys;
mod lint;
mod merge;
mod names;
mod normalise;
mod overlay;
mod patches;
mod place;
mod prose;
mod render;
mod sources;
mod validate;
mod versions;

pub use breaking::{breaking, moved};
pub use builtin::{STAND_IN, builtin};
pub use descriptions::limit_descriptions;
pub use keys::open_keys;
pub use lint::{ALLOW, Accepted, RULES, lint};
pub use merge::{from_crdgen, merge, storage_version, with_version};
pub use names::Names;
pub use normalise::normalise;
pub use overlay::Fields;
pub use patches::Patches;
pub use render::{file_name, render};
pub use sources::{Places, Sources};
pub use validate::validate;
pub use versions::{Differences, differences};
