//! What is true of every generated project, checked without the tool's own rules.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use iris_scaffold::project::Project;
use serde::Deserialize as _;
use serde_yaml::Value;

use crate::common::snapshot;

type Sound = Result<(), String>;

/// Every file parses, every name is one that Kubernetes takes, and PROJECT can be read.
pub fn sound(root: &Path) -> Sound {
    let paths: Vec<PathBuf> = snapshot(root).into_keys().filter(|path| root.join(path).is_file()).collect();
    let mut folded = BTreeSet::new();
    for path in &paths {
        let name = path.to_str().ok_or("a path is not text")?;
        if !folded.insert(name.to_lowercase()) {
            return Err(format!("`{name}` differs from another path only by case"));
        }
        if name.starts_with(".iris-scaffold") {
            return Err(format!("`{name}` stayed behind"));
        }
        let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{name}: {error}"))?;
        file(root, name, &text).map_err(|error| format!("{name}: {error}\n{text}"))?;
    }
    let text = fs::read_to_string(root.join("PROJECT")).map_err(|error| error.to_string())?;
    let project = Project::parse(&text).map_err(|error| format!("PROJECT: {error}\n{text}"))?;
    if project.render() != text {
        return Err(format!("PROJECT reads as another:\n{text}\n{}", project.render()));
    }
    Ok(())
}

fn file(root: &Path, name: &str, text: &str) -> Sound {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => {
            // Most files are the same in every project.
            if is_new(text) {
                let parsed =
                    syn::parse_file(text).map_err(|error| format!("{:?}: {error}", error.span().start()))?;
                declared_once(&parsed)?;
            }
            modules(root, name, text)
        }
        Some("toml") if is_new(text) => {
            text.parse::<toml_edit::DocumentMut>().map(drop).map_err(|error| error.to_string())
        }
        Some("yaml" | "yml") => {
            let prefix = prefix(root)?;
            serde_yaml::Deserializer::from_str(text).try_for_each(|document| {
                let document = Value::deserialize(document).map_err(|error| error.to_string())?;
                if name.starts_with("config/") { object(&prefix, &document) } else { Ok(()) }
            })
        }
        _ => Ok(()),
    }
}

fn is_new(text: &str) -> bool {
    static SEEN: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let mut seen = SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    seen.get_or_insert_default().insert(hasher.finish())
}

/// No type, trait or module of a file has the name of another or of an import: Rust would refuse the file.
fn declared_once(file: &syn::File) -> Sound {
    let mut names = Vec::new();
    for item in &file.items {
        match item {
            syn::Item::Struct(item) => names.push(item.ident.to_string()),
            syn::Item::Enum(item) => names.push(item.ident.to_string()),
            syn::Item::Type(item) => names.push(item.ident.to_string()),
            syn::Item::Trait(item) => names.push(item.ident.to_string()),
            syn::Item::Mod(item) => names.push(item.ident.to_string()),
            syn::Item::Use(item) => imports(&item.tree, "", &mut names),
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(name.clone())) {
        Some(name) => Err(format!("declares or imports `{name}` twice")),
        None => Ok(()),
    }
}

/// The names that an import brings in; `last` is the segment before it.
fn imports(tree: &syn::UseTree, last: &str, names: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(path) => imports(&path.tree, &path.ident.to_string(), names),
        syn::UseTree::Name(name) if name.ident == "self" => names.push(last.to_owned()),
        syn::UseTree::Name(name) => names.push(name.ident.to_string()),
        syn::UseTree::Rename(rename) if rename.rename != "_" => names.push(rename.rename.to_string()),
        syn::UseTree::Group(group) => group.items.iter().for_each(|item| imports(item, last, names)),
        syn::UseTree::Rename(_) | syn::UseTree::Glob(_) => {}
    }
}

/// Every module that a file declares is declared once and exists.
fn modules(root: &Path, name: &str, text: &str) -> Sound {
    let path = Path::new(name);
    let (parent, stem) = (path.parent().unwrap_or(path), path.file_stem().unwrap_or_default());
    let is_root = ["lib", "main", "mod"].iter().any(|root| *root == stem) || parent == Path::new("tests");
    let folder = root.join(if is_root { parent.to_path_buf() } else { parent.join(stem) });
    let mut seen = BTreeSet::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(place) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            if !folder.join(place).is_file() {
                return Err(format!("`{place}` is no file"));
            }
            // The module of that file.
            lines.next();
            continue;
        }
        let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
        let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        let module = module.strip_prefix("r#").unwrap_or(module);
        if !seen.insert(module) {
            return Err(format!("declares `{module}` twice"));
        }
        let [file, inner] = [folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs")];
        if file.is_file() == inner.is_file() {
            return Err(format!("`{module}` is no file, or two"));
        }
    }
    Ok(())
}

