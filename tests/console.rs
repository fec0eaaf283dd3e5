//! What a terminal is given: nothing from files, names or arguments that controls it or forges a line; and what a
//! program is given: every byte.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use anstream::adapter::strip_str;
use common::Sandbox;
use common::stand_in::{manifests, manifests_with};
use common::terminal::run_on_a_terminal;
use serde_json::{Value, json};

/// Colours, a title, another direction, a hidden character, and a line that is not ours.
const HOSTILE: &str =
    "x\u{1b}[31m\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\u{200b}\nhint: run this\rerror: and that";

/// The same as it is shown.
const SHOWN: &str =
    "x\\u{1b}[31m\\u{1b}]0;title\\u{7}\\u{9b}2J\\u{202e}\\u{200b}\\nhint: run this\\rerror: and that";

fn iris_scaffold(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("iris-scaffold"));
    command.args(args).current_dir(sandbox.path());
    command
}

/// Checks that a text has only styles of ours and no line that somebody else wrote.
#[track_caller]
fn assert_harmless(text: &str) {
    let plain = strip_str(text).to_string();
    let styles = text.matches('\u{1b}').count();
    let ours = text.matches("\u{1b}[").count() - text.matches("\u{1b}[2J").count();
    assert_eq!(styles, ours, "{text:?}");
    let hostile = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!plain.contains(hostile), "{text:?}");
    let forged = |line: &str| line.starts_with("hint: run this") || line.starts_with("error: and that");
    assert!(!plain.lines().any(forged), "{text}");
}

#[test]
fn names_do_not_control_and_forge_nothing() {
    let sandbox = Sandbox::with_project();
    let exact = format!("--against={HOSTILE}");
    for args in [
        &["-C", HOSTILE, "manifests"][..],
        &["init", "--license-file", HOSTILE, "--domain", "example.com"],
        &["init", "--domain", HOSTILE],
        &["manifests", exact.as_str()],
    ] {
        for color in ["auto", "always"] {
            let args = [args, &["--color", color]].concat();
            let ran = sandbox.run(&args);
            assert_ne!(ran.status, Some(0), "{args:?}");
            assert_harmless(&ran.stderr);
            assert!(ran.stderr.contains(&SHOWN[..20]), "{args:?}: {}", ran.stderr);
            let seen = run_on_a_terminal(iris_scaffold(&sandbox, &args), "");
            assert_harmless(&seen.text);
        }
    }
    let ran = sandbox.run(&["-C", HOSTILE, "manifests", "--format", "json"]);
    let error: Value = serde_json::from_str(&ran.stderr).expect("JSON");
    assert!(error["error"]["message"].as_str().is_some_and(|message| message.contains(SHOWN)), "{error}");
}

#[test]
fn a_command_line_that_is_refused_does_not_control() {
    let sandbox = Sandbox::new("iris");
    let long = format!("--{HOSTILE}");
    for args in [&["init", &long][..], &["--format", HOSTILE, "init"], &[HOSTILE], &["completion", HOSTILE]] {
        let ran = sandbox.run(args).code(2);
        assert_harmless(&ran.stderr);
        assert!(ran.stderr.contains("x\\u{1b}[31m"), "{}", ran.stderr);
        let seen = run_on_a_terminal(iris_scaffold(&sandbox, args), "");
        assert_harmless(&seen.text);
        assert!(seen.text.contains("\u{1b}[1m"), "clap's own styles stay: {:?}", seen.text);
        let ran = sandbox.run(&[&["--format=json"], args].concat()).code(2);
        if !args.contains(&"--format") {
            serde_json::from_str::<Value>(&ran.stderr).expect("JSON");
        }
        assert_harmless(&ran.stderr);
    }
}

#[test]
fn what_clap_says_has_the_colours_that_are_asked_for() {
    let sandbox = Sandbox::with_project();
    for args in [&["manifests", "--check", "--stdout"][..], &["--help"], &["create", "api", "--no-such-flag"]]
    {
        for (color, styled) in [("--color=never", false), ("--color=always", true)] {
            let args = [args, &[color]].concat();
            let seen = run_on_a_terminal(iris_scaffold(&sandbox, &args), "").text;
            assert_eq!(seen.contains('\u{1b}'), styled, "{args:?}: {seen}");
            let ran = sandbox.run(&args);
            assert_eq!(format!("{}{}", ran.stdout, ran.stderr).contains('\u{1b}'), styled, "{args:?}");
        }
    }
    let split = ["manifests", "--color", "never", "--no-such-flag"];
    let seen = run_on_a_terminal(iris_scaffold(&sandbox, &split), "").text;
    assert!(!seen.contains('\u{1b}'), "{seen}");
}

