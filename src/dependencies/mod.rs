//! The crates whose types a project and the libraries in it hand to each other, and whether the project's versions of them
//! are the libraries'.
//!
//! A value of kube 4 is none of kube 5: where a library asks for another version than the project, cargo builds both, and
//! nothing compiles. So a project moves first, and the library after it.

mod lock;
mod manifest;
mod requirement;

use semver::VersionReq;

use crate::Problem;
use lock::Lock;
use manifest::{Manifest, Requirement, Source};

/// The crates whose types are on both sides. kube has types of the other two in its own.
const SHARED: [&str; 3] = ["kube", "k8s-openapi", "schemars"];

/// The file that says which versions cargo chose.
pub const LOCK: &str = "Cargo.lock";

/// A file with its path in the project.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its path.
    pub path: &'a str,
    /// What it holds.
    pub text: &'a str,
}

/// What a library asks for.
struct Need<'a> {
    /// The library's folder.
    library: &'a str,
    name: &'static str,
    /// As the library's manifest says it.
    written: String,
    version: VersionReq,
}

/// What does not fit between a project and the manifests of its libraries, and what to do about it; nothing where all fits.
///
/// The first of `manifests` is the workspace's. What cargo could not read is left to cargo, and so are dependencies from
/// elsewhere than crates.io, whose versions are not known here.
#[must_use]
pub fn misfits(libraries: &[Text], manifests: &[Text], lock: Option<&str>) -> Vec<Problem> {
    let manifests: Vec<Manifest> = manifests.iter().filter_map(Manifest::read).collect();
    let lock = lock.map(Lock::read);
    let mut problems = Vec::new();
    let mut updates = Vec::new();
    for need in needs(libraries) {
        let before = problems.len();
        for manifest in &manifests {
            problems.extend(asked(&need, manifest, &manifests[0]));
        }
        let Some(lock) = &lock else { continue };
        for manifest in &manifests {
            let Some(package) = &manifest.package else { continue };
            let has_one_elsewhere =
                manifest.requirements(need.name, &manifests[0]).any(Requirement::is_elsewhere);
            let used = lock.used(package, need.name);
            if used.is_empty() || has_one_elsewhere || used.iter().any(|used| need.version.matches(used)) {
                continue;
            }
            if problems.len() == before {
                let versions =
                    used.iter().map(|version| format!("`{version}`")).collect::<Vec<_>>().join(" and ");
                problems.push(Problem::new(format!(
                    "`{LOCK}` has `{package}` built with `{}` {versions}, and the new `{}/` needs `{}`",
                    need.name, need.library, need.written
                )));
            }
            updates.extend(used.into_iter().map(|version| lock.specification(need.name, version)));
        }
    }
    if let Some(last) = problems.last_mut() {
        updates.sort();
        updates.dedup();
        if !updates.is_empty() {
            last.hints.push(format!("run `cargo update -p {}`", updates.join(" -p ")));
        }
        last.hints.push("then run this command again".into());
    }
    problems
}

/// What libraries ask for of the shared crates, each only once.
fn needs<'a>(libraries: &[Text<'a>]) -> Vec<Need<'a>> {
    let mut needs: Vec<Need> = Vec::new();
    for library in libraries {
        let Some(manifest) = Manifest::read(library) else { continue };
        for name in SHARED {
            for found in manifest.own(name).filter(|found| !found.table.ends_with("dev-dependencies")) {
                let Source::CratesIo { version, written } = &found.source else { continue };
                if !needs.iter().any(|known| (known.name, &known.version) == (name, version)) {
                    let folder = library.path.rsplit_once('/').map_or(library.path, |(folder, _)| folder);
                    let (written, version) = (written.clone(), version.clone());
                    needs.push(Need { library: folder, name, written, version });
                }
            }
        }
    }
    needs
}

/// What a manifest asks for that no version can be and the library's as well.
fn asked(need: &Need, manifest: &Manifest, workspace: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    for shares in [true, false] {
        let all: Vec<&Requirement> = if shares {
            manifest.own(need.name).filter(|found| found.is_shared()).collect()
        } else {
            manifest.requirements(need.name, workspace).collect()
        };
        // Who has a version that fits has another one on purpose.
        if all.iter().any(|found| found.fits(&need.version)) {
            continue;
        }
        for found in all.into_iter().filter(|found| found.is_shared() == shares) {
            let Source::CratesIo { written, .. } = &found.source else { continue };
            let (path, table) = (manifest.path, &found.table);
            let message = format!(
                "`{path}` asks for `{}` `{written}` in `[{table}]`, and the new `{}/` needs `{}`",
                need.name, need.library, need.written
            );
            let hint = format!("write in `[{table}]` of `{path}`: {}", found.with_version(&need.written));
            problems.push(Problem::new(message).hint(hint));
        }
    }
    problems
}
