//! The operator that is tested: its program, and the manifests beside it.

use std::fs;
use std::path::{Path, PathBuf};

use kube::api::DynamicObject;
use serde::Deserialize as _;

use crate::kustomize;

const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// The operator that is tested: its program, and the folders of its manifests, which are kubebuilder's until said
/// otherwise.
///
/// [`project!`](crate::project!) gives that of the package that a test belongs to.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    program: Option<PathBuf>,
    binary_assets: Option<PathBuf>,
    crds: Vec<PathBuf>,
    rbac: PathBuf,
    samples: PathBuf,
    env: Vec<(String, String)>,
}

impl Project {
    /// The project in the folder `root`, whose operator is not known yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            program: None,
            binary_assets: None,
            crds: ["config/crd", "tests/crds"].map(PathBuf::from).into(),
            rbac: "config/rbac".into(),
            samples: "config/samples".into(),
            env: Vec::new(),
        }
    }

    /// The operator's program.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// The directory of etcd and kube-apiserver. By default what `KUBEBUILDER_ASSETS` names.
    #[must_use]
    pub fn with_binary_assets(mut self, directory: impl Into<PathBuf>) -> Self {
        self.binary_assets = Some(directory.into());
        self
    }

    /// An environment variable of the operator.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Folders of `CustomResourceDefinition`s in the project: its own, and those that stand in for other projects'. By
    /// default `config/crd` and `tests/crds`.
    ///
    /// Of a folder with a kustomization it is what kustomize builds, so that a patch such as that of a conversion is
    /// installed, too; kustomize or `kubectl` has to be there if there are any. Of another it is the YAML files in it. In
    /// both, a folder `bases` belongs to it.
    #[must_use]
    pub fn with_crds<P: Into<PathBuf>>(mut self, folders: impl IntoIterator<Item = P>) -> Self {
        self.crds = folders.into_iter().map(Into::into).collect();
        self
    }

    /// The folder of the service account, its roles and their bindings. By default `config/rbac`.
    #[must_use]
    pub fn with_rbac(mut self, folder: impl Into<PathBuf>) -> Self {
        self.rbac = folder.into();
        self
    }

    /// The folder of a sample of each kind. By default `config/samples`.
    #[must_use]
    pub fn with_samples(mut self, folder: impl Into<PathBuf>) -> Self {
        self.samples = folder.into();
        self
    }

    /// The sample of each kind.
    #[must_use]
    pub fn samples(&self) -> Vec<DynamicObject> {
        self.manifests(&self.samples)
    }

    /// The sample of one kind, such as `Memcached` of `cache.example.com/v1alpha1`.
    #[must_use]
    pub fn sample(&self, api_version: &str, kind: &str) -> DynamicObject {
        let is_wanted = |sample: &DynamicObject| {
            sample.types.as_ref().is_some_and(|it| it.api_version == api_version && it.kind == kind)
        };
        let sample = self.samples().into_iter().find(is_wanted);
        sample.unwrap_or_else(|| panic!("the project has no sample of {kind} of {api_version}"))
    }

    /// The objects in the YAML files of a folder of the project, which need not exist; kustomizations are not among
    /// them.
    #[must_use]
    pub fn manifests(&self, folder: impl AsRef<Path>) -> Vec<DynamicObject> {
        let folder = self.root.join(folder);
        let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).collect();
        paths.sort_by_key(fs::DirEntry::path);
        let mut objects = Vec::new();
        for path in paths.into_iter().map(|entry| entry.path()) {
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml");
            if !is_yaml || kustomize::is_kustomization(&path) {
                continue;
            }
            let text = fs::read_to_string(&path).expect("text");
            for document in serde_yaml::Deserializer::from_str(&text) {
                let object = Option::<DynamicObject>::deserialize(document);
                objects.extend(object.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
            }
        }
        objects
    }

    pub(crate) fn binary_assets(&self) -> PathBuf {
        let named = || std::env::var_os(ASSETS).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.binary_assets.clone().or_else(named).unwrap_or_else(|| {
            panic!(
                "name the directory of etcd and kube-apiserver in {ASSETS}, or run `make test`, which does"
            )
        })
    }

    pub(crate) fn env(&self) -> &[(String, String)] {
        &self.env
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn crds(&self) -> Vec<DynamicObject> {
        let is_definition = |object: &DynamicObject| {
            object.types.as_ref().is_some_and(|types| types.kind == "CustomResourceDefinition")
        };
        let of_folder = |folder: &PathBuf| {
            let built = kustomize::built(&self.root.join(folder), &self.root, || self.binary_assets());
            built.unwrap_or_else(|| [self.manifests(folder), self.manifests(folder.join("bases"))].concat())
        };
        self.crds.iter().flat_map(of_folder).filter(is_definition).collect()
    }

    pub(crate) fn rbac(&self) -> Vec<DynamicObject> {
        self.manifests(&self.rbac)
    }

    pub(crate) fn program(&self) -> &Path {
        self.program
            .as_deref()
            .expect("the program: cargo names it to the tests in `tests/` of its own package")
    }
}

/// The [`Project`] that a test belongs to, as cargo knows it: the folder of the package, and in tests below `tests/`
/// its program of the same name, or that of another name: `project!("manager")`.
#[macro_export]
macro_rules! project {
    () => {
        $crate::project!(@ ::core::env!("CARGO_PKG_NAME"))
    };
    ($program:literal) => {
        $crate::project!(@ $program)
    };
    (@ $program:expr) => {{
        let project = $crate::Project::new(::core::env!("CARGO_MANIFEST_DIR"));
        match ::core::option_env!(::core::concat!("CARGO_BIN_EXE_", $program)) {
            ::core::option::Option::Some(program) => project.with_program(program),
            ::core::option::Option::None => project,
        }
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::ResourceExt;

    #[test]
    fn manifests_are_read_in_order_without_kustomizations() {
        let root = tempfile::tempdir().expect("a folder");
        let samples = root.path().join("config/samples");
        fs::create_dir_all(&samples).expect("a folder");
        let object = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n");
        fs::write(samples.join("b.yaml"), object("third")).expect("a file");
        let two = format!("---\n{}---\n{}---\n", object("first"), object("second"));
        fs::write(samples.join("a.yaml"), two).expect("a file");
        fs::write(samples.join("kustomization.yaml"), "resources: [a.yaml]\n").expect("a file");
        fs::write(samples.join("notes.txt"), "- {").expect("a file");
        let project = Project::new(root.path());
        let names: Vec<_> = project.samples().iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, ["first", "second", "third"]);
        assert!(project.crds().is_empty(), "there need not be any");
    }

    #[test]
    fn the_macro_names_the_package() {
        let project = crate::project!();
        assert_eq!(project.root, Path::new(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(project.program, None, "cargo names programs to tests in `tests/` only");
    }
}
