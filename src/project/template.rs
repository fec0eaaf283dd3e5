//! What kinds were made from, kept under `plugins` as kubebuilder's deploy-image plugin keeps it.

use serde_yaml::{Mapping, Value};

use super::file::Fields;
use super::locate::Step;
use super::render::sorted;
use super::{Project, is_same_kind};
use crate::resource::{IMAGE, Options, Resource, Template};
use crate::{Error, Result};

/// The plugin's key.
pub(super) const PLUGIN: &str = "deploy-image.iris-scaffold.io/v1";

impl Project {
    /// What the types and the first controller of a kind were made from; nothing where the file does not say.
    ///
    /// # Errors
    /// [`Error::ProjectFile`] when an option is no text.
    pub fn template(&self, resource: &Resource) -> Result<Option<Template>> {
        let Some(entry) = self.fields_of(resource) else { return Ok(None) };
        let name = entry.string("template")?.map(str::to_owned);
        let mut options = Options::new();
        if let Some(listed) = entry.map("options")? {
            for key in listed.map.keys().filter_map(Value::as_str) {
                if let Some(value) = listed.string(key)? {
                    options.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        Ok((name.is_some() || options.contains_key(IMAGE)).then_some(Template { name, options }))
    }

    /// Remembers what a kind was made from.
    pub fn remember(&mut self, resource: &Resource, template: &Template) {
        let at = self.entries().position(|entry| is_of(entry, resource));
        let known = at.and_then(|at| self.entries().nth(at)).and_then(Value::as_mapping).cloned();
        let mut entry = known.unwrap_or_default();
        let mut set = |key: &str, value: Option<Value>| match value {
            Some(value) => drop(entry.insert(key.into(), value)),
            None => drop(entry.shift_remove(key)),
        };
        let text = |value: &str| (!value.is_empty()).then(|| Value::from(value));
        set("domain", text(&resource.domain));
        set("group", text(&resource.group));
        set("kind", text(&resource.kind));
        set("version", text(&resource.version));
        set("template", template.name.as_deref().and_then(text));
        let options =
            template.options.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into()));
        let options: Mapping = options.collect();
        set("options", (!options.is_empty()).then(|| options.into()));
        let entry = Value::Mapping(sorted(entry));

        let plugin = self.plugins.entry(PLUGIN.into()).or_insert_with(|| Mapping::new().into());
        if !plugin.is_mapping() {
            *plugin = Mapping::new().into();
        }
        let Some(plugin) = plugin.as_mapping_mut() else { return };
        let list = plugin.entry("resources".into()).or_insert_with(|| Value::Sequence(Vec::new()));
        if !list.is_sequence() {
            *list = Value::Sequence(Vec::new());
        }
        let Some(list) = list.as_sequence_mut() else { return };
        match at.and_then(|at| list.get_mut(at)) {
            Some(known) => *known = entry,
            None => list.push(entry),
        }
    }

    /// A mistake in the name of a kind's template, or in one of its options.
    #[must_use]
    pub fn template_mistake(&self, resource: &Resource, option: Option<&str>, message: &str) -> Error {
        let entry = self.fields_of(resource);
        let options = entry.as_ref().and_then(|entry| entry.map("options").ok().flatten());
        let nothing = Mapping::new();
        match (option, options, entry) {
            (Some(key), Some(options), _) => options.error_at(key, message),
            (_, _, Some(entry)) => entry.error_at("template", message),
            _ => Fields { text: &self.text, map: &nothing, path: Vec::new() }.error_at("plugins", message),
        }
    }

    /// Variable that overrides the image of a kind's containers: `IRIS_IMAGE`, with the group in front where an earlier
    /// kind of another group has that name.
    #[must_use]
    pub fn env_image(&self, resource: &Resource) -> String {
        let variable = |words: &str| format!("{words}_IMAGE").to_uppercase().replace(['-', '.'], "_");
        let taken = self
            .resources
            .iter()
            .take_while(|other| !is_same_kind(other, resource))
            .any(|other| other.kind.eq_ignore_ascii_case(&resource.kind) && self.runs_an_image(other));
        variable(&if taken { format!("{}_{}", resource.group, resource.kind) } else { resource.kind.clone() })
    }

    fn runs_an_image(&self, resource: &Resource) -> bool {
        let entry = self.entries().find(|entry| is_of(entry, resource));
        entry.and_then(|entry| entry.get("options")?.get(IMAGE)).is_some_and(Value::is_string)
    }

    /// What the plugin knows of a kind, with its place in the file.
    fn fields_of(&self, resource: &Resource) -> Option<Fields<'_>> {
        let (at, entry) = self.entries().enumerate().find(|(_, entry)| is_of(entry, resource))?;
        let keys = ["plugins", PLUGIN, "resources"].map(|key| Step::Key(key.to_owned()));
        let path = keys.into_iter().chain([Step::Item(at)]).collect();
        Some(Fields { text: &self.text, map: entry.as_mapping()?, path })
    }

    /// The kinds that the plugin knows.
    fn entries(&self) -> impl Iterator<Item = &Value> {
        let list =
            self.plugins.get(PLUGIN).and_then(|plugin| plugin.get("resources")).and_then(Value::as_sequence);
        list.into_iter().flatten()
    }
}

/// Whether an entry of the plugin is about `resource`.
fn is_of(entry: &Value, resource: &Resource) -> bool {
    let has = |key: &str, value: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default() == value;
    has("group", &resource.group)
        && has("domain", &resource.domain)
        && has("version", &resource.version)
        && has("kind", &resource.kind)
}
