//! A page with everything that a page can have.

use serde_json::json;

use super::*;

#[test]
fn a_page_says_what_the_definition_says() {
    let schema = json!({
        "description": "A garden.\n\nWith `plants`.",
        "type": "object",
        "x-kubernetes-validations": [{ "rule": "self.metadata.name != 'x'", "message": "x is no name." }],
        "properties": {
            "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": { "type": "object" },
            "note": { "type": "string", "description": "About it." },
            "spec": { "type": "object", "description": "What is wanted.", "required": ["size"],
                "oneOf": [{ "required": ["size"] }, { "required": ["beds"] }], "properties": {
                "beds": { "type": "array", "maxItems": 3, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "description": "Where things\n\n    grow", "items": { "type": "object", "description": "A bed.",
                    "properties": { "name": { "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^a|`b`$" } } } },
                "labels": { "type": "object", "minProperties": 1,
                    "additionalProperties": { "type": "array", "items": { "type": "string", "maxLength": 9 } } },
                "mode": { "type": "string", "enum": ["dry", "wet"], "default": "dry" },
                "port": { "x-kubernetes-int-or-string": true },
                "one": { "type": "object", "oneOf": [{ "required": ["a", "b"] }, { "required": ["c"] }],
                    "properties": { "a": {}, "b": {}, "c": { "type": "object" } } },
                "rest": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                "size": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 9, "exclusiveMaximum": true,
                    "nullable": true, "x-kubernetes-validations": [{ "rule": "self != 2" }] } } },
        },
    });
    let definition = json!({ "spec": {
        "group": "example.com", "scope": "Cluster",
        "names": { "kind": "Garden", "plural": "gardens", "singular": "garden", "shortNames": ["gd"],
            "categories": ["all"] },
        "versions": [{ "name": "v1", "served": true, "storage": true, "deprecated": true,
            "schema": { "openAPIV3Schema": schema },
            "subresources": { "status": {}, "scale": { "specReplicasPath": ".spec.size" } },
            "selectableFields": [{ "jsonPath": ".spec.mode" }],
            "additionalPrinterColumns": [{ "name": "A|B", "jsonPath": ".spec.beds[?(@.name=='a')]", "priority": 1 }] }],
    } });
    let sample = |kind: &str| Sample {
        api_version: "example.com/v1".to_owned(),
        kind: kind.to_owned(),
        text: format!("kind: {kind}\n"),
    };
    let page = page(&definition, &[sample("Garden"), sample("Other")]);
    assert_eq!(file_name(&definition), "example.com_gardens.md");
    let page = page.strip_prefix(HEADER).expect("the header");
    assert_eq!(page, include_str!("garden.md"));
}

#[test]
fn values_and_places_cannot_be_taken_for_markdown() {
    assert_eq!(code("a`b``c"), "```a`b``c```");
    assert_eq!(code("`a"), "`` `a ``");
    assert_eq!(code("a\nb"), "`a b`");
    assert_eq!(markdown::fence("yaml", "```\n"), "````yaml\n```\n````");
    assert_eq!((cell("a|b\nc"), indented("a\n\n  b")), ("a\\|b c".to_owned(), "  a\n\n    b".to_owned()));
    let places = ["spec.a[].b{}", "spec.a-items.b{}", "spec.a.b{}", "spec.A[].b{}", "spec.ä"];
    let anchors: std::collections::BTreeSet<_> = places.iter().map(|place| anchor("v1", place)).collect();
    assert_eq!(anchors.len(), places.len(), "{anchors:?}");
    assert_eq!(anchor("v1", "spec.a[]"), "v1-spec-a-items");
}
