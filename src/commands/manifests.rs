//! `iris-scaffold manifests`: what `make manifests` calls.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::progress::Progress;
use super::released::Released;
use super::{Access, Context, conversion, crdgen, plan, reference};
use crate::cli::{Format, ManifestsArgs};
use crate::manifests::{crd, rbac};
use crate::printable;
use crate::project::Project;
use crate::scaffold::{Certainty, Draft, File, Ownership, RelPath, Tree};
use crate::yaml;
use crate::{Error, Problem, Result};

/// Where the definitions are.
const BASES: &str = "config/crd/bases";

/// Writes the CRDs and roles that the types and markers declare.
pub(super) fn run(context: &Context, args: &ManifestsArgs) -> Result<()> {
    let access = match (args.check, args.stdout) {
        (true, _) => Access::Read("--check"),
        (_, true) => Access::Read("--stdout"),
        _ => context.access(),
    };
    let (tree, project) = plan::open(context, access)?;
    let mut draft = Draft::new(tree);
    let mut known = rbac::Known::kubernetes();
    if args.rbac_only {
        each_on_disk(draft.tree(), BASES, |_| true, |_, definition| known.add_definition(definition))?;
    } else {
        let progress = Progress::of(&context.global);
        let (mut definitions, notes) = definitions(draft.tree(), &project, access, progress)?;
        for note in notes {
            draft.note(note);
        }
        // With all that their descriptions say.
        let described = args.docs.as_ref().map(|folder| (folder, definitions.clone()));
        for definition in &mut definitions {
            known.add_definition(definition);
            // Before the check: a definition may be too large without it.
            if let Some(limit) = args.max_desc_len {
                crd::limit_descriptions(definition, limit);
            }
        }
        let types = plan::types(draft.tree())?;
        let sources = crd::Sources::read(&types)?;
        for note in sources.check(crd::validate(&definitions))? {
            draft.note(note);
        }
        for note in conversion::check(draft.tree(), &definitions, &sources)? {
            draft.note(note);
        }
        if args.lint {
            let found = crd::lint(&definitions, &sources.places(), &crd::Accepted::read(&types));
            if args.check && !found.is_empty() {
                return Err(Error::Refused(unconventional(&found)));
            }
            for found in found {
                draft.note(found);
            }
        }
        define(&mut draft, definitions, args)?;
        if let Some((folder, definitions)) = described {
            reference::pages(&mut draft, folder, &definitions)?;
        }
    }
    if !args.crds_only {
        for note in check_markers(draft.tree(), &project, known)? {
            draft.note(note);
        }
        plan::role(&mut draft, &project)?;
        for note in unbound(draft.tree(), &project)? {
            draft.note(note);
        }
        if !args.stdout {
            let own = project.namespace();
            for namespace in plan::role_namespaces(&mut draft, &project)?.iter().filter(|name| **name != own)
            {
                draft.note(format!(
                    "what is in `config/rbac` for namespace `{namespace}` needs it: create it before `make deploy`"
                ));
            }
        }
    }
    let plan = draft.plan()?;
    if args.stdout {
        let texts = plan.changes().iter().map(|change| change.after.as_ref());
        return print(context, &texts.collect::<String>());
    }
    if args.check { context.check("manifests", &plan) } else { context.finish("manifests", plan) }
}

/// What API conventions advise against, as what is wrong.
fn unconventional(found: &[String]) -> Problem {
    let lines: Vec<_> = found.iter().map(|what| printable::line(what)).collect();
    let message = format!("API conventions advise against what the types have:\n{}", lines.join("\n"));
    Problem::new(message).hint(format!(
        "change it as long as nobody uses it, or accept it by a comment above the field: `// {}RULE`",
        crd::ALLOW
    ))
}

