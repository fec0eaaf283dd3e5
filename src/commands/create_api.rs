//! `iris-scaffold create api`.

use super::{Context, operand, plan, target};
use crate::cli::{CreateApiArgs, Template};
use crate::manifests::crd;
use crate::project::Project;
use crate::resource::{Resource, core};
use crate::scaffold::{Certainty, Draft, File, Ownership, RelPath};
use crate::templates::{self, Licensing, Operand, ProjectView, ResourceView};
use crate::{Error, Problem, Result};

/// Adds a kind, a version of one, or a controller.
pub(super) fn run(context: &Context, args: &CreateApiArgs) -> Result<()> {
    let (tree, old) = plan::open(context, context.access())?;
    let mut problems = Vec::new();
    let resource = target::resolve(context, &old, args, &mut problems);
    let known_operand = old.find(&resource).and_then(|known| old.operand(known));
    let operand = operand::resolve(&resource.kind, known_operand.clone(), &args.operand, &mut problems);
    let template = template(&old, &resource, args, &mut problems);
    if !problems.is_empty() {
        return Err(Error::Usage(problems));
    }
    if let Some(problem) = changed(&old, &resource, args, template, &operand) {
        return Err(Error::Refused(problem));
    }
    let foreign = &args.foreign;
    context.without_effect(foreign.make.is_some(), "--make", "the types need no generated code");
    context.without_effect(foreign.manifests.is_some(), "--manifests", "the manifests are written at once");
    let why = "types are not taken from Go modules";
    context.without_effect(foreign.external_api_path.is_some(), "--external-api-path", why);
    context.without_effect(foreign.external_api_module.is_some(), "--external-api-module", why);
    context.without_effect(foreign.plugins.is_some(), "--plugins", "`--template` chooses what is generated");

    let mut project = old.clone();
    project.add(resource.clone(), args.force)?;
    let Some(added) = project.find(&resource).cloned() else { return Ok(()) };
    let controlled = template == Template::Replicas && !added.controllers.is_empty();
    if controlled {
        project.set_operand(&added, &operand);
    }
    let licensing = Licensing::of_project(&tree)?;
    let view = ProjectView::new(&project, &licensing);
    let Some(r) = view.resources.iter().find(|r| r.is(&added)) else { return Ok(()) };

    let mut draft = Draft::new(tree);
    // With `--force` the files are written anew, whatever they hold.
    let seeded = |again| if args.force { Ownership::Derived } else { Ownership::Seeded { again } };
    let again = old.find(&added).is_some_and(|known| known.has_api || known.external);
    if args.resource {
        plan::drafted(&mut draft, templates::types(&view, r, template), &seeded(again))?;
        for insert in templates::insertions(r)? {
            draft.insert(&insert)?;
        }
        definition(&mut draft, &project, &added, template, again && !args.force)?;
    } else if added.external {
        plan::drafted(&mut draft, templates::external(&view, r), &seeded(again))?;
    }
    for (position, c) in r.controllers.iter().enumerate() {
        let again = old.has_controller(&added, &c.name);
        let operand = Some(&operand).filter(|_| controlled && position == 0);
        plan::drafted(&mut draft, templates::controller(&view, r, c, operand), &seeded(again))?;
        if added.has_api && position == 0 {
            plan::drafted(&mut draft, templates::test(&view, r, c, operand.is_some()), &seeded(again))?;
            let there = draft.tree().on_disk(&RelPath::new("tests/faults/main.rs")?)?.is_some();
            if operand.is_some() && view.tests_faults_of(r) && (again || !there) {
                plan::drafted(&mut draft, templates::faults(&view, r), &seeded(again))?;
            }
        }
    }
    if controlled {
        if let Some(before) = known_operand.filter(|before| before.image != operand.image) {
            let (from, to) =
                (templates::env_entry(r, &before)?.lines, templates::env_entry(r, &operand)?.lines);
            draft.replace(&RelPath::new("config/manager/manager.yaml")?, &from, &to)?;
        }
        draft.insert(&templates::env_entry(r, &operand)?)?;
    }
    plan::owned(&mut draft, Some(&old), &project, &licensing)?;
    plan::role(&mut draft, &project)?;
    if args.resource && !again {
        namesake(&mut draft, &added);
    }
    next(&mut draft, r);
    context.finish("create api", draft.plan()?)
}