/// What kustomize puts in front of names.
fn prefix(root: &Path) -> Result<String, String> {
    let text = fs::read_to_string(root.join("config/default/kustomization.yaml"))
        .map_err(|error| error.to_string())?;
    let value: Value = serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
    let namespace = text_of(&value["namespace"], "namespace")?;
    ensure(is_label(namespace), "namespace", namespace)?;
    text_of(&value["namePrefix"], "namePrefix").map(str::to_owned)
}

/// An object's names; what has none, such as a kustomization, is fine.
fn object(prefix: &str, document: &Value) -> Sound {
    labels(document)?;
    let kind = document.get("kind").map_or(Ok(""), |kind| text_of(kind, "kind"))?;
    let metadata = match document.get("metadata") {
        Some(metadata) if kind != "Kustomization" => metadata,
        _ => return Ok(()),
    };
    let name = text_of(&metadata["name"], "metadata.name")?;
    if let Some(namespace) = metadata.get("namespace") {
        let namespace = text_of(namespace, "metadata.namespace")?;
        ensure(is_label(namespace), "metadata.namespace", namespace)?;
    }
    let version = text_of(&document["apiVersion"], "apiVersion")?;
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    ensure(group.is_empty() || is_subdomain(group), "group", group)?;
    ensure(is_dns_1035(version), "version", version)?;
    let longest = format!("{prefix}{name}");
    match kind {
        "CustomResourceDefinition" => definition(name, &document["spec"]),
        "Namespace" => ensure(is_label(name), "Namespace", name),
        "Service" => ensure(is_dns_1035(&longest), "Service", &longest),
        _ => ensure(is_subdomain(name) && is_subdomain(&longest), kind, &longest),
    }
}

fn definition(name: &str, spec: &Value) -> Sound {
    let group = text_of(&spec["group"], "spec.group")?;
    ensure(is_subdomain(group) && group.contains('.'), "spec.group", group)?;
    let names = &spec["names"];
    let plural = text_of(&names["plural"], "names.plural")?;
    for key in ["plural", "singular"] {
        let value = text_of(&names[key], key)?;
        ensure(is_dns_1035(value), key, value)?;
    }
    for key in ["kind", "listKind"] {
        let value = text_of(&names[key], key)?;
        ensure(is_dns_1035(&value.to_lowercase()), key, value)?;
    }
    ensure(names["kind"] != names["listKind"], "listKind", "the kind itself")?;
    ensure(name == format!("{plural}.{group}") && is_subdomain(name), "name of the definition", name)?;
    let versions = spec["versions"].as_sequence().ok_or("no versions")?;
    let mut seen = BTreeSet::new();
    for version in versions {
        let version = text_of(&version["name"], "version")?;
        ensure(is_dns_1035(version) && seen.insert(version.to_owned()), "version", version)?;
    }
    let stored = versions.iter().filter(|version| version["storage"] == true).count();
    if stored == 1 { Ok(()) } else { Err(format!("{stored} versions are stored")) }
}

/// Every label, environment variable and `name:` in a document, wherever it stands.
fn labels(value: &Value) -> Sound {
    match value {
        Value::Sequence(items) => items.iter().try_for_each(labels),
        Value::Mapping(map) => map.iter().try_for_each(|(key, value)| {
            match key.as_str().ok_or("a key is not text")? {
                "labels" | "matchLabels" if value.is_mapping() => {
                    for (_, label) in value.as_mapping().into_iter().flatten() {
                        let label = text_of(label, "label")?;
                        ensure(is_label_value(label), "label", label)?;
                    }
                }
                "env" => {
                    for variable in value.as_sequence().into_iter().flatten() {
                        let name = text_of(&variable["name"], "env")?;
                        ensure(is_variable(name), "env", name)?;
                    }
                }
                _ => {}
            }
            labels(value)
        }),
        _ => Ok(()),
    }
}

fn text_of<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("{what} is not a text: {value:?}"))
}

fn ensure(good: bool, what: &str, value: &str) -> Sound {
    if good { Ok(()) } else { Err(format!("{what} would be refused: {value:?}")) }
}

// Kubernetes' rules, from k8s.io/apimachinery/pkg/util/validation.

/// DNS-1123 label.
fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

fn is_part(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(ends) && text.ends_with(ends) && text.chars().all(|c| ends(c) || c == '-')
}

/// DNS-1035 label.
fn is_dns_1035(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// DNS-1123 subdomain, whose parts Kubernetes lets be of any length.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.is_empty()
        || bytes.len() <= 63
            && bytes[0].is_ascii_alphanumeric()
            && bytes[bytes.len() - 1].is_ascii_alphanumeric()
            && bytes.iter().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
