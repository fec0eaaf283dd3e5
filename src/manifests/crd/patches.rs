//! What the patches of a kustomization do to a definition, as far as `spec.conversion` is concerned.
//!
//! Only kustomize knows what it builds, and it may not be on the machine. Patches in the forms that it documents are read
//! here: strategic merges and JSON patches (RFC 6902), in a file or inline, with a target or without.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::validate::matches_whole;
use crate::yaml::{self, Fault};

/// The patches of a kustomization, in order.
#[derive(Debug, Default)]
pub struct Patches(Vec<Patch>);

#[derive(Debug)]
struct Patch {
    target: Option<Target>,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Merge(Value),
    Operations(Vec<Value>),
}

/// Which objects a patch is for; each is a pattern for the whole name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    group: Option<String>,
    version: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    label_selector: Option<String>,
    annotation_selector: Option<String>,
}

/// A kustomization's lists of patches.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kustomization {
    #[serde(rename = "patches")]
    either: Option<Vec<Entry>>,
    #[serde(rename = "patchesJson6902")]
    operations: Option<Vec<Entry>>,
    #[serde(rename = "patchesStrategicMerge")]
    merges: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    path: Option<String>,
    patch: Option<String>,
    target: Option<Target>,
}

impl Patches {
    /// The patches of the kustomization in `text`; `load` gives the text of a file that it names.
    ///
    /// # Errors
    /// A [`Fault`] when a text is no YAML or too much of it, and what `load` fails with.
    pub fn read<E>(
        text: &str,
        mut load: impl FnMut(&str) -> Result<Option<String>, E>,
    ) -> Result<Result<Self, Fault>, E> {
        let kustomization = match yaml::one::<Option<Kustomization>>(text) {
            Ok(kustomization) => kustomization.unwrap_or_default(),
            Err(fault) => return Ok(Err(fault)),
        };
        // The order is kustomize's.
        let merges = kustomization.merges.into_iter().flatten().map(|text| {
            // A path, or a patch itself.
            if text.contains('\n') || text.trim_start().starts_with('{') {
                Entry { patch: Some(text), ..Entry::default() }
            } else {
                Entry { path: Some(text), ..Entry::default() }
            }
        });
        let mut found = Self::default();
        let others = [kustomization.either, kustomization.operations];
        for entry in merges.chain(others.into_iter().flatten().flatten()) {
            let text = match (entry.patch, entry.path) {
                (Some(patch), _) => Some(patch),
                (None, Some(path)) => load(&path)?,
                (None, None) => None,
            };
            let documents = match yaml::documents::<Value>(&text.unwrap_or_default()) {
                Ok(documents) => documents,
                Err(fault) => return Ok(Err(fault)),
            };
            for document in documents {
                let change = match document {
                    Ok(Value::Array(operations)) => Change::Operations(operations),
                    Ok(patch @ Value::Object(_)) => Change::Merge(patch),
                    Ok(_) => continue,
                    Err(fault) => return Ok(Err(fault)),
                };
                found.0.push(Patch { target: entry.target.clone(), change });
            }
        }
        Ok(Ok(found))
    }

    /// The `spec.conversion` of a definition after all patches; null when it has none.
    #[must_use]
    pub fn conversion(&self, definition: &Value) -> Value {
        let mut patched = definition.clone();
        for patch in self.0.iter().filter(|patch| patch.is_for(definition)) {
            match &patch.change {
                Change::Merge(change) => merge(&mut patched["spec"], &change["spec"]),
                Change::Operations(operations) => operations.iter().for_each(|one| apply(&mut patched, one)),
            }
        }
        patched["spec"]["conversion"].take()
    }
}

impl Patch {
    fn is_for(&self, definition: &Value) -> bool {
        match (&self.target, &self.change) {
            (Some(target), _) => target.is(definition),
            // A patch without a target names its object.
            (None, Change::Merge(patch)) => {
                let group = |object: &Value| {
                    let text = object["apiVersion"].as_str().unwrap_or_default();
                    text.split_once('/').map(|(group, _)| group.to_owned())
                };
                patch["kind"] == definition["kind"]
                    && patch["metadata"]["name"] == definition["metadata"]["name"]
                    && group(patch) == group(definition)
            }
            (None, Change::Operations(_)) => false,
        }
    }
}

impl Target {
    fn is(&self, definition: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let api_version = text(&definition["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let kind = text(&definition["kind"]);
        let (name, namespace) =
            (text(&definition["metadata"]["name"]), text(&definition["metadata"]["namespace"]));
        let plain = [
            (&self.group, group),
            (&self.version, version),
            (&self.kind, &kind),
            (&self.name, &name),
            (&self.namespace, &namespace),
        ];
        let selected = [(&self.label_selector, "labels"), (&self.annotation_selector, "annotations")];
        plain.into_iter().all(|(pattern, text)| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_empty() || matches_whole(pattern, text))
        }) && selected.into_iter().all(|(selector, key)| {
            selector.as_ref().is_none_or(|selector| is_selected(selector, &definition["metadata"][key]))
        })
    }
}

/// Whether labels meet all requirements of a selector: `a=b`, `a!=b`, `a`, `!a`.
fn is_selected(selector: &str, labels: &Value) -> bool {
    selector.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let value = |key: &str| labels.get(key.trim()).and_then(Value::as_str);
        if let Some((key, not)) = part.split_once("!=") {
            value(key) != Some(not.trim())
        } else if let Some((key, is)) = part.split_once('=') {
            value(key) == Some(is.trim_start_matches('=').trim())
        } else if let Some(key) = part.strip_prefix('!') {
            value(key).is_none()
        } else {
            value(part).is_some()
        }
    })
}

/// Merges maps as a strategic merge does: null and `$patch: delete` take away, `$patch: replace` begins anew.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        if !patch.is_null() {
            *into = patch.clone();
        }
        return;
    };
    let directive = patch.get("$patch").and_then(Value::as_str);
    if !into.is_object() || directive == Some("replace") {
        *into = Value::Object(Map::new());
    }
    let Some(fields) = into.as_object_mut() else { return };
    for (key, value) in patch.iter().filter(|(key, _)| *key != "$patch") {
        if value.is_null() || value.get("$patch").is_some_and(|directive| directive == "delete") {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Applies an operation that adds, replaces or removes the field of an object. The others cannot set a conversion.
fn apply(document: &mut Value, operation: &Value) {
    let path = operation["path"].as_str().unwrap_or_default();
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    let Some(Value::Object(fields)) = document.pointer_mut(parent) else { return };
    match operation["op"].as_str() {
        Some("add" | "replace") => {
            fields.insert(key, operation["value"].clone());
        }
        Some("remove") => {
            fields.remove(&key);
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "patches_tests.rs"]
mod tests;
