//! Kubernetes' own kinds: what a controller can watch without defining a type.

/// A kind of Kubernetes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreKind {
    /// Group in full; empty for the core group.
    pub group: &'static str,
    /// Such as `v1`.
    pub version: &'static str,
    /// Such as `Deployment`.
    pub kind: &'static str,
    /// Such as `deployments`.
    pub plural: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// The Rust type: `k8s_openapi::api::apps::v1::Deployment`.
    pub path: String,
}

/// Every kind that can be watched, by group, version and module of the crate `k8s_openapi`.
fn kinds() -> impl Iterator<Item = CoreKind> {
    KINDS.iter().flat_map(|(group, version, module, kinds)| {
        kinds.iter().map(move |(kind, plural, namespaced)| CoreKind {
            group,
            version,
            kind,
            plural,
            namespaced: *namespaced,
            path: format!("k8s_openapi::{module}::{kind}"),
        })
    })
}

/// The kind of that group, version and name. Groups may be given as kubebuilder has them: `core` for the empty one, and
/// `rbac` for `rbac.authorization.k8s.io`.
#[must_use]
pub fn lookup(group: &str, version: &str, kind: &str) -> Option<CoreKind> {
    let group = full_group(group)?;
    kinds().find(|found| (found.group, found.version, found.kind) == (group, version, kind))
}

/// The full name of a group of Kubernetes, given that, its first part, or all but `.k8s.io` as kubebuilder has it;
/// `None` for other groups.
#[must_use]
pub fn full_group(group: &str) -> Option<&'static str> {
    if group.is_empty() || group == "core" {
        return Some("");
    }
    let short = |full: &str| {
        full.strip_suffix(".k8s.io") == Some(group)
            || full.split_once('.').is_some_and(|(first, _)| first == group)
    };
    KINDS.iter().map(|(full, ..)| *full).find(|full| *full == group || short(full))
}

/// Versions and kinds of a group, as `v1/Deployment`, the likest to what was asked for first.
#[must_use]
pub fn nearest(group: &str, version: &str, kind: &str) -> Vec<String> {
    let Some(group) = full_group(group) else {
        return Vec::new();
    };
    let wanted = format!("{version}/{kind}");
    let mut found: Vec<String> = kinds()
        .filter(|found| found.group == group)
        .map(|found| format!("{}/{}", found.version, found.kind))
        .collect();
    found.sort_by_key(|candidate| strsim::levenshtein(&wanted.to_lowercase(), &candidate.to_lowercase()));
    found
}

type Kinds = &'static [(&'static str, &'static str, bool)];

