//! Enums.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kind! { "Plain" PlainSpec { a: Color, b: Option<Color>, c: Vec<Color> } }
kind! { "Documented" DocumentedSpec { a: Shade, b: Option<Shade> } }
kind! { "EnumKeys" EnumKeysSpec { a: BTreeMap<Color, String> } }
kind! { "OneVariant" OneVariantSpec { a: Single } }
kind! { "External" ExternalSpec { a: Source } }
kind! { "OptionalExternal" OptionalExternalSpec { a: Option<Source>, b: Vec<Source> } }
kind! { "SameTypeTwice" SameTypeTwiceSpec { a: Twice } }
kind! { "UntaggedStructs" UntaggedStructsSpec { a: Untagged } }
kind! { "UntaggedScalars" UntaggedScalarsSpec { a: Scalar } }
kind! { "UntaggedMixed" UntaggedMixedSpec { a: OneOrMany } }
kind! { "UnitAndData" UnitAndDataSpec { a: Mixed } }
kind! { "InternallyTagged" InternallyTaggedSpec { a: Internal } }
kind! { "InternalUnits" InternalUnitsSpec { a: InternalUnit } }
kind! { "AdjacentlyTagged" AdjacentlyTaggedSpec { a: Adjacent } }
kind! { "FlattenEnum" FlattenEnumSpec { name: String, #[serde(flatten)] source: Source } }
kind! { "FlattenColliding" FlattenCollidingSpec { git: i32, #[serde(flatten)] source: Source } }
kind! { "NumberEnum" NumberEnumSpec { a: Level } }

#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Color {
    Red,
    Green,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub enum Shade {
    /// Little light.
    Dark,
    /// Much light.
    Bright,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub enum Single {
    Only,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// A repository.
    Git { url: String, branch: Option<String> },
    /// A file.
    File(String),
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Twice {
    First(i32),
    Second(i32),
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum Untagged {
    Named { name: String },
    Numbered { number: i32 },
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    Number(i32),
    Text(String),
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mixed {
    Nothing,
    Some { value: i32 },
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(tag = "type")]
pub enum Internal {
    Git { url: String },
    File { path: String },
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(tag = "type")]
pub enum InternalUnit {
    On,
    Off,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(tag = "type", content = "value")]
pub enum Adjacent {
    Number(i32),
    Text(String),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Level(i32);

impl JsonSchema for Level {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "enum": [1, 2, 3] })
    }
}

#[derive(kube::CustomResource, Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[kube(group = "shapes.example.com", version = "v1", kind = "EnumSpec", namespaced)]
pub enum EnumSpecSpec {
    Git { url: String },
    File(String),
}

kinds!(
    Plain,
    Documented,
    EnumKeys,
    OneVariant,
    External,
    OptionalExternal,
    SameTypeTwice,
    UntaggedStructs,
    UntaggedScalars,
    UntaggedMixed,
    UnitAndData,
    InternallyTagged,
    InternalUnits,
    AdjacentlyTagged,
    FlattenEnum,
    FlattenColliding,
    NumberEnum,
    EnumSpec,
);
