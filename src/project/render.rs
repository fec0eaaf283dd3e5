//! From the project to the text of PROJECT, in kubebuilder's schema 3.

use serde_yaml::{Mapping, Value};

use super::{LAYOUT, Project, file};
use crate::resource::{Resource, core, plural};
use crate::yaml;

const HEADER: &str = "\
# What this project holds. `iris-scaffold` reads it before every command and writes it after;
# change it through the commands, so that the files it describes change with it.
";

impl Project {
    /// The text of PROJECT: keys in alphabetical order, as kubebuilder has them, and everything that was in the file
    /// and is not known here.
    #[must_use]
    pub fn render(&self) -> String {
        let mut root = self.raw.clone();
        put(&mut root, "cliVersion", Some(self.cli_version.as_str().into()));
        put(&mut root, "domain", Some(self.domain.as_str().into()));
        if !file::layouts(&self.raw).iter().any(|layout| layout == LAYOUT) {
            put(&mut root, "layout", Some(Value::Sequence(vec![LAYOUT.into()])));
        }
        put(&mut root, "multigroup", self.multigroup.then_some(Value::Bool(true)));
        put(&mut root, "namespaced", self.namespaced.then_some(Value::Bool(true)));
        put(&mut root, "plugins", (!self.plugins.is_empty()).then(|| self.plugins.clone().into()));
        put(&mut root, "projectName", Some(self.project_name.as_str().into()));
        put(&mut root, "repo", self.repo.as_deref().map(Value::from));
        let library = self.api_lib();
        let entries = self.resources.iter().map(|resource| sorted(self.entry(resource, &library)).into());
        let resources: Vec<Value> = entries.collect();
        put(&mut root, "resources", (!resources.is_empty()).then_some(Value::Sequence(resources)));
        put(&mut root, "version", Some("3".into()));
        let text = yaml::document(&Value::Mapping(sorted(root)));
        format!("{HEADER}{}", text.replace("\nversion: '3'\n", "\nversion: \"3\"\n"))
    }

    /// One item of `resources`.
    fn entry(&self, resource: &Resource, library: &str) -> Mapping {
        let mut entry = file::entries(&self.raw)
            .find(|entry| self.is_entry_of(entry, resource))
            .cloned()
            .unwrap_or_default();
        let mut api = entry.get("api").and_then(Value::as_mapping).cloned().unwrap_or_default();
        if resource.has_api && !api.contains_key("crdVersion") {
            put(&mut api, "crdVersion", Some("v1".into()));
        }
        put(&mut api, "namespaced", (resource.has_api && resource.namespaced).then_some(Value::Bool(true)));
        put(&mut entry, "api", resource.has_api.then(|| sorted(api).into()));
        let cluster_scoped = !resource.has_api && !resource.core && !resource.namespaced;
        put(&mut entry, "namespaced", cluster_scoped.then_some(Value::Bool(false)));

        let single = resource.controllers == [resource.lower()] && !entry.contains_key("controllers");
        put(&mut entry, "controller", single.then_some(Value::Bool(true)));
        let listed = (!single && !resource.controllers.is_empty()).then(|| controllers(&entry, resource));
        put(&mut entry, "controllers", listed);

        put(&mut entry, "core", resource.core.then_some(Value::Bool(true)));
        put(&mut entry, "external", resource.external.then_some(Value::Bool(true)));
        put(&mut entry, "domain", (!resource.domain.is_empty()).then(|| resource.domain.as_str().into()));
        put(&mut entry, "group", Some(resource.group.as_str().into()));
        put(&mut entry, "kind", Some(resource.kind.as_str().into()));
        if let Some(path) = self.path(resource, library) {
            put(&mut entry, "path", Some(path.into()));
        }
        let irregular = !resource.core && resource.plural != plural::plural(&resource.kind);
        put(&mut entry, "plural", irregular.then(|| resource.plural.as_str().into()));
        put(&mut entry, "version", Some(resource.version.as_str().into()));
        entry
    }

    /// The Rust module of the types, where it is known; `library` is the project's.
    fn path(&self, resource: &Resource, library: &str) -> Option<String> {
        if resource.core {
            let found = core::lookup(&resource.group, &resource.version, &resource.kind)?;
            return found.path.rsplit_once("::").map(|(module, _)| module.to_owned());
        }
        resource.has_api.then(|| {
            let group =
                if self.multigroup { format!("{}::", resource.group_module()) } else { String::new() };
            format!("{library}::{group}{}", resource.version_module())
        })
    }

    /// Whether an item of `resources`, as it was read, is about `resource`.
    fn is_entry_of(&self, entry: &Mapping, resource: &Resource) -> bool {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let domain = entry
            .get("domain")
            .and_then(Value::as_str)
            .unwrap_or(if resource.core || resource.external { "" } else { &self.domain });
        text("group") == resource.group
            && text("version") == resource.version
            && text("kind") == resource.kind
            && domain == resource.domain
    }
}

/// The list of controllers; what was said about one before is kept.
fn controllers(entry: &Mapping, resource: &Resource) -> Value {
    let before = entry.get("controllers").and_then(Value::as_sequence);
    let item = |name: &String| {
        before
            .into_iter()
            .flatten()
            .find(|item| item.get("name").and_then(Value::as_str) == Some(name))
            .cloned()
            .unwrap_or_else(|| Mapping::from_iter([("name".into(), name.as_str().into())]).into())
    };
    Value::Sequence(resource.controllers.iter().map(item).collect())
}

/// Sets `key`, or removes it.
fn put(map: &mut Mapping, key: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(key.into(), value);
        }
        None => {
            map.shift_remove(key);
        }
    }
}

/// The mapping with its keys in alphabetical order.
pub(super) fn sorted(map: Mapping) -> Mapping {
    let mut pairs: Vec<(Value, Value)> = map.into_iter().collect();
    pairs.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
    pairs.into_iter().collect()
}
