//! `examples/memcached`, an operator written by hand on a scaffolded project, as its owner would build and test it: two
//! groups, three kinds of children in order, watches of what the user made, a finalizer, metrics.
//! `BLESS=1 cargo test --test memcached` renews the tool's files in it.

mod common;

use std::path::Path;
use std::process::Command;

use common::cluster::{self, run, target};
use common::{Sandbox, copy, tree};

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
    for path in tree(&example).keys().filter(|path| !NOT_OURS.iter().any(|folder| path.starts_with(folder))) {
        copy(&example, sandbox.path(), path);
    }
    let blesses = std::env::var_os("BLESS").is_some();
    let before = tree(sandbox.path());
    for command in COMMANDS {
        let overwrite = blesses.then_some("--on-conflict=overwrite");
        let args: Vec<_> = command.split_whitespace().chain(overwrite).collect();
        sandbox.run(&args).success();
    }
    let after = tree(sandbox.path());
    let differing: Vec<_> = after.iter().filter(|(path, text)| before.get(*path) != Some(text)).collect();
    let differing: Vec<_> = differing.into_iter().map(|(path, _)| path).collect();
    if blesses {
        for path in differing {
            copy(sandbox.path(), &example, path);
        }
    } else {
        assert!(
            differing.is_empty(),
            "renew the example with `BLESS=1 cargo test --test memcached`: {differing:?}"
        );
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
