//! Several versions of a kind in one definition.

use std::collections::{BTreeMap, HashSet};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::{Error, Problem, Result, yaml};

use super::depth::too_deep;
use super::normalise;
use crate::limits::DEPTH;

/// The canonical definitions, by name, of everything that a project's `crdgen` printed: a stream of JSON documents, one
/// for each version of each kind. The storage version is the one that is not marked `#[kube(storage = false)]`.
///
/// # Errors
/// [`Error::Refused`] when the text is not such a stream, or when the versions of a kind do not fit together.
pub fn from_crdgen(stream: &str) -> Result<Vec<Value>> {
    let mut kinds: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for document in serde_json::Deserializer::from_str(stream).into_iter::<Value>() {
        let crd = document.map_err(|error| unreadable(&error.to_string()))?;
        let name = checked(&crd).map_err(|why| unreadable(&why))?;
        kinds.entry(name).or_default().push(crd);
    }
    one_plural(kinds.values().flatten())?;
    let merged = kinds.into_values().map(|versions| {
        let storage = storage_version(&versions)?;
        merge(versions, &storage)
    });
    let merged = merged.collect::<Result<Vec<_>>>()?;
    distinct(&merged)?;
    Ok(merged)
}

/// Checks that the versions of a kind have one plural: they would be several definitions otherwise.
fn one_plural<'a>(crds: impl Iterator<Item = &'a Value>) -> Result<()> {
    let text = |crd: &'a Value, pointer| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut seen: BTreeMap<[&str; 2], &Value> = BTreeMap::new();
    for crd in crds {
        let (kind, plural) = (text(crd, "/spec/names/kind"), text(crd, "/spec/names/plural"));
        let first = *seen.entry([text(crd, "/spec/group"), kind]).or_insert(crd);
        let other = text(first, "/spec/names/plural");
        if other != plural {
            let (version, of) = (first_version(crd), first_version(first));
            let message = format!(
                "`{kind}` has plural `{other}` in version `{of}` but `{plural}` in version `{version}`"
            );
            let hint = "give all versions of the kind one plural";
            return Err(Error::Refused(Problem::new(message).hint(hint)));
        }
    }
    Ok(())
}

/// Checks that no two definitions of a group share a name: the API server would not serve the second.
fn distinct(crds: &[Value]) -> Result<()> {
    let mut seen: BTreeMap<(&str, bool, &str), &str> = BTreeMap::new();
    for crd in crds {
        let (group, names) = (crd["spec"]["group"].as_str().unwrap_or_default(), &crd["spec"]["names"]);
        let owner = crd["metadata"]["name"].as_str().unwrap_or_default();
        let resources = [&names["plural"], &names["singular"]].into_iter();
        let resources = resources.chain(names["shortNames"].as_array().into_iter().flatten());
        let kinds = [&names["kind"], &names["listKind"]].into_iter();
        for (is_kind, name) in resources.map(|name| (false, name)).chain(kinds.map(|name| (true, name))) {
            let name = name.as_str().unwrap_or_default();
            let other = *seen.entry((group, is_kind, name)).or_insert(owner);
            if other != owner {
                let message = format!("`{other}` and `{owner}` are both called `{name}`");
                let hint = "give each kind of a group names of its own: singular, plural, short names, kind and list";
                return Err(Error::Refused(Problem::new(message).hint(hint)));
            }
        }
    }
    Ok(())
}

/// The name of the definition if it has the shape of one, else what is wrong with it.
fn checked(crd: &Value) -> Result<String, String> {
    if too_deep(crd) {
        return Err(format!("a definition is nested more than {DEPTH} levels deep"));
    }
    let typed = CustomResourceDefinition::deserialize(crd).map_err(|error| error.to_string())?;
    typed.metadata.name.ok_or_else(|| "a definition has no `metadata.name`".into())
}

fn unreadable(why: &str) -> Error {
    let problem = Problem::new(format!("`crdgen` did not print definitions as JSON: {why}"));
    Error::Refused(problem.hint(
        "see what it prints: `cargo run -q --manifest-path api/Cargo.toml --features crdgen --bin crdgen`",
    ))
}

/// The name of the one version with `storage: true` among the definitions of a kind.
///
/// # Errors
/// [`Error::Refused`] when none or several have it.
pub fn storage_version(crds: &[Value]) -> Result<String> {
    let stored: Vec<&str> = versions(crds).filter(|v| v["storage"] == true).map(name).collect();
    match stored[..] {
        [version] => Ok(version.to_owned()),
        [] => Err(refuse(
            crds,
            "has no storage version",
            "remove `storage = false` from the `#[kube(…)]` attribute of the version to store",
        )),
        _ => Err(refuse(
            crds,
            &format!("has {} storage versions, {}", stored.len(), list(&stored)),
            "write `storage = false` into the `#[kube(…)]` attribute of all versions but the one to store",
        )),
    }
}

