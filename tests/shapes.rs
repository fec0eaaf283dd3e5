//! Shapes of Rust types against a real API server: what the check passes is accepted without a warning, and what it
//! refuses is refused.
//!
//! `tests/data/shapes` has a kind for each shape, `tests/data/shapes/verdicts.txt` what the check says of it; `BLESS=1`
//! renews that file.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use common::cluster::{Cluster, run, target_environment};
use iris_scaffold::manifests::crd;
use serde_json::Value;

/// What the API server takes and the check refuses, because it does not do what it says.
const STRICTER: &[(&str, &str)] = &[
    ("AnyOfUnknownField", "a condition on a field that is dropped before"),
    ("BoundsCrossed", "no value is possible"),
    ("ColumnUnclosed", "kubectl shows no column"),
    ("ColumnUnknownField", "the column stays empty"),
    ("EnumEmpty", "the enum is dropped, and every value is possible"),
    ("EnumTwice", "two variants of one name"),
    ("EnumWrongType", "no value is possible"),
    ("FormatOnInteger", WARNS),
    ("NotServed", "nobody can use the kind"),
    ("ScaledMissingField", "`kubectl scale` fails"),
    ("ScaledWrongType", "`kubectl scale` fails"),
    ("SetDefaultTwice", "an object with the default is refused"),
    ("SetOfAtomicObjects", WARNS),
    ("SetOfLists", WARNS),
    ("UnknownFormat", WARNS),
];

const WARNS: &str = "the API server warns";

/// A shape and what `crd()` made of it.
struct Shape {
    name: String,
    crd: Value,
}

/// Every shape, and those that `crd()` panicked on.
fn shapes() -> (Vec<Shape>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = format!(
        "[package]\nname = \"shapes\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [[bin]]\nname = \"shapes\"\npath = '{}'\n\n\
         [dependencies]\nk8s-openapi = {{ version = \"0.29\", default-features = false, features = [\"schemars\", \
         \"std\", \"v1_37\"] }}\nkube = {{ version = \"5.0\", default-features = false, features = [\"derive\"] }}\n\
         schemars = \"1\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\n[workspace]\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package.\"*\"]\ndebug = false\n",
        root.join("tests/data/shapes/main.rs").display()
    );
    std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a manifest");
    // The versions that generated projects have.
    std::fs::copy(root.join("examples/iris/Cargo.lock"), folder.path().join("Cargo.lock"))
        .expect("a lock file");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet"]).current_dir(folder.path()).envs(target_environment());
    let output = run(cargo, "").expect("the shapes");
    let (mut shapes, mut panics) = (Vec::new(), Vec::new());
    for line in output.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let name = line["shape"].as_str().expect("a name").to_owned();
        if line["crd"].is_object() {
            shapes.push(Shape { name, crd: line["crd"].clone() });
        } else {
            panics.push(name);
        }
    }
    (shapes, panics)
}

/// The canonical definition, if the check passes it, or else what the check says.
fn checked(crd: &Value) -> Result<Value, Vec<String>> {
    let lines =
        |error: iris_scaffold::Error| error.to_string().lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    let definitions = crd::from_crdgen(&crd.to_string()).map_err(lines)?;
    crd::validate(&definitions).map_err(lines)?;
    Ok(definitions.into_iter().next().expect("a definition"))
}

/// The names of the definitions that the API server would create, and all that kubectl says.
fn accepted<'a>(crds: impl IntoIterator<Item = &'a Value>) -> (BTreeSet<String>, String) {
    let stream = crds.into_iter().fold(String::new(), |stream, crd| format!("{stream}{crd}\n---\n"));
    let said = Cluster::shared().try_kubectl(&["create", "--dry-run=server", "-f", "-"], &stream);
    let said = said.unwrap_or_else(|error| error);
    let name = |line: &str| {
        let created = line.strip_suffix(" created (server dry run)")?;
        Some(created.strip_prefix("customresourcedefinition.apiextensions.k8s.io/")?.to_owned())
    };
    (said.lines().filter_map(name).collect(), said)
}

fn name(crd: &Value) -> &str {
    crd["metadata"]["name"].as_str().expect("a name")
}

#[test]
fn the_check_and_the_api_server_agree_on_every_shape() {
    let (shapes, panics) = shapes();
    let (mut passed, mut refused) = (BTreeMap::new(), BTreeMap::new());
    let mut verdicts = String::new();
    for shape in shapes {
        match checked(&shape.crd) {
            Ok(definition) => {
                let _ = writeln!(verdicts, "{}: passed", shape.name);
                passed.insert(shape.name, definition);
            }
            Err(problems) => {
                let _ = writeln!(verdicts, "{}:\n  {}", shape.name, problems.join("\n  "));
                refused.insert(shape.name, crd::normalise(shape.crd));
            }
        }
    }
    let _ = writeln!(verdicts, "no definition, because kube-derive panics: {}", panics.join(", "));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shapes/verdicts.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &verdicts).expect("written");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(known, verdicts, "the verdicts changed; BLESS=1 renews them");

    let (created, said) = accepted(passed.values());
    let not: Vec<&String> =
        passed.iter().filter(|(_, crd)| !created.contains(name(crd))).map(|(shape, _)| shape).collect();
    assert!(not.is_empty(), "the check passes {not:?}, but the API server does not:\n{said}");
    assert!(!said.contains("Warning:"), "the check passes what the API server warns of:\n{said}");

    let (created, said) = accepted(refused.values());
    let warnings = said.lines().filter(|line| line.starts_with("Warning:")).count();
    assert_eq!(warnings, STRICTER.iter().filter(|(_, why)| *why == WARNS).count(), "{said}");
    let anyway: Vec<&str> = refused
        .iter()
        .filter(|(_, crd)| created.contains(name(crd)))
        .map(|(shape, _)| shape.as_str())
        .collect();
    let expected: Vec<&str> = STRICTER.iter().map(|(shape, _)| *shape).collect();
    assert_eq!(anyway, expected, "shapes that only the check refuses:\n{said}");
}
