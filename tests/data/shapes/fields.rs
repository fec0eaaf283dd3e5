//! Types of a field.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{LocalObjectReference, PodTemplateSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, ObjectMeta, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

kind! { "Integers" IntegersSpec { a: i32, b: i64, c: Option<i32> } }
kind! { "SmallIntegers" SmallIntegersSpec { a: u8, b: u16, c: u32, d: u64, e: usize, f: i8, g: i16, h: i128, i: u128, j: isize } }
kind! { "Floats" FloatsSpec { a: f32, b: f64 } }
kind! { "Bools" BoolsSpec { a: bool, b: Option<bool> } }
kind! { "Chars" CharsSpec { a: char } }
kind! { "Strings" StringsSpec { a: String, b: Option<String>, c: Box<str> } }
kind! { "Paths" PathsSpec { a: std::path::PathBuf } }
kind! { "Addresses" AddressesSpec { a: std::net::IpAddr, b: std::net::Ipv4Addr, c: std::net::Ipv6Addr } }
kind! { "Durations" DurationsSpec { a: std::time::Duration } }
kind! { "KubeDurations" KubeDurationsSpec { a: kube::core::Duration } }
kind! { "NonZero" NonZeroSpec { a: std::num::NonZeroU32 } }
kind! { "Vectors" VectorsSpec { a: Vec<String>, b: Option<Vec<i32>>, c: Vec<Inner>, d: Vec<Vec<i64>> } }
kind! { "Arrays" ArraysSpec { a: [i32; 3] } }
kind! { "Sets" SetsSpec { a: BTreeSet<String> } }
kind! { "Bytes" BytesSpec { a: Vec<u8> } }
kind! { "Tuple" TupleSpec { a: (i32, String) } }
kind! { "TupleOfOne" TupleOfOneSpec { a: (i32,) } }
kind! { "Maps" MapsSpec { a: BTreeMap<String, String>, b: Option<BTreeMap<String, Inner>>, c: HashMap<String, i32> } }
kind! { "MapOfMaps" MapOfMapsSpec { a: BTreeMap<String, BTreeMap<String, Inner>> } }
kind! { "NewtypeKeys" NewtypeKeysSpec { a: BTreeMap<Name, String>, b: BTreeMap<Host, BTreeMap<Name, Inner>> } }
kind! { "IntegerKeys" IntegerKeysSpec { a: BTreeMap<u16, String> } }
kind! { "SignedKeys" SignedKeysSpec { a: BTreeMap<i32, String> } }
kind! { "BoolKeys" BoolKeysSpec { a: BTreeMap<bool, String> } }
kind! { "MapOfValues" MapOfValuesSpec { a: BTreeMap<String, Value> } }
kind! { "VecOfValues" VecOfValuesSpec { a: Vec<Value> } }
kind! { "AnyValue" AnyValueSpec { a: Value } }
kind! { "JsonMap" JsonMapSpec { a: serde_json::Map<String, Value> } }
kind! { "Unit" UnitSpec { a: () } }
kind! { "UnitField" UnitFieldSpec { a: UnitStruct } }
kind! { "EmptyField" EmptyFieldSpec { a: EmptyStruct } }
kind! { "Nested" NestedSpec { a: Inner, b: Option<Inner>, c: Box<Inner> } }
kind! { "OptionOfOption" OptionOfOptionSpec { a: Option<Option<i32>> } }
kind! { "Recursive" RecursiveSpec { a: Tree } }
kind! { "RecursiveBox" RecursiveBoxSpec { a: Chain } }
kind! { "Newtype" NewtypeSpec { a: Port } }
kind! { "Generic" GenericSpec { a: Pair<i32>, b: Pair<String> } }
kind! { "FlattenStruct" FlattenStructSpec { a: String, #[serde(flatten)] inner: Inner } }
kind! { "FlattenOption" FlattenOptionSpec { a: String, #[serde(flatten)] inner: Option<Inner> } }
kind! { "FlattenStrings" FlattenStringsSpec { a: String, #[serde(flatten)] rest: BTreeMap<String, String> } }
kind! { "FlattenValues" FlattenValuesSpec { a: String, #[serde(flatten)] rest: BTreeMap<String, Value> } }
kind! { "DenyUnknown" DenyUnknownSpec { a: Strict, b: StrictEmpty } }
kind! { "Quantities" QuantitiesSpec { a: Quantity, b: Option<Quantity>, c: BTreeMap<String, Quantity> } }
kind! { "IntOrStrings" IntOrStringsSpec { a: IntOrString, b: Option<IntOrString>, c: Vec<IntOrString> } }
kind! { "Times" TimesSpec { a: Time, b: Option<Time> } }
kind! { "Selectors" SelectorsSpec { a: LabelSelector, b: Option<LocalObjectReference> } }
kind! { "Resources" ResourcesSpec { a: Option<ResourceRequirements> } }
kind! { "PodTemplate" PodTemplateShapeSpec { template: PodTemplateSpec } }
kind! { "Metadata" MetadataSpec { metadata: ObjectMeta, b: Vec<ObjectMeta> } }
kind! { "Conditions" ConditionsSpec { a: Vec<Condition> } }
kind! { "RawExtensions" RawExtensionsSpec { a: k8s_openapi::apimachinery::pkg::runtime::RawExtension } }
kind! { "OwnApiVersion" OwnApiVersionSpec { api_version: String, kind: String } }

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub struct Inner {
    name: String,
    count: Option<i32>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct UnitStruct;

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct EmptyStruct {}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Strict {
    name: String,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StrictEmpty {}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Tree {
    children: Vec<Tree>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Chain {
    next: Option<Box<Chain>>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Port(i32);

#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Name(String);

#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Host(#[schemars(pattern(r"^[a-z.]+$"))] String);

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Pair<T> {
    first: T,
    second: T,
}

kinds!(
    Integers,
    SmallIntegers,
    Floats,
    Bools,
    Chars,
    Strings,
    Paths,
    Addresses,
    Durations,
    KubeDurations,
    NonZero,
    Vectors,
    Arrays,
    Sets,
    Bytes,
    Tuple,
    TupleOfOne,
    Maps,
    MapOfMaps,
    NewtypeKeys,
    IntegerKeys,
    SignedKeys,
    BoolKeys,
    MapOfValues,
    VecOfValues,
    AnyValue,
    JsonMap,
    Unit,
    UnitField,
    EmptyField,
    Nested,
    OptionOfOption,
    Recursive,
    RecursiveBox,
    Newtype,
    Generic,
    FlattenStruct,
    FlattenOption,
    FlattenStrings,
    FlattenValues,
    DenyUnknown,
    Quantities,
    IntOrStrings,
    Times,
    Selectors,
    Resources,
    PodTemplate,
    Metadata,
    Conditions,
    RawExtensions,
    OwnApiVersion,
);
