//! What each kind does to its objects before they are stored: what a request may not write, and the generation.

use serde_json::{Value, json};

use super::field_set::FieldSet;
use super::kinds::Kind;

/// Which part of an object a request writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Main,
    Status,
    Scale,
    Finalize,
}

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
        }
    }
}

/// The fields that a request for this part does not write, so that nobody owns them by it.
pub(super) fn ignored(kind: &Kind, part: Part) -> FieldSet {
    let labels = matches!(kind.kind.as_str(), "Deployment") && kind.group == "apps";
    match part {
        Part::Main | Part::Finalize if kind.status => FieldSet::of(&[&["status"]]),
        Part::Status if kind.custom => FieldSet::of(&[&["metadata"], &["spec"]]),
        Part::Status if kind.is("", "Pod") => {
            FieldSet::of(&[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]])
        }
        Part::Status if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") => {
            FieldSet::of(&[&["metadata"], &["spec"]])
        }
        Part::Status if labels => FieldSet::of(&[&["spec"], &["metadata", "labels"]]),
        Part::Status => FieldSet::of(&[&["spec"]]),
        _ => FieldSet::default(),
    }
}

pub(super) fn prepare_create(kind: &Kind, object: &mut Value) {
    if kind.status {
        match kind.empty.get("status") {
            Some(status) => object["status"] = status.clone(),
            None => drop(object.as_object_mut().map(|object| object.remove("status"))),
        }
    }
    if kind.generation {
        object["metadata"]["generation"] = 1.into();
    }
    if kind.custom {
        return;
    }
    match kind.kind.as_str() {
        "Namespace" => {
            object["status"]["phase"] = "Active".into();
            let finalizers = &mut object["spec"]["finalizers"];
            match finalizers.as_array_mut() {
                Some(values) if values.iter().any(|value| value == "kubernetes") => {}
                Some(values) => values.push("kubernetes".into()),
                None => *finalizers = json!(["kubernetes"]),
            }
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        "Pod" => {
            object["status"]["phase"] = "Pending".into();
            let class = quality(&object["spec"]);
            object["status"]["qosClass"] = class.into();
            let spec = &mut object["spec"];
            if spec["priority"].is_null() {
                spec["priority"] = 0.into();
                spec["preemptionPolicy"] = "PreemptLowerPriority".into();
            }
            tolerations(spec);
        }
        "PersistentVolumeClaim" => {
            object["status"]["phase"] = "Pending".into();
            let finalizers = &mut object["metadata"]["finalizers"];
            let protection = json!("kubernetes.io/pvc-protection");
            match finalizers.as_array_mut() {
                Some(values) if values.contains(&protection) => {}
                Some(values) => values.push(protection),
                None => *finalizers = json!([protection]),
            }
        }
        "DaemonSet" => {
            object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "1".into();
        }
        "CustomResourceDefinition" => {
            let versions = object["spec"]["versions"].as_array().into_iter().flatten();
            let stored =
                versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone());
            object["status"]["storedVersions"] = stored.collect();
        }
        "Job" => job(object),
        _ => {}
    }
}

fn job(object: &mut Value) {
    if object["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (object["metadata"]["uid"].clone(), object["metadata"]["name"].clone());
    let labels = &mut object["spec"]["template"]["metadata"]["labels"];
    labels["batch.kubernetes.io/controller-uid"] = uid.clone();
    labels["batch.kubernetes.io/job-name"] = name.clone();
    labels["controller-uid"] = uid.clone();
    labels["job-name"] = name;
    if object["spec"]["selector"].is_null() {
        object["spec"]["selector"] = json!({ "matchLabels": {} });
    }
    object["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid;
}

fn quality(spec: &Value) -> &'static str {
    let containers: Vec<_> = spec["containers"].as_array().into_iter().flatten().collect();
    let none = |container: &&Value| {
        let resources = &container["resources"];
        resources["limits"].as_object().is_none_or(serde_json::Map::is_empty)
            && resources["requests"].as_object().is_none_or(serde_json::Map::is_empty)
    };
    let full = |container: &&Value| {
        let resources = &container["resources"];
        ["cpu", "memory"].iter().all(|name| {
            !resources["limits"][*name].is_null()
                && resources["limits"][*name] == resources["requests"][*name]
        })
    };
    if containers.iter().all(none) {
        "BestEffort"
    } else if containers.iter().all(full) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn tolerations(spec: &mut Value) {
    let mut given = spec["tolerations"].as_array().cloned().unwrap_or_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = given.iter().any(|one| {
            (one["key"] == key || one["key"].is_null())
                && (one["effect"] == "NoExecute" || one["effect"].is_null())
        });
        if !tolerated {
            given.push(
                json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }),
            );
        }
    }
    spec["tolerations"] = given.into();
}

