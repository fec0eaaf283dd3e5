//! Merge strategies.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kind! { "MapList" MapListSpec { #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))] a: Vec<Item> } }
kind! { "MapListTwoKeys" MapListTwoKeysSpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into(), "port".into()]))] a: Vec<Item>
} }
kind! { "MapListNoKey" MapListNoKeySpec { #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))] a: Vec<Item> } }
kind! { "MapListOptionalKey" MapListOptionalKeySpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["protocol".into()]))] a: Vec<Item>
} }
kind! { "MapListDefaultedKey" MapListDefaultedKeySpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["family".into()]))] a: Vec<Item>
} }
kind! { "MapListObjectKey" MapListObjectKeySpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["tags".into()]))] a: Vec<Item>
} }
kind! { "MapListNoKeys" MapListNoKeysSpec { #[x_kube(merge_strategy = ListMerge::Map(vec![]))] a: Vec<Item> } }
kind! { "MapListTwiceKey" MapListTwiceKeySpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into(), "name".into()]))] a: Vec<Item>
} }
kind! { "MapListOfScalars" MapListOfScalarsSpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))] a: Vec<String>
} }
kind! { "MapListOptionalItems" MapListOptionalItemsSpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))] a: Vec<Option<Item>>
} }
kind! { "NullableKey" NullableKeySpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))] a: Vec<NullableItem>
} }
kind! { "SetList" SetListSpec { #[x_kube(merge_strategy = ListMerge::Set)] a: Vec<String> } }
kind! { "SetOfObjects" SetOfObjectsSpec { #[x_kube(merge_strategy = ListMerge::Set)] a: Vec<Item> } }
kind! { "SetOfAtomicObjects" SetOfAtomicObjectsSpec { #[x_kube(merge_strategy = ListMerge::Set)] a: Vec<AtomicItem> } }
kind! { "SetOfOptions" SetOfOptionsSpec { #[x_kube(merge_strategy = ListMerge::Set)] a: Vec<Option<String>> } }
kind! { "SetOfLists" SetOfListsSpec { #[x_kube(merge_strategy = ListMerge::Set)] a: Vec<Vec<String>> } }
kind! { "AtomicList" AtomicListSpec { #[x_kube(merge_strategy = ListMerge::Atomic)] a: Vec<Item> } }
kind! { "ListMergeOnString" ListMergeOnStringSpec { #[x_kube(merge_strategy = ListMerge::Atomic)] a: String } }
kind! { "AtomicMap" AtomicMapSpec { #[x_kube(merge_strategy = MapMerge::Atomic)] a: BTreeMap<String, String> } }
kind! { "GranularMap" GranularMapSpec { #[x_kube(merge_strategy = MapMerge::Granular)] a: BTreeMap<String, String> } }
kind! { "MapMergeOnList" MapMergeOnListSpec { #[x_kube(merge_strategy = MapMerge::Granular)] a: Vec<String> } }
kind! { "StructMerge" StructMergeSpec { #[x_kube(merge_strategy = StructMerge::Atomic)] a: Item } }
kind! { "AtomicStruct" AtomicStructSpec { a: AtomicItem } }
kind! { "SetDefaultTwice" SetDefaultTwiceSpec {
    #[x_kube(merge_strategy = ListMerge::Set)] #[schemars(extend("default" = ["a", "a"]))] a: Vec<String>
} }

#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    name: String,
    port: i32,
    protocol: Option<String>,
    #[serde(default = "ipv4")]
    family: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

fn ipv4() -> String {
    "IPv4".into()
}

#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize)]
pub struct NullableItem {
    #[schemars(required)]
    name: Option<String>,
}

#[derive(JsonSchema, Clone, Debug, Deserialize, Serialize)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct AtomicItem {
    name: String,
}

kinds!(
    MapList,
    MapListTwoKeys,
    MapListNoKey,
    MapListOptionalKey,
    MapListDefaultedKey,
    MapListObjectKey,
    MapListNoKeys,
    MapListTwiceKey,
    MapListOfScalars,
    MapListOptionalItems,
    NullableKey,
    SetList,
    SetOfObjects,
    SetOfAtomicObjects,
    SetOfOptions,
    SetOfLists,
    AtomicList,
    ListMergeOnString,
    AtomicMap,
    GranularMap,
    MapMergeOnList,
    StructMerge,
    AtomicStruct,
    SetDefaultTwice,
);
