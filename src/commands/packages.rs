//! The packages of a project whose code becomes a part of its definitions or its operator: what a package takes from other
//! folders of the project, and so on.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike};

use crate::Result;
use crate::path::{RelPath, from_folder};
use crate::scaffold::Tree;
use crate::templates;

/// The folders with the sources of what a package is built from, without its own; `package` is the path of its folder. The
/// tool's libraries are not among them.
///
/// # Errors
/// Those of [`Tree::read`].
pub(super) fn taken_by(tree: &Tree, package: &str) -> Result<Vec<String>> {
    let workspace = manifest(tree, "")?.unwrap_or_default();
    let mut seen = BTreeSet::from([package.to_owned()]);
    let mut open = vec![package.to_owned()];
    let mut sources = BTreeSet::new();
    while let Some(folder) = open.pop() {
        let Some(manifest) = manifest(tree, &folder)? else { continue };
        if folder != package {
            let library = manifest.get("lib").and_then(|library| library.get("path")?.as_str());
            let file = from_folder(&folder, library.unwrap_or("src/lib.rs"));
            sources.extend(file.and_then(|file| Some(file.rsplit_once('/')?.0.to_owned())));
        }
        for taken in dependencies(&manifest, &workspace, &folder) {
            let is_library = templates::LIBRARIES.iter().any(|library| library.folder == taken);
            if !is_library && seen.insert(taken.clone()) {
                open.push(taken);
            }
        }
    }
    Ok(sources.into_iter().collect())
}

/// The folders that a manifest in `folder` takes packages from, as far as they are in the project.
fn dependencies(manifest: &DocumentMut, workspace: &DocumentMut, folder: &str) -> Vec<String> {
    let shared = workspace.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let targets = manifest.get("target").and_then(Item::as_table_like);
    let targets = targets.into_iter().flat_map(TableLike::iter).map(|(_, target)| target.get("dependencies"));
    let tables = std::iter::once(manifest.get("dependencies")).chain(targets);
    let entries = tables.flatten().filter_map(Item::as_table_like).flat_map(TableLike::iter);
    let path = |item: &Item| item.get("path").and_then(Item::as_str).map(str::to_owned);
    let found = entries.filter_map(|(name, item)| {
        if let Some(path) = path(item) {
            return from_folder(folder, &path);
        }
        item.get("workspace")?;
        from_folder("", &path(shared?.get(name)?)?)
    });
    found.collect()
}

/// The manifest of the package in a folder; nothing where there is none. What is not TOML cargo will complain about.
fn manifest(tree: &Tree, folder: &str) -> Result<Option<DocumentMut>> {
    let Some(path) = from_folder(folder, "Cargo.toml").and_then(|path| RelPath::new(path).ok()) else {
        return Ok(None);
    };
    Ok(tree.read(&path)?.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_however_they_are_named() {
        let root = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            std::fs::write(path, text).expect("a file");
        };
        write(
            "Cargo.toml",
            "[workspace.dependencies]\nshared = { path = \"libs/shared\" }\n\
             [dependencies]\napi = { path = \"api\" }\noperator-runtime = { path = \"runtime\" }\n\
             far = { path = \"../far\" }\nnone = { path = \"none\" }\n[dev-dependencies]\nt = { path = \"t\" }\n",
        );
        write("api/Cargo.toml", "[dependencies]\nshared.workspace = true\nserde = \"1\"\n");
        write("runtime/Cargo.toml", "");
        write("t/Cargo.toml", "");
        write(
            "libs/shared/Cargo.toml",
            "[target.'cfg(unix)'.dependencies]\nmore = { path = \"../more/\", package = \"x\" }\n",
        );
        write(
            "libs/more/Cargo.toml",
            "[lib]\npath = \"code/it.rs\"\n[dependencies]\nshared = { path = \"../shared\" }\n",
        );
        let tree = Tree::open(root.path());
        let taken_by = |folder| taken_by(&tree, folder).expect("folders");
        assert_eq!(taken_by("api"), ["libs/more/code", "libs/shared/src"]);
        assert_eq!(taken_by(""), ["api/src", "libs/more/code", "libs/shared/src"]);
        assert_eq!(taken_by("none"), [] as [&str; 0]);
    }
}
