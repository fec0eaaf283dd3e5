//! What `Cargo.lock` says.

use semver::Version;
use toml_edit::{DocumentMut, Table};

/// The packages in it.
pub(super) struct Lock(Vec<Package>);

struct Package {
    name: String,
    version: Version,
    /// Whether it comes from elsewhere than the workspace.
    is_foreign: bool,
    dependencies: Vec<String>,
}

impl Lock {
    /// What is not a lock is an empty one.
    pub(super) fn read(text: &str) -> Self {
        let document: DocumentMut = text.parse().unwrap_or_default();
        let packages = document.get("package").and_then(|packages| packages.as_array_of_tables());
        Self(packages.into_iter().flat_map(|packages| packages.iter()).filter_map(Package::read).collect())
    }

    /// The versions of the crate `name` that a package of the workspace is built with.
    pub(super) fn used(&self, package: &str, name: &str) -> Vec<&Version> {
        let own = self.0.iter().filter(|found| found.name == package && !found.is_foreign);
        let dependencies = own.flat_map(|own| &own.dependencies);
        let is_used = |version: &&Version| {
            let numbered = format!("{name} {version}");
            // Where several have the name, the version follows it, and the source where that does not tell them apart.
            let mut dependencies = dependencies.clone();
            dependencies.any(|dependency| {
                dependency == name
                    || dependency
                        .strip_prefix(&numbered)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        };
        let mut used: Vec<_> = self.of(name).filter(is_used).collect();
        used.sort();
        used.dedup();
        used
    }

    /// How `cargo update` is told which package is meant.
    pub(super) fn specification(&self, name: &str, version: &Version) -> String {
        if self.of(name).count() > 1 { format!("{name}@{version}") } else { name.to_owned() }
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &Version> {
        self.0.iter().filter(move |found| found.name == name).map(|found| &found.version)
    }
}

impl Package {
    fn read(table: &Table) -> Option<Self> {
        let text = |key: &str| table.get(key)?.as_str();
        let dependencies = table.get("dependencies").and_then(|list| list.as_array());
        let dependencies = dependencies.into_iter().flatten().filter_map(|dependency| dependency.as_str());
        Some(Self {
            name: text("name")?.to_owned(),
            version: Version::parse(text("version")?).ok()?,
            is_foreign: table.contains_key("source"),
            dependencies: dependencies.map(str::to_owned).collect(),
        })
    }
}
