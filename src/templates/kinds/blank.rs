//! The blank template: an empty spec and an empty reconcile, for any kind.

use super::{ControllerView, KindTemplate, Options, ProjectView, Rendered, ResourceView, filters, render};

/// See the module.
#[derive(Debug)]
pub struct Blank;

impl KindTemplate for Blank {
    fn name(&self) -> &'static str {
        "blank"
    }

    fn help(&self) -> &'static str {
        "An empty spec and an empty reconcile"
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
        vec![
            render!("kinds/blank/controller.rs.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView),
        ]
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
