//! A library in a project is renewed only where the project has the versions of kube and the like that it asks for.

mod common;

use std::path::Path;
use std::process::Command;

use common::cluster::{run, target_environment};
use common::{Sandbox, copy, sha256, tree};

const KIND: [&str; 5] = ["create", "api", "--group=test", "--version=v1", "--kind=Other"];
const OLD: [(&str, &str); 2] =
    [("kube = { version = \"5.0\"", "kube = { version = \"4.0\""), ("\"0.29\"", "\"0.28\"")];

fn replace(sandbox: &Sandbox, path: &str, changes: &[(&str, &str)]) -> String {
    let text = sandbox.read(path);
    let other = changes.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
    assert_ne!(other, text, "{path}");
    sandbox.write(path, &other);
    text
}

/// As if an earlier version of the tool had written the libraries, which asked for earlier versions of crates.
fn with_earlier_libraries() -> Sandbox {
    let sandbox = Sandbox::with_iris();
    replace(&sandbox, "PROJECT", &[("cliVersion: 0.1.0\n", "cliVersion: 0.0.9\n")]);
    for library in ["runtime", "testing"] {
        let manifest = format!("{library}/Cargo.toml");
        let new = replace(&sandbox, &manifest, &OLD);
        let sums = [(&*sha256(&new), &*sha256(&sandbox.read(&manifest)))];
        replace(&sandbox, &format!("{library}/SHA256SUMS"), &sums);
    }
    sandbox
}

fn cargo(folder: &Path, args: &[&str]) -> Result<String, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).args(["--locked", "--offline"]).current_dir(folder).envs(target_environment());
    run(cargo, "")
}

#[test]
fn a_library_waits_until_the_project_has_its_versions() {
    let sandbox = with_earlier_libraries();
    let manifest = replace(&sandbox, "Cargo.toml", &OLD);
    let earlier = [("name = \"kube\"\nversion = \"5.0.0\"", "name = \"kube\"\nversion = \"5.0.0-rc.1\"")];
    let lock = replace(&sandbox, "Cargo.lock", &earlier);
    let before = tree(sandbox.path());
    let refused = |options: &[&str]| {
        let ran = sandbox.run(&[&KIND[..], options].concat()).code(1);
        assert_eq!(tree(sandbox.path()), before, "{options:?}");
        assert_eq!(ran.stdout, "", "{options:?}");
        ran.stderr
    };
    let error = refused(&[]);
    assert_eq!(
        error,
        "error: `Cargo.toml` asks for `kube` `4.0` in `[workspace.dependencies]`, and the new `runtime/` needs `5.0`\n\
         error: `Cargo.toml` asks for `k8s-openapi` `0.28` in `[workspace.dependencies]`, and the new `runtime/` needs `0.29`\n\
         \n\
         hint: write in `[workspace.dependencies]` of `Cargo.toml`: `kube = { version = \"5.0\", default-features = false }`\n\
         hint: write in `[workspace.dependencies]` of `Cargo.toml`: `k8s-openapi = { version = \"0.29\", \
         default-features = false, features = [\"schemars\", \"std\"] }`\n\
         hint: run `cargo update -p kube`\n\
         hint: then run this command again\n\
         hint: nothing was written\n"
    );
    for options in [["--dry-run"], ["--diff"], ["--on-conflict=overwrite"]] {
        assert_eq!(refused(&options), error);
    }

    // It would have been in vain.
    let ahead = Sandbox::with_iris();
    for path in ["Cargo.toml", "Cargo.lock"] {
        copy(sandbox.path(), ahead.path(), path);
    }
    cargo(ahead.path(), &["metadata", "--format-version=1"]).expect_err("two versions of kube");

    // The manifest is right, and the lock is not.
    sandbox.write("Cargo.toml", &manifest);
    let error = sandbox.run(&KIND).code(1).stderr;
    assert!(
        error.starts_with("error: `Cargo.lock` has `iris` built with `kube` `5.0.0-rc.1`, and the new"),
        "{error}"
    );
    assert!(error.contains("\nhint: run `cargo update -p kube`\n"), "{error}");

    sandbox.write("Cargo.lock", &lock);
    sandbox.run(&KIND).success();
    let runtime = sandbox.read("runtime/Cargo.toml");
    assert!(runtime.contains(OLD[0].0), "{runtime}");
    cargo(sandbox.path(), &["check", "--quiet", "--workspace"]).expect("it builds");
}

#[test]
fn a_library_that_stays_is_not_checked() {
    let sandbox = Sandbox::with_iris();
    replace(&sandbox, "Cargo.toml", &OLD);
    sandbox.run(&KIND).success();

    // Their manifests are the user's, with an older kube in them, and so are kept.
    for library in ["runtime", "testing"] {
        let new = replace(&sandbox, &format!("{library}/Cargo.toml"), &OLD);
        replace(&sandbox, &format!("{library}/SHA256SUMS"), &[(&sha256(&new), &sha256("another"))]);
    }
    let kind = [&KIND[..4], &["--kind=Third", "--on-conflict=keep"]].concat();
    sandbox.run(&kind).success();

    // What counts is the manifest that is there afterwards, also where other files of the library are renewed. Without a
    // lock there is none to compare.
    std::fs::remove_file(sandbox.path().join("Cargo.lock")).expect("removed");
    let earlier = "//! As an earlier version wrote it.\n";
    let new = replace(&sandbox, "runtime/src/health.rs", &[("//! ", "//! Once: ")]);
    sandbox.write("runtime/src/health.rs", earlier);
    replace(&sandbox, "runtime/SHA256SUMS", &[(&sha256(&new), &sha256(earlier))]);
    sandbox.run(&kind).success();
    assert_eq!(sandbox.read("runtime/src/health.rs"), new);
    let refused = sandbox.run(&[&kind[..5], &["--on-conflict=overwrite"]].concat()).code(1);
    assert!(refused.stderr.contains("asks for `kube` `4.0`"), "{}", refused.stderr);
}

#[test]
fn a_folder_that_comes_back_is_checked_and_a_new_project_is_not() {
    let sandbox = Sandbox::with_iris();
    replace(&sandbox, "Cargo.toml", &OLD);
    std::fs::remove_dir_all(sandbox.path().join("runtime")).expect("removed");
    let refused = sandbox.run(&KIND).code(1);
    assert!(refused.stderr.contains("asks for `kube` `4.0`"), "{}", refused.stderr);

    let other = Sandbox::new("iris");
    copy(sandbox.path(), other.path(), "Cargo.toml");
    other.run(&["init", "--domain=myardyas.club", "--on-conflict=keep"]).success();
}