/// Says so when Kubernetes has a kind of that group and name too, which may be the one that is meant.
fn namesake(draft: &mut Draft, resource: &Resource) {
    if let Some(found) = core::lookup(&resource.group, &resource.version, &resource.kind) {
        let version = [found.group, found.version].join("/");
        draft.note(format!(
            "this is a new kind of `{}`; for a controller of `{}` of Kubernetes's own `{}` say `--resource=false`",
            resource.qualified_group(),
            found.kind,
            version.trim_start_matches('/'),
        ));
    }
}

/// The template; only a kind of the project's own can have replicas.
fn template(
    project: &Project,
    resource: &Resource,
    args: &CreateApiArgs,
    problems: &mut Vec<Problem>,
) -> Template {
    let known = project.find(resource);
    let has_blank_controller =
        known.is_some_and(|known| !known.controllers.is_empty() && project.operand(known).is_none());
    let default = if args.resource && !has_blank_controller { Template::Replicas } else { Template::Blank };
    let template = args.template.unwrap_or(default);
    let mut refuse = |message: &str, hint: &str| problems.push(Problem::new(message).hint(hint));
    if template == Template::Blank && operand::given(&args.operand) {
        refuse(
            "`--image` and its companions belong to `--template replicas`",
            "leave them out, or use that template",
        );
    }
    if template == Template::Replicas && !args.resource {
        let hint = "leave out `--resource=false`, or use `--template blank`";
        refuse("`--template replicas` needs types of this project", hint);
    }
    if template == Template::Replicas && has_blank_controller {
        refuse("the kind has a controller of its own already", "leave out `--template replicas`");
    }
    template
}

/// What of a kind that is there the arguments would change, unless they say `--force`.
fn changed(
    project: &Project,
    resource: &Resource,
    args: &CreateApiArgs,
    template: Template,
    operand: &Operand,
) -> Option<Problem> {
    let known = project.find(resource)?;
    let kind = &resource.kind;
    let has_one = !known.controllers.is_empty();
    if has_one && !args.controller {
        let problem = Problem::new(format!(
            "kind `{kind}` has a controller, which `--controller=false` does not remove"
        ));
        return Some(problem.hint("leave the flag out"));
    }
    let before = project.operand(known);
    if has_one && args.resource && known.has_api && args.template.is_some() {
        let was = if before.is_some() { Template::Replicas } else { Template::Blank };
        if was != template {
            let problem = Problem::new(format!("kind `{kind}` was made from another template"));
            return Some(
                problem.hint("take back the command that added it, with git, or choose another `--kind`"),
            );
        }
    }
    let differs = before.is_some_and(|before| before != *operand);
    (differs && !args.force).then(|| {
        let problem = Problem::new(format!("kind `{kind}` runs another image, or runs it in another way"));
        problem.hint(
            "say `--force` to write its files anew, or edit `config/manager/manager.yaml` and the sources",
        )
    })
}

/// Drafts the CRD of a kind with the template's types in it.
fn definition(
    draft: &mut Draft,
    project: &Project,
    resource: &Resource,
    template: Template,
    again: bool,
) -> Result<()> {
    let path = RelPath::new(format!("config/crd/bases/{}", resource.crd_file()))?;
    let existing = draft.tree().read(&path)?;
    if again && existing.is_some() {
        // The user may have changed the types since; `manifests` knows what they say now.
        return Ok(());
    }
    let template = match template {
        Template::Replicas => crd::Template::Replicas,
        Template::Blank => crd::Template::Blank,
    };
    let names = crd::Names {
        group: resource.qualified_group(),
        version: resource.version.clone(),
        kind: resource.kind.clone(),
        plural: resource.plural.clone(),
        singular: resource.singular(),
        list_kind: resource.list_kind(),
        namespaced: resource.namespaced,
    };
    let new = crd::builtin(template, &names);
    let merged = crd::with_version(existing.as_deref(), new, project.storage_version(resource))?;
    for note in crd::validate(std::slice::from_ref(&merged))? {
        draft.note(note);
    }
    draft.file(File {
        path,
        ownership: Ownership::Derived,
        text: crd::render(&merged).into(),
        executable: false,
        certainty: Certainty::Tested,
    })
}

/// `make run` comes last: it stays in the foreground, and all lines can be pasted at once.
fn next(draft: &mut Draft, r: &ResourceView) {
    draft.next("cargo build");
    if r.has_api {
        draft.next("make install");
        draft.next(format!("kubectl apply -f config/samples/{}", r.sample_file));
    }
    if !r.controllers.is_empty() {
        draft.next("make run");
    }
}
