//! What kinds of the replicas template run, kept under `plugins` as kubebuilder's deploy-image plugin keeps it.

use serde_yaml::{Mapping, Value};

use super::{Project, is_same_kind};
use crate::resource::Resource;
use crate::templates::Operand;

/// The plugin's key.
pub(super) const PLUGIN: &str = "deploy-image.iris-scaffold.io/v1";

impl Project {
    /// What a kind's containers run; nothing for kinds that were made from another template.
    #[must_use]
    pub fn operand(&self, resource: &Resource) -> Option<Operand> {
        let entry = self.entries().find(|entry| is_of(entry, resource))?;
        let text =
            |key: &str| entry.get("options").and_then(|options| options.get(key)).and_then(Value::as_str);
        let image = text("image")?;
        // Whether the containers are hardened is not an option of its own; it goes with the image.
        let default = Operand::of_kind(&resource.kind);
        let hardened = if default.image == image { default.hardened } else { true };
        Some(Operand {
            image: image.to_owned(),
            command: text("containerCommand")
                .map(|command| command.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
            port: text("containerPort").and_then(|port| port.parse().ok()).unwrap_or(0),
            run_as_user: text("runAsUser").and_then(|user| user.parse().ok()).unwrap_or(-1),
            hardened,
        })
    }

    /// Variable that overrides the image of a kind's containers: `IRIS_IMAGE`, with the group in front where an earlier
    /// kind of another group has that name.
    #[must_use]
    pub fn env_image(&self, resource: &Resource) -> String {
        let variable = |words: &str| format!("{words}_IMAGE").to_uppercase().replace(['-', '.'], "_");
        let taken =
            self.resources.iter().take_while(|other| !is_same_kind(other, resource)).any(|other| {
                other.kind.eq_ignore_ascii_case(&resource.kind) && self.operand(other).is_some()
            });
        variable(&if taken { format!("{}_{}", resource.group, resource.kind) } else { resource.kind.clone() })
    }

    /// Remembers what a kind's containers run.
    pub fn set_operand(&mut self, resource: &Resource, operand: &Operand) {
        let mut options = Mapping::new();
        let mut set = |key: &str, value: String| {
            if !value.is_empty() {
                options.insert(key.into(), value.into());
            }
        };
        set("containerCommand", operand.command.join(","));
        set("containerPort", if operand.port == 0 { String::new() } else { operand.port.to_string() });
        set("image", operand.image.clone());
        set(
            "runAsUser",
            if operand.run_as_user < 0 { String::new() } else { operand.run_as_user.to_string() },
        );

        let mut fresh = Mapping::new();
        for (key, value) in
            [("domain", &resource.domain), ("group", &resource.group), ("kind", &resource.kind)]
        {
            fresh.insert(key.into(), value.as_str().into());
        }
        fresh.insert("options".into(), options.clone().into());
        fresh.insert("version".into(), resource.version.as_str().into());

        let plugin = self.plugins.entry(PLUGIN.into()).or_insert_with(|| Mapping::new().into());
        if !plugin.is_mapping() {
            *plugin = Mapping::new().into();
        }
        let Some(plugin) = plugin.as_mapping_mut() else {
            return;
        };
        let list = plugin.entry("resources".into()).or_insert_with(|| Value::Sequence(Vec::new()));
        if !list.is_sequence() {
            *list = Value::Sequence(Vec::new());
        }
        let Some(list) = list.as_sequence_mut() else {
            return;
        };
        match list.iter_mut().find(|entry| is_of(entry, resource)).and_then(Value::as_mapping_mut) {
            Some(entry) => {
                entry.insert("options".into(), options.into());
            }
            None => list.push(fresh.into()),
        }
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