#[test]
fn a_diff_is_exact_for_git_and_harmless_on_a_terminal() {
    let sandbox = Sandbox::with_iris();
    let path = "config/rbac/role.yaml";
    let wanted = sandbox.read(path);
    sandbox.write(path, &format!("# {HOSTILE}\r\n#\te\u{301}\r\n{}", wanted.replacen('\n', "\r\n", 2)));
    let args = ["manifests", "--rbac-only", "--check"];
    for color in ["auto", "always"] {
        let args = [&args[..], &["--color", color]].concat();
        let seen = run_on_a_terminal(iris_scaffold(&sandbox, &args), "");
        assert_eq!(seen.status, Some(1));
        assert_harmless(&seen.text.replace("\r\n", "\n").replace('\t', " "));
        assert!(seen.text.contains("-# x\\u{1b}[31m") && seen.text.contains("-#\te\u{301}"), "{}", seen.text);
    }
    let ran = sandbox.run(&args).code(1);
    assert!(ran.stdout.contains(HOSTILE.split('\n').next().unwrap_or_default()), "{:?}", ran.stdout);
    let json = sandbox.run(&[&args[..], &["--format", "json"]].concat()).code(1);
    assert_harmless(&json.stdout);
    let value: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["diff"].as_str().map(str::trim_end), Some(ran.stdout.trim_end()));

    let mut git = Command::new("git");
    git.args(["apply", "--whitespace=nowarn", "-"]).current_dir(sandbox.path()).stdin(Stdio::piped());
    let mut git = git.spawn().expect("git");
    std::io::Write::write_all(&mut git.stdin.take().expect("a pipe"), ran.stdout.as_bytes()).expect("given");
    assert!(git.wait().expect("an end").success());
    assert_eq!(sandbox.read(path), wanted);
}

#[test]
fn what_definitions_say_forges_nothing() {
    let sandbox = Sandbox::with_iris();
    let path = "config/crd/bases/test.myardyas.club_iris.yaml";
    let mut iris: Value = serde_yaml::from_str(&sandbox.read(path)).expect("YAML");
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    iris.pointer_mut(spec).expect("fields")[HOSTILE] =
        json!({ "type": "array", "items": [{ "type": "string" }] });
    sandbox.write("iris.json", &iris.to_string());
    let ran = manifests(&sandbox, "cat iris.json").code(1);
    assert_harmless(&ran.stderr);
    assert!(ran.stderr.contains(SHOWN), "{}", ran.stderr);

    iris.pointer_mut(spec).expect("fields")[HOSTILE] = json!({ "type": "string", "description": HOSTILE });
    sandbox.write("iris.json", &iris.to_string());
    let ran = manifests_with(&sandbox, "cat iris.json", &["--stdout", "--crds-only", "--format=json"]);
    assert_harmless(&ran.stdout);
    let ran =
        manifests_with(&sandbox, "printf 'thread main\\n\\033[2J\\nx' >&2; echo '{\"\\033[2J'", &[]).code(1);
    assert_harmless(&ran.stderr);
}

#[test]
fn the_way_to_a_strange_place_is_one_harmless_word() {
    let sandbox = Sandbox::new("iris");
    let args = ["init", HOSTILE, "--domain", "example.com", "--project-name", "iris"];
    let ran = sandbox.run(&args).success();
    assert_harmless(&ran.stderr);
    let way = ran.stderr.lines().find_map(|line| line.strip_prefix("  cd ")).expect("a way");
    assert!(way.starts_with("$'x\\033[31m"), "{way}");
    let mut shell = Command::new("bash");
    let shell = shell.args(["-c", &format!("cd {way} && pwd -P")]).current_dir(sandbox.path()).output();
    let there = shell.expect("a shell").stdout;
    assert_eq!(there.strip_suffix(b"\n"), Some(sandbox.path().join(HOSTILE).as_os_str().as_bytes()));

    let bytes = OsStr::from_bytes(b"none\xff\x1b");
    let ran = sandbox.run(&[OsStr::new("-C"), bytes, OsStr::new("manifests")]).code(1);
    assert!(ran.stderr.contains("none\\xff\\u{1b}`"), "{}", ran.stderr);
}

#[test]
fn a_question_about_a_file_is_asked_on_a_terminal() {
    let sandbox = Sandbox::with_project();
    let text = sandbox.read("Makefile");
    sandbox.write("Makefile", &format!("{text}# \u{1b}[2J\u{202e}\n"));
    let args = ["create", "api", "--group", "test", "--version", "v1alpha1", "--kind", "Iris"];
    let seen = run_on_a_terminal(iris_scaffold(&sandbox, &args), "d\nq\n");
    assert_harmless(&seen.text);
    if seen.text.contains("overwrite?") {
        assert!(seen.text.contains("# \\u{1b}[2J\\u{202e}"), "{}", seen.text);
    }
}
