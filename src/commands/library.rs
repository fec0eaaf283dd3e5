//! The libraries in a project, and whether the tool keeps them there.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item};

use crate::Result;
use crate::path::RelPath;
use crate::scaffold::{Ownership, Tree};
use crate::templates;

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
