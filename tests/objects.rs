//! What a Rust type can hold, a real API server stores and returns; what the type cannot hold, the server refuses.

mod common;

use common::Sandbox;
use common::cluster::{Cluster, manifests};
use serde_json::{Value, json};

/// Fields whose schema needs help to say what the type can hold.
const TYPES: &str = r#"//! A kind.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroU32;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rules;

/// What is wanted.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Deserialize, Serialize)]
#[kube(group = "test.example.com", version = "v1", kind = "Thing", plural = "things", namespaced)]
#[serde(rename_all = "camelCase")]
pub struct ThingSpec {
    /// Any value by name.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// The same, by another type.
    #[serde(default)]
    pub map: Map<String, Value>,
    /// Maps of such maps.
    #[serde(default)]
    pub maps: BTreeMap<String, HashMap<String, Value>>,
    /// Lists of such maps.
    #[serde(default)]
    pub lists: Vec<BTreeMap<String, Value>>,
    /// A list of any value.
    #[serde(default)]
    pub any: Vec<Value>,
    /// One that may be left out.
    #[serde(default)]
    pub may: Option<Vec<Value>>,
    /// Lists of such lists.
    #[serde(default)]
    pub any_lists: Vec<Vec<Value>>,
    /// Another kind of list.
    #[serde(default)]
    pub queue: VecDeque<Value>,
    /// So many of them.
    #[serde(default)]
    pub two: Option<[Value; 2]>,
    /// Lists by name.
    #[schemars(transform = rules::any)]
    #[serde(default)]
    pub any_by_name: BTreeMap<String, Vec<Value>>,
    /// A value.
    #[serde(default)]
    pub one: Value,
    /// A part by name.
    #[serde(default)]
    pub parts: BTreeMap<String, Open>,
    /// A small number.
    #[serde(default)]
    pub small: u8,
    /// A number.
    #[serde(default)]
    pub count: u32,
    /// A number that is not zero.
    #[serde(default)]
    pub positive: Option<NonZeroU32>,
    /// A large number.
    #[schemars(range(min = i64::MIN, max = i64::MAX))]
    #[serde(default)]
    pub large: i64,
    /// A number with a default and an enum that no floating point number is equal to.
    #[schemars(extend("enum" = [9_007_199_254_740_993_i64, 1]))]
    #[serde(default = "odd")]
    pub odd: i64,
    /// Has a default with fields that may be left out.
    #[serde(default)]
    pub part: Part,
}

/// A part that is in a map.
#[derive(JsonSchema, Clone, Debug, Deserialize, Serialize)]
pub struct Open {
    /// A value.
    #[schemars(transform = rules::any)]
    pub one: Value,
    /// A list of values.
    #[schemars(transform = rules::any)]
    pub list: Vec<Value>,
}

fn odd() -> i64 {
    9_007_199_254_740_993
}

/// A part.
#[derive(JsonSchema, Clone, Debug, Deserialize, Serialize)]
pub struct Part {
    /// May be left out.
    pub label: Option<String>,
    /// May not.
    pub number: i32,
}

impl Default for Part {
    fn default() -> Self {
        Self { label: None, number: 7 }
    }
}
"#;

fn object(name: &str, spec: &Value) -> String {
    json!({ "apiVersion": "test.example.com/v1", "kind": "Thing", "metadata": { "name": name }, "spec": spec })
        .to_string()
}

#[test]
fn objects_come_back_as_they_were_written() {
    let sandbox = Sandbox::new("objects");
    sandbox.run(&["init", "--domain=example.com"]).success();
    let api = ["create", "api", "--group=test", "--version=v1", "--kind=Thing", "--controller=false"];
    sandbox.run(&[&api[..], &["--template=blank"]].concat()).success();
    sandbox.write("api/src/v1/thing.rs", TYPES);
    manifests(sandbox.path(), &[]).unwrap_or_else(|error| panic!("the types are taken:\n{error}"));
    let cluster = Cluster::shared();
    cluster.define(&sandbox.read("config/crd/bases/test.example.com_things.yaml"));

    let anything = json!({ "text": "a", "number": 1.5, "list": [1, "b", { "c": [] }], "deep": { "er": { "a": null } }, "null": null });
    let largest = json!({
        "values": anything, "map": anything, "maps": { "a": anything }, "lists": [anything, {}],
        "any": [anything, 1, "a", true, [anything]], "may": [anything], "anyLists": [[anything, 1], []],
        "queue": [anything], "two": [anything, 2], "anyByName": { "a": [anything, 1] },
        "one": anything, "parts": { "a": { "one": 1, "list": [anything] } }, "odd": 9_007_199_254_740_993_i64,
        "small": u8::MAX, "count": u32::MAX, "positive": u32::MAX, "large": i64::MAX,
        "part": { "label": "a", "number": i32::MAX },
    });
    let smallest = json!({
        "values": {}, "map": {}, "maps": {}, "lists": [], "any": [], "may": [], "anyLists": [], "queue": [], "two": [0, 0],
        "anyByName": {}, "one": "", "parts": {}, "odd": 1, "small": 0, "count": 0, "positive": 1,
        "large": i64::MIN, "part": { "number": i32::MIN },
    });
    for (name, spec) in [("largest", &largest), ("smallest", &smallest)] {
        let created = cluster.try_kubectl(&["create", "-f", "-"], &object(name, spec));
        created.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(cluster.get(&["things.test.example.com", name])["spec"], *spec, "{name}");
    }
    // What is left out is filled in as Rust would.
    let created = cluster.try_kubectl(&["create", "-f", "-"], &object("empty", &json!({})));
    created.unwrap_or_else(|error| panic!("{error}"));
    let empty = &cluster.get(&["things.test.example.com", "empty"])["spec"];
    assert_eq!((&empty["part"], &empty["count"]), (&json!({ "number": 7 }), &json!(0)), "{empty}");
    assert_eq!(empty["odd"], json!(9_007_199_254_740_993_i64), "{empty}");

    for (field, value) in [
        ("small", json!(256)),
        ("small", json!(-1)),
        ("count", json!(4_294_967_296_u64)),
        ("positive", json!(0)),
        ("positive", json!(4_294_967_296_u64)),
        ("part", json!({ "number": 2_147_483_648_u32 })),
        ("odd", json!(9_007_199_254_740_992_i64)),
    ] {
        let said = cluster.try_kubectl(&["create", "-f", "-"], &object("refused", &json!({ field: value })));
        let error = said.expect_err("the type cannot hold it");
        assert!(error.contains(&format!("spec.{field}")), "{field}: {error}");
    }
}
