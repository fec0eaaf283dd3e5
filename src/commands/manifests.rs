//! `iris-scaffold manifests`: what `make manifests` calls.

use std::path::Path;
use std::process::Command;

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{Context, crdgen, plan};
use crate::cli::{Format, ManifestsArgs};
use crate::manifests::{crd, rbac};
use crate::project::Project;
use crate::scaffold::{Draft, File, Ownership, RelPath, Tree};
use crate::templates::{Licensing, ProjectView};
use crate::{Error, Problem, Result};

/// Where the definitions are.
const BASES: &str = "config/crd/bases";

/// Writes the CRDs and roles that the types and markers declare.
pub(super) fn run(context: &Context, args: &ManifestsArgs) -> Result<()> {
    let (tree, project) = plan::open(context)?;
    let mut draft = Draft::new(tree);
    let mut known = rbac::Known::kubernetes();
    if args.rbac_only {
        for (_, definition) in on_disk(draft.tree(), BASES)? {
            known.add_definition(&definition);
        }
    } else {
        let definitions = definitions(draft.tree(), &project)?;
        for definition in &definitions {
            known.add_definition(definition);
        }
        for note in crd::validate(&definitions)? {
            draft.note(note);
        }
        define(&mut draft, definitions, args)?;
    }
    if !args.crds_only {
        check_markers(draft.tree(), &project, known)?;
        plan::role(&mut draft, &project)?;
    }
    let plan = draft.plan()?;
    if args.stdout {
        let texts = plan.changes().iter().map(|change| change.after.as_str());
        return print(context, &texts.collect::<String>());
    }
    if args.check { context.check("manifests", &plan) } else { context.finish("manifests", plan) }
}

/// Drafts the definitions, and says what they break.
fn define(draft: &mut Draft, definitions: Vec<Value>, args: &ManifestsArgs) -> Result<()> {
    let mut broken = Vec::new();
    let mut paths = Vec::new();
    for mut definition in definitions {
        if let Some(limit) = args.max_desc_len {
            crd::limit_descriptions(&mut definition, limit);
        }
        let path = RelPath::new(format!("{BASES}/{}", crd::file_name(&definition)))?;
        let before = match &args.against {
            Some(commit) => committed(draft.tree().root(), commit, &path)?,
            None => draft.tree().on_disk(&path)?,
        };
        let before = before.as_deref().and_then(parse).unwrap_or_default();
        broken.extend(crd::breaking(&before, &definition));
        let text = crd::render(&definition);
        draft.file(File {
            path: path.clone(),
            ownership: Ownership::Derived,
            text,
            executable: false,
            fixed: false,
        })?;
        paths.push(path);
    }
    for (path, _) in on_disk(draft.tree(), BASES)?.into_iter().filter(|(path, _)| !paths.contains(path)) {
        draft.note(format!(
            "no type gives `{path}`: delete it, and its line in `config/crd/kustomization.yaml`"
        ));
    }
    let Some(commit) = args.against.as_ref().filter(|_| !broken.is_empty()) else {
        for what in broken {
            draft.note(format!("breaking change of {what}"));
        }
        return Ok(());
    };
    let message = format!("what worked at `{commit}` breaks:\n{}", broken.join("\n"));
    let hint = "keep what users have, or add a version of the kind: `iris-scaffold create api --version …`";
    Err(Error::Refused(Problem::new(message).hint(hint)))
}

/// The text of a file in a commit, if it is there.
fn committed(root: &Path, commit: &str, path: &RelPath) -> Result<Option<String>> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root).output();
        output.map_err(Error::io("run", Path::new("git")))
    };
    let known = git(&["rev-parse", "--verify", "--quiet", &format!("{commit}^{{commit}}")])?;
    if !known.status.success() {
        let problem = Problem::new(format!("there is no commit `{commit}`"));
        return Err(Error::Refused(problem.hint("name a commit, tag or branch of the project's repository")));
    }
    let file = git(&["show", &format!("{commit}:./{path}")])?;
    Ok(file.status.success().then(|| String::from_utf8_lossy(&file.stdout).into_owned()))
}

/// Checks what the markers name against the kinds of Kubernetes, of the project and of the definitions below `config/`.
fn check_markers(tree: &Tree, project: &Project, mut known: rbac::Known) -> Result<()> {
    for resource in project.resources.iter().filter(|resource| !resource.has_api) {
        known.add_kind(&resource.qualified_group(), &resource.plural);
    }
    for (_, definition) in
        on_disk(tree, "config")?.iter().filter(|(path, _)| !path.as_str().starts_with(BASES))
    {
        known.add_definition(definition);
    }
    rbac::check(&plan::sources(tree, &["api", "src"])?, known)
}

/// The custom resource definitions in a folder.
fn on_disk(tree: &Tree, folder: &str) -> Result<Vec<(RelPath, Value)>> {
    let mut found = Vec::new();
    for path in tree.list(folder, "yaml")? {
        let text = tree.on_disk(&path)?.unwrap_or_default();
        if text.contains("kind: CustomResourceDefinition") {
            found.extend(parse(&text).map(|definition| (path, definition)));
        }
    }
    Ok(found)
}

/// The definition in a text, if it is one.
fn parse(text: &str) -> Option<Value> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    Value::deserialize(document).ok().filter(|value| value["kind"] == "CustomResourceDefinition")
}

/// Every custom resource definition of the project: what its `crdgen` prints, in canonical form.
fn definitions(tree: &Tree, project: &Project) -> Result<Vec<Value>> {
    if !project.resources.iter().any(|resource| resource.has_api) {
        return Ok(Vec::new());
    }
    let package = ProjectView::new(project, &Licensing::of_project(tree)?).api_crate;
    let mut definitions = crd::from_crdgen(&crdgen::run(tree.root(), &package)?)?;
    belong(&definitions, project)?;
    let sources = plan::sources(tree, &["api"])?;
    let fields = crd::Fields::read(sources.iter().map(|(_, text)| text.as_str()));
    for definition in &mut definitions {
        fields.complete(definition);
    }
    Ok(definitions)
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

/// Prints the manifests, as YAML or as a list in JSON; kubectl takes both.
fn print(context: &Context, yaml: &str) -> Result<()> {
    if context.global.format == Format::Text {
        context.console.data(yaml.trim_end());
        return Ok(());
    }
    let documents: Result<Vec<Value>, _> =
        serde_yaml::Deserializer::from_str(yaml).map(Value::deserialize).collect();
    let items = documents.map_err(|error| {
        Error::Refused(Problem::new(format!("the manifests cannot be read back: {error}")))
    })?;
    context.console.json(&json!({ "apiVersion": "v1", "kind": "List", "items": items }));
    Ok(())
}
