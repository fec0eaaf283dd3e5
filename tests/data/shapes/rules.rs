//! Rules in CEL.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

kind! { "RuleOnField" RuleOnFieldSpec { #[x_kube(validation = "self != ''")] a: String } }
kind! { "RuleWithMessage" RuleWithMessageSpec {
    #[x_kube(validation = Rule::new("self == oldSelf").message("a cannot change").reason(Reason::FieldValueForbidden))]
    a: String,
} }
kind! { "RuleOnStruct" RuleOnStructSpec { low: i32, high: i32 } #[x_kube(validation = "self.low <= self.high")] }
kind! { "RuleUnknownField" RuleUnknownFieldSpec { low: i32 } #[x_kube(validation = "self.lwo > 0")] }
kind! { "RuleSyntax" RuleSyntaxSpec { #[x_kube(validation = "self > ")] a: i32 } }
kind! { "RuleUnbalanced" RuleUnbalancedSpec { #[x_kube(validation = "(self > 1")] a: i32 } }
kind! { "RuleNotBool" RuleNotBoolSpec { #[x_kube(validation = "self + 1")] a: i32 } }
kind! { "RuleWrongType" RuleWrongTypeSpec { #[x_kube(validation = "self > 'a'")] a: i32 } }
kind! { "RuleUnknownName" RuleUnknownNameSpec { #[x_kube(validation = "it > 1")] a: i32 } }
kind! { "RuleUnknownFunction" RuleUnknownFunctionSpec { #[x_kube(validation = "self.beginsWith('a')")] a: String } }
kind! { "RuleCost" RuleCostSpec { #[x_kube(validation = "self.all(x, self.all(y, x == y))")] a: Vec<String> } }
kind! { "RuleBounded" RuleBoundedSpec {
    #[x_kube(validation = "self.all(x, self.exists_one(y, x == y))")]
    #[schemars(length(max = 16), inner(length(max = 32)))]
    a: Vec<String>,
} }
kind! { "RuleDefault" RuleDefaultSpec { #[serde(default)] #[x_kube(validation = "self != ''")] a: String } }
kind! { "RuleOldSelfInList" RuleOldSelfInListSpec { a: Vec<Fixed> } }
kind! { "RuleOldSelfInMapList" RuleOldSelfInMapListSpec {
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))] #[schemars(length(max = 10))] a: Vec<Fixed>
} }
kind! { "RuleOptionalOldSelf" RuleOptionalOldSelfSpec {
    #[x_kube(validation = Rule::new("oldSelf.hasValue() || self > 0").optional_old_self(true))] a: i32
} }
kind! { "RuleNeedlessOldSelf" RuleNeedlessOldSelfSpec {
    #[x_kube(validation = Rule::new("self > 0").optional_old_self(true))] a: i32
} }
kind! { "RuleMessageExpression" RuleMessageExpressionSpec {
    #[x_kube(validation = Rule::new("self > 0").message(Message::Expression("'got ' + string(self)".into()))) ] a: i32
} }
kind! { "RuleBadMessageExpression" RuleBadMessageExpressionSpec {
    #[x_kube(validation = Rule::new("self > 0").message(Message::Expression("self".into()))) ] a: i32
} }
kind! { "RuleFieldPath" RuleFieldPathSpec { low: i32 }
    #[x_kube(validation = Rule::new("self.low > 0").message("no").field_path(".low"))]
}
kind! { "RuleBadFieldPath" RuleBadFieldPathSpec { low: i32 }
    #[x_kube(validation = Rule::new("self.low > 0").message("no").field_path(".lwo"))]
}
kind! { "RuleLongMessage" RuleLongMessageSpec { #[x_kube(validation = Rule::new("self > 0").message("two\nlines"))] a: i32 } }
kind! { "RuleHasField" RuleHasFieldSpec { a: Option<i32>, b: Option<Part> }
    #[x_kube(validation = "!has(self.a) || (has(self.b) && self.b.name.startsWith('a') && self.b.tags.exists(t, t == 'x'))")]
}
kind! { "RuleEscaped" RuleEscapedSpec { r#if: i32, namespace: Option<String> }
    #[x_kube(validation = "self.__if__ > 0 && (!has(self.__namespace__) || self.__namespace__ != '')")]
}
kind! { "RuleReserved" RuleReservedSpec { namespace: String } #[x_kube(validation = "self.namespace != ''")] }
kind! { "RuleQuantity" RuleQuantitySpec {
    #[x_kube(validation = "quantity(string(self)).isGreaterThan(quantity('1'))")]
    a: k8s_openapi::apimachinery::pkg::api::resource::Quantity,
} }
kind! { "RuleOnFlatten" RuleOnFlattenSpec { name: String, #[serde(flatten)] #[x_kube(validation = "self.size() > 0")] inner: Part } }

#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize)]
pub struct Fixed {
    name: String,
    #[x_kube(validation = "self == oldSelf")]
    value: i32,
}

#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize)]
pub struct Part {
    #[schemars(length(max = 63))]
    name: String,
    #[schemars(length(max = 8), inner(length(max = 63)))]
    tags: Vec<String>,
}

kinds!(
    RuleOnField,
    RuleWithMessage,
    RuleOnStruct,
    RuleUnknownField,
    RuleSyntax,
    RuleUnbalanced,
    RuleNotBool,
    RuleWrongType,
    RuleUnknownName,
    RuleUnknownFunction,
    RuleCost,
    RuleBounded,
    RuleDefault,
    RuleOldSelfInList,
    RuleOldSelfInMapList,
    RuleOptionalOldSelf,
    RuleNeedlessOldSelf,
    RuleMessageExpression,
    RuleBadMessageExpression,
    RuleFieldPath,
    RuleBadFieldPath,
    RuleLongMessage,
    RuleHasField,
    RuleEscaped,
    RuleReserved,
    RuleQuantity,
    RuleOnFlatten,
);
