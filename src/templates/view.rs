//! What templates see: plain fields with the names the `.j2` files use.

use crate::project::Project;
use crate::resource::Resource;

/// The project, as `p` in a template.
pub struct ProjectView {
    /// `iris`, a DNS label.
    pub project_name: String,
    /// Cargo package of the operator.
    pub crate_name: String,
    /// Its library, as a Rust identifier.
    pub lib: String,
    /// Cargo package of the types.
    pub api_crate: String,
    /// Its library, as a Rust identifier.
    pub api_lib: String,
    /// Suffix of the API groups.
    pub domain: String,
    /// Whether types and controllers are organised by group.
    pub multigroup: bool,
    /// Whether the operator is confined to one namespace.
    pub namespaced: bool,
    /// Where it is deployed: `iris-system`.
    pub namespace: String,
    /// Licence header of Rust files, with its final line end; or empty.
    pub header: String,
    /// SPDX identifier of the licence; or empty.
    pub license: String,
    /// Version of the tool.
    pub cli_version: String,
}