/// Drafts the definitions, and says what they break.
fn define(draft: &mut Draft, definitions: Vec<Value>, args: &ManifestsArgs) -> Result<()> {
    let mut released = match &args.against {
        Some(commit) => Some(Released::at(draft.tree().root(), commit, BASES)?),
        None => Released::last(draft.tree().root(), BASES),
    };
    let mut paths = Vec::new();
    for definition in definitions {
        let path = RelPath::new(format!("{BASES}/{}", crd::file_name(&definition)))?;
        let before = released.as_mut().and_then(|released| released.compare(path.as_str(), &definition));
        // What is stored in a cluster need not have been released.
        let before = match (before, &args.against) {
            (None, None) => match draft.tree().on_disk(&path)? {
                Some(text) => parse(path.as_str(), &text)?.pop(),
                None => None,
            },
            (before, _) => before,
        };
        let moved = before.map(|before| crd::moved(&before, &definition)).unwrap_or_default();
        if !moved.is_empty() && !conversion::is_converted(draft.tree(), &definition)? {
            match &mut released {
                Some(released) if args.against.is_some() => released.breaks(moved),
                _ => {
                    for what in moved {
                        draft.note(format!("breaking change of {what}"));
                    }
                }
            }
        }
        let text = crd::render(&definition);
        draft.file(File {
            path: path.clone(),
            ownership: Ownership::Derived,
            text: text.into(),
            executable: false,
            certainty: Certainty::Tested,
        })?;
        paths.push(path);
    }
    let left_over = |path: &str| !paths.iter().any(|written| written.as_str() == path);
    let mut left = Vec::new();
    each_on_disk(draft.tree(), BASES, left_over, |path, _| left.push(path.clone()))?;
    left.dedup();
    for path in left {
        draft.note(format!(
            "no type gives `{path}`: delete it, and its line in `config/crd/kustomization.yaml`"
        ));
    }
    let Some(released) = released else { return Ok(()) };
    let Some(commit) = &args.against else {
        for note in released.notes() {
            draft.note(note);
        }
        return Ok(());
    };
    let broken = released.broken();
    if broken.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = broken.iter().map(|what| printable::line(what)).collect();
    let message = format!("what worked at {} breaks:\n{}", printable::value(commit), lines.join("\n"));
    let problem = Problem::new(message).hint("keep what users have, and let what is new be optional");
    Err(Error::Refused(problem.hint(
        "or change a new version, from `iris-scaffold create api --version …`: it may have other fields once a webhook \
         converts between the two, or the old version is no longer served and none of its objects are left",
    )))
}

/// Checks what the markers name against the kinds of Kubernetes, of the project and of the definitions below `config/`.
fn check_markers(tree: &Tree, project: &Project, mut known: rbac::Known) -> Result<Vec<String>> {
    for resource in project.resources.iter().filter(|resource| !resource.has_api) {
        known.add_kind(&resource.qualified_group(), &resource.plural);
    }
    let elsewhere = |path: &str| !path.starts_with(BASES);
    each_on_disk(tree, "config", elsewhere, |_, definition| known.add_definition(definition))?;
    rbac::check(&plan::operator(tree)?, known)
}

/// The roles of markers that nothing gives to the manager.
fn unbound(tree: &Tree, project: &Project) -> Result<Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = project.namespace();
    // Kustomize moves to the operator's namespace what is in another one of these.
    let place = |kind: &str, metadata: &Value| match text(&metadata["namespace"]) {
        namespace if kind == "Role" && namespace != own && namespace != "system" => namespace,
        _ => String::new(),
    };
    let path = RelPath::new("config/rbac/role.yaml")?;
    let mut bound = HashSet::new();
    for file in tree.list("config/rbac", "yaml")? {
        let manifest = tree.read(&file)?.unwrap_or_default();
        if manifest.contains("roleRef") {
            for binding in plan::documents(file.as_str(), &manifest)? {
                let (kind, name) = (text(&binding["roleRef"]["kind"]), text(&binding["roleRef"]["name"]));
                bound.insert((place(&kind, &binding["metadata"]), kind, name));
            }
        }
    }
    let roles = tree.read(&path)?.unwrap_or_default();
    let note = |role: Value| {
        let (kind, name) = (text(&role["kind"]), text(&role["metadata"]["name"]));
        let namespace = place(&kind, &role["metadata"]);
        let has_rules = role["rules"].as_array().is_some_and(|rules| !rules.is_empty());
        let what = match (kind.as_str(), namespace.as_str()) {
            ("Role", "") => format!("the Role `{name}`: add a RoleBinding"),
            ("Role", namespace) => {
                format!("the Role `{name}` in namespace `{namespace}`: add a RoleBinding in that namespace")
            }
            _ => format!("the {kind} `{name}`: add a binding"),
        };
        let is_free = has_rules && !bound.contains(&(namespace, kind, name));
        is_free
            .then(|| format!("nothing gives the manager {what} below `config/rbac`, or change its markers"))
    };
    Ok(plan::documents(path.as_str(), &roles)?.into_iter().filter_map(note).collect())
}

