//! `iris-scaffold create api`.

use super::plan::Seed;
use super::{Context, choice, conversion, earlier, faults, plan, target};
use crate::cli::CreateApiArgs;
use crate::manifests::crd;
use crate::path::RelPath;
use crate::project::Project;
use crate::resource::{Resource, core};
use crate::scaffold::{Certainty, Draft, File, Insert, Ownership};
use crate::templates::kinds::{Chosen, KindTemplate};
use crate::templates::{self, ControllerView, Licensing, ProjectView, ResourceView};
use crate::{Error, Result};

/// Adds a kind, a version of one, or a controller.
pub(super) fn run(context: &Context, args: &CreateApiArgs) -> Result<()> {
    let (tree, old) = plan::open(context, context.access())?;
    let mut problems = Vec::new();
    let resource = target::resolve(context, &old, args, &mut problems);
    let choice = choice::resolve(&old, &resource, args, &mut problems)?;
    if !problems.is_empty() {
        return Err(Error::Usage(problems));
    }
    if let Some(problem) = choice.changes(&old, &resource, args) {
        return Err(Error::Refused(problem));
    }
    without_effect(context, args);

    let mut project = old.clone();
    project.add(resource.clone(), args.force)?;
    let Some(added) = project.find(&resource).cloned() else { return Ok(()) };
    let is_first = old.find(&added).is_none_or(|known| known.controllers.is_empty());
    // Types and the first controller are made from the template; every other controller is a start.
    let made = (args.resource || is_first).then_some(&choice.made);
    let controlled = made.filter(|_| !added.controllers.is_empty());
    if let Some(made) = made {
        let options = controlled.map(|made| made.options.clone()).unwrap_or_default();
        project.remember(&added, &Chosen { template: made.template, options }.remembered());
    }
    let licensing = Licensing::of_project(&tree)?;
    let view = ProjectView::new(&project, &licensing)?;
    let Some(r) = view.resources.iter().find(|r| r.is(&added)) else { return Ok(()) };

    let mut draft = Draft::new(tree);
    let seed = |again| if args.force { Seed::Anew } else { Seed::of(again) };
    let again = old.find(&added).is_some_and(|known| known.has_api || known.external);
    if args.resource {
        let mut files = templates::types(&view, r, choice.made.template)?;
        let from = if again { None } else { earlier::follow(draft.tree(), &view, r, &mut files)? };
        plan::seeded(&mut draft, files, seed(again))?;
        for insert in templates::insertions(r)? {
            draft.insert(&insert)?;
        }
        let path = RelPath::new(format!("config/crd/bases/{}", added.crd_file()))?;
        if !again || args.force || draft.tree().read(&path)?.is_none() {
            definition(&mut draft, &project, &added, choice.made.template, from.as_deref())?;
        }
    } else if added.external {
        plan::seeded(&mut draft, templates::external(&view, r)?, seed(again))?;
    }
    // Without types it is about one controller, and those beside it stay.
    let is_meant = |c: &&ControllerView| args.resource || resource.controllers.contains(&c.name);
    for (position, c) in r.controllers.iter().enumerate().filter(|(_, c)| is_meant(c)) {
        let again = old.has_controller(&added, &c.name);
        // Without types of its own a controller begins with nothing.
        let begins = |made: &&Chosen| position == 0 && (args.resource || made.template.needs_types());
        let template = r.template.as_ref().filter(begins);
        plan::seeded(&mut draft, templates::controller(&view, r, c, template)?, seed(again))?;
        if added.has_api && position == 0 {
            plan::seeded(&mut draft, templates::test(&view, r, c, template)?, seed(again))?;
            if !again || args.force {
                for story in templates::stories(&view, r, c, template)? {
                    faults::draft(&mut draft, &view, &story, &r.kind)?;
                }
            }
        }
    }
    if let Some(made) = controlled {
        insert(&mut draft, r, choice.before.as_ref(), made)?;
    }
    plan::seeded(&mut draft, templates::shared(&view)?, Seed::Again)?;
    plan::owned(&mut draft, Some(&old), &project, &licensing)?;
    plan::role(&mut draft, &project)?;
    plan::role_namespaces(&mut draft, &project)?;
    if args.resource && !again {
        namesake(&mut draft, &added);
    }
    next(&mut draft, r);
    context.finish("create api", draft.plan()?)
}

/// Says which flags of kubebuilder's mean nothing here.
fn without_effect(context: &Context, args: &CreateApiArgs) {
    let foreign = &args.foreign;
    context.without_effect(foreign.make.is_some(), "--make", "the types need no generated code");
    context.without_effect(foreign.manifests.is_some(), "--manifests", "the manifests are written at once");
    let why = "types are not taken from Go modules";
    context.without_effect(foreign.external_api_path.is_some(), "--external-api-path", why);
    context.without_effect(foreign.external_api_module.is_some(), "--external-api-module", why);
    context.without_effect(foreign.plugins.is_some(), "--plugins", "`--template` chooses what is generated");
}

/// Drafts what the template adds to files of the user's, in the place of what it added with the options before.
fn insert(draft: &mut Draft, r: &ResourceView, before: Option<&Chosen>, made: &Chosen) -> Result<()> {
    let earlier = match before.filter(|before| before.template.name() == made.template.name()) {
        Some(before) => before.template.insertions(r, &before.options)?,
        None => Vec::new(),
    };
    for insert in made.template.insertions(r, &made.options)? {
        let same_place = |known: &&Insert| (&known.path, &known.present) == (&insert.path, &insert.present);
        let earlier = earlier.iter().find(same_place).filter(|known| known.lines != insert.lines);
        if let Some(earlier) = earlier {
            draft.replace(&insert.path, &earlier.lines, &insert.lines)?;
        }
        draft.insert(&insert)?;
    }
    Ok(())
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

/// Drafts the CRD of a kind with the template's types in it, or those of another version that it is `from`. Where the
/// user may have changed the types since, only `manifests` knows what they say now.
fn definition(
    draft: &mut Draft,
    project: &Project,
    resource: &Resource,
    template: &dyn KindTemplate,
    from: Option<&str>,
) -> Result<()> {
    let path = RelPath::new(format!("config/crd/bases/{}", resource.crd_file()))?;
    let existing = draft.tree().read(&path)?;
    let names = crd::Names {
        group: resource.qualified_group(),
        version: resource.version.clone(),
        kind: resource.kind.clone(),
        plural: resource.plural.clone(),
        singular: resource.singular(),
        list_kind: resource.list_kind(),
        namespaced: resource.namespaced,
    };
    let same = existing.as_deref().zip(from);
    let same = same.and_then(|(text, version)| earlier::definition(text, version, &resource.version));
    let new = same.unwrap_or_else(|| crd::builtin(template.definition(resource.namespaced), &names));
    let storage = project.storage_version(resource);
    let merged = crd::with_version(existing.as_deref(), new, storage)?;
    let (kind, version) = (&resource.kind, &resource.version);
    if let Some(from) = from {
        draft.note(format!(
            "{version} of `{kind}` begins with the fields of {from}; while both are served, they need the same fields, or \
             a webhook that converts"
        ));
    } else if !crd::differences(&merged).losses.is_empty()
        && !conversion::is_converted(draft.tree(), &merged)?
    {
        draft.note(format!(
            "{version} of `{kind}` has other fields than {storage}, which `iris-scaffold manifests` refuses while both are \
             served: give both the same fields, or write `served = false` into the `#[kube(…)]` of {version}"
        ));
    }
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

#[cfg(test)]
#[path = "create_api_tests.rs"]
pub(super) mod tests;
