//! Where objects are in the API, and which kinds are the operator's own.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, GroupVersionKind};
use serde_json::Value;

/// What is known of kinds beyond what their objects say.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    /// Plural, and whether objects have a namespace.
    plurals: BTreeMap<(String, String), (String, bool)>,
    /// Those with definitions in the project: group and kind.
    ours: BTreeSet<(String, String)>,
}

impl Kinds {
    pub(super) fn new(definitions: &[CustomResourceDefinition]) -> Self {
        let mut kinds = Self::default();
        for definition in definitions {
            let (spec, names) = (&definition.spec, &definition.spec.names);
            let kind = (spec.group.clone(), names.kind.clone());
            kinds.plurals.insert(kind.clone(), (names.plural.clone(), spec.scope == "Namespaced"));
            kinds.ours.insert(kind);
        }
        kinds
    }

    /// Whether the operator's project defines it.
    pub(super) fn is_ours(&self, api_version: &str, kind: &str) -> bool {
        self.ours.contains(&(group(api_version).to_owned(), kind.to_owned()))
    }

    /// Puts an object whose kind has a namespace, and that names none, into the default one.
    pub(super) fn place(&self, object: &mut Value) {
        let kind = (group(text(object, "/apiVersion")).to_owned(), text(object, "/kind").to_owned());
        let is_namespaced = match self.plurals.get(&kind) {
            Some((_, is_namespaced)) => *is_namespaced,
            None => !OF_THE_CLUSTER.contains(&kind.1.as_str()),
        };
        if is_namespaced && object["metadata"]["namespace"].is_null() {
            object["metadata"]["namespace"] = "default".into();
        }
    }

    /// The path of the object in the API.
    pub(super) fn path(&self, object: &Value) -> String {
        let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let name = text(object, "/metadata/name");
        let plural = match self.plurals.get(&(group(api_version).to_owned(), kind.to_owned())) {
            Some((plural, _)) => plural.clone(),
            None => ApiResource::from_gvk(&GroupVersionKind::gvk(group(api_version), "", kind)).plural,
        };
        match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("/{root}/{api_version}/namespaces/{namespace}/{plural}/{name}"),
            None => format!("/{root}/{api_version}/{plural}/{name}"),
        }
    }
}

/// Kinds of Kubernetes itself without namespaces that operators use.
const OF_THE_CLUSTER: [&str; 10] = [
    "Namespace",
    "Node",
    "PersistentVolume",
    "ClusterRole",
    "ClusterRoleBinding",
    "StorageClass",
    "IngressClass",
    "PriorityClass",
    "RuntimeClass",
    "CustomResourceDefinition",
];

/// What an operator keeps for itself, which is not the work that it is there for: group, kind and plural.
const KEPT: [(&str, &str, &str); 5] = [
    ("", "Event", "events"),
    ("events.k8s.io", "Event", "events"),
    LEASE,
    ("authentication.k8s.io", "TokenReview", "tokenreviews"),
    ("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews"),
];
const LEASE: (&str, &str, &str) = ("coordination.k8s.io", "Lease", "leases");

/// Whether an operator keeps the object for itself.
pub(super) fn is_kept(object: &Value) -> bool {
    KEPT.iter().any(|kept| is_one(object, kept))
}

pub(super) fn is_lease(object: &Value) -> bool {
    is_one(object, &LEASE)
}

fn is_one(object: &Value, (of, kind, _): &(&str, &str, &str)) -> bool {
    object["kind"] == *kind && group(text(object, "/apiVersion")) == *of
}

/// Whether a path is that of something that an operator keeps for itself.
pub(super) fn is_path_of_kept(path: &str) -> bool {
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let (of, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", of, _, rest @ ..] => (*of, rest),
        _ => return false,
    };
    let (["namespaces", _, plural, ..] | [plural, ..]) = rest else { return false };
    KEPT.iter().any(|kept| (kept.0, kept.2) == (of, *plural))
}

/// The group of an API version; empty for the core's.
pub(super) fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// What stands at a JSON pointer, if it is text.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What people call the object, such as `Deployment default/web`.
pub(super) fn name(object: &Value) -> String {
    let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// The reference to the object that controls this one.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    let references = object["metadata"]["ownerReferences"].as_array()?;
    references.iter().find(|reference| reference["controller"] == true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_an_operator_keeps_for_itself_is_known_by_group_and_kind() {
        let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease" });
        let flat = json!({ "apiVersion": "homes.example.com/v1", "kind": "Lease" });
        assert!(is_kept(&lease) && is_lease(&lease) && !is_kept(&flat) && !is_lease(&flat));
        for (path, kept) in [
            ("/apis/coordination.k8s.io/v1/namespaces/operator-system/leases/iris", true),
            ("/apis/events.k8s.io/v1/namespaces/default/events", true),
            ("/api/v1/events", true),
            ("/apis/authentication.k8s.io/v1/tokenreviews", true),
            ("/apis/homes.example.com/v1/namespaces/default/leases/flat", false),
            ("/api/v1/namespaces/events/configmaps/events", false),
            ("/api/v1/namespaces/events", false),
        ] {
            assert_eq!(is_path_of_kept(path), kept, "{path}");
        }
    }

    #[test]
    fn paths_and_names_are_those_of_the_api() {
        let definition = json!({ "metadata": { "name": "mice.example.com" }, "spec": { "group": "example.com",
            "names": { "kind": "Mouse", "plural": "mice" }, "scope": "Namespaced", "versions": [] } });
        let kinds = Kinds::new(&[serde_json::from_value(definition).expect("a definition")]);
        let mut mouse =
            json!({ "apiVersion": "example.com/v1", "kind": "Mouse", "metadata": { "name": "a" } });
        kinds.place(&mut mouse);
        assert_eq!(kinds.path(&mouse), "/apis/example.com/v1/namespaces/default/mice/a");
        assert_eq!(name(&mouse), "Mouse default/a");
        assert!(kinds.is_ours("example.com/v2", "Mouse") && !kinds.is_ours("v1", "Mouse"));
        let mut node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "b" } });
        kinds.place(&mut node);
        assert_eq!((kinds.path(&node).as_str(), name(&node).as_str()), ("/api/v1/nodes/b", "Node b"));
    }
}
