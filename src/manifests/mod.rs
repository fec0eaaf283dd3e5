//! What is made from the sources of a project: custom resource definitions, roles, and a reference for users.
//!
//! Both come out as text that depends on nothing but the input, so that `create api` and `make manifests` write the
//! same bytes. Nothing here reads or writes a file.

pub mod crd;
pub mod rbac;
pub mod reference;
