//! The replicas template: one Deployment kept at a number of replicas, by a complete controller.

use super::{
    ControllerView, KindTemplate, Options, ProjectView, Rendered, ResourceView, TemplateOption, filters,
    render,
};
use crate::path::RelPath;
use crate::resource::{IMAGE, Operand, validate};
use crate::scaffold::Insert;
use crate::{Problem, Result};

/// See the module.
#[derive(Debug)]
pub struct Replicas;

/// What its containers run. PROJECT has the keys of kubebuilder's deploy-image plugin.
const OPTIONS: &[TemplateOption] = &[
    TemplateOption {
        flag: "image",
        value_name: "IMAGE",
        help: "Image of the container [default: `registry.k8s.io/pause:3.10`; for kind `Iris`, IRIS Community Edition]",
        key: IMAGE,
        check: validate::image,
    },
    TemplateOption {
        flag: "image-container-command",
        value_name: "COMMAND",
        help: "Command of the container, its words separated by commas",
        key: "containerCommand",
        check: |command| command.split(',').find_map(validate::command_word),
    },
    TemplateOption {
        flag: "image-container-port",
        value_name: "PORT",
        help: "Port that the container listens on",
        key: "containerPort",
        check: |port| validate::port(port).err(),
    },
    TemplateOption {
        flag: "run-as-user",
        value_name: "UID",
        help: "User ID that the container runs as",
        key: "runAsUser",
        check: |user| validate::user(user).err(),
    },
];

impl KindTemplate for Replicas {
    fn name(&self) -> &'static str {
        "replicas"
    }

    fn help(&self) -> &'static str {
        "Keep one Deployment at a number of replicas: a complete controller"
    }

    fn options(&self) -> &'static [TemplateOption] {
        OPTIONS
    }

    /// Another image has a command, a port and a user of its own.
    fn settle(&self, kind: &str, known: Option<&Options>, given: &Options) -> Options {
        let mut options = match known {
            _ if given.contains_key(IMAGE) => Options::new(),
            Some(known) => known.clone(),
            None => Operand::of_kind(kind).options(),
        };
        options.extend(given.clone());
        let spelt = Operand::read(kind, &options).options();
        options.extend(spelt);
        options
    }

    fn differs(&self, kind: &str) -> Problem {
        let problem = Problem::new(format!("kind `{kind}` runs another image, or runs it in another way"));
        problem.hint(
            "say `--force` to write its files anew, or edit `config/manager/manager.yaml` and the sources",
        )
    }

    fn types(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered {
        render!("kinds/replicas/types.rs.j2" => path; p: ProjectView, r: ResourceView)
    }

    fn sample(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered {
        render!("kinds/replicas/sample.yaml.j2" => path; p: ProjectView, r: ResourceView)
    }

    fn definition(&self, namespaced: bool) -> &'static str {
        if namespaced {
            include_str!("../../../templates/kinds/replicas/definition.json")
        } else {
            include_str!("../../../templates/kinds/replicas/definition_cluster.json")
        }
    }

    fn controller(
        &self,
        p: &ProjectView,
        r: &ResourceView,
        c: &ControllerView,
        options: &Options,
    ) -> Vec<Rendered> {
        let (path, resources) = (c.file(&c.module), c.file(&c.resources_module()));
        let o = &Operand::read(&r.kind, options);
        vec![
            render!("kinds/replicas/controller.rs.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView),
            render!("kinds/replicas/resources.rs.j2" => resources; p: ProjectView, r: ResourceView, o: Operand),
        ]
    }

    fn modules(&self, c: &ControllerView) -> Vec<String> {
        vec![c.resources_module()]
    }

    /// The manager's variable that names the image of the kind's containers.
    fn insertions(&self, r: &ResourceView, options: &Options) -> Result<Vec<Insert>> {
        let image = Operand::read(&r.kind, options).image;
        let present = format!("- name: {}", r.env_image);
        Ok(vec![Insert {
            path: RelPath::new("config/manager/manager.yaml")?,
            anchor: "# +kubebuilder:scaffold:manager-env".into(),
            lines: format!("{present}\n  value: {}", filters::yaml_string(&image)),
            present,
        }])
    }

    /// The longer test keeps its objects apart by namespace, which cluster-scoped ones do not have.
    fn test(&self, p: &ProjectView, r: &ResourceView, c: &ControllerView) -> Rendered {
        let path = c.test_file();
        if r.namespaced {
            render!("kinds/replicas/test.rs.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView)
        } else {
            render!("kinds/replicas/test_cluster.rs.j2" => path; p: ProjectView, r: ResourceView, c: ControllerView)
        }
    }

    fn story(&self, p: &ProjectView, r: &ResourceView) -> Vec<(&'static str, String)> {
        let namespace = format!(
            r#"{{ "apiVersion": "v1", "kind": "Namespace", "metadata": {{ "name": "{}" }} }}"#,
            p.namespace
        );
        // The sample of a kind of the cluster names the manager's namespace where that is all that the manager sees.
        let given = (!r.namespaced && p.namespaced).then_some(("given", namespace));
        let steps = [
            r#"{ "spec": { "replicas": 3 } }"#,
            r#"{ "spec": { "deploymentName": "other", "replicas": 2 } }"#,
            r#"{ "spec": { "replicas": 0 } }"#,
        ];
        given.into_iter().chain(steps.map(|step| ("then", step.to_owned()))).collect()
    }

    #[cfg(test)]
    fn compiled(&self) -> Vec<super::tests::Compiled> {
        use kube::CustomResourceExt as _;
        let types = [
            (true, "stand_in.rs", "definition.json", stand_in::Placeholder::crd()),
            (false, "stand_in_cluster.rs", "definition_cluster.json", stand_in_cluster::Placeholder::crd()),
        ];
        let compiled = types.map(|(namespaced, types, definition, crd)| super::tests::Compiled {
            namespaced,
            types,
            definition,
            crd,
        });
        compiled.into()
    }
}

#[cfg(test)]
#[path = "../../../templates/kinds/replicas/stand_in.rs"]
mod stand_in;
#[cfg(test)]
#[path = "../../../templates/kinds/replicas/stand_in_cluster.rs"]
mod stand_in_cluster;
