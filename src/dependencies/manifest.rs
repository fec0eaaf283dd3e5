//! What a manifest asks for.

use semver::VersionReq;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::{Text, requirement};

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
const WORKSPACE: &str = "workspace.dependencies";

/// A `Cargo.toml`.
pub(super) struct Manifest<'a> {
    pub(super) path: &'a str,
    /// The package's name, where there is a package.
    pub(super) package: Option<String>,
    requirements: Vec<Requirement>,
}

/// One dependency.
pub(super) struct Requirement {
    /// The table that it is in.
    pub(super) table: String,
    pub(super) source: Source,
    /// The crate's name.
    name: String,
    /// What the project calls it.
    key: String,
    item: Item,
}

/// Where a dependency comes from.
pub(super) enum Source {
    /// crates.io has it.
    CratesIo {
        version: VersionReq,
        /// As the manifest has it.
        written: String,
    },
    /// The entry of the workspace with the same key says so.
    Workspace,
    /// A folder, a repository or another registry.
    Elsewhere,
}

impl<'a> Manifest<'a> {
    /// `None` for what is not TOML.
    pub(super) fn read(text: &Text<'a>) -> Option<Self> {
        let document: DocumentMut = text.text.parse().ok()?;
        let package = document.get("package").and_then(|package| package.get("name")?.as_str());
        let mut requirements = Vec::new();
        let mut collect = |table: String, item: Option<&Item>| {
            let entries = item.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
            requirements.extend(entries.filter_map(|(key, item)| Requirement::read(&table, key, item)));
        };
        collect(
            WORKSPACE.into(),
            document.get("workspace").and_then(|workspace| workspace.get("dependencies")),
        );
        for kind in KINDS {
            collect(kind.into(), document.get(kind));
        }
        let targets = document.get("target").and_then(Item::as_table_like);
        for (target, tables) in targets.into_iter().flat_map(TableLike::iter) {
            for kind in KINDS {
                collect(format!("target.'{target}'.{kind}"), tables.get(kind));
            }
        }
        Some(Self { path: text.path, package: package.map(str::to_owned), requirements })
    }

    /// What it says itself of the crate.
    pub(super) fn own(&self, name: &str) -> impl Iterator<Item = &Requirement> {
        self.requirements
            .iter()
            .filter(move |found| found.name == name && !matches!(found.source, Source::Workspace))
    }

    /// What its package asks for of the crate, with what it takes from the workspace.
    pub(super) fn requirements<'m>(
        &'m self,
        name: &'m str,
        workspace: &'m Manifest,
    ) -> impl Iterator<Item = &'m Requirement> {
        let own = self.requirements.iter().filter(|found| !found.is_shared());
        let resolved = own.filter_map(|found| match found.source {
            Source::Workspace => {
                workspace.requirements.iter().find(|shared| shared.is_shared() && shared.key == found.key)
            }
            _ => Some(found),
        });
        resolved.filter(move |found| found.name == name)
    }
}

impl Requirement {
    fn read(table: &str, key: &str, item: &Item) -> Option<Self> {
        let text = |field: &str| item.as_table_like()?.get(field)?.as_str();
        let has = |field: &&str| item.as_table_like().is_some_and(|item| item.contains_key(field));
        let source = if has(&"workspace") {
            Source::Workspace
        } else if ["git", "path", "registry", "registry-index"].iter().any(has) {
            Source::Elsewhere
        } else {
            let written = item.as_str().or_else(|| text("version")).unwrap_or("*");
            Source::CratesIo { version: VersionReq::parse(written).ok()?, written: written.to_owned() }
        };
        Some(Self {
            table: table.to_owned(),
            source,
            name: text("package").unwrap_or(key).to_owned(),
            key: key.to_owned(),
            item: item.clone(),
        })
    }

    /// Whether it is there for all members of the workspace.
    pub(super) fn is_shared(&self) -> bool {
        self.table == WORKSPACE
    }

    /// Whether it comes from elsewhere than crates.io.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self.source, Source::Elsewhere)
    }

    /// Whether it can be the version that a library asks for, as far as is known.
    pub(super) fn fits(&self, needed: &VersionReq) -> bool {
        match &self.source {
            Source::CratesIo { version, .. } => requirement::overlap(version, needed),
            Source::Workspace | Source::Elsewhere => true,
        }
    }

    /// The line to write for another version, all else as it is.
    pub(super) fn with_version(&self, version: &str) -> String {
        let mut value = match self.item.clone().into_value() {
            Ok(Value::InlineTable(mut table)) => {
                table.insert("version", version.into());
                for (_, value) in table.iter_mut() {
                    if let Value::Array(list) = value {
                        list.fmt();
                        list.set_trailing("");
                        list.set_trailing_comma(false);
                    }
                }
                table.fmt();
                Value::InlineTable(table)
            }
            _ => version.into(),
        };
        value.decor_mut().clear();
        format!("`{} = {value}`", toml_edit::Key::new(&self.key))
    }
}
