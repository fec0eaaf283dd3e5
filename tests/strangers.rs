//! What a stranger's repository may hold: whatever it is, the program answers soon, with one clear error or none.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Ran, Sandbox, difference, snapshot};

const MANIFESTS: [&str; 2] = ["manifests", "--rbac-only"];

/// Runs a command, which has to end soon.
fn ran(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let begin = Instant::now();
    let ran = sandbox.run(args);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(60), "{args:?} took {took:?}");
    assert!(ran.stderr.len() < 50_000 && !ran.stderr.contains("panicked"), "{}", ran.stderr.len());
    ran
}

/// The one error of a command that changes nothing.
fn refused(sandbox: &Sandbox, args: &[&str]) -> String {
    let before = snapshot(sandbox.path());
    let ran = ran(sandbox, args).code(1);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert!(difference(&before, &snapshot(sandbox.path())).is_empty());
    ran.stderr
}

#[test]
fn no_manifest_takes_for_ever() {
    let sandbox = Sandbox::with_project();
    let head = "kind: CustomResourceDefinition\n";
    for (line, tail) in [
        (2, "[".repeat(200_000)),
        (2, "a: ".to_owned() + &"{a: ".repeat(200_000)),
        (2, "- ".repeat(200_000)),
        (2, format!("a: {}1{}", "[".repeat(200), "]".repeat(200))),
        (3, format!("a: &a [{}]\nb: [{}]\n", "a, ".repeat(20_000), "*a, ".repeat(20_000))),
    ] {
        sandbox.write("config/crd/bad.yaml", &format!("{head}{tail}"));
        let ran = ran(&sandbox, &MANIFESTS);
        if ran.status != Some(0) {
            assert!(ran.stderr.contains("`config/crd/bad.yaml:"), "{line}: {}", ran.stderr);
            assert!(ran.stderr.contains("hint: mend the file"), "{}", ran.stderr);
        }
    }
    // A large one is read.
    let description = "      - \"a [list, of {brackets\"\n".repeat(50_000);
    sandbox.write("config/crd/bad.yaml", &format!("{head}spec:\n  group: a.b\n  list:\n{description}"));
    ran(&sandbox, &MANIFESTS).success();
}

#[test]
fn no_marker_takes_for_ever() {
    let sandbox = Sandbox::with_project();
    let start = "// +kubebuilder:rbac:groups=";
    for text in [
        format!("{start}{},resources=a,verbs=get\n", "a".repeat(8 << 20)),
        format!("{start}apps,resources=oops,verbs=get\n").repeat(200_000),
        format!("{start}apps,resources=deployments,verbs=get\n").repeat(200_000),
    ] {
        sandbox.write("src/bad.rs", &text);
        let error = refused(&sandbox, &MANIFESTS);
        assert!(error.contains("`src/bad.rs:"), "{error}");
    }
}

#[test]
fn no_folder_leads_out_or_to_git() {
    let sandbox = Sandbox::with_project();
    fs::rename(sandbox.path().join("config"), sandbox.path().join("kept")).expect("a move");
    fs::create_dir_all(sandbox.path().join(".git/hooks")).expect("git's folder");
    for target in ["/", ".git/hooks", "/proc"] {
        symlink(target, sandbox.path().join("config")).expect("a link");
        for args in [&MANIFESTS[..], &["create", "api", "--group=a", "--version=v1", "--kind=A"]] {
            let ran = ran(&sandbox, args).code(1);
            assert!(
                ran.stderr.contains("config") && ran.stderr.contains("symbolic link"),
                "{target}: {}",
                ran.stderr
            );
        }
        fs::remove_file(sandbox.path().join("config")).expect("no link");
        assert_eq!(fs::read_dir(sandbox.path().join(".git/hooks")).expect("git's folder").count(), 0);
    }
    sandbox.write("config", "a file");
    let error = refused(&sandbox, &MANIFESTS);
    assert!(error.contains("`config` is a file"), "{error}");
}

#[test]
fn no_licence_is_waited_for() {
    let sandbox = Sandbox::new("iris");
    let pipe = sandbox.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("a pipe").success());
    for file in ["pipe", "/dev/zero", "/dev/stdin", ".", "none", "/proc/kmsg", "/proc/self/environ"] {
        if file.starts_with('/') && !Path::new(file).exists() {
            continue;
        }
        let ran = ran(&sandbox, &["init", "--domain=a.b", "--license-file", file]);
        assert!(ran.status == Some(2) && ran.stderr.contains(file), "{file}: {}", ran.stderr);
    }
}

#[test]
fn what_is_not_known_in_project_stays_what_it_is() {
    let sandbox = Sandbox::with_project();
    let more = "  other/v1:\n    'on': 'yes'\n    list: ['off', '1e3', 0x1F, ~, 1e-7, !mine x, '12:30', 18446744073709551615]\n";
    let text = sandbox.read("PROJECT");
    let text = format!("{}plugins:\n{more}version: \"3\"\n", text.replace("version: \"3\"\n", ""));
    sandbox.write("PROJECT", &text);
    ran(&sandbox, &["create", "api", "--group=a", "--version=v1", "--kind=A"]).success();
    let written = sandbox.read("PROJECT");
    for kept in [
        "'on': 'yes'",
        "- 'off'",
        "- '1e3'",
        "- 31",
        "- null",
        "- 1.0e-07",
        "- !mine x",
        "- '12:30'",
        "- 18446744073709551615",
    ] {
        assert!(written.contains(&format!("{kept}\n")), "{kept}: {written}");
    }
}

#[test]
fn keys_that_are_numbers_do_not_take_for_ever() {
    let sandbox = Sandbox::with_project();
    let keys: String = (0..100_000).map(|number| format!("    {number}.5: b\n")).collect();
    let project = sandbox.read("PROJECT");
    let kustomization = sandbox.read("config/crd/kustomization.yaml");
    let add = ["create", "api", "--group=test", "--version=v1", "--kind=Widget", "--dry-run"];
    sandbox.write("config/crd/kustomization.yaml", &format!("{kustomization}\nmore:\n{keys}"));
    sandbox.run(&add).success();
    let floats: String = (0..40_000).map(|number| format!("    {number}.5: b\n")).collect();
    sandbox.write("PROJECT", &format!("{project}plugins:\n  a/v1:\n{floats}"));
    let error = sandbox.run(&add).code(1).stderr;
    assert!(error.contains("more fractions than in any project's file"), "{error}");
}
