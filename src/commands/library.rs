//! The libraries in a project, and whether the tool keeps them there.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item};

use crate::dependencies::{self, Text};
use crate::path::RelPath;
use crate::project;
use crate::scaffold::{Ownership, Plan, Tree};
use crate::templates;
use crate::{Error, Result};

/// The manifests of a project's own packages, the workspace's first.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "api/Cargo.toml"];

/// A library in the project.
pub(super) struct Library {
    folder: &'static str,
    /// The project takes it from elsewhere, such as crates.io, so that it has no folder here.
    is_foreign: bool,
    /// The checksum of each of its files when it was written, by the path below the folder.
    sums: BTreeMap<String, String>,
}

impl Library {
    /// The file's path below the library's folder, if it is there.
    pub(super) fn name<'a>(&self, path: &'a RelPath) -> Option<&'a str> {
        path.as_str().strip_prefix(self.folder)?.strip_prefix('/')
    }

    /// Whose the file of this name is; `None` where the project has no use for it.
    pub(super) fn ownership(&self, name: &str) -> Option<Ownership> {
        if self.is_foreign {
            None
        } else if name == templates::SUMS {
            Some(Ownership::Derived)
        } else {
            Some(Ownership::Vendored { digest: self.sums.get(name).cloned() })
        }
    }
}

/// All libraries, as the project's manifest and the sums beside their files describe them.
///
/// # Errors
/// Those of [`Tree::read`].
pub(super) fn all(tree: &Tree) -> Result<Vec<Library>> {
    let manifest = tree.read(&RelPath::new("Cargo.toml")?)?.unwrap_or_default();
    // What is not TOML cargo will complain about.
    let manifest: DocumentMut = manifest.parse().unwrap_or_default();
    let shared = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let dependencies = [manifest.get("dependencies"), manifest.get("dev-dependencies"), shared];
    let library = |library: &templates::Library| {
        let found = dependencies.iter().flatten().filter_map(|table| table.get(library.package));
        let found: Vec<&Item> = found.filter(|found| found.get("workspace").is_none()).collect();
        let sums = RelPath::new(format!("{}/{}", library.folder, templates::SUMS))?;
        let sums = tree.on_disk(&sums)?.unwrap_or_default();
        let sums = sums.lines().filter_map(|line| line.split_once("  "));
        Ok(Library {
            folder: library.folder,
            is_foreign: !found.is_empty() && !found.iter().any(|found| found.get("path").is_some()),
            sums: sums.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect(),
        })
    };
    templates::LIBRARIES.iter().map(library).collect()
}

/// Checks that the versions of crates that a project has are those that its libraries ask for, once `plan` has changed
/// these. In a project that begins, nothing is checked, nor where no library changes.
///
/// # Errors
/// [`Error::Dependencies`], and those of [`Tree::on_disk`].
pub(super) fn check(plan: &Plan) -> Result<()> {
    let find = |path: &str| plan.changes().iter().find(|change| change.path.as_str() == path);
    if find(project::FILE).is_none_or(|project| project.before.is_none()) {
        return Ok(());
    }
    let tree = Tree::open(plan.root());
    let text = |path: &str| match find(path) {
        Some(change) if change.writes() => Ok(Some(change.after.to_string())),
        Some(change) => Ok(change.before.clone()),
        None => tree.on_disk(&RelPath::new(path)?),
    };
    let texts = |paths: Vec<String>| -> Result<Vec<(String, String)>> {
        let texts = paths.into_iter().map(|path| Ok(text(&path)?.map(|text| (path, text))));
        texts.filter_map(Result::transpose).collect()
    };
    let changes = |library: &&templates::Library| {
        let (folder, sums) =
            (format!("{}/", library.folder), format!("{}/{}", library.folder, templates::SUMS));
        plan.writes().any(|change| change.path.as_str().starts_with(&folder) && change.path.as_str() != sums)
    };
    let libraries = templates::LIBRARIES.iter().filter(changes);
    let libraries = texts(libraries.map(|library| format!("{}/Cargo.toml", library.folder)).collect())?;
    if libraries.is_empty() {
        return Ok(());
    }
    let manifests = texts(MANIFESTS.map(str::to_owned).into())?;
    let lock = text(dependencies::LOCK)?;
    let libraries: Vec<Text> = libraries.iter().map(|(path, text)| Text { path, text }).collect();
    let manifests: Vec<Text> = manifests.iter().map(|(path, text)| Text { path, text }).collect();
    let misfits = dependencies::misfits(&libraries, &manifests, lock.as_deref());
    if misfits.is_empty() { Ok(()) } else { Err(Error::Dependencies(misfits)) }
}
