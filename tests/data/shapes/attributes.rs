//! Attributes of schemars and serde: bounds, defaults, extensions.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kind! { "Bounds" BoundsSpec {
    #[schemars(range(min = 1, max = 10))] a: i32,
    #[schemars(length(min = 1, max = 63), pattern("^[a-z]+$"))] b: String,
    #[schemars(length(min = 1, max = 3))] c: Vec<String>,
    #[schemars(extend("maxProperties" = 3))] d: BTreeMap<String, String>,
} }
kind! { "InnerBounds" InnerBoundsSpec { #[schemars(inner(length(min = 1), pattern("^a")))] a: Vec<String> } }
kind! { "BoundsCrossed" BoundsCrossedSpec { #[schemars(range(min = 10, max = 1))] a: i32 } }
kind! { "LookAhead" LookAheadSpec { #[schemars(pattern("^(?=a)"))] a: String } }
kind! { "PatternWithBraces" PatternWithBracesSpec { #[schemars(extend("pattern" = "^{[a-z]{1,3}}$"))] a: String } }
kind! { "BigRepeat" BigRepeatSpec { #[schemars(pattern("^a{1001}$"))] a: String } }
kind! { "Formats" FormatsSpec {
    #[schemars(email)] a: String,
    #[schemars(url)] b: String,
    #[schemars(extend("format" = "date-time"))] c: String,
    #[schemars(extend("format" = "k8s-short-name"))] d: String,
} }
kind! { "UnknownFormat" UnknownFormatSpec { #[schemars(extend("format" = "semver"))] a: String } }
kind! { "FormatOnInteger" FormatOnIntegerSpec { #[schemars(extend("format" = "email"))] a: i32 } }
kind! { "DefaultString" DefaultStringSpec { #[serde(default)] a: String } }
kind! { "DefaultTooShort" DefaultTooShortSpec { #[serde(default)] #[schemars(length(min = 1))] a: String } }
kind! { "DefaultNoMatch" DefaultNoMatchSpec { #[serde(default)] #[schemars(pattern("^[a-z]+$"))] a: String } }
kind! { "DefaultTooSmall" DefaultTooSmallSpec { #[serde(default)] #[schemars(range(min = 1))] a: i32 } }
kind! { "DefaultWrongType" DefaultWrongTypeSpec { #[schemars(extend("default" = "one"))] a: i32 } }
kind! { "DefaultNotInEnum" DefaultNotInEnumSpec {
    #[schemars(extend("default" = "Blue"))] a: Option<super::enums::Color>
} }
kind! { "DefaultUnknownField" DefaultUnknownFieldSpec { #[schemars(extend("default" = {"nmae": "x", "name": "x"}))] a: Named } }
kind! { "DefaultIncomplete" DefaultIncompleteSpec { #[schemars(extend("default" = {}))] a: Named } }
kind! { "DefaultStruct" DefaultStructSpec { #[serde(default)] a: Named } }
kind! { "DefaultNull" DefaultNullSpec { #[serde(default)] a: Option<String> } }
kind! { "DefaultBadFormat" DefaultBadFormatSpec { #[schemars(extend("format" = "date-time", "default" = "now"))] a: String } }
kind! { "DefaultInMap" DefaultInMapSpec { a: BTreeMap<String, Defaulted> } }
kind! { "OptionalSchemaWith" OptionalSchemaWithSpec { #[schemars(schema_with = "text")] a: Option<String> } }
kind! { "PreserveUnknown" PreserveUnknownSpec {
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))] a: serde_json::Value
} }
kind! { "PreserveFalse" PreserveFalseSpec {
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = false))] a: Named
} }
kind! { "Embedded" EmbeddedSpec { #[schemars(schema_with = "embedded")] a: serde_json::Value } }
kind! { "EmbeddedEmpty" EmbeddedEmptySpec { #[schemars(extend("x-kubernetes-embedded-resource" = true))] a: super::fields::EmptyStruct } }
kind! { "IntOrStringByHand" IntOrStringByHandSpec { #[schemars(schema_with = "int_or_string")] a: serde_json::Value } }
kind! { "EnumTwice" EnumTwiceSpec { #[schemars(extend("enum" = ["a", "a"]))] a: String } }
kind! { "EnumEmpty" EnumEmptySpec { #[schemars(extend("enum" = []))] a: String } }
kind! { "EnumWrongType" EnumWrongTypeSpec { #[schemars(extend("enum" = [1, 2]))] a: String } }
kind! { "MultipleOf" MultipleOfSpec { #[schemars(extend("multipleOf" = 5))] a: i32 } }
kind! { "Exclusive" ExclusiveSpec { #[schemars(range(min = 1), extend("exclusiveMinimum" = true))] a: i32 } }
kind! { "NotSchema" NotSchemaSpec { #[schemars(extend("not" = {"enum": ["x"]}))] a: String } }
kind! { "NotWithType" NotWithTypeSpec { #[schemars(extend("not" = {"type": "integer"}))] a: String } }
kind! { "AnyOfUnknownField" AnyOfUnknownFieldSpec { a: Choice } }

#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize)]
pub struct Named {
    name: String,
}

#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize)]
pub struct Defaulted {
    #[serde(default)]
    count: i32,
}

#[derive(JsonSchema, Clone, Debug, Deserialize, Serialize)]
#[schemars(extend("allOf" = [{"required": ["left"]}, {"properties": {"right": {"minimum": 1}}}]))]
pub struct Choice {
    left: Option<i32>,
}

fn text(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string" })
}

fn embedded(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

fn int_or_string(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}] })
}

kinds!(
    Bounds,
    InnerBounds,
    BoundsCrossed,
    LookAhead,
    PatternWithBraces,
    BigRepeat,
    Formats,
    UnknownFormat,
    FormatOnInteger,
    DefaultString,
    DefaultTooShort,
    DefaultNoMatch,
    DefaultTooSmall,
    DefaultWrongType,
    DefaultNotInEnum,
    DefaultUnknownField,
    DefaultIncomplete,
    DefaultStruct,
    DefaultNull,
    DefaultBadFormat,
    DefaultInMap,
    OptionalSchemaWith,
    PreserveUnknown,
    PreserveFalse,
    Embedded,
    EmbeddedEmpty,
    IntOrStringByHand,
    EnumTwice,
    EnumEmpty,
    EnumWrongType,
    MultipleOf,
    Exclusive,
    NotSchema,
    NotWithType,
    AnyOfUnknownField,
);