/// One canonical definition of all versions in `crds`, which are definitions of one kind; `storage` is the version that
/// is stored. Versions are ordered by name.
///
/// # Errors
/// [`Error::Refused`] when `crds` is empty, names or scopes differ, a version is there twice, or `storage` is not there.
pub fn merge(crds: Vec<Value>, storage: &str) -> Result<Value> {
    let mut crds = crds.into_iter().map(normalise).collect::<Vec<_>>();
    crds.sort_by(|a, b| first_version(a).cmp(first_version(b)));
    same(&crds)?;
    let mut all: Vec<Value> = versions(&crds).cloned().collect();
    all.sort_by(|a, b| name(a).cmp(name(b)));
    if let Some((twice, _)) = all.iter().zip(all.iter().skip(1)).find(|(a, b)| name(a) == name(b)) {
        return Err(refuse(
            &crds,
            &format!("has version `{}` twice", name(twice)),
            "give each version of a kind a name of its own",
        ));
    }
    if !all.iter().any(|version| name(version) == storage) {
        let there: Vec<&str> = all.iter().map(name).collect();
        let message = format!("has no version `{storage}` to store, only {}", list(&there));
        return Err(refuse(&crds, &message, "store one of these versions"));
    }
    for version in &mut all {
        version["storage"] = json!(name(version) == storage);
    }
    let mut crds = crds.into_iter();
    let mut merged = crds.next().unwrap_or_default();
    for other in crds {
        for pointer in ["/spec/names/shortNames", "/spec/names/categories"] {
            join_lists(&mut merged, &other, pointer);
        }
        for kind in ["annotations", "labels"] {
            for (key, value) in other["metadata"][kind].as_object().into_iter().flatten() {
                merged["metadata"][kind][key] = value.clone();
            }
        }
    }
    merged["spec"]["versions"] = Value::Array(all);
    Ok(merged)
}

/// The definition on disk, `existing` (YAML), with the version of `new` added or replaced.
///
/// # Errors
/// [`Error::Refused`] when `existing` is not a definition, or as [`merge`] does.
pub fn with_version(existing: Option<&str>, new: Value, storage: &str) -> Result<Value> {
    let Some(text) = existing else {
        return merge(vec![new], storage);
    };
    let unread = |why: &str| {
        let message = format!("the definition in `{}` cannot be read{why}", super::file_name(&new));
        Error::Refused(Problem::new(message).hint("write it anew from the types: `make manifests`"))
    };
    let documents = yaml::documents(text).map_err(|fault| unread(&format!(": {fault}")))?;
    let old = documents.into_iter().next().and_then(Result::ok);
    let Some(mut old) = old.filter(|old| checked(old).is_ok()) else { return Err(unread("")) };
    if let Some(versions) = old["spec"]["versions"].as_array_mut() {
        versions.retain(|version| name(version) != first_version(&new));
        if versions.is_empty() {
            return merge(vec![new], storage);
        }
    }
    merge(vec![old, new], storage)
}

/// All versions of all `crds`.
fn versions(crds: &[Value]) -> impl Iterator<Item = &Value> {
    crds.iter().filter_map(|crd| crd["spec"]["versions"].as_array()).flatten()
}

fn name(version: &Value) -> &str {
    version["name"].as_str().unwrap_or_default()
}

fn first_version(crd: &Value) -> &str {
    name(&crd["spec"]["versions"][0])
}

/// Checks that what belongs to the kind and not to a version is the same in all.
fn same(crds: &[Value]) -> Result<()> {
    let Some((first, others)) = crds.split_first() else {
        return Err(Error::Refused(Problem::new("there is no version to merge")));
    };
    for (pointer, what) in [
        ("/spec/group", "group"),
        ("/spec/names/kind", "kind"),
        ("/spec/names/plural", "plural"),
        ("/spec/names/singular", "singular"),
        ("/spec/names/listKind", "list kind"),
        ("/spec/scope", "scope"),
    ] {
        let text = |crd: &Value| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(other) = others.iter().find(|other| text(other) != text(first)) {
            let message = format!(
                "has {what} `{}` in version `{}` but `{}` in version `{}`",
                text(first),
                first_version(first),
                text(other),
                first_version(other)
            );
            return Err(refuse(crds, &message, &format!("give all versions of the kind one {what}")));
        }
    }
    Ok(())
}

fn join_lists(merged: &mut Value, other: &Value, pointer: &str) {
    let Some(Value::Array(more)) = other.pointer(pointer) else {
        return;
    };
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    let Some(parent) = merged.pointer_mut(parent).and_then(Value::as_object_mut) else {
        return;
    };
    if let Value::Array(list) = parent.entry(key).or_insert_with(|| json!([])) {
        let mut known: HashSet<Value> = list.iter().cloned().collect();
        list.extend(more.iter().filter(|item| known.insert((*item).clone())).cloned());
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

fn refuse(crds: &[Value], message: &str, hint: &str) -> Error {
    let name = crds.first().and_then(|crd| crd["metadata"]["name"].as_str()).unwrap_or("definition");
    Error::Refused(Problem::new(format!("`{name}` {message}")).hint(hint))
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
