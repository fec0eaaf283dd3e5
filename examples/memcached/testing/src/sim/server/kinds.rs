//! The kinds that are served, built-in and custom.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::schema::Schema;
use super::{decode, rules, types};

/// A kind in one version.
#[expect(clippy::struct_excessive_bools, reason = "each says something else of a kind")]
#[expect(clippy::struct_field_names, reason = "the names are Kubernetes' own")]
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) short_names: Vec<String>,
    pub(super) list_kind: String,
    pub(super) namespaced: bool,
    pub(super) custom: bool,
    pub(super) schema: Arc<Schema>,
    /// Has the subresource `status`.
    pub(super) status: bool,
    pub(super) scale: Option<Scale>,
    /// A PUT makes it.
    pub(super) create_on_update: bool,
    /// A PUT needs no resourceVersion.
    pub(super) unconditional: bool,
    /// Counts changes of its spec.
    pub(super) generation: bool,
    /// A DELETE answers with the object.
    pub(super) returns_deleted: bool,
    /// What fields can be selected by.
    pub(super) selectable: Vec<String>,
    /// Where its objects are, whatever their version.
    pub(super) storage: String,
    /// The object without anything in it.
    pub(super) empty: Value,
}

/// Paths, with dots.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) spec: String,
    pub(super) status: String,
    pub(super) selector: Option<String>,
}

impl Kind {
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Where an object is kept.
    pub(super) fn key(&self, namespace: &str, name: &str) -> String {
        if self.namespaced {
            format!("{}/{namespace}/{name}", self.storage)
        } else {
            format!("{}/{name}", self.storage)
        }
    }

    /// What the keys of all objects begin with, of one namespace unless it is empty.
    pub(super) fn prefix(&self, namespace: &str) -> String {
        if self.namespaced && !namespace.is_empty() {
            format!("{}/{namespace}/", self.storage)
        } else {
            format!("{}/", self.storage)
        }
    }
}

/// Group, version, kind, plural, flags: `n`amespaced, `s`tatus, s`c`ale, `u`pdates create, `v`ersion needed for updates,
/// `g`eneration, `d`eleted objects returned.
const BUILT_IN: [(&str, &str, &str, &str, &str); 26] = [
    ("", "v1", "Namespace", "namespaces", "s"),
    ("", "v1", "Pod", "pods", "nsgd"),
    ("", "v1", "Service", "services", "nsud"),
    ("", "v1", "ConfigMap", "configmaps", "n"),
    ("", "v1", "Secret", "secrets", "n"),
    ("", "v1", "ServiceAccount", "serviceaccounts", "nd"),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "nsd"),
    ("", "v1", "Event", "events", "nu"),
    ("events.k8s.io", "v1", "Event", "events", "nu"),
    ("apps", "v1", "Deployment", "deployments", "nscg"),
    ("apps", "v1", "StatefulSet", "statefulsets", "nscg"),
    ("apps", "v1", "DaemonSet", "daemonsets", "nsg"),
    ("apps", "v1", "ReplicaSet", "replicasets", "nscg"),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", "n"),
    ("batch", "v1", "Job", "jobs", "nsg"),
    ("batch", "v1", "CronJob", "cronjobs", "nsg"),
    ("coordination.k8s.io", "v1", "Lease", "leases", "nuv"),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", "nu"),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "nu"),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "u"),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "u"),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", "nsg"),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "ng"),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "nsgv"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "ns"),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "sg"),
];

/// The kinds that every API server has.
pub(super) fn built_in() -> Vec<Arc<Kind>> {
    BUILT_IN
        .iter()
        .map(|(group, version, kind, plural, flags)| Arc::new(of_row(group, version, kind, plural, flags)))
        .collect()
}

/// The kind that the subresource `scale` has, whatever it is of.
pub(super) fn scale() -> Arc<Kind> {
    static SCALE: LazyLock<Arc<Kind>> =
        LazyLock::new(|| Arc::new(of_row("autoscaling", "v1", "Scale", "scales", "n")));
    SCALE.clone()
}

fn of_row(group: &str, version: &str, kind: &str, plural: &str, flags: &str) -> Kind {
    let package = match group {
        "" => "core",
        "rbac.authorization.k8s.io" => "rbac",
        "coordination.k8s.io" => "coordination",
        "networking.k8s.io" => "networking",
        "events.k8s.io" => "events",
        "apiextensions.k8s.io" => "apiextensions",
        other => other,
    };
    let schema = enveloped(&types::named(&format!("{package}.{version}.{kind}")));
    let has = |flag| flags.contains(flag);
    let selector = if kind == "ReplicaSet" || kind == "Deployment" || kind == "StatefulSet" {
        "spec.selector"
    } else {
        ""
    };
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut empty = decode::decode(&schema, &json!({}), &mut Vec::new()).unwrap_or_default();
    empty["apiVersion"] = api_version.into();
    empty["kind"] = kind.into();
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        short_names: short_names(kind).iter().map(|name| (*name).to_owned()).collect(),
        list_kind: format!("{kind}List"),
        namespaced: has('n'),
        custom: false,
        schema,
        status: has('s'),
        scale: has('c').then(|| Scale {
            spec: "spec.replicas".to_owned(),
            status: "status.replicas".to_owned(),
            selector: Some(selector.to_owned()),
        }),
        create_on_update: has('u'),
        unconditional: !has('v'),
        generation: has('g'),
        returns_deleted: has('d'),
        selectable: selectable(kind, group).iter().map(|field| (*field).to_owned()).collect(),
        storage: if kind == "Event" {
            "events.events.k8s.io".to_owned()
        } else {
            format!("{plural}.{group}")
        },
        empty,
    }
}

