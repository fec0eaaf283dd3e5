//! The manager's image, as far as that can be told without a container tool.
#![cfg(unix)]

mod common;

use std::fs;

use common::Sandbox;
use common::image::{instructions, prepare};

#[test]
fn what_the_image_is_built_from_is_all_that_cargo_needs() {
    let sandbox = Sandbox::with_iris();
    prepare(sandbox.path()).expect("all is there");
}

/// The README says how.
#[test]
fn a_further_member_of_the_workspace_is_let_in_by_name() {
    let sandbox = Sandbox::with_iris();
    let member = sandbox.path().join("crates/pigments");
    fs::create_dir_all(member.join("src")).expect("a folder");
    sandbox.write("crates/pigments/src/lib.rs", "//! Colours.\n");
    let manifest = "[package]\nname = \"pigments\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    sandbox.write("crates/pigments/Cargo.toml", manifest);
    let root = sandbox.read("Cargo.toml");
    sandbox.write("Cargo.toml", &root.replace("members = [\"api\"]", "members = [\"api\", \"crates/*\"]"));
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1"]).current_dir(sandbox.path());
    common::cluster::run(cargo, "").expect("the lock has it");
    let missing = prepare(sandbox.path()).expect_err("it is not let in");
    assert!(missing.contains("crates/*"), "{missing}");

    let readme = sandbox.read("README.md");
    let line = readme.split('`').find(|word| word.starts_with('!')).expect("the README says what to add");
    assert_eq!(line, "!crates");
    let rules = sandbox.read(".dockerignore");
    let before = rules.find("**/target").expect("the last rules");
    sandbox.write(".dockerignore", &format!("{}{line}\n{}", &rules[..before], &rules[before..]));
    let metadata = prepare(sandbox.path()).expect("all is there");
    assert!(metadata.contains("\"name\":\"pigments\""));
}

#[test]
fn the_image_trusts_whom_the_builder_trusts() {
    const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
    let sandbox = Sandbox::with_project();
    let instructions = instructions(sandbox.path());
    let last = instructions.iter().rposition(|line| line.starts_with("FROM ")).expect("a stage");
    let copied = format!("COPY --from=build {CERTIFICATES} {CERTIFICATES}");
    assert!(instructions[last..].contains(&copied), "{instructions:#?}");
    let installs = |line: &String| line.contains("apt-get install") && line.contains(" ca-certificates ");
    assert!(instructions[..last].iter().any(installs), "{instructions:#?}");
}
