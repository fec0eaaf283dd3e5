//! Attributes of the kind.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind with a status and further attributes of `kube`.
macro_rules! with {
    ($name:literal $spec:ident, $($attributes:tt)*) => {
        #[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
        #[kube(group = "shapes.example.com", version = "v1", kind = $name, namespaced, $($attributes)*)]
        #[serde(rename_all = "camelCase")]
        pub struct $spec {
            replicas: i32,
            mode: String,
            ratio: Option<f64>,
            tags: Vec<String>,
            labels: std::collections::BTreeMap<String, String>,
        }
    };
}

#[derive(JsonSchema, Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    ready: i32,
    selector: String,
    conditions: Vec<Condition>,
}

with!("Scaled" ScaledSpec, status = "Status", scale(
    spec_replicas_path = ".spec.replicas", status_replicas_path = ".status.ready", label_selector_path = ".status.selector"
));
with!("ScaledWithoutDot" ScaledWithoutDotSpec, status = "Status", scale(
    spec_replicas_path = "spec.replicas", status_replicas_path = ".status.ready"
));
with!("ScaledElsewhere" ScaledElsewhereSpec, status = "Status", scale(
    spec_replicas_path = ".replicas", status_replicas_path = ".status.ready"
));
with!("ScaledMissingField" ScaledMissingFieldSpec, status = "Status", scale(
    spec_replicas_path = ".spec.replica", status_replicas_path = ".status.ready"
));
with!("ScaledWrongType" ScaledWrongTypeSpec, status = "Status", scale(
    spec_replicas_path = ".spec.mode", status_replicas_path = ".status.ready"
));
with!("Selectable" SelectableSpec, selectable = ".spec.mode", selectable = ".spec.replicas");
with!("SelectableMissing" SelectableMissingSpec, selectable = ".spec.mdoe");
with!("SelectableList" SelectableListSpec, selectable = ".spec.tags");
with!("SelectableNumber" SelectableNumberSpec, selectable = ".spec.ratio");
with!("SelectableMetadata" SelectableMetadataSpec, selectable = ".metadata.name");
with!("SelectableTwice" SelectableTwiceSpec, selectable = ".spec.mode", selectable = ".spec.mode");
with!("SelectableMapEntry" SelectableMapEntrySpec, selectable = ".spec.labels.a");
with!("Column" ColumnSpec, printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"));
with!("ColumnFilter" ColumnFilterSpec, status = "Status", printcolumn(
    name = "Mode", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"
));
with!("ColumnUnknownField" ColumnUnknownFieldSpec, printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mdoe"));
with!("ColumnWithoutDot" ColumnWithoutDotSpec, printcolumn(name = "Mode", type_ = "string", json_path = "spec.mode"));
with!("ColumnBadType" ColumnBadTypeSpec, printcolumn(name = "Mode", type_ = "text", json_path = ".spec.mode"));
with!("ColumnUnclosed" ColumnUnclosedSpec, printcolumn(name = "Mode", type_ = "string", json_path = ".spec.tags[0"));
with!("ShortNames" ShortNamesSpec, shortname = "sn", category = "all");
with!("ShortNameUpper" ShortNameUpperSpec, shortname = "SN");
with!("CategoryUpper" CategoryUpperSpec, category = "All Things");
with!("PluralUpper" PluralUpperSpec, plural = "PluralUppers");
with!("SingularUpper" SingularUpperSpec, singular = "SingularUpper");
with!("NotServed" NotServedSpec, served = false);
with!("NotStored" NotStoredSpec, storage = false);
with!("Deprecated" DeprecatedSpec, deprecated = "use v2");
with!("DeprecatedLines" DeprecatedLinesSpec, deprecated = "use\nv2");
with!("RootRule" RootRuleSpec, validation = "self.spec.replicas > 0", validation = "self.metadata.name.size() < 10");
with!("RootRuleMetadata" RootRuleMetadataSpec, validation = "self.metadata.namespace != ''");

#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube(group = "shapes", version = "v1", kind = "GroupWithoutDot", namespaced)]
pub struct GroupWithoutDotSpec {}

#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube(group = "shapes.k8s.io", version = "v1", kind = "ProtectedGroup", namespaced)]
pub struct ProtectedGroupSpec {}

#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube(group = "shapes.example.com", version = "V1", kind = "UpperVersion", namespaced)]
pub struct UpperVersionSpec {}

kinds!(
    Scaled,
    ScaledWithoutDot,
    ScaledElsewhere,
    ScaledMissingField,
    ScaledWrongType,
    Selectable,
    SelectableMissing,
    SelectableList,
    SelectableNumber,
    SelectableMetadata,
    SelectableTwice,
    SelectableMapEntry,
    Column,
    ColumnFilter,
    ColumnUnknownField,
    ColumnWithoutDot,
    ColumnBadType,
    ColumnUnclosed,
    ShortNames,
    ShortNameUpper,
    CategoryUpper,
    PluralUpper,
    SingularUpper,
    NotServed,
    NotStored,
    Deprecated,
    DeprecatedLines,
    RootRule,
    RootRuleMetadata,
    GroupWithoutDot,
    ProtectedGroup,
    UpperVersion,
);
