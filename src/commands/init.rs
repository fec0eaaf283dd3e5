//! `iris-scaffold init`.

use std::path::Path;

use super::place::absolute;
use super::plan::Seed;
use super::{Context, plan};
use crate::cli::InitArgs;
use crate::printable;
use crate::project::{self, License, Project};
use crate::resource::validate;
use crate::scaffold::{Draft, Tree};
use crate::templates::{self, Licensing, ProjectView};
use crate::{Error, Problem, Result, read};

/// Starts a project in a directory.
pub(super) fn run(context: &Context, args: &InitArgs) -> Result<()> {
    let directory =
        args.dir.as_ref().map_or_else(|| context.directory.clone(), |dir| context.directory.join(dir));
    let root = absolute(&directory)?;
    let mut problems = Vec::new();
    if let Some(word @ ("true" | "false")) = args.dir.as_deref().and_then(Path::to_str) {
        let hint =
            format!("write `--multigroup={word}` in one word, or `./{word}` for a directory of that name");
        problems.push(Problem::new(format!("`{word}` would be the project's directory")).hint(hint));
    }
    let domain = context.require(args.domain.clone(), "--domain", "example.com", &mut problems);
    if args.domain.is_some() || !domain.is_empty() {
        problems.extend(validate::domain(&domain));
    }
    let project_name = args.project_name.clone().unwrap_or_else(|| name_of(&root));
    problems.extend(validate::project_name(&project_name));
    problems.extend(validate::lease(&project_name, &domain));
    problems.extend(args.owner.as_deref().and_then(validate::owner));
    let custom = header(context, args, &mut problems);
    if !problems.is_empty() {
        return Err(Error::Usage(problems));
    }
    let foreign = &args.foreign;
    context.without_effect(foreign.repo.is_some(), "--repo", "a Rust project has no Go module path");
    context.without_effect(
        foreign.fetch_deps.is_some(),
        "--fetch-deps",
        "cargo fetches dependencies when it builds",
    );
    let skip = foreign.skip_go_version_check.is_some();
    context.without_effect(skip, "--skip-go-version-check", "Go is not needed");
    context.without_effect(foreign.plugins.is_some(), "--plugins", "there is one layout");
    context.without_effect(foreign.project_version.is_some(), "--project-version", "it is always 3");

    context.enter(&root, context.access())?;
    let tree = Tree::open(&root);
    let mut project = Project::new(&domain, &project_name);
    project.multigroup = args.multigroup;
    project.namespaced = args.namespaced;
    let mut licensing = Licensing { license: args.license, owner: args.owner.clone(), custom };
    let old = Project::load(&tree)?;
    if let Some(old) = &old {
        if !same(old, &project) {
            return Err(already_there(&root, old));
        }
        project = old.clone();
        licensing.custom = licensing.custom.or(Licensing::of_project(&tree)?.custom);
    }
    let view = ProjectView::new(&project, &licensing)?;

    let mut draft = Draft::new(tree);
    plan::seeded(&mut draft, templates::seeded(&view, &licensing)?, Seed::of(old.is_some()))?;
    plan::owned(&mut draft, old.as_ref(), &project, &licensing)?;
    plan::role(&mut draft, &project)?;
    plan::role_namespaces(&mut draft, &project)?;
    if old.is_none() {
        if let Some(outer) = root.ancestors().skip(1).find(|dir| dir.join(project::FILE).is_file()) {
            draft.note(format!("this project is inside another one, `{}`", printable::path(outer)));
        }
        draft.next("iris-scaffold create api --group app --version v1alpha1 --kind Widget");
    }
    context.finish("init", draft.plan()?)
}

/// The directory's name as a project name: in lower case, as kubebuilder has it.
fn name_of(root: &Path) -> String {
    root.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The licence header that `--license-file` names.
fn header(context: &Context, args: &InitArgs, problems: &mut Vec<Problem>) -> Option<String> {
    let file = args.license_file.as_ref()?;
    let path = context.directory.join(file);
    let text = match read::file(&path, &path.to_string_lossy()) {
        Ok((text, _)) => text,
        Err(error) => {
            let problem = Problem::new(error.to_string());
            problems.push(problem.hint("name a text file with `--license-file`"));
            return None;
        }
    };
    let printable = printable::is_lines(&text);
    if text.trim().is_empty() || !printable || text.len() > 16 * 1024 {
        let message = format!("`{}` cannot be a licence header", printable::path(file));
        problems.push(Problem::new(message).hint("name a short text file with `--license-file`"));
    }
    if args.license != License::Apache2 {
        let problem = Problem::new("`--license-file` takes the place of `--license`");
        problems.push(problem.hint("give one of the two"));
    }
    Some(text)
}

fn same(a: &Project, b: &Project) -> bool {
    (&a.domain, &a.project_name, a.multigroup, a.namespaced)
        == (&b.domain, &b.project_name, b.multigroup, b.namespaced)
}

fn already_there(root: &Path, project: &Project) -> Error {
    let Project { project_name, domain, .. } = project;
    let message = format!(
        "`{}` holds a project already: `{project_name}` in the domain `{domain}`",
        printable::path(root)
    );
    let hint = "start a new project in another directory, or add a kind with `iris-scaffold create api`";
    Error::Refused(Problem::new(message).hint(hint))
}
