//! The blank template, for any kind: an empty spec, and a reconcile of one `ConfigMap` to begin with; for kinds of others
//! and of the cluster, an empty one.

use super::{ControllerView, KindTemplate, Options, ProjectView, Rendered, ResourceView, filters, render};

/// See the module.
#[derive(Debug)]
pub struct Blank;

/// An empty controller: of types that are not known, there is no telling what a child could be.
pub(super) fn bare(p: &ProjectView, r: &ResourceView, c: &ControllerView) -> Rendered {
    let path = c.file(&c.module);
    render!("kinds/blank/controller_bare.rs.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView)
}

impl KindTemplate for Blank {
    fn name(&self) -> &'static str {
        "blank"
    }

    fn help(&self) -> &'static str {
        "An empty spec, and a reconcile of one ConfigMap to begin with"
    }

    fn needs_types(&self) -> bool {
        false
    }

    fn types(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered {
        render!("kinds/blank/types.rs.j2" => path; p: ProjectView, r: ResourceView)
    }

    fn sample(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered {
        render!("kinds/blank/sample.yaml.j2" => path; p: ProjectView, r: ResourceView)
    }

    fn definition(&self, _: bool) -> &'static str {
        include_str!("../../../templates/kinds/blank/definition.json")
    }

    fn controller(
        &self,
        p: &ProjectView,
        r: &ResourceView,
        c: &ControllerView,
        _: &Options,
    ) -> Vec<Rendered> {
        let path = c.file(&c.module);
        vec![if r.has_api && r.namespaced {
            render!("kinds/blank/controller.rs.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView)
        } else {
            bare(p, r, c)
        }]
    }

    fn test(&self, p: &ProjectView, r: &ResourceView, c: &ControllerView) -> Rendered {
        render!("api/tests/_kind_.rs.j2" => c.test_file(); p: ProjectView, r: ResourceView, c: ControllerView)
    }

    #[cfg(test)]
    fn compiled(&self) -> Vec<super::tests::Compiled> {
        use kube::CustomResourceExt as _;
        vec![super::tests::Compiled {
            namespaced: true,
            types: "stand_in.rs",
            definition: "definition.json",
            crd: stand_in::Placeholder::crd(),
        }]
    }
}

#[cfg(test)]
#[path = "../../../templates/kinds/blank/stand_in.rs"]
mod stand_in;