/// Group, version, module, and of each kind the name, the plural and whether objects live in a namespace: what
/// Kubernetes 1.37 serves.
#[rustfmt::skip]
const KINDS: &[(&str, &str, &str, Kinds)] = &[
    ("", "v1", "api::core::v1", &[
        ("ConfigMap", "configmaps", true), ("Endpoints", "endpoints", true), ("Event", "events", true),
        ("LimitRange", "limitranges", true), ("Namespace", "namespaces", false), ("Node", "nodes", false),
        ("PersistentVolume", "persistentvolumes", false),
        ("PersistentVolumeClaim", "persistentvolumeclaims", true), ("Pod", "pods", true),
        ("PodTemplate", "podtemplates", true), ("ReplicationController", "replicationcontrollers", true),
        ("ResourceQuota", "resourcequotas", true), ("Secret", "secrets", true), ("Service", "services", true),
        ("ServiceAccount", "serviceaccounts", true),
    ]),
    ("admissionregistration.k8s.io", "v1", "api::admissionregistration::v1", &[
        ("MutatingAdmissionPolicy", "mutatingadmissionpolicies", false),
        ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false),
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
    ]),
    ("admissionregistration.k8s.io", "v1alpha1", "api::admissionregistration::v1alpha1", &[
        ("MutatingAdmissionPolicy", "mutatingadmissionpolicies", false),
        ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false),
    ]),
    ("admissionregistration.k8s.io", "v1beta1", "api::admissionregistration::v1beta1", &[
        ("MutatingAdmissionPolicy", "mutatingadmissionpolicies", false),
        ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false),
    ]),
    ("apiextensions.k8s.io", "v1", "apiextensions_apiserver::pkg::apis::apiextensions::v1", &[
        ("CustomResourceDefinition", "customresourcedefinitions", false),
    ]),
    ("apiregistration.k8s.io", "v1", "kube_aggregator::pkg::apis::apiregistration::v1", &[
        ("APIService", "apiservices", false),
    ]),
    ("apps", "v1", "api::apps::v1", &[
        ("ControllerRevision", "controllerrevisions", true), ("DaemonSet", "daemonsets", true),
        ("Deployment", "deployments", true), ("ReplicaSet", "replicasets", true),
        ("StatefulSet", "statefulsets", true),
    ]),
    ("autoscaling", "v1", "api::autoscaling::v1", &[
        ("HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    ]),
    ("autoscaling", "v2", "api::autoscaling::v2", &[
        ("HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    ]),
    ("batch", "v1", "api::batch::v1", &[
        ("CronJob", "cronjobs", true), ("Job", "jobs", true),
    ]),
    ("certificates.k8s.io", "v1", "api::certificates::v1", &[
        ("CertificateSigningRequest", "certificatesigningrequests", false),
        ("ClusterTrustBundle", "clustertrustbundles", false),
        ("PodCertificateRequest", "podcertificaterequests", true),
    ]),
    ("certificates.k8s.io", "v1beta1", "api::certificates::v1beta1", &[
        ("ClusterTrustBundle", "clustertrustbundles", false),
        ("PodCertificateRequest", "podcertificaterequests", true),
    ]),
    ("coordination.k8s.io", "v1", "api::coordination::v1", &[
        ("Lease", "leases", true),
    ]),
    ("coordination.k8s.io", "v1alpha2", "api::coordination::v1alpha2", &[
        ("LeaseCandidate", "leasecandidates", true),
    ]),
    ("coordination.k8s.io", "v1beta1", "api::coordination::v1beta1", &[
        ("LeaseCandidate", "leasecandidates", true),
    ]),
    ("discovery.k8s.io", "v1", "api::discovery::v1", &[
        ("EndpointSlice", "endpointslices", true),
    ]),
    ("events.k8s.io", "v1", "api::events::v1", &[
        ("Event", "events", true),
    ]),
    ("flowcontrol.apiserver.k8s.io", "v1", "api::flowcontrol::v1", &[
        ("FlowSchema", "flowschemas", false),
        ("PriorityLevelConfiguration", "prioritylevelconfigurations", false),
    ]),
    ("internal.apiserver.k8s.io", "v1alpha1", "api::apiserverinternal::v1alpha1", &[
        ("StorageVersion", "storageversions", false),
    ]),
    ("lifecycle.k8s.io", "v1alpha1", "api::lifecycle::v1alpha1", &[
        ("Eviction", "evictions", true), ("EvictionRequest", "evictionrequests", true),
    ]),
    ("networking.k8s.io", "v1", "api::networking::v1", &[
        ("IPAddress", "ipaddresses", false), ("Ingress", "ingresses", true),
        ("IngressClass", "ingressclasses", false), ("NetworkPolicy", "networkpolicies", true),
        ("ServiceCIDR", "servicecidrs", false),
    ]),
    ("node.k8s.io", "v1", "api::node::v1", &[
        ("RuntimeClass", "runtimeclasses", false),
    ]),
    ("policy", "v1", "api::policy::v1", &[
        ("PodDisruptionBudget", "poddisruptionbudgets", true),
    ]),
    ("rbac.authorization.k8s.io", "v1", "api::rbac::v1", &[
        ("ClusterRole", "clusterroles", false), ("ClusterRoleBinding", "clusterrolebindings", false),
        ("Role", "roles", true), ("RoleBinding", "rolebindings", true),
    ]),
    ("resource.k8s.io", "v1", "api::resource::v1", &[
        ("DeviceClass", "deviceclasses", false), ("DeviceTaintRule", "devicetaintrules", false),
        ("ResourceClaim", "resourceclaims", true), ("ResourceClaimTemplate", "resourceclaimtemplates", true),
        ("ResourceSlice", "resourceslices", false),
    ]),
    ("resource.k8s.io", "v1alpha3", "api::resource::v1alpha3", &[
        ("DeviceTaintRule", "devicetaintrules", false),
        ("ResourcePoolStatusRequest", "resourcepoolstatusrequests", false),
    ]),
    ("resource.k8s.io", "v1beta1", "api::resource::v1beta1", &[
        ("DeviceClass", "deviceclasses", false), ("ResourceClaim", "resourceclaims", true),
        ("ResourceClaimTemplate", "resourceclaimtemplates", true), ("ResourceSlice", "resourceslices", false),
    ]),
    ("resource.k8s.io", "v1beta2", "api::resource::v1beta2", &[
        ("DeviceClass", "deviceclasses", false), ("DeviceTaintRule", "devicetaintrules", false),
        ("ResourceClaim", "resourceclaims", true), ("ResourceClaimTemplate", "resourceclaimtemplates", true),
        ("ResourceSlice", "resourceslices", false),
    ]),
    ("scheduling.k8s.io", "v1", "api::scheduling::v1", &[
        ("PriorityClass", "priorityclasses", false),
    ]),
    ("scheduling.k8s.io", "v1alpha3", "api::scheduling::v1alpha3", &[
        ("CompositePodGroup", "compositepodgroups", true), ("PodGroup", "podgroups", true),
        ("Workload", "workloads", true),
    ]),
    ("scheduling.k8s.io", "v1beta1", "api::scheduling::v1beta1", &[
        ("PodGroup", "podgroups", true), ("Workload", "workloads", true),
    ]),
    ("storage.k8s.io", "v1", "api::storage::v1", &[
        ("CSIDriver", "csidrivers", false), ("CSINode", "csinodes", false),
        ("CSIStorageCapacity", "csistoragecapacities", true), ("StorageClass", "storageclasses", false),
        ("VolumeAttachment", "volumeattachments", false),
        ("VolumeAttributesClass", "volumeattributesclasses", false),
    ]),
    ("storagemigration.k8s.io", "v1", "api::storagemigration::v1", &[
        ("StorageVersionMigration", "storageversionmigrations", false),
    ]),
    ("storagemigration.k8s.io", "v1beta1", "api::storagemigration::v1beta1", &[
        ("StorageVersionMigration", "storageversionmigrations", false),
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_kinds_by_full_and_short_group() {
        let path =
            |group, version, kind| lookup(group, version, kind).map(|found| found.path).unwrap_or_default();
        assert_eq!(path("apps", "v1", "Deployment"), "k8s_openapi::api::apps::v1::Deployment");
        assert_eq!(path("core", "v1", "Pod"), "k8s_openapi::api::core::v1::Pod");
        assert_eq!(path("", "v1", "Pod"), "k8s_openapi::api::core::v1::Pod");
        assert_eq!(path("rbac", "v1", "ClusterRole"), "k8s_openapi::api::rbac::v1::ClusterRole");
        assert_eq!(full_group("rbac.authorization"), Some("rbac.authorization.k8s.io"));
        assert_eq!(full_group("authorization"), None);
        assert_eq!(path("networking.k8s.io", "v1", "Ingress"), "k8s_openapi::api::networking::v1::Ingress");
        assert_eq!(path("apps", "v1", "Pod"), "");
        assert!(!lookup("core", "v1", "Node").expect("a node").namespaced);
    }

    #[test]
    fn suggests_what_was_probably_meant() {
        assert_eq!(nearest("apps", "v1", "Deploymant")[0], "v1/Deployment");
        assert_eq!(nearest("apps", "v1beta1", "Deployment")[0], "v1/Deployment");
        assert!(nearest("test", "v1", "Iris").is_empty());
    }
}
