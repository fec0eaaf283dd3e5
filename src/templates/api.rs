//! The files that `create api` renders for one kind, and what it inserts into shared ones.

use super::{ControllerView, Operand, ProjectView, Rendered, ResourceView, filters, render};
use crate::cli::Template;
use crate::scaffold::{Insert, RelPath};
use crate::Result;

/// The user's files for the types and the sample of a kind.
#[must_use]
pub fn types(p: &ProjectView, r: &ResourceView, template: Template) -> Vec<Rendered> {
    let group = if p.multigroup { format!("{}/", r.group_module) } else { String::new() };
    let types = format!("api/src/{group}{}/{}.rs", r.version_module, r.module);
    let sample = format!("config/samples/{}", r.sample_file);
    match template {
        Template::Replicas => vec![
            render!("api/api/src/_version_/_kind_.rs.replicas.j2" => types; p: ProjectView, r: ResourceView),
            render!("api/config/samples/_sample_.yaml.replicas.j2" => sample; p: ProjectView, r: ResourceView),
        ],
        Template::Blank => vec![
            render!("api/api/src/_version_/_kind_.rs.blank.j2" => types; p: ProjectView, r: ResourceView),
            render!("api/config/samples/_sample_.yaml.blank.j2" => sample; p: ProjectView, r: ResourceView),
        ],
    }
}
