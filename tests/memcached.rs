//! `examples/memcached`, an operator written by hand on a scaffolded project, as its owner would build and test it: two
//! groups, three kinds of children in order, watches of what the user made, a finalizer, metrics.
//! `BLESS=1 cargo test --test memcached` renews the tool's files in it.
//!
//! `examples/memcached-go` is the same operator on controller-runtime: it passes the same test, and
//! `docs/for-kubebuilder-users.md` says how long the two are.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::cluster::{self, run, target};
use common::{Sandbox, copy, tree};

/// What the user of the example has run.
const COMMANDS: [&str; 3] = [
    "init --domain example.com --project-name memcached --multigroup",
    "create api --group cache --version v1alpha1 --kind Memcached --template blank",
    "create api --group ops --version v1alpha1 --kind Restart --template blank",
];

/// What the owner of the example has written; all else is as the commands have left it.
const HIS: [&str; 10] = [
    "api/src/cache/v1alpha1/memcached.rs",
    "api/src/ops/v1alpha1/restart.rs",
    "config/crd/bases/",
    "config/rbac/role.yaml",
    "config/samples/",
    "src/controller/cache/memcached",
    "src/controller/ops/restart",
    "tests/cache_memcached.rs",
    "tests/faults.rs",
    "tests/simulation.rs",
];

/// What cargo, make and the tool leave there.
const NOT_OURS: [&str; 3] = ["target/", "bin/", "dist/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_example_is_up_to_date_and_passes_its_tests_as_does_its_twin_in_go() {
    let example = root().join("examples/memcached");
    let sandbox = Sandbox::new("memcached");
    for path in tree(&example).keys().filter(|path| !NOT_OURS.iter().any(|folder| path.starts_with(folder))) {
        copy(&example, sandbox.path(), path);
    }
    let scaffold = |sandbox: &Sandbox| {
        for command in COMMANDS {
            sandbox.run(&command.split_whitespace().collect::<Vec<_>>()).success();
        }
    };
    let blesses = std::env::var_os("BLESS").is_some();
    let fresh = Sandbox::new("memcached");
    scaffold(&fresh);
    let before = tree(sandbox.path());
    let untouched =
        tree(fresh.path()).into_iter().filter(|(path, _)| !HIS.iter().any(|his| path.starts_with(his)));
    let differing: Vec<_> = untouched.filter(|(path, text)| before.get(path) != Some(text)).collect();
    let differing: Vec<_> = differing.iter().map(|(path, _)| path).collect();
    if blesses {
        for path in differing {
            copy(fresh.path(), &example, path);
            copy(fresh.path(), sandbox.path(), path);
        }
    } else {
        assert!(
            differing.is_empty(),
            "renew the example with `BLESS=1 cargo test --test memcached`: {differing:?}"
        );
    }
    let before = tree(sandbox.path());
    scaffold(&sandbox);
    assert_eq!(tree(sandbox.path()), before, "the commands again change nothing");

    let checked = cluster::manifests(sandbox.path(), &["--check", "--docs=docs/api"]);
    checked.unwrap_or_else(|error| panic!("the manifests are not what the sources say:\n{error}"));
    for args in [
        &["fmt", "--all", "--check"][..],
        &["clippy", "--quiet", "--locked", "--all-targets", "--", "-D", "warnings"],
        &["test", "--quiet", "--locked"],
    ] {
        let mut cargo = cluster::cargo(sandbox.path());
        cargo.args(args);
        run(cargo, "").unwrap_or_else(|error| panic!("cargo {args:?}:\n{error}"));
    }
    the_twin_in_go_passes_the_same_test(sandbox.path());
}

