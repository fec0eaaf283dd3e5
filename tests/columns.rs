//! Printer columns against a real API server: which it takes, and what it shows in a table of objects, as `kubectl get`
//! prints it. The list, and what the check says of it, is tested with the check itself; here its signs and values are
//! held to the truth.

mod common;

use common::cluster::Cluster;
use serde_json::{Value, json};

/// A line of the list.
struct Case {
    sign: char,
    column: Value,
    /// What is shown; `*` when that changes with time.
    shown: String,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("data/columns/paths.txt").lines().filter(|line| !line.starts_with('#'));
    let case = |(number, line): (usize, &str)| {
        let (line, shown) = line.rsplit_once(" => ").unwrap_or((line, ""));
        let mut parts = line.splitn(3, ' ');
        let sign = parts.next().and_then(|sign| sign.chars().next()).expect("a sign");
        let [kind, path] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
        let column = json!({ "name": format!("C{number}"), "type": kind, "jsonPath": path });
        Case { sign, column, shown: shown.to_owned() }
    };
    lines.enumerate().map(case).collect()
}

fn definition() -> Value {
    serde_json::from_str(include_str!("data/columns/definition.json")).expect("JSON")
}

#[test]
fn the_api_server_shows_what_the_list_says() {
    let cluster = Cluster::shared();
    let (refused, taken): (Vec<Case>, Vec<Case>) = cases().into_iter().partition(|case| case.sign == '-');
    for case in &refused {
        let mut crd = definition();
        crd["spec"]["versions"][0]["additionalPrinterColumns"] = json!([case.column]);
        let said = cluster.try_kubectl(&["create", "--dry-run=server", "-f", "-"], &crd.to_string());
        let error = said.expect_err(&case.column.to_string());
        assert!(error.contains("additionalPrinterColumns"), "{}: {error}", case.column);
    }

    // Those that can be read are columns of one version. Each of the others has a version of its own, because the API
    // server shows nothing of it, nor of the column after it.
    let (hidden, shown): (Vec<Case>, Vec<Case>) = taken.into_iter().partition(|case| case.sign == '?');
    let mut crd = definition();
    let versions = crd["spec"]["versions"].as_array_mut().expect("versions");
    let mut first = versions.remove(0);
    first["additionalPrinterColumns"] = shown.iter().map(|case| case.column.clone()).collect();
    versions.push(first.clone());
    for (number, case) in hidden.iter().enumerate() {
        let column = |name: &str| json!({ "name": name, "type": "string", "jsonPath": ".spec.mode" });
        let mut version = first.clone();
        version["name"] = json!(format!("v1alpha{}", number + 1));
        version["storage"] = json!(false);
        version["additionalPrinterColumns"] = json!([column("Before"), case.column, column("After")]);
        versions.push(version);
    }
    cluster.define(&crd.to_string());
    let object = include_str!("data/columns/object.json");
    cluster.try_kubectl(&["create", "-f", "-"], object).expect("the object");

    let table = |version: &str| {
        let path = format!("/apis/columns.example.com/{version}/namespaces/default/columns/one");
        cluster.table(&path)
    };
    let names = |table: &Value| -> Vec<String> {
        let columns = table["columnDefinitions"].as_array().expect("columns");
        columns.iter().map(|column| column["name"].as_str().expect("a name").to_owned()).collect()
    };
    let all = table("v1");
    assert_eq!(names(&all).len(), shown.len() + 1, "and the name of the object");
    let mut wrong = Vec::new();
    for (case, cell) in shown.iter().zip(all["rows"][0]["cells"].as_array().expect("cells").iter().skip(1)) {
        let right = match case.shown.as_str() {
            "*" => cell.as_str().is_some_and(|text| !text.is_empty() && text != "<invalid>"),
            text => serde_json::from_str::<Value>(text).is_ok_and(|shown| shown == *cell),
        };
        if !right || (['0', '!'].contains(&case.sign) != cell.is_null() && !case.shown.contains("null")) {
            wrong.push(format!("{} shows {cell}, not {}", case.column, case.shown));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (number, case) in hidden.iter().enumerate() {
        let table = table(&format!("v1alpha{}", number + 1));
        assert_eq!(names(&table), ["Name", "Before"], "{}", case.column);
    }
}
