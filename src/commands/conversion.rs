//! Whether objects survive the versions of their kinds: what `manifests` refuses, and what a conversion makes up for.

use serde_json::Value;

use crate::manifests::crd::{self, Differences, Patches};
use crate::path::{RelPath, from_folder};
use crate::scaffold::Tree;
use crate::yaml::Fault;
use crate::{Error, Problem, Result};

/// The kustomization that `make install` builds, by the names that kustomize knows.
const FOLDER: &str = "config/crd";
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Most differences that one message lists.
const SHOWN: usize = 20;

/// Checks that served versions can hold each other's objects where nothing converts between them. The result is what is
/// good to know.
///
/// # Errors
/// [`Error::Definitions`] with a problem for each kind whose versions cannot, and [`Error::Refused`] when the
/// kustomization cannot be read.
pub(super) fn check(tree: &Tree, definitions: &[Value], sources: &crd::Sources) -> Result<Vec<String>> {
    let differing = definitions.iter().map(|definition| (definition, crd::differences(definition)));
    let differing: Vec<_> =
        differing.filter(|(_, found)| !(found.losses.is_empty() && found.conditions.is_empty())).collect();
    if differing.is_empty() {
        return Ok(Vec::new());
    }
    let patches = patches(tree)?;
    let places = sources.places();
    let (mut notes, mut problems) = (Vec::new(), Vec::new());
    for (definition, found) in differing {
        let conversion = patches.conversion(definition);
        if conversion["strategy"] == "Webhook" {
            problems.extend(incomplete(definition, &conversion));
        } else if found.losses.is_empty() {
            notes.push(note(definition, &found));
        } else {
            problems.extend(refusal(definition, &found, &places));
        }
    }
    if problems.is_empty() { Ok(notes) } else { Err(Error::Definitions(problems)) }
}

/// Whether the project's kustomization makes the API server convert between the versions of a kind.
///
/// # Errors
/// As [`check`].
pub(super) fn is_converted(tree: &Tree, definition: &Value) -> Result<bool> {
    Ok(patches(tree)?.conversion(definition)["strategy"] == "Webhook")
}

fn patches(tree: &Tree) -> Result<Patches> {
    for name in NAMES {
        let path = RelPath::new(format!("{FOLDER}/{name}"))?;
        let Some(text) = tree.read(&path)? else { continue };
        let load = |file: &str| match from_folder(FOLDER, file).and_then(|path| RelPath::new(path).ok()) {
            Some(path) => tree.read(&path),
            None => Ok(None),
        };
        return Patches::read(&text, load)?.map_err(|Fault { line, message, .. }| {
            let problem = Problem::new(format!("`{path}`, or a patch that it names, line {line}: {message}"));
            Error::Refused(
                problem.hint("mend the file: `kubectl kustomize config/crd` says where it is wrong"),
            )
        });
    }
    Ok(Patches::default())
}

fn kind(definition: &Value) -> &str {
    definition["spec"]["names"]["kind"].as_str().unwrap_or_default()
}

/// What is said of a kind whose versions cannot hold each other's objects: first why that matters, then each field.
fn refusal(definition: &Value, found: &Differences, places: &crd::Places<'_>) -> Vec<Problem> {
    let message = format!(
        "versions of `{}` differ, and nothing converts between them: an edit through one loses what it lacks",
        kind(definition)
    );
    let name = definition["metadata"]["name"].as_str().unwrap_or_default();
    let first = Problem::new(message)
        .hint("give the versions the same fields; what is new can be optional in both")
        .hint(
            "or stop serving one: `served = false` in its `#[kube(…)]`; the version that is stored needs every field, \
             served or not",
        )
        .hint(format!(
            "or let a webhook convert: patch `spec.conversion` of `{name}` in `{FOLDER}/kustomization.yaml`"
        ));
    let mut problems = vec![first];
    let losses = found.losses.iter().take(SHOWN);
    problems.extend(losses.map(|(place, what)| places.add_to(Problem::new(format!("{place} {what}")))));
    if let Some(more) = found.losses.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        problems.push(Problem::new(format!("and {more} more")));
    }
    problems
}

fn note(definition: &Value, found: &Differences) -> String {
    let mut fields: Vec<String> =
        found.conditions.iter().take(SHOWN).map(|field| format!("`{field}`")).collect();
    if found.conditions.len() > SHOWN {
        fields.push("others".into());
    }
    format!(
        "versions of `{}` differ in the conditions or defaults of {}: nothing is lost, but what one takes another may \
         refuse",
        kind(definition),
        fields.join(", ")
    )
}

/// What a webhook lacks that the API server asks for.
fn incomplete(definition: &Value, conversion: &Value) -> Option<Problem> {
    let webhook = &conversion["webhook"];
    let lacks = if !["service", "url"].iter().any(|way| !webhook["clientConfig"][way].is_null()) {
        "clientConfig"
    } else if webhook["conversionReviewVersions"].as_array().is_none_or(Vec::is_empty) {
        "conversionReviewVersions"
    } else {
        return None;
    };
    let message = format!(
        "`{}` is converted by a webhook without `spec.conversion.webhook.{lacks}`, which the API server refuses",
        kind(definition)
    );
    let hint = "complete the patch that `config/crd/kustomization.yaml` names: `clientConfig` with a `service` or a `url`, \
                and `conversionReviewVersions: [v1]`";
    Some(Problem::new(message).hint(hint))
}

#[cfg(test)]
#[path = "conversion_tests.rs"]
mod tests;
