//! A template for the tests: what another one takes is this file, its folder and its line in the list.

use super::{
    ControllerView, KindTemplate, Options, ProjectView, Rendered, ResourceView, TemplateOption, filters,
    render,
};
use crate::Problem;

/// See the module.
#[derive(Debug)]
pub struct Dummy;

const OPTIONS: &[TemplateOption] = &[TemplateOption {
    flag: "dummy-size",
    value_name: "SIZE",
    help: "How large",
    key: "size",
    check: |size| size.parse::<u8>().err().map(|_| Problem::new("`size` is not a number up to 255")),
}];

impl KindTemplate for Dummy {
    fn name(&self) -> &'static str {
        "dummy"
    }

    fn help(&self) -> &'static str {
        "For the tests"
    }

    fn options(&self) -> &'static [TemplateOption] {
        OPTIONS
    }

    fn types(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered {
        render!("kinds/dummy/types.rs.j2" => path; p: ProjectView, r: ResourceView)
    }

    fn sample(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered {
        render!("kinds/dummy/sample.yaml.j2" => path; p: ProjectView, r: ResourceView)
    }

    fn definition(&self, _: bool) -> &'static str {
        include_str!("../../../templates/kinds/dummy/definition.json")
    }

    fn controller(
        &self,
        p: &ProjectView,
        r: &ResourceView,
        c: &ControllerView,
        o: &Options,
    ) -> Vec<Rendered> {
        let (path, size) = (c.file(&c.module), o.get("size").map_or("1", String::as_str));
        vec![render!("kinds/dummy/controller.rs.j2" => path; p: ProjectView, r: ResourceView, size: str)]
    }

    fn test(&self, p: &ProjectView, r: &ResourceView, c: &ControllerView) -> Rendered {
        render!("kinds/dummy/test.rs.j2" => c.test_file(); p: ProjectView, r: ResourceView, c: ControllerView)
    }

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

#[path = "../../../templates/kinds/dummy/stand_in.rs"]
mod stand_in;
