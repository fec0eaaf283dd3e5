//! Definitions that no Rust type gives, against a real API server. The list and what the check says of it are tested
//! with the check itself; here its signs are held to the truth.

mod common;

use std::fmt::Write as _;

use common::cluster::Cluster;
use serde_json::Value;

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
