//! The lists of versions, kinds and controllers, which live in files of their own so that adding one edits nothing of
//! the user's.

use std::collections::{BTreeMap, BTreeSet};

use super::natural::Natural;
use super::{ProjectView, Rendered, ResourceView, render};

type Modules = Vec<String>;

/// Every list file of the project.
#[must_use]
pub fn files(p: &ProjectView) -> Vec<Rendered> {
    let mut files = types(p);
    files.extend(controllers(p));
    files
}

/// `api/src/lib.rs` and the modules below it.
fn types(p: &ProjectView) -> Vec<Rendered> {
    let kinds: Vec<&ResourceView> = p.resources.iter().filter(|r| r.has_api || r.external).collect();
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    let mut top = BTreeSet::from(["rules", "shared"].map(str::to_owned));
    for r in &kinds {
        let mut folder = "api/src/".to_owned();
        if p.multigroup {
            folder = format!("{folder}{}/", r.group_module);
            let group = folders.entry(folder.clone()).or_default();
            group.title = format!("The group `{}`.", r.qualified_group);
            group.modules.insert(r.version_module.clone());
        }
        top.insert(if p.multigroup { &r.group_module } else { &r.version_module }.clone());
        let version = folders.entry(format!("{folder}{}/", r.version_module)).or_default();
        version.title = format!("Version `{}`.", r.version);
        version.modules.insert(r.module.clone());
        version.types.insert(Natural(format!("{}::{}", r.module, r.rust_type)));
    }
    let prefix = format!("{}::", p.api_lib);
    let paths: Modules = kinds
        .iter()
        .filter(|r| r.has_api)
        .map(|r| format!("{}::{}", r.types_path.trim_start_matches(&prefix), r.rust_type))
        .collect();
    let mut files = vec![api_lib(p, &names(top), &paths)];
    files.extend(folders.into_iter().map(|(folder, listed)| {
        let imports = listed.types.into_iter().map(|import| import.0).collect();
        modules(format!("{folder}mod.rs"), &listed.title, &names(listed.modules), &imports)
    }));
    files
}

/// `src/controller/mod.rs` and, in projects of several groups, one for each group.
fn controllers(p: &ProjectView) -> Vec<Rendered> {
    let mut top = BTreeSet::new();
    let mut groups: BTreeMap<String, Folder> = BTreeMap::new();
    let mut starts = Vec::new();
    for r in &p.resources {
        for (position, c) in r.controllers.iter().enumerate() {
            starts.push(c.path());
            let mut own = vec![c.module.clone()];
            if let Some(made) = r.template.as_ref().filter(|_| position == 0) {
                own.extend(made.template.modules(c));
            }
            match &c.group_module {
                Some(group) => {
                    top.insert(group.clone());
                    let folder = groups.entry(group.clone()).or_default();
                    folder.title = format!("Controllers of the group `{}`.", r.rbac_group());
                    folder.modules.extend(own);
                }
                None => top.extend(own),
            }
        }
    }
    let mut files = vec![start(p, &names(top), &starts)];
    files.extend(groups.into_iter().map(|(group, listed)| {
        modules(format!("src/controller/{group}/mod.rs"), &listed.title, &names(listed.modules), &Vec::new())
    }));
    files
}

/// What a folder's `mod.rs` lists.
#[derive(Default)]
struct Folder {
    title: String,
    modules: BTreeSet<String>,
    types: BTreeSet<Natural>,
}

fn names(sorted: BTreeSet<String>) -> Modules {
    sorted.into_iter().collect()
}

fn api_lib(p: &ProjectView, modules: &Modules, types: &Modules) -> Rendered {
    render!("lists/api_lib.rs.j2" => "api/src/lib.rs"; p: ProjectView, modules: Modules, types: Modules)
        .unsure()
}

fn start(p: &ProjectView, modules: &Modules, starts: &Modules) -> Rendered {
    let _ = p;
    render!("lists/controllers.rs.j2" => "src/controller/mod.rs"; modules: Modules, starts: Modules).unsure()
}

fn modules(path: String, title: &str, modules: &Modules, types: &Modules) -> Rendered {
    render!("lists/modules.rs.j2" => path; title: str, modules: Modules, types: Modules).unsure()
}
