//! Scripts that stand in for cargo and for a project's `crdgen`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::json;

use super::{Ran, Sandbox};

/// Runs `manifests` with a `crdgen` of the given shell commands, which a stand-in for cargo names as what it built.
pub fn manifests(sandbox: &Sandbox, crdgen: &str) -> Ran {
    manifests_with(sandbox, crdgen, &[])
}

/// The same with options.
pub fn manifests_with(sandbox: &Sandbox, crdgen: &str, options: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let cargo = cargo_of(folder.path(), crdgen);
    with_cargo(sandbox, &cargo, options)
}

/// A stand-in for cargo, which names a `crdgen` of the given shell commands as what it built.
pub fn cargo_of(folder: &Path, crdgen: &str) -> PathBuf {
    let built = program(folder, "crdgen", crdgen);
    let message = json!({ "target": { "name": "crdgen" }, "executable": built });
    program(folder, "cargo", &format!("cat <<'END'\n{message}\nEND"))
}

/// Writes a program of the given shell commands.
pub fn program(folder: &Path, name: &str, commands: &str) -> PathBuf {
    let program = folder.join(name);
    std::fs::write(&program, format!("#!/bin/sh\n{commands}\n")).expect("a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    program
}

/// Runs `manifests` with a stand-in for cargo.
pub fn with_cargo(sandbox: &Sandbox, cargo: &Path, options: &[&str]) -> Ran {
    let output = Command::cargo_bin("iris-scaffold")
        .expect("the program")
        .arg("manifests")
        .args(options)
        .env("CARGO", cargo)
        .current_dir(sandbox.path())
        .output()
        .expect("a run");
    Ran::of(output)
}
