//! What a custom resource definition is called.

use serde_json::{Value, json};

/// The names of one kind at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The API group in full, such as `test.myardyas.club`.
    pub group: String,
    /// Such as `v1alpha1`.
    pub version: String,
    /// Such as `Iris`.
    pub kind: String,
    /// As in URLs, such as `iris`.
    pub plural: String,
    /// Such as `iris`.
    pub singular: String,
    /// Such as `IrisList`.
    pub list_kind: String,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

impl Names {
    /// Gives `crd`, which has one version, these names. `stand_in` is the kind it was made for; descriptions that
    /// mention it mention this kind instead.
    pub(super) fn apply(&self, crd: &mut Value, stand_in: &str) {
        crd["metadata"]["name"] = json!(format!("{}.{}", self.plural, self.group));
        crd["spec"]["group"] = json!(self.group);
        crd["spec"]["scope"] = json!(if self.namespaced { "Namespaced" } else { "Cluster" });
        crd["spec"]["names"] = json!({
            "kind": self.kind,
            "listKind": self.list_kind,
            "plural": self.plural,
            "singular": self.singular,
        });
        crd["spec"]["versions"][0]["name"] = json!(self.version);
        replace(crd, stand_in, &self.kind);
    }
}

/// Replaces `from` by `to` in every description below `value`.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::String(text) if key == "description" => *text = text.replace(from, to),
                    inner => replace(inner, from, to),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        _ => {}
    }
}