/// The type of an object with its envelope.
fn enveloped(schema: &Arc<Schema>) -> Arc<Schema> {
    use super::schema::{Field, Map, Scalar, Shape};
    let Shape::Map(map) = &schema.shape else { return schema.clone() };
    let copy = |field: &Field| Field {
        schema: field.schema.clone(),
        pointer: field.pointer,
        always: field.always,
        default: field.default.clone(),
        merge_key: field.merge_key.clone(),
        replace: field.replace,
    };
    let mut fields: std::collections::BTreeMap<_, _> =
        map.fields.iter().map(|(name, field)| (name.clone(), copy(field))).collect();
    for name in ["apiVersion", "kind"] {
        let text = Schema::new(Shape::Scalar(Scalar::String));
        let field = Field {
            schema: text,
            pointer: false,
            always: false,
            default: None,
            merge_key: None,
            replace: false,
        };
        fields.insert(name.to_owned(), field);
    }
    if let Some(metadata) = fields.get_mut("metadata") {
        metadata.always = true;
    }
    Schema::new(Shape::Map(Map { fields, element: None, atomic: false }))
}

fn short_names(kind: &str) -> &'static [&'static str] {
    match kind {
        "Namespace" => &["ns"],
        "Pod" => &["po"],
        "Service" => &["svc"],
        "ConfigMap" => &["cm"],
        "ServiceAccount" => &["sa"],
        "PersistentVolumeClaim" => &["pvc"],
        "Event" => &["ev"],
        "Deployment" => &["deploy"],
        "StatefulSet" => &["sts"],
        "DaemonSet" => &["ds"],
        "ReplicaSet" => &["rs"],
        "CronJob" => &["cj"],
        "Ingress" => &["ing"],
        "NetworkPolicy" => &["netpol"],
        "PodDisruptionBudget" => &["pdb"],
        "HorizontalPodAutoscaler" => &["hpa"],
        "CustomResourceDefinition" => &["crd", "crds"],
        _ => &[],
    }
}

fn selectable(kind: &str, group: &str) -> &'static [&'static str] {
    match (kind, group) {
        ("Pod", _) => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("Event", "") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("Event", _) => &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
        ("Namespace", _) => &["status.phase"],
        ("Secret", _) => &["type"],
        ("Service", _) => &["spec.clusterIP", "spec.type"],
        ("ReplicaSet", _) => &["status.replicas"],
        ("Job", _) => &["status.successful"],
        _ => &[],
    }
}

/// The kinds of a definition, one for each version that is served.
pub(super) fn custom(definition: &Value) -> Result<Vec<Arc<Kind>>, String> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names = &spec["names"];
    let group = text(&spec["group"]);
    let mut kinds = Vec::new();
    for version in
        spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true)
    {
        let source = &version["schema"]["openAPIV3Schema"];
        let schema =
            rules::read(source, true).map_err(|error| format!("schema of {}: {error}", names["kind"]))?;
        let subresources = &version["subresources"];
        let path = |value: &Value| text(value).trim_start_matches('.').to_owned();
        let scale = subresources["scale"].as_object().map(|scale| Scale {
            spec: scale.get("specReplicasPath").map(path).unwrap_or_default(),
            status: scale.get("statusReplicasPath").map(path).unwrap_or_default(),
            selector: scale.get("labelSelectorPath").map(path),
        });
        let kind = text(&names["kind"]);
        let plural = text(&names["plural"]);
        let api_version = format!("{group}/{}", text(&version["name"]));
        let fields = version["selectableFields"].as_array().into_iter().flatten();
        kinds.push(Arc::new(Kind {
            group: group.clone(),
            version: text(&version["name"]),
            singular: names["singular"].as_str().map_or_else(|| kind.to_lowercase(), str::to_owned),
            short_names: names["shortNames"].as_array().into_iter().flatten().map(text).collect(),
            list_kind: names["listKind"].as_str().map_or_else(|| format!("{kind}List"), str::to_owned),
            namespaced: spec["scope"] == "Namespaced",
            custom: true,
            schema,
            status: subresources["status"].is_object(),
            scale,
            create_on_update: false,
            unconditional: false,
            generation: true,
            returns_deleted: false,
            selectable: fields.map(|field| path(&field["jsonPath"])).collect(),
            storage: format!("{plural}.{group}"),
            empty: json!({ "apiVersion": api_version, "kind": kind }),
            kind,
            plural,
        }));
    }
    Ok(kinds)
}
