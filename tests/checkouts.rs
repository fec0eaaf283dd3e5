//! Projects as people find them: checked out on Windows, in a folder of somebody else's, or left by a killed command.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Sandbox, difference, snapshot, tree};

const WIDGET: [&str; 5] = ["create", "api", "--group=test", "--version=v1", "--kind=Widget"];
const CHECK: [&str; 3] = ["manifests", "--rbac-only", "--check"];

/// Every text file of the project with the line ends of Windows, as `core.autocrlf=true` checks it out.
fn check_out_on_windows(root: &Path) {
    for (name, content) in tree(root) {
        if let Ok(text) = String::from_utf8(content)
            && !name.ends_with('/')
        {
            fs::write(root.join(name), text.replace('\n', "\r\n")).expect("a file");
        }
    }
}

#[test]
fn line_ends_of_windows_change_nothing_and_stay() {
    let plain = Sandbox::with_iris();
    let windows = Sandbox::with_iris();
    check_out_on_windows(windows.path());
    let before = snapshot(windows.path());
    windows.run(&CHECK).success();
    let again = ["create", "api", "--group=test", "--version=v1alpha1", "--kind=Iris"];
    let ran = windows.run(&again).success();
    assert!(ran.stderr.contains("everything is as it should be"), "{}", ran.stderr);
    windows.run(&["init", "--domain=myardyas.club"]).success();
    assert!(difference(&before, &snapshot(windows.path())).is_empty());

    plain.run(&WIDGET).success();
    let ran = windows.run(&WIDGET).success();
    assert!(!ran.stderr.contains("Conflict"), "{}", ran.stderr);
    windows.run(&CHECK).success();
    let (expected, found) = (tree(plain.path()), tree(windows.path()));
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (name, text) in &found {
        let text = String::from_utf8_lossy(text);
        assert_eq!(text.replace("\r\n", "\n").as_bytes(), expected[name], "{name}");
        let is_mixed = text.contains("\r\n") && text.replace("\r\n", "").contains('\n');
        assert!(!is_mixed, "{name} has line ends of both kinds");
        let is_old = before.contains_key(Path::new(name));
        assert!(!is_old || text.contains("\r\n") || !text.contains('\n'), "{name} has lost its line ends");
    }
    // What was edited is still seen, and shown as it is.
    let mine = windows.read("src/controller/mod.rs").replace("//!", "//! mine:");
    windows.write("src/controller/mod.rs", &mine);
    let ran = windows.run(&["create", "api", "--group=test", "--version=v1", "--kind=Gadget"]).code(1);
    assert!(ran.stderr.contains("1 file would overwrite work that is not its own"), "{}", ran.stderr);
    let ran =
        windows.run(&["create", "api", "--group=test", "--version=v1", "--kind=Gadget", "--diff"]).success();
    assert!(ran.stdout.contains("\n-//! mine:"), "{}", ran.stdout);
}

#[test]
fn a_project_above_has_to_be_the_users_own() {
    let sandbox = Sandbox::with_project();
    if sandbox.path().metadata().expect("its owner").uid() != 0 {
        // Only root can give files away.
        return;
    }
    let inside = sandbox.path().join("src");
    let run = |folder: &Path, args: &[&str], sudo: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"));
        command.args(args).current_dir(folder).env_remove("SUDO_UID").stdin(Stdio::null());
        command.envs(sudo.map(|user| ("SUDO_UID", user)));
        let output = command.output().expect("a run");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    for file in ["PROJECT", ""] {
        let path = sandbox.path().join(file);
        chown(&path, Some(65534), None).expect("a gift");
        let before = snapshot(sandbox.path());
        for args in [&CHECK[..], &WIDGET] {
            let (status, error) = run(&inside, args, None);
            assert_eq!(status, Some(1), "{error}");
            assert!(
                error.contains("belongs to another user") && error.contains("hint: if you trust it"),
                "{error}"
            );
        }
        assert_eq!(run(&inside, &CHECK, Some("1000")).0, Some(1));
        assert!(difference(&before, &snapshot(sandbox.path())).is_empty());
        let root = sandbox.path().to_str().expect("text");
        for (folder, args, sudo) in [
            (sandbox.path(), &CHECK[..], None),
            (inside.as_path(), &[&["-C", root], &CHECK[..]].concat()[..], None),
            (inside.as_path(), &CHECK[..], Some("65534")),
        ] {
            let (status, error) = run(folder, args, sudo);
            assert_eq!(status, Some(0), "{error}");
        }
        chown(&path, Some(0), None).expect("a return");
    }
}

#[test]
fn a_command_that_reads_leaves_a_half_written_project_to_one_that_writes() {
    let mut found = 0;
    for round in 0..400 {
        let sandbox = Sandbox::with_project();
        let state = sandbox.path().parent().expect("a parent").join("state");
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"));
            command.args(args).current_dir(sandbox.path()).env("XDG_STATE_HOME", &state);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            command
        };
        let mut child = run(&WIDGET).stderr(Stdio::null()).spawn().expect("a run");
        // Kill it when it begins to place files: there is a staging folder then, and a new file in the project.
        let placing = sandbox.path().join("api/src/v1");
        while !placing.exists() && child.try_wait().expect("its status").is_none() {
            sleep(Duration::from_micros(100 + round));
        }
        child.kill().expect("a kill");
        child.wait().expect("an end");
        let before = snapshot(sandbox.path());
        let kept = snapshot(&state);
        let read = run(&[&WIDGET[..], &["--dry-run"]].concat()).output().expect("a run");
        let error = String::from_utf8(read.stderr).expect("text");
        assert!(difference(&before, &snapshot(sandbox.path())).is_empty());
        assert!(difference(&kept, &snapshot(&state)).is_empty());
        if read.status.code() == Some(0) {
            continue;
        }
        assert!(error.contains("is half written: an earlier command was killed"), "{error}");
        for args in [
            &["manifests", "--rbac-only", "--stdout"][..],
            &CHECK,
            &["init", "--domain=myardyas.club", "--diff"],
        ] {
            assert_eq!(run(args).status().expect("a run").code(), Some(1), "{args:?}");
        }
        assert!(difference(&before, &snapshot(sandbox.path())).is_empty());
        let mended = run(&["manifests", "--rbac-only"]).output().expect("a run");
        let said = String::from_utf8(mended.stderr).expect("text");
        assert!(said.contains("finished what an earlier command was killed in"), "{said}");
        assert!(sandbox.read("PROJECT").contains("kind: Widget"));
        assert!(tree(&state).keys().all(|name| name.ends_with('/')), "{:?}", tree(&state).keys());
        assert!(!sandbox.path().join(".iris-scaffold").exists());
        found += 1;
        if found == 3 {
            return;
        }
    }
    panic!("killed too early or too late, {found} of 3 times at the right moment");
}
