//! What a further version of a kind begins with.

use std::fs;

use super::super::create_api::tests::{project, read, run};
use super::renamed;

const WIDGET: [&str; 6] =
    ["create", "api", "--group=app", "--version=v1", "--kind=Widget", "--template=blank"];
const WIDGET_V2: [&str; 5] = ["create", "api", "--group=app", "--version=v2", "--kind=Widget"];

#[test]
fn a_further_version_begins_with_what_the_stored_one_has() {
    let folder = project();
    run(&folder, &WIDGET);
    let file = |path: &str| folder.path().join("app").join(path);
    let types = read(&folder, "api/src/v1/widget.rs");
    let field = "    /// A size.\n    #[serde(default)]\n    pub size: super::Size,\n}\n\n/// What the operator observed.";
    let types = types.replace("    // Fields go here: describe each with a doc comment, then run `make manifests`.\n}\n\n/// What the operator observed.", field);
    assert!(types.contains("pub size"), "{types}");
    let types = format!("{types}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n}}\n");
    fs::write(file("api/src/v1/widget.rs"), &types).expect("a file");
    let sample = read(&folder, "config/samples/app_v1_widget.yaml").replace("spec: {}", "spec:\n  size: 3");
    fs::write(file("config/samples/app_v1_widget.yaml"), &sample).expect("a file");
    // As `manifests` would write it.
    let crd = read(&folder, "config/crd/bases/app.example.com_widgets.yaml");
    let (before, after) = crd.split_once("          spec:\n").expect("a spec");
    let (spec, after) = after.split_once("            type: object\n").expect("its type");
    let size = "            properties:\n              size:\n                type: integer\n";
    let changed = format!("{before}          spec:\n{spec}{size}            type: object\n{after}");
    fs::write(file("config/crd/bases/app.example.com_widgets.yaml"), &changed).expect("a file");

    run(&folder, &WIDGET_V2);
    let copied = read(&folder, "api/src/v2/widget.rs");
    let expected = types
        .replace("    version = \"v1\",\n", "    version = \"v2\",\n    storage = false,\n")
        .replace("version `v1` of", "version `v2` of")
        .replace("size: super::Size", "size: crate::v1::Size");
    assert_eq!(copied, expected);
    assert!(copied.contains("    use super::*;\n"), "that is the module of the file itself");
    let of_v2 = read(&folder, "config/samples/app_v2_widget.yaml");
    assert_eq!(of_v2, sample.replace("app.example.com/v1", "app.example.com/v2"));
    let crd = read(&folder, "config/crd/bases/app.example.com_widgets.yaml");
    assert_eq!(crd.matches("              size:\n").count(), 2, "{crd}");
    assert_eq!(crd.matches("storage: false").count(), 1, "{crd}");
    assert!(read(&folder, "api/src/v1/widget.rs") == types, "what is there stays");
}

#[test]
fn a_further_version_is_made_from_the_same_template() {
    let folder = project();
    run(&folder, &WIDGET);
    run(&folder, &WIDGET_V2);
    let types = read(&folder, "api/src/v2/widget.rs");
    let expected = read(&folder, "api/src/v1/widget.rs")
        .replace("    namespaced,\n", "    namespaced,\n    storage = false,\n")
        .replace("\"v1\"", "\"v2\"")
        .replace("`v1`", "`v2`");
    assert_eq!(types, expected);
    let crd = read(&folder, "config/crd/bases/app.example.com_widgets.yaml");
    let crd = crate::yaml::one(&crd).expect("YAML");
    assert_eq!(crate::manifests::crd::differences(&crd).losses, []);
}

#[test]
fn storage_is_said_once() {
    let one_line = "#[kube(kind = \"A\", version = \"v1\", storage = true)]\nstruct ASpec;\n";
    let other = "#[kube(kind = \"A\", version = \"v1\")]\nstruct ASpec;\n#[kube(kind = \"B\", version = \"v1\")]\nstruct B;\n";
    for (text, expected) in [
        (one_line, one_line.replace("v1", "v2").replace("true", "false")),
        (other, other.replacen("\"v1\"", "\"v2\", storage = false", 1)),
    ] {
        assert_eq!(renamed(text, "A", ["v1", "v2"], "crate::v1"), Some(expected));
    }
}
