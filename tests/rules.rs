//! Rules in CEL against a real API server: the check reads and types them as it does.

mod common;

use std::collections::BTreeSet;

use common::cluster::Cluster;
use iris_scaffold::manifests::crd;
use serde_json::{Value, json};

/// The rules that the API server should accept, and those that it should refuse.
fn rules() -> Vec<(bool, &'static str)> {
    let lines = include_str!("data/shapes/rules.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| (line.starts_with('+'), &line[2..])).collect()
}

/// An object with a field of each type, all small enough for any rule to be cheap if `bounded`.
fn object(rule: &str, bounded: bool) -> Value {
    let mut object: Value = serde_json::from_str(include_str!("data/shapes/object.json")).expect("JSON");
    object["x-kubernetes-validations"] = json!([{ "rule": rule, "message": "no" }]);
    if !bounded {
        unbind(&mut object);
    }
    object
}

/// Takes all bounds away.
fn unbind(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, _| !key.starts_with("max"));
        map.values_mut().for_each(unbind);
    }
}

/// A definition with an object for each rule.
fn definition(rules: &[&str], bounded: bool) -> Value {
    let object = |(index, rule): (usize, &&str)| (format!("r{index}"), object(rule, bounded));
    let fields: serde_json::Map<String, Value> = rules.iter().enumerate().map(object).collect();
    crd::normalise(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "rules.example.com" },
        "spec": {
            "group": "example.com",
            "names": { "kind": "Rule", "plural": "rules" },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": { "spec": { "type": "object", "properties": fields } },
                } },
            }],
        },
    }))
}

/// The rules among `rules` that something said by somebody is about; `mark` comes before the number of one.
fn named<'a>(rules: &[&'a str], said: &str, mark: &str) -> BTreeSet<&'a str> {
    let numbers = said.split(mark).skip(1);
    let numbers =
        numbers.filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok());
    numbers.map(|number| rules[number]).collect()
}

/// The rules that are refused, by the check as by the API server.
fn refused<'a>(rules: &[&'a str], bounded: bool) -> BTreeSet<&'a str> {
    let crd = definition(rules, bounded);
    let checked = crd::validate(std::slice::from_ref(&crd)).expect_err("some are refused").to_string();
    let here = named(rules, &checked, "`Rule v1 .spec.r");
    let server = Cluster::shared().try_kubectl(&["create", "--dry-run=server", "-f", "-"], &crd.to_string());
    let server = server.expect_err("some are refused");
    let there = named(rules, &server, "properties[spec].properties[r");
    let lenient: Vec<_> = there.difference(&here).collect();
    let strict: Vec<_> = here.difference(&there).collect();
    assert!(
        lenient.is_empty() && strict.is_empty(),
        "bounds: {bounded}\nonly the API server refuses {lenient:#?}, only the check refuses {strict:#?}\n\
         {checked}\n{server}"
    );
    there
}

#[test]
fn the_check_and_the_api_server_agree_on_every_rule() {
    let all: Vec<&str> = rules().iter().map(|(_, rule)| *rule).collect();
    let there = refused(&all, true);
    for (accepted, rule) in rules() {
        assert_eq!(accepted, !there.contains(rule), "what the file says of `{rule}`");
    }
}

#[test]
fn the_check_and_the_api_server_agree_on_what_costs_too_much() {
    let right: Vec<&str> = rules().iter().filter(|(accepted, _)| *accepted).map(|(_, rule)| *rule).collect();
    let there = refused(&right, false);
    assert!(there.len() > 5 && right.len() - there.len() > 5, "{there:#?}");
}
