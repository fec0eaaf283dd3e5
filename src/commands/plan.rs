//! What every command that changes a project does to it.

use super::Context;
use crate::Result;
use crate::manifests::rbac;
use crate::project::{self, Project};
use crate::scaffold::{self, Draft, File, Ownership, RelPath, Tree};
use crate::templates::{self, Licensing, ProjectView, Rendered};

/// The project that the command is to change, found from the directory upwards, and its files.
pub(super) fn open(context: &Context) -> Result<(Tree, Project)> {
    let root = project::discover(&super::absolute(&context.directory)?)?;
    if scaffold::recover(&root)? {
        context.console.note("finished what an earlier command was killed in");
    }
    let tree = Tree::open(root);
    let mut project = Project::open(&tree)?;
    project.api_lib = ProjectView::new(&project, &Licensing::of_project(&tree)?).api_lib;
    Ok((tree, project))
}

/// Drafts `PROJECT` and every file that is rendered from it, for a project that was `old` before this command.
pub(super) fn owned(
    draft: &mut Draft,
    old: Option<&Project>,
    new: &Project,
    licensing: &Licensing,
) -> Result<()> {
    let render = |project: &Project| -> Vec<Rendered> {
        let view = ProjectView::new(project, licensing);
        let mut files = templates::owned(&view);
        files.extend(templates::lists(&view));
        for r in view.resources.iter().filter(|r| r.has_api) {
            files.extend(templates::roles(&view, r));
        }
        files
    };
    let before = old.map(&render).unwrap_or_default();
    for file in render(new) {
        let base = before.iter().find(|known| known.path == file.path).map(|known| known.text.clone());
        add(draft, file, Ownership::Owned { base })?;
    }
    let text = new.render();
    draft.file(File {
        path: RelPath::new(project::FILE)?,
        ownership: Ownership::Derived,
        text,
        executable: false,
    })
}

/// Drafts files that are the user's once written; `again` when an earlier command wrote them.
pub(super) fn seeded(draft: &mut Draft, files: Vec<Rendered>, again: bool) -> Result<()> {
    files.into_iter().try_for_each(|file| add(draft, file, Ownership::Seeded { again }))
}

fn add(draft: &mut Draft, file: Rendered, ownership: Ownership) -> Result<()> {
    let Rendered { path, text, executable } = file;
    draft.file(File { path: RelPath::new(path)?, ownership, text, executable })
}

/// Drafts the role that the markers in the project's sources declare.
pub(super) fn role(draft: &mut Draft, project: &Project) -> Result<()> {
    let mut sources = Vec::new();
    for folder in ["api", "src"] {
        for path in draft.tree().list(folder, "rs")? {
            let text = draft.tree().read(&path)?.unwrap_or_default();
            sources.push((path, text));
        }
    }
    let mut text = rbac::role_yaml(&sources)?;
    if project.namespaced && rbac::markers(&sources)?.is_empty() {
        // The binding is to a Role, also while there is nothing to allow.
        let name = format!("  name: {}\n", rbac::DEFAULT_ROLE);
        text = text.replace("kind: ClusterRole\n", "kind: Role\n");
        text = text.replace(&name, &format!("{name}  namespace: {}-system\n", project.project_name));
    }
    let path = RelPath::new("config/rbac/role.yaml")?;
    draft.file(File { path, ownership: Ownership::Derived, text, executable: false })
}
