//! `manifests --docs`: pages about the project's kinds, for the users of its API.

use serde_json::Value;

use super::plan;
use crate::manifests::reference::{self, HEADER, Sample};
use crate::printable;
use crate::scaffold::{Certainty, Draft, File, Ownership, RelPath, Tree};
use crate::yaml;
use crate::{Error, Problem, Result};

const SAMPLES: &str = "config/samples";

/// Drafts a page for each definition in `folder`, which is relative to the project.
pub(super) fn pages(draft: &mut Draft, folder: &str, definitions: &[Value]) -> Result<()> {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let samples = samples(draft.tree())?;
    let mut paths = Vec::new();
    for definition in definitions {
        let path = RelPath::new(format!("{folder}/{}", reference::file_name(definition)))?;
        let before = draft.tree().on_disk(&path)?;
        if before.is_some_and(|before| !is_page(&before)) {
            let problem = Problem::new(format!(
                "`{}` was not written by `manifests --docs`",
                printable::line(path.as_str())
            ));
            return Err(Error::Refused(problem.hint("name another folder, or move the file away")));
        }
        draft.file(File {
            path: path.clone(),
            ownership: Ownership::Derived,
            text: reference::page(definition, &samples).into(),
            executable: false,
            certainty: Certainty::Tested,
        })?;
        paths.push(path);
    }
    for path in draft.tree().list(folder, "md")?.into_iter().filter(|path| !paths.contains(path)) {
        if draft.tree().on_disk(&path)?.is_some_and(|text| is_page(&text)) {
            draft.note(format!("no type gives `{path}`: delete it"));
        }
    }
    Ok(())
}

/// Whether an earlier command wrote it, on a system with whichever ends of lines.
fn is_page(text: &str) -> bool {
    text.lines().next() == HEADER.lines().next()
}

/// The objects that the project has for its users to start from.
fn samples(tree: &Tree) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for path in tree.list(SAMPLES, "yaml")? {
        let text = tree.read(&path)?.unwrap_or_default();
        let documents = plan::documents(path.as_str(), &text)?;
        let is_one = documents.len() == 1;
        for document in documents {
            let field = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
            samples.push(Sample {
                api_version: field("apiVersion"),
                kind: field("kind"),
                // With its comments, where that is possible.
                text: if is_one { without_start(&text).to_owned() } else { yaml::document(&document) },
            });
        }
    }
    Ok(samples)
}

/// The text of a file without the mark that a document begins.
fn without_start(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")).unwrap_or(text)
}
