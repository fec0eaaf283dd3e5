//! `docs/markers.md`, row by row: what the Rust column says is compiled, and what the last column says comes out.

mod common;

use std::fmt::Write as _;
use std::process::Command;

use common::cluster::{Cluster, cargo, run, target_environment};
use common::{Ran, Sandbox};
use serde_json::{Value, json};

/// A row whose second and third cells are code.
struct Row {
    code: String,
    expected: Value,
}

/// The rows below a heading, of which so many have words in place of code.
fn rows(heading: &str, columns: [usize; 2], words: usize) -> Vec<Row> {
    let page = include_str!("../docs/markers.md");
    let (_, after) = page.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = after.split("\n## ").next().unwrap_or(after);
    let table = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let lines = table.clone().count();
    let rows: Vec<Row> = table
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [code, expected] = columns.map(|column| {
                let code = cells[column].strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
                code.filter(|code| !code.contains('`')).map(|code| code.replace("\\|", "|"))
            });
            let expected = expected?.replace(": A widget.", ": \"A widget.\"");
            let expected = serde_yaml::from_str(&expected).unwrap_or_else(|error| panic!("{line}: {error}"));
            Some(Row { code: code?, expected })
        })
        .collect();
    assert!(rows.len() >= 4, "{heading} has {} rows", rows.len());
    assert_eq!(lines - rows.len(), words, "rows below {heading} that are not compiled");
    rows
}

/// The attributes at the beginning, and what follows them.
fn attributes(code: &str) -> (&str, &str) {
    let mut end = 0;
    while code[end..].starts_with("#[") {
        let mut depth = 0;
        let closing = code[end..].char_indices().find(|(_, c)| {
            depth += match c {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            depth == 0 && *c == ']'
        });
        end += closing.expect("a bracket that closes").0 + 1;
        end += code[end..].len() - code[end..].trim_start().len();
    }
    code.split_at(end)
}

const DERIVE: &str = "#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize)]\n";

/// Whether `seen` has all that `expected` has.
fn holds(expected: &Value, seen: &Value) -> bool {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => {
            expected.iter().all(|(key, value)| seen.get(key).is_some_and(|seen| holds(value, seen)))
        }
        (Value::Array(expected), Value::Array(seen)) => {
            expected.len() == seen.len() && expected.iter().zip(seen).all(|(a, b)| holds(a, b))
        }
        _ => expected == seen,
    }
}

/// What the page says belongs at the top of the file.
fn imports() -> &'static str {
    let page = include_str!("../docs/markers.md");
    let (_, after) = page.split_once("```rust\n").expect("the imports");
    after.split("```").next().unwrap_or(after)
}

/// The types that the tables are about: `.spec.fields` has a field for each row of the first, `.spec` one for each of the
/// second and third, and the kind has the attributes of the last.
fn types(fields: &[Row], structs: &[Row], own: &[Row], kind: &[Row]) -> String {
    let (mut declared, mut listed, mut nested) = (String::new(), String::new(), String::new());
    for (number, row) in fields.iter().enumerate() {
        let (attributes, kind) = attributes(&row.code);
        let mut kind = kind.to_owned();
        if let Some(variants) = kind.strip_prefix("enum") {
            let _ = writeln!(
                declared,
                "{}pub enum E{number} {variants}",
                DERIVE.replace("KubeSchema", "JsonSchema")
            );
            kind = format!("E{number}");
        }
        let _ = writeln!(listed, "    {attributes}\n    pub f{number}: {kind},");
    }
    for (number, row) in structs.iter().enumerate() {
        let (attributes, body) = attributes(&row.code);
        let body = body.replace("{ ", "{ pub ").replace(", ", ", pub ");
        // What kube's derive makes of such a struct does not compile.
        let derive = if attributes.contains("serde(default)") {
            DERIVE.replace("KubeSchema", "JsonSchema, Default")
        } else {
            DERIVE.to_owned()
        };
        let _ = writeln!(declared, "{derive}{attributes}\npub struct S{number} {body}");
        let _ = writeln!(nested, "    pub s{number}: Option<S{number}>,");
    }
    for (number, row) in own.iter().enumerate() {
        let (attributes, body) = attributes(&row.code);
        let (keyword, body) = body.split_once(' ').expect("a keyword and a body");
        let (name, body) = (format!("T{number}"), body.replace("{ a:", "{ pub a:"));
        let end = if body.starts_with('(') { ";" } else { "" };
        let derive = DERIVE.replace("KubeSchema", "JsonSchema");
        let _ = writeln!(declared, "{derive}{attributes}\npub {keyword} {name} {body}{end}");
        let _ = writeln!(nested, "    pub t{number}: Option<{name}>,");
    }
    let kube = kind.iter().filter_map(|row| row.code.strip_prefix("#[kube(")?.strip_suffix(")]"));
    let kube: Vec<&str> = kube.collect();
    let kube = kube.join(",\n    ");
    format!(
        "//! The rows of the tables.
{}
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]
#[kube({kube})]
pub struct WidgetSpec {{
    pub mode: String,
    pub replicas: i32,
    pub fields: Option<Fields>,
{nested}}}

{DERIVE}pub struct WidgetStatus {{
    pub replicas: i32,
    pub selector: Option<String>,
}}

{DERIVE}pub struct Fields {{
{listed}}}

{declared}",
        imports()
    )
}

fn project() -> Sandbox {
    let sandbox = Sandbox::new("markers");
    sandbox.run(&["init", "--domain=example.com"]).success();
    let api = ["create", "api", "--group=test", "--version=v1", "--kind=Widget", "--template=blank"];
    sandbox.run(&api).success();
    sandbox
}

