//! Random schemas against a real API server: it accepts every one that the check passes, without a warning.

mod common;

use common::cluster::Cluster;
use iris_scaffold::manifests::crd;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// How many definitions one call of kubectl is given.
const DEFINITIONS: usize = 60;

const FIELDS: [&str; 5] = ["a", "b-c", "name", "namespace", "metadata"];

/// A keyword and its value, which may or may not suit the schema that it is put into.
fn keyword() -> impl Strategy<Value = (&'static str, Value)> {
    let rules = [
        "self == oldSelf",
        "self != ''",
        "self > 0",
        "self.size() > 0",
        "has(self.a)",
        "self.a == self.name",
        "self.all(x, x != '')",
        "self.all(x, self.all(y, x != y))",
        "self.b__dash__c.matches('^a')",
        "self.exists(k, self[k] == 1)",
        "true",
    ];
    prop_oneof![
        5 => select(vec![
            ("nullable", json!(true)),
            ("title", json!("A title")),
            ("description", json!("What it is.")),
            ("minLength", json!(1)),
            ("maxLength", json!(3)),
            ("pattern", json!("^[a-z]*$")),
            ("minimum", json!(1)),
            ("maximum", json!(5)),
            ("multipleOf", json!(2)),
            ("minItems", json!(1)),
            ("maxItems", json!(2)),
            ("maxProperties", json!(2)),
            ("x-kubernetes-list-type", json!("atomic")),
            ("x-kubernetes-list-type", json!("set")),
            ("x-kubernetes-map-type", json!("atomic")),
            ("x-kubernetes-preserve-unknown-fields", json!(true)),
            ("x-kubernetes-embedded-resource", json!(true)),
            ("format", json!("int32")),
            ("format", json!("date-time")),
            ("format", json!("byte")),
            ("format", json!("email")),
            ("enum", json!(["a", "b"])),
            ("enum", json!([1, 2])),
            ("not", json!({ "enum": ["a"] })),
            ("anyOf", json!([{ "required": ["a"] }, { "properties": { "name": { "minLength": 1 } } }])),
            ("oneOf", json!([{ "minLength": 1 }, { "maximum": 2 }])),
            ("allOf", json!([{ "items": { "minLength": 2 } }])),
        ]),
        2 => select(vec![json!("a"), json!(""), json!(1), json!(0), json!(true), json!([]), json!(["a"]), json!({}), json!({ "a": "b" })])
            .prop_map(|value| ("default", value)),
        2 => select(rules.to_vec()).prop_map(|rule| ("x-kubernetes-validations", json!([{ "rule": rule }]))),
    ]
}

/// A schema of any type with a few keywords, most of which suit it.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = select(vec![
        json!({ "type": "string" }),
        json!({ "type": "integer" }),
        json!({ "type": "number" }),
        json!({ "type": "boolean" }),
        json!({ "type": "object" }),
        json!({ "x-kubernetes-int-or-string": true }),
        json!({ "x-kubernetes-preserve-unknown-fields": true }),
    ]);
    let decorate = |schema: BoxedStrategy<Value>| {
        (schema, prop::collection::vec(keyword(), 0..3)).prop_map(|(mut schema, keywords)| {
            if let Some(schema) = schema.as_object_mut() {
                schema.extend(keywords.into_iter().map(|(key, value)| (key.to_owned(), value)));
            }
            schema
        })
    };
    decorate(leaf.boxed()).prop_recursive(3, 12, 3, move |inner| {
        let fields = subsequence(FIELDS.to_vec(), 0..4);
        let required = subsequence(FIELDS.to_vec(), 0..2);
        let list_map = json!({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] });
        let object = (fields, prop::collection::vec(inner.clone(), 4), required).prop_map(
            |(fields, schemas, required)| {
                let properties: Map<String, Value> =
                    fields.into_iter().map(ToOwned::to_owned).zip(schemas).collect();
                let required: Vec<&str> =
                    required.into_iter().filter(|name| properties.contains_key(*name)).collect();
                json!({ "type": "object", "properties": properties, "required": required })
            },
        );
        let array = (inner.clone(), any::<bool>()).prop_map(move |(items, merged)| {
            let mut schema = json!({ "type": "array", "items": items });
            if let (true, Some(schema), Some(more)) = (merged, schema.as_object_mut(), list_map.as_object()) {
                schema.extend(more.clone());
            }
            schema
        });
        let map = inner.prop_map(|values| json!({ "type": "object", "additionalProperties": values }));
        decorate(prop_oneof![3 => object, 2 => array, 1 => map].boxed())
    })
}

fn definition(index: usize, spec: &Value) -> Value {
    let plural = format!("randoms{index}");
    crd::normalise(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.example.com") },
        "spec": {
            "group": "example.com",
            "names": { "kind": format!("Random{index}"), "plural": plural },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": { "spec": { "type": "object", "properties": { "x": spec } } },
                } },
            }],
        },
    }))
}

#[test]
fn the_api_server_accepts_what_the_check_passes() {
    let mut runner = TestRunner::default();
    let strategy = schema();
    let mut passed = Vec::new();
    let mut tried = 0;
    while passed.len() < DEFINITIONS {
        let spec = strategy.new_tree(&mut runner).expect("a schema").current();
        let crd = definition(passed.len(), &spec);
        if crd::validate(std::slice::from_ref(&crd)).is_ok() {
            passed.push(crd);
        }
        tried += 1;
        assert!(tried < 100 * DEFINITIONS, "the check refuses nearly everything");
    }
    let stream: Vec<String> = passed.iter().map(ToString::to_string).collect();
    let args = ["create", "--dry-run=server", "--warnings-as-errors", "-f", "-"];
    if let Err(said) = Cluster::shared().try_kubectl(&args, &stream.join("\n---\n")) {
        let refused = passed.iter().filter(|crd| {
            let created = format!("/{} created", crd["metadata"]["name"].as_str().unwrap_or_default());
            !said.contains(&created)
        });
        let specs =
            refused.map(|crd| &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]);
        panic!("{said}\n{:#?}", specs.map(ToString::to_string).collect::<Vec<_>>());
    }
}
