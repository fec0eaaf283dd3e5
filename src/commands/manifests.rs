//! `iris-scaffold manifests`: what `make manifests` calls.

use super::{Context, crdgen, plan};
use crate::Result;
use crate::cli::ManifestsArgs;
use crate::manifests::crd;
use crate::project::Project;
use crate::scaffold::{Draft, File, Ownership, RelPath, Tree};
use crate::templates::{Licensing, ProjectView};

/// Writes the CRDs and roles that the types and markers declare.
pub(super) fn run(context: &Context, args: &ManifestsArgs) -> Result<()> {
    let (tree, project) = plan::open(context)?;
    let definitions = definitions(&tree, &project)?;
    let mut draft = Draft::new(tree);
    for note in crd::validate(&definitions)? {
        draft.note(note);
    }
    for definition in &definitions {
        draft.file(File {
            path: RelPath::new(format!("config/crd/bases/{}", crd::file_name(definition)))?,
            ownership: Ownership::Derived,
            text: crd::render(definition),
            executable: false,
        })?;
    }
    plan::role(&mut draft, &project)?;
    let plan = draft.plan()?;
    if args.check { context.check("manifests", &plan) } else { context.finish("manifests", plan) }
}

/// Every custom resource definition of the project: what its `crdgen` prints, in canonical form.
fn definitions(tree: &Tree, project: &Project) -> Result<Vec<serde_json::Value>> {
    if !project.resources.iter().any(|resource| resource.has_api) {
        return Ok(Vec::new());
    }
    let package = ProjectView::new(project, &Licensing::of_project(tree)?).api_crate;
    let arguments = ["run", "--quiet", "--package", &package, "--features", "crdgen", "--bin", "crdgen"];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    crd::from_crdgen(&crdgen::run(&cargo, &arguments, tree.root())?)
}