/// Runs `manifests` where all generated projects are compiled.
fn manifests(sandbox: &Sandbox, option: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"));
    command.args(["manifests", option]).current_dir(sandbox.path()).envs(target_environment());
    let output = command.output().expect("a run");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() }.success()
}

/// Lints the types as `make lint` does, but for their formatting.
fn lint(sandbox: &Sandbox) {
    let mut clippy = cargo(sandbox.path());
    clippy.args(["clippy", "--quiet", "--package=markers-api", "--all-targets", "--all-features"]);
    clippy.args(["--", "--deny=warnings"]);
    run(clippy, "").unwrap_or_else(|error| panic!("a row does not pass `make lint`:\n{error}"));
}

#[test]
fn attributes_give_what_the_tables_say() {
    let (fields, structs) = (rows("On a field", [1, 2], 0), rows("On a struct", [1, 2], 0));
    let (own, kind) = (rows("On a type of its own", [1, 2], 0), rows("On the kind", [1, 2], 3));
    let sandbox = project();
    sandbox.write("api/src/v1/widget.rs", &types(&fields, &structs, &own, &kind));
    manifests(&sandbox, "--crds-only");
    lint(&sandbox);
    let text = sandbox.read("config/crd/bases/test.example.com_widgets.yaml");
    let definition: Value = serde_yaml::from_str(&text).expect("YAML");
    let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    for (number, row) in fields.iter().enumerate() {
        let seen = &spec["properties"]["fields"]["properties"][format!("f{number}")];
        assert!(holds(&row.expected, seen), "{}\n{seen:#}", row.code);
    }
    for (number, row) in structs.iter().enumerate() {
        let seen = &spec["properties"][format!("s{number}")];
        assert!(holds(&row.expected, seen), "{}\n{seen:#}", row.code);
    }
    for (number, row) in own.iter().enumerate() {
        let seen = &spec["properties"][format!("t{number}")];
        assert!(holds(&row.expected, seen), "{}\n{seen:#}", row.code);
    }
    for row in &kind {
        assert!(holds(&row.expected, &definition["spec"]), "{}\n{text}", row.code);
    }
    rules_hold(&text, &structs);
}

/// What the functions of `rules.rs` mean: code in its row, the object before if any, the object after, and whether the API
/// server takes it.
fn rules_hold(definition: &str, structs: &[Row]) {
    let cluster = Cluster::start();
    cluster.define(definition);
    let immutable = "rules::immutable([\"a\"]))] { a: Option";
    let (none, x, y) = (json!({}), json!({ "a": "x" }), json!({ "a": "y" }));
    let (one, two) = (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }));
    for (code, before, after, taken) in [
        ("rules::immutable([\"a\"]))] { a: String", Some(&x), &x, true),
        ("rules::immutable([\"a\"]))] { a: String", Some(&x), &y, false),
        (immutable, Some(&x), &x, true),
        (immutable, Some(&none), &none, true),
        (immutable, Some(&x), &y, false),
        (immutable, Some(&x), &none, false),
        (immutable, Some(&none), &x, false),
        ("rules::set_once", Some(&none), &x, true),
        ("rules::set_once", Some(&x), &x, true),
        ("rules::set_once", Some(&x), &y, false),
        ("rules::set_once", Some(&x), &none, false),
        ("rules::at_most_one_of", None, &none, true),
        ("rules::at_most_one_of", None, &one, true),
        ("rules::at_most_one_of", None, &two, false),
        ("rules::exactly_one_of", None, &none, false),
        ("rules::exactly_one_of", None, &one, true),
        ("rules::exactly_one_of", None, &two, false),
        ("rules::at_least_one_of", None, &none, false),
        ("rules::at_least_one_of", None, &one, true),
        ("rules::at_least_one_of", None, &two, true),
        ("rules::non_empty", None, &none, false),
        ("rules::non_empty", None, &one, true),
        ("extend(\"default\" = {})", None, &one, true),
    ] {
        let number = structs.iter().position(|row| row.code.contains(code)).expect("a row");
        let object = |value: &Value| {
            json!({
                "apiVersion": "test.example.com/v1",
                "kind": "Widget",
                "metadata": { "name": "it" },
                "spec": { "mode": "a", "replicas": 1, format!("s{number}"): value },
            })
            .to_string()
        };
        cluster.kubectl(&["delete", "widget", "it", "--ignore-not-found"]);
        if let Some(before) = before {
            cluster.try_kubectl(&["create", "-f", "-"], &object(before)).expect("the object before");
        }
        let verb = if before.is_some() { "replace" } else { "create" };
        let result = cluster.try_kubectl(&[verb, "-f", "-"], &object(after));
        assert_eq!(result.is_ok(), taken, "{code}: {before:?} to {after}: {result:?}");
    }
}

#[test]
fn comments_give_the_rules_that_the_table_says() {
    let sandbox = project();
    let rules = rows("Roles", [0, 1], 0);
    let comments: Vec<&str> = rules.iter().map(|row| row.code.as_str()).collect();
    sandbox.write("src/controller/extra.rs", &comments.join("\n"));
    manifests(&sandbox, "--rbac-only");
    let role: Value = serde_yaml::from_str(&sandbox.read("config/rbac/role.yaml")).expect("YAML");
    for row in &rules {
        let seen = role["rules"].as_array().expect("rules");
        assert!(seen.contains(&row.expected), "{}\n{role:#}", row.code);
    }
}

#[test]
fn the_compiled_rules_are_documented() {
    let page = include_str!("../docs/markers.md");
    let code = include_str!("../templates/project/api/src/rules.rs.j2");
    for function in code.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
        let name = function.split(['<', '(']).next().unwrap_or(function);
        assert!(page.contains(&format!("rules::{name}")), "{name}");
    }
}