/// Runs the test that has been compiled for the example against the one in Go.
fn the_twin_in_go_passes_the_same_test(example: &Path) {
    let program = target().join("memcached-go");
    let mut build = Command::new("go");
    // What is required is in go.mod and go.sum, and nothing is added.
    build.args(["build", "-mod=readonly", "-o"]).arg(&program).arg("./cmd");
    build.current_dir(root().join("examples/memcached-go"));
    run(build, "").unwrap_or_else(|error| panic!("the twin is not built:\n{error}"));
    let mut test = cluster::cargo(example);
    test.args(["test", "--quiet", "--locked", "--test", "cache_memcached"]).env("OPERATOR_BIN", &program);
    run(test, "").unwrap_or_else(|error| panic!("the twin does not do the same:\n{error}"));
}

/// What of the two is compared: the page's words, and the files in Rust and in Go.
const PARTS: [(&str, &str, &str); 3] = [
    (
        "`Memcached`: watches and reconcile",
        "src/controller/cache/memcached.rs",
        "internal/controller/cache/memcached_controller.go",
    ),
    (
        "`Memcached`: what is desired, as functions",
        "src/controller/cache/memcached/resources.rs",
        "internal/controller/cache/memcached_resources.go",
    ),
    (
        "`Restart`: watches and reconcile",
        "src/controller/ops/restart.rs",
        "internal/controller/ops/restart_controller.go",
    ),
];
/// No line of the two is longer, a tab being four columns.
const WIDTH: usize = 120;

#[test]
fn the_page_says_how_long_the_two_are() {
    let [rust, go] = ["memcached", "memcached-go"].map(|name| root().join("examples").join(name));
    let found: usize = [(&rust, "src/controller", "rs"), (&go, "internal/controller", "go")]
        .map(|(project, folder, extension)| sources(&project.join(folder), extension))
        .iter()
        .map(Vec::len)
        .sum();
    assert_eq!(found, 2 * PARTS.len(), "every controller is counted");

    let mut table = "| lines | Rust | Go |\n|---|---|---|\n".to_owned();
    let (mut together, mut imports) = ([0; 2], [0; 2]);
    for (words, in_rust, in_go) in PARTS {
        let counts = [rust.join(in_rust), go.join(in_go)].map(|path| count(&path));
        for (at, (lines, imported)) in counts.into_iter().enumerate() {
            together[at] += lines;
            imports[at] += imported;
        }
        let _ = writeln!(table, "| {words} | {} | {} |", counts[0].0, counts[1].0);
    }
    let _ = writeln!(table, "| together | {} | {} |", together[0], together[1]);
    let _ = writeln!(table, "| of these, imports | {} | {} |", imports[0], imports[1]);
    let page = fs::read_to_string(root().join("docs/for-kubebuilder-users.md")).expect("the page");
    assert!(page.contains(&table), "docs/for-kubebuilder-users.md should say:\n\n{table}");
    let without = [0, 1].map(|at| together[at] - imports[at]);
    assert!(together[0] < together[1] && without[0] < without[1], "the page calls the one in Rust shorter");
}

/// The files with this extension below a folder, but not the tool's lists of modules and no tests.
fn sources(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if path.is_dir() {
            found.extend(sources(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension)
            && name != "mod.rs"
            && !name.ends_with("_test.go")
        {
            found.push(path);
        }
    }
    found
}

/// How many lines of a file are neither blank nor comments, and how many of these are imports.
fn count(path: &Path) -> (usize, usize) {
    let text = fs::read_to_string(path).expect("a source");
    assert!(!text.contains("/*"), "{}: comments are lines", path.display());
    let (mut lines, mut imports, mut end) = (0, 0, None);
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")) {
        let width = line.replace('\t', "    ").chars().count();
        assert!(width <= WIDTH, "{}: {width} columns: {line}", path.display());
        lines += 1;
        if end.is_none() {
            end = [("use ", ";"), ("import (", ")")].into_iter().find(|(begin, _)| line.starts_with(begin));
        }
        if let Some((_, last)) = end {
            imports += 1;
            if line.ends_with(last) {
                end = None;
            }
        }
    }
    (lines, imports)
}
