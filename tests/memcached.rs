//! `examples/memcached`, an operator written by hand on a scaffolded project, as its owner would build and test it: two
//! groups, three kinds of children in order, watches of what the user made, a finalizer, metrics.
//! `BLESS=1 cargo test --test memcached` renews the tool's files in it.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::cluster::{self, run, target};
use common::{Sandbox, tree};

/// What the user of the example has run.
const COMMANDS: [&str; 3] = [
    "init --domain example.com --project-name memcached --multigroup",
    "create api --group cache --version v1alpha1 --kind Memcached --template blank",
    "create api --group ops --version v1alpha1 --kind Restart --template blank",
];

/// What cargo, make and the tool leave there.
const NOT_OURS: [&str; 3] = ["target/", "bin/", "dist/"];

#[test]
fn the_example_is_up_to_date_and_passes_its_tests() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/memcached");
    let sandbox = Sandbox::new("memcached");
    for (path, content) in tree(&example) {
        let at = sandbox.path().join(&path);
        if NOT_OURS.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        if path.ends_with('/') {
            fs::create_dir_all(at).expect("a folder");
        } else {
            fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
            fs::write(at, content).expect("a file");
        }
    }
    let before = tree(sandbox.path());
    for command in COMMANDS {
        let mut args: Vec<_> = command.split_whitespace().collect();
        if std::env::var_os("BLESS").is_some() {
            args.push("--on-conflict=overwrite");
        }
        sandbox.run(&args).success();
    }
    if std::env::var_os("BLESS").is_some() {
        for (path, content) in tree(sandbox.path()) {
            if before.get(&path) != Some(&content) && !path.ends_with('/') {
                let at = example.join(&path);
                fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
                fs::write(at, content).expect("a file");
            }
        }
    } else {
        let differing: Vec<_> =
            tree(sandbox.path()).into_iter().filter(|(path, text)| before.get(path) != Some(text)).collect();
        let names: Vec<_> = differing.iter().map(|(path, _)| path).collect();
        assert!(names.is_empty(), "renew the example with `BLESS=1 cargo test --test memcached`: {names:?}");
    }

    let mut manifests = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"));
    manifests.args(["manifests", "--check"]).current_dir(sandbox.path()).env("CARGO_TARGET_DIR", target());
    run(manifests, "").unwrap_or_else(|error| panic!("the manifests are not what the sources say:\n{error}"));
    for args in [
        &["fmt", "--all", "--check"][..],
        &["clippy", "--quiet", "--locked", "--all-targets", "--", "-D", "warnings"],
        &["test", "--quiet", "--locked", "--test", "cache_memcached", "--test", "permissions"],
    ] {
        let mut cargo = cluster::cargo(sandbox.path());
        cargo.args(args);
        run(cargo, "").unwrap_or_else(|error| panic!("cargo {args:?}:\n{error}"));
    }
}
