//! The project: what the PROJECT file says, and what may be added to it.

mod add;
mod crates;
mod discover;
mod file;
mod license;
mod locate;
mod render;
mod template;
#[cfg(test)]
mod tests;

use serde_yaml::Mapping;

pub use add::Added;
pub use discover::discover;
pub use license::License;

use crate::path::RelPath;
use crate::resource::{Resource, validate};
use crate::scaffold::Tree;
use crate::{Error, Result};

/// The file's name.
pub const FILE: &str = "PROJECT";
/// How the project is laid out; kubebuilder has `go.kubebuilder.io/v4` here.
pub const LAYOUT: &str = "rust.iris-scaffold.io/v1";

/// A project.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// Suffix of the API groups: `myardyas.club`.
    pub domain: String,
    /// Start of the names of the project's objects: `iris`.
    pub project_name: String,
    /// Where the source is, if anyone said.
    pub repo: Option<String>,
    /// Whether types and controllers are organised by group.
    pub multigroup: bool,
    /// Whether the operator is confined to one namespace.
    pub namespaced: bool,
    /// Version of the tool that wrote the file last.
    pub cli_version: String,
    /// Settings of plugins, by the plugin's key.
    pub plugins: Mapping,
    /// The kinds, in the order they were added.
    pub resources: Vec<Resource>,
    /// The file as it was read, for what this version of the tool does not know.
    raw: Mapping,
    /// Its text, for the places of mistakes that only matter to who uses what it says.
    text: String,
}

impl Project {
    /// A project without kinds.
    #[must_use]
    pub fn new(domain: &str, project_name: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            project_name: project_name.to_owned(),
            repo: None,
            multigroup: false,
            namespaced: false,
            cli_version: env!("CARGO_PKG_VERSION").to_owned(),
            plugins: Mapping::new(),
            resources: Vec::new(),
            raw: Mapping::new(),
            text: String::new(),
        }
    }

    /// The project at the root of `tree`, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read, or [`Error::ProjectFile`] when it does not say what it must.
    pub fn load(tree: &Tree) -> Result<Option<Self>> {
        tree.read(&RelPath::new(FILE)?)?.map(|text| Self::parse(&text)).transpose()
    }

    /// The project at the root of `tree`.
    ///
    /// # Errors
    /// As [`Project::load`], and [`Error::NotAProject`] when there is none.
    pub fn open(tree: &Tree) -> Result<Self> {
        Self::load(tree)?.ok_or_else(|| Error::NotAProject { dir: tree.root().to_path_buf() })
    }

    /// The version of the tool that wrote PROJECT last, if that was another one than this.
    #[must_use]
    pub fn other_version(&self) -> Option<&str> {
        let written_by = self.raw.get("cliVersion")?.as_str()?;
        (written_by != self.cli_version).then_some(written_by)
    }

    /// The entry for the same kind and version, whatever its settings.
    #[must_use]
    pub fn find(&self, resource: &Resource) -> Option<&Resource> {
        self.resources.iter().find(|known| is_same(known, resource))
    }

    /// Every version of a kind, in the order they were added.
    pub fn versions<'a>(&'a self, resource: &'a Resource) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |known| is_same_kind(known, resource))
    }

    /// The version in which objects of the kind are stored: the first that was added.
    #[must_use]
    pub fn storage_version<'a>(&'a self, resource: &'a Resource) -> &'a str {
        self.versions(resource)
            .find(|version| version.storage)
            .map_or(&resource.version, |version| &version.version)
    }

    /// Whether any version of the kind has a controller of that name.
    #[must_use]
    pub fn has_controller(&self, resource: &Resource, name: &str) -> bool {
        self.versions(resource).any(|version| version.controllers.iter().any(|known| known == name))
    }

    /// The name that a kind's first controller gets when the user names none: the kind in lower case, with its group
    /// in front where another kind's controller has that name already; short enough for the source of an event.
    #[must_use]
    pub fn controller_name(&self, resource: &Resource) -> String {
        let lower = resource.lower();
        let taken = self
            .resources
            .iter()
            .filter(|other| !is_same_kind(other, resource))
            .any(|other| other.controllers.contains(&lower));
        let mut name = if taken { format!("{}-{lower}", resource.group.replace('.', "-")) } else { lower };
        name.truncate(validate::CONTROLLER);
        name.truncate(name.trim_end_matches('-').len());
        name
    }

    /// Makes the first version with types of `kind` the stored one.
    fn mark_storage(&mut self, kind: &Resource) {
        let mut stored = false;
        for resource in self.resources.iter_mut().filter(|known| is_same_kind(known, kind)) {
            resource.storage = resource.has_api && !stored;
            stored |= resource.has_api;
        }
    }
}

/// Whether both are the same version of the same kind.
fn is_same(a: &Resource, b: &Resource) -> bool {
    is_same_kind(a, b) && a.version == b.version
}

/// Whether both are versions of one kind.
fn is_same_kind(a: &Resource, b: &Resource) -> bool {
    a.kind == b.kind && is_same_group(a, b)
}

/// Whether both are of one group, however its name is parted into group and domain.
fn is_same_group(a: &Resource, b: &Resource) -> bool {
    (&a.group, &a.domain, a.core) == (&b.group, &b.domain, b.core)
        || a.qualified_group() == b.qualified_group()
}