/// Calls `each` with the custom resource definitions in those files of a folder that are wanted, one file after the other.
fn each_on_disk(
    tree: &Tree,
    folder: &str,
    wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(&RelPath, &Value),
) -> Result<()> {
    let paths = [tree.list(folder, "yaml")?, tree.list(folder, "yml")?].concat();
    for path in paths.into_iter().filter(|path| wanted(path.as_str())) {
        let text = tree.on_disk(&path)?.unwrap_or_default();
        if text.contains("CustomResourceDefinition") {
            parse(path.as_str(), &text)?.iter().for_each(|definition| each(&path, definition));
        }
    }
    Ok(())
}

/// The definitions in the text of a file, up to where it is no YAML.
///
/// # Errors
/// As [`plan::documents`].
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Value>> {
    let mut found = plan::documents(path, text)?;
    found.retain(|document| document["kind"] == "CustomResourceDefinition");
    Ok(found)
}

/// Every custom resource definition of the project: what its `crdgen` prints, in canonical form; and what is not in them.
fn definitions(
    tree: &Tree,
    project: &Project,
    access: Access,
    progress: Progress,
) -> Result<(Vec<Value>, Vec<String>)> {
    if !project.resources.iter().any(|resource| resource.has_api) {
        return Ok((Vec::new(), Vec::new()));
    }
    let printed = crdgen::run(tree.root(), &project.api_crate(), access, progress, || {
        Ok(crd::Sources::read(&plan::types(tree)?)?.values_in_maps())
    })?;
    let mut definitions = crd::from_crdgen(&printed)?;
    belong(&definitions, project)?;
    complete(&definitions, project)?;
    let sources = plan::types(tree)?;
    let fields = crd::Fields::read(sources.iter().map(|(_, text)| text.as_str()));
    fields.check()?;
    for definition in &mut definitions {
        fields.complete(definition);
    }
    Ok((definitions, crd::open_keys(&printed)))
}

/// Refuses the definitions of another project: where two share a target folder, the program of one may take the place
/// of the other's in the moment between its build and its run.
fn belong(definitions: &[Value], project: &Project) -> Result<()> {
    let ours = |definition: &Value| {
        let (group, kind) = (&definition["spec"]["group"], &definition["spec"]["names"]["kind"]);
        project.resources.iter().any(|known| *group == known.qualified_group() && *kind == known.kind)
    };
    let Some(first) = definitions.first().filter(|_| !definitions.iter().any(ours)) else { return Ok(()) };
    let name = first["metadata"]["name"].as_str().unwrap_or_default();
    let problem = Problem::new(format!("`crdgen` defines `{name}`, and no kind that `PROJECT` has"));
    let problem = problem
        .hint("if another project was built in the same target folder meanwhile, run the command again");
    Err(Error::Refused(problem.hint("else let `PROJECT` and the types below `api/src` name the same kinds")))
}

/// Checks that types give every kind and version that PROJECT has.
fn complete(definitions: &[Value], project: &Project) -> Result<()> {
    for resource in project.resources.iter().filter(|resource| resource.has_api) {
        let group = resource.qualified_group();
        let is_there = definitions.iter().any(|definition| {
            let spec = &definition["spec"];
            let versions = spec["versions"].as_array();
            spec["group"] == group
                && spec["names"]["kind"] == resource.kind.as_str()
                && versions.into_iter().flatten().any(|it| it["name"] == resource.version.as_str())
        });
        if !is_there {
            let (kind, version) = (&resource.kind, &resource.version);
            let message = format!("no type gives `{kind}` {version} of group `{group}`, which `PROJECT` has");
            let hint = "compare the type's attribute `#[kube(…)]` with `PROJECT`, and see what `api/src/lib.rs` lists";
            return Err(Error::Refused(Problem::new(message).hint(hint)));
        }
    }
    Ok(())
}

/// Prints the manifests, as YAML or as a list in JSON; kubectl takes both.
fn print(context: &Context, text: &str) -> Result<()> {
    if context.global.format == Format::Text {
        context.console.data(text.trim_end());
        return Ok(());
    }
    let unread = |fault| Error::Refused(Problem::new(format!("the manifests cannot be read back: {fault}")));
    let documents = yaml::documents(text).map_err(unread)?;
    let items = documents.into_iter().collect::<Result<Vec<Value>, _>>().map_err(unread)?;
    context.console.json(&json!({ "apiVersion": "v1", "kind": "List", "items": items }));
    Ok(())
}