/// Takes out of `new` what a request for this part may not change of `old`.
pub(super) fn prepare_update(kind: &Kind, part: Part, new: &mut Value, old: &Value) {
    new["metadata"]["generation"] = old["metadata"]["generation"].clone();
    drop_null(new, "metadata", "generation");
    match part {
        Part::Status if kind.custom => {
            let (status, fields) =
                (new.get("status").cloned(), new["metadata"].get("managedFields").cloned());
            *new = old.clone();
            set(new, "status", status);
            set(&mut new["metadata"], "managedFields", fields);
        }
        Part::Status => {
            keep(new, old, "spec");
            match kind.kind.as_str() {
                "Deployment" => {
                    let labels = old["metadata"].get("labels").cloned();
                    set(&mut new["metadata"], "labels", labels);
                }
                "CustomResourceDefinition" => {
                    let fields = new["metadata"].get("managedFields").cloned();
                    new["metadata"] = old["metadata"].clone();
                    set(&mut new["metadata"], "managedFields", fields);
                }
                _ => {}
            }
        }
        Part::Finalize => keep(new, old, "status"),
        Part::Main | Part::Scale => {
            if kind.status || part == Part::Scale && kind.custom {
                keep(new, old, "status");
            }
            if kind.is("", "Namespace") {
                keep(new, old, "spec");
                let name = old["metadata"]["name"].clone();
                new["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            }
            if kind.is("", "Service") {
                service(new, old);
            }
            if kind.generation && changed(kind, new, old) {
                let generation = old["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
                new["metadata"]["generation"] = generation.into();
            }
        }
    }
}

fn service(new: &mut Value, old: &Value) {
    let ip = |kind: &Value| kind != "ExternalName";
    if ip(&new["spec"]["type"]) && ip(&old["spec"]["type"]) {
        // A service that begins to select is refused for its policy alone, unless it names its families.
        let begins =
            !new["spec"]["selector"].is_null() && old["spec"]["ipFamilyPolicy"] == "RequireDualStack";
        for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if new["spec"][name].is_null() && !(begins && name == "ipFamilies") {
                let value = old["spec"].get(name).cloned();
                set(&mut new["spec"], name, value);
            }
        }
    }
}

fn changed(kind: &Kind, new: &Value, old: &Value) -> bool {
    if kind.custom {
        let rest = |object: &Value| {
            let mut object = object.clone();
            if let Value::Object(object) = &mut object {
                object.remove("metadata");
            }
            object
        };
        return rest(new) != rest(old);
    }
    let annotations =
        kind.kind == "Deployment" && new["metadata"]["annotations"] != old["metadata"]["annotations"];
    annotations || new["spec"] != old["spec"]
}

/// Gives `new` what `old` has under a name.
fn keep(new: &mut Value, old: &Value, name: &str) {
    set(new, name, old.get(name).cloned());
}

pub(super) fn set(object: &mut Value, name: &str, value: Option<Value>) {
    match value {
        Some(value) => object[name] = value,
        None => {
            if let Value::Object(object) = object {
                object.remove(name);
            }
        }
    }
}

fn drop_null(object: &mut Value, parent: &str, name: &str) {
    if object[parent][name].is_null()
        && let Some(parent) = object[parent].as_object_mut()
    {
        parent.remove(name);
    }
}
