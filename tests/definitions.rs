//! Definitions that no Rust type gives, against a real API server. The list and what the check says of it are tested
//! with the check itself; here its signs are held to the truth.

mod common;

use std::fmt::Write as _;

use common::cluster::Cluster;
use iris_scaffold::manifests::crd;
use serde_json::{Value, json};

#[test]
fn the_api_server_does_what_the_list_says() {
    let base: Value = serde_json::from_str(include_str!("data/shapes/definition.json")).expect("JSON");
    let mut stream = String::new();
    let mut lines = Vec::new();
    for line in include_str!("data/shapes/definitions.txt").lines().filter(|line| !line.starts_with('#')) {
        let (place, value) = line[2..].split_once(' ').expect("a place and a value");
        let place = place.replacen('~', "/spec/versions/0/schema/openAPIV3Schema/properties/spec", 1);
        let (parent, key) = place.rsplit_once('/').expect("a pointer");
        // Each has a name of its own, so that kubectl's lines tell them apart.
        let plural = format!("bases{}", lines.len());
        let mut crd = base.clone();
        crd["spec"]["names"]["plural"] = plural.clone().into();
        crd["metadata"]["name"] = format!("{plural}.example.com").into();
        crd.pointer_mut(parent).expect("a place")[key] = serde_json::from_str(value).expect(value);
        let _ = write!(stream, "{crd}\n---\n");
        lines.push((line, format!("/{plural}.example.com created (server dry run)")));
    }
    let said = Cluster::shared().try_kubectl(&["create", "--dry-run=server", "-f", "-"], &stream);
    let said = said.unwrap_or_else(|error| error);
    let created = |mark: &String| said.lines().any(|line| line.ends_with(mark.as_str()));
    let wrong: Vec<&str> = lines
        .iter()
        .filter(|(line, mark)| created(mark) == line.starts_with('-'))
        .map(|(line, _)| *line)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{said}");
}

#[test]
fn the_api_server_knows_formats_as_the_list_says() {
    let base: Value = serde_json::from_str(include_str!("data/shapes/definition.json")).expect("JSON");
    let (mut stream, mut lines) = (String::new(), Vec::new());
    for line in include_str!("data/formats.txt").lines().filter(|line| !line.starts_with('#')) {
        let (format, text) = line[2..].split_once(' ').expect("a format and a text");
        let text: Value = serde_json::from_str(text).expect(line);
        let plural = format!("formats{}", lines.len());
        let mut crd = base.clone();
        crd["spec"]["names"]["plural"] = plural.clone().into();
        crd["metadata"]["name"] = format!("{plural}.example.com").into();
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] =
            json!({ "type": "string", "format": format, "default": text });
        let _ = write!(stream, "{crd}\n---\n");
        lines.push((line, format!("/{plural}.example.com created (server dry run)")));
    }
    let said = Cluster::shared().try_kubectl(&["create", "--dry-run=server", "-f", "-"], &stream);
    let said = said.unwrap_or_else(|error| error);
    let created = |mark: &String| said.lines().any(|line| line.ends_with(mark.as_str()));
    let wrong: Vec<&str> = lines
        .iter()
        .filter(|(line, mark)| created(mark) == line.starts_with('-'))
        .map(|(line, _)| *line)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{said}");
}

#[test]
fn the_api_server_does_not_serve_kinds_that_share_a_name() {
    let cluster = Cluster::shared();
    for (number, [own, other]) in [
        [json!({ "shortNames": ["x"] }), json!({ "shortNames": ["x"] })],
        [json!({ "shortNames": ["seconds"] }), json!({})],
        [json!({}), json!({ "listKind": "First" })],
    ]
    .into_iter()
    .enumerate()
    {
        let base: Value = serde_json::from_str(include_str!("data/shapes/definition.json")).expect("JSON");
        let named = |kind: &str, names: &Value| {
            let (mut crd, singular) = (base.clone(), kind.to_lowercase());
            let group = format!("clash{number}.example.com");
            let list = format!("{kind}List");
            crd["metadata"]["name"] = format!("{singular}s.{group}").into();
            crd["spec"]["group"] = group.into();
            crd["spec"]["names"] = json!({ "kind": kind, "listKind": list, "plural": format!("{singular}s"), "singular": singular });
            crd["spec"]["names"]
                .as_object_mut()
                .expect("names")
                .extend(names.as_object().expect("names").clone());
            crd
        };
        let (first, second) = (named("First", &own), named("Second", &other));
        let refused =
            crd::from_crdgen(&format!("{first}{second}")).expect_err("they share a name").to_string();
        assert!(refused.contains("are both called"), "{refused}");
        for crd in [&first, &second] {
            cluster.apply(&crd.to_string(), &[]);
            let name = format!("crd/{}", crd["metadata"]["name"].as_str().expect("a name"));
            let accepted = if crd == &first { "True" } else { "False" };
            let condition = format!("--for=condition=NamesAccepted={accepted}");
            cluster.kubectl(&["wait", &condition, &name, "--timeout=60s"]);
        }
    }
}
