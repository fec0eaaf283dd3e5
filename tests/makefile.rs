//! The generated Makefile: every target in directories with awkward names, and the checksums of what it fetches.
//! Programs that are not needed for real are stand-ins that record how they were called.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::cluster::{programs, target_environment};
use common::{Sandbox, tree};

/// A stand-in: writes its name and arguments to the file that RECORD names.
const RECORDS: &str =
    r#"{ printf '%s' "${0##*/}"; for word; do printf ' <%s>' "$word"; done; echo; } >> "$RECORD""#;
/// A stand-in for cargo: tests tell where they look for a control plane, and what is installed is a copy of it.
const CARGO: &str = r#"case $1 in
test) echo "in <$KUBEBUILDER_ASSETS>" >> "$RECORD" ;;
install) mkdir -p "$4/bin" && cp "$0" "$4/bin/cargo-deny" ;;
esac"#;
/// The cluster of `tests/e2e.sh`, where everything is as it should be.
const KUBECTL: &str = r#"case "$*" in
*'-o name'*) echo iris.test.example.com/iris ;;
*Ready*status*) echo True ;;
*'create token'*) echo token ;;
esac"#;
const CURL: &str =
    r#"case "$*" in *http_code*) echo 401 ;; *) echo 'controller_runtime_reconcile_total 1' ;; esac"#;

/// A project in a directory of a name that shells and make take apart, beside one with the start of that name.
struct Project {
    _sandbox: Sandbox,
    path: PathBuf,
    tools: PathBuf,
    record: PathBuf,
}

impl Project {
    fn new(name: &str) -> Self {
        let sandbox = Sandbox::new("my dir");
        let around = sandbox.path().parent().expect("a parent");
        fs::create_dir(around.join("my")).expect("a folder");
        let path = sandbox.path().join(name);
        fs::create_dir(&path).expect("a folder");
        let at = format!("./{name}");
        sandbox.run(&["-C", &at, "init", "--domain=example.com", "--project-name=iris"]).success();
        sandbox.run(&["-C", &at, "create", "api", "--group=test", "--version=v1", "--kind=Iris"]).success();
        let (tools, record) = (around.join("my tools"), around.join("record"));
        fs::create_dir(&tools).expect("a folder");
        Self { _sandbox: sandbox, path, tools, record }
    }

    /// A program of the given shell commands, which records its calls.
    fn tool(&self, name: &str, commands: &str) {
        executable(&self.tools.join(name), &format!("{RECORDS}\n{commands}"));
    }

    /// Runs make; what it prints, and whether it succeeds.
    fn try_make(&self, arguments: &[&str]) -> (String, bool) {
        let path = std::env::var("PATH").expect("PATH");
        let output = Command::new("make")
            .arg("--no-print-directory")
            .args(arguments)
            .current_dir(&self.path)
            .env("PATH", format!("{}:{path}", self.tools.display()))
            .env("RECORD", &self.record)
            .envs(target_environment())
            .env_remove("KUBEBUILDER_ASSETS")
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&text).into_owned(), output.status.success())
    }

    fn make(&self, arguments: &[&str]) -> String {
        let (text, passed) = self.try_make(arguments);
        assert!(passed, "make {arguments:?} in {}:\n{text}", self.path.display());
        text
    }

    /// What the stand-ins recorded since the last call.
    fn recorded(&self) -> String {
        let text = fs::read_to_string(&self.record).unwrap_or_default();
        let _ = fs::remove_file(&self.record);
        text
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

fn executable(path: &Path, commands: &str) {
    fs::write(path, format!("#!/bin/sh\n{commands}\n")).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// Every target but those that compile, which have a test of their own.
fn every_target(name: &str) {
    let project = Project::new(name);
    project.tool("cargo", CARGO);
    project.tool("docker", "");
    project.tool("kind", "");
    project.tool("iris-scaffold", "");
    let real = programs().join("kubectl");
    project.tool("kubectl", &format!("case $1 in kustomize) exec '{}' \"$@\" ;; esac", real.display()));

    // Without a kustomize of its own, then with one in bin, which is asked by its path.
    for own in [false, true] {
        if own {
            fs::create_dir_all(project.path.join("bin")).expect("a folder");
            symlink(programs().join("kustomize"), project.path.join("bin/kustomize")).expect("a link");
        }
        let asks =
            |folder: &str| if own { String::new() } else { format!("kubectl <kustomize> <{folder}>\n") };
        let none = "KUSTOMIZE=";
        let kustomize: &[&str] = if own { &[] } else { &[none] };
        let make = |arguments: &[&str]| project.make(&[arguments, kustomize].concat());
        project.recorded();
        make(&["build-installer", "IMG=example.com/iris:1"]);
        let manifests = "iris-scaffold <manifests>\n";
        assert_eq!(project.recorded(), format!("{manifests}{}", asks("bin/overlay")), "{name}");
        let installer = project.read("dist/install.yaml");
        assert!(installer.contains("image: example.com/iris:1\n"), "{installer}");
        make(&["install"]);
        let apply = "kubectl <apply> <--server-side> <--force-conflicts> <-f>";
        let expected = format!("{manifests}{}{apply} <bin/crds.yaml>\n", asks("config/crd"));
        assert_eq!(project.recorded(), expected, "{name}");
        assert!(project.read("bin/crds.yaml").contains("name: iris.test.example.com\n"));
        make(&["deploy"]);
        let expected = format!("{manifests}{}{apply} <bin/deploy.yaml>\n", asks("bin/overlay"));
        assert_eq!(project.recorded(), expected, "{name}");
        for (undo, folder, file) in
            [("uninstall", "config/crd", "crds"), ("undeploy", "bin/overlay", "deploy")]
        {
            make(&[undo]);
            let delete = format!("kubectl <delete> <--ignore-not-found=false> <-f> <bin/{file}.yaml>\n");
            assert_eq!(project.recorded(), format!("{}{delete}", asks(folder)), "{name}");
        }
    }

    for (call, expected) in [
        ("docker-build", "docker <build> <-t> <controller:latest> <.>\n"),
        ("docker-push", "docker <push> <controller:latest>\n"),
        (
            "docker-buildx",
            "docker <buildx> <inspect> <iris-builder>\ndocker <buildx> <build> <--builder> <iris-builder> <--platform> \
             <linux/amd64,linux/arm64> <--push> <-t> <controller:latest> <.>\n",
        ),
        ("cleanup-test-e2e", "kind <delete> <cluster> <--name> <iris-test-e2e>\n"),
        ("manifests", "iris-scaffold <manifests>\n"),
        ("generate", "iris-scaffold <manifests>\n"),
        ("fmt", "cargo <fmt> <--all>\n"),
        ("all", "cargo <build>\n"),
        (
            "run",
            "cargo <run> <--> <--metrics-bind-address=127.0.0.1:8080> <--metrics-secure=false> \
         <--health-probe-bind-address=127.0.0.1:8081>\n",
        ),
        ("vet", "cargo <clippy> <--workspace> <--all-targets> <--all-features>\n"),
        (
            "lint",
            "cargo <fmt> <--all> <--check>\n\
             cargo <clippy> <--workspace> <--all-targets> <--all-features> <--> <-D> <warnings>\n",
        ),
        (
            "lint-fix",
            "cargo <clippy> <--workspace> <--all-targets> <--all-features> <--fix> <--allow-dirty> <--allow-staged>\n\
             cargo <fmt> <--all>\n",
        ),
    ] {
        project.make(&[call]);
        assert_eq!(project.recorded(), expected, "make {call} in {name}");
    }
    assert!(project.make(&["help"]).contains("\n  deny               Check licences"));
    let served = Served::new("1.37.0");
    tools(&project, &served, &[], &project.path.join("bin"));
    // The same with the tools elsewhere; make wants `$` doubled.
    let elsewhere = project.path.parent().expect("a parent").join("its (bin) & 'more' $x");
    let local = format!("LOCALBIN={}", elsewhere.display().to_string().replace('$', "$$"));
    tools(&project, &served, &[&local], &elsewhere);
}

/// What is kept in the folder of tools.
fn tools(project: &Project, served: &Served, local: &[&str], bin: &Path) {
    let make = |arguments: &[&str]| project.make(&[arguments, local].concat());
    let bin = bin.display();
    let version = deny_version();
    let root = format!("{bin}/cargo-deny-{version}");
    let install = format!("cargo <install> <--locked> <--root> <{root}> <cargo-deny@{version}>\n");
    let check = "cargo-deny <--locked> <check> <--hide-inclusion-graph>\n";
    for expected in [format!("{install}{check}"), check.to_owned()] {
        make(&["deny"]);
        assert_eq!(project.recorded(), expected);
    }
    let (url, platform) = (format!("ENVTEST_URL={}", served.url("1.37.0")), "ENVTEST_PLATFORM=linux-amd64");
    make(&["setup-envtest", &url, platform]);
    assert_eq!(project.recorded(), "");
    for (target, call) in [("test", "test> <--workspace"), ("test-faults", "test> <--test> <faults")] {
        make(&[target, platform]);
        let expected = format!("cargo <{call}>\nin <{bin}/k8s/1.37.0-linux-amd64>\n");
        assert!(project.recorded().ends_with(&expected), "{expected}");
        make(&[target, "KUBEBUILDER_ASSETS=/my 'own'"]);
        assert!(project.recorded().ends_with(&format!("cargo <{call}>\nin </my 'own'>\n")));
    }
}

/// The version of cargo-deny that generated projects install.
fn deny_version() -> &'static str {
    let mut lines = include_str!("../templates/project/Makefile.j2").lines();
    lines.find_map(|line| line.strip_prefix("CARGO_DENY_VERSION ?= ")).expect("a version")
}

#[test]
fn projects_are_checked_by_the_cargo_deny_that_checks_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/cargo-deny");
    let script = fs::read_to_string(path).expect("the script");
    assert!(script.contains(&format!("\nversion={}\n", deny_version())), "{script}");
}

#[test]
fn every_target_works_in_directories_with_awkward_names() {
    for name in ["iris (x)", "- 'a' \"b\" $c & d; #e"] {
        every_target(name);
    }
}

#[test]
fn programs_have_awkward_paths_and_arguments() {
    let project = Project::new("iris");
    for name in ["kubectl", "docker", "kind", "iris-scaffold", "kustomize"] {
        project.tool(name, "");
    }
    let named =
        |variable: &str, name: &str| format!("{variable}='{}/{name}' --more", project.tools.display());
    let (kubectl, docker) = (named("KUBECTL", "kubectl"), named("CONTAINER_TOOL", "docker"));
    let (kind, kustomize) = (named("KIND", "kind"), named("KUSTOMIZE", "kustomize"));
    let scaffold = format!("IRIS_SCAFFOLD='{}/iris-scaffold'", project.tools.display());
    project.make(&["deploy", &kubectl, &kustomize, &scaffold]);
    let expected = "iris-scaffold <manifests>\nkustomize <--more> <build> <bin/overlay>\n\
                    kubectl <--more> <apply> <--server-side> <--force-conflicts> <-f> <bin/deploy.yaml>\n";
    assert_eq!(project.recorded(), expected);
    project.make(&["docker-push", "cleanup-test-e2e", &docker, &kind]);
    let expected = "docker <--more> <push> <controller:latest>\nkind <--more> <delete> <cluster> <--name> <iris-test-e2e>\n";
    assert_eq!(project.recorded(), expected);

    let missing = "IRIS_SCAFFOLD='/no such/iris-scaffold'";
    let (text, passed) = project.try_make(&["manifests", missing]);
    assert!(!passed && text.contains("error: iris-scaffold is not installed"), "{text}");
    assert!(project.make(&["refresh", missing]).contains("note: iris-scaffold is not installed"));
}

/// `tests/e2e.sh` with stand-ins for everything: that all of it runs, with each program as it is named.
#[test]
fn the_test_in_a_cluster_runs_in_awkward_directories() {
    let project = Project::new("iris (x) & $y");
    for (name, commands) in [
        ("kubectl", KUBECTL),
        ("docker", ""),
        ("kind", ""),
        ("iris-scaffold", ""),
        ("curl", CURL),
        ("kustomize", ""),
    ] {
        project.tool(name, commands);
    }
    let kubectl = format!("KUBECTL='{}/kubectl' --context=x", project.tools.display());
    let text = project.make(&["test-e2e", &kubectl, "CONTAINER_TOOL=docker --debug"]);
    assert!(text.ends_with("\n== passed\n"), "{text}");
    let record = project.recorded();
    for call in [
        "\ndocker <--debug> <build> <-t> <example.com/iris:e2e> <.>\n",
        "\ndocker <--debug> <save> <-o> <",
        "\nkubectl <--context=x> <apply> <--server-side> <--force-conflicts> <-f> <bin/deploy.yaml>\n",
        "\nkind <delete> <cluster> <--name> <iris-test-e2e> <",
    ] {
        assert!(record.contains(call), "{call} in\n{record}");
    }
}

/// Everything that compiles, for real.
#[test]
fn a_project_builds_in_a_directory_with_spaces() {
    let project = Project::new("iris (x)");
    let scaffold = format!("IRIS_SCAFFOLD={}", env!("CARGO_BIN_EXE_iris-scaffold"));
    let before = tree(&project.path);
    project.make(&["manifests", "build", "fmt", "lint", &scaffold]);
    assert_eq!(tree(&project.path), before, "nothing changes");
    let assets = format!("KUBEBUILDER_ASSETS={}", programs().display());
    project.make(&["test", &scaffold, &assets]);
}

/// A folder with archives of a control plane, as they are published.
struct Served(tempfile::TempDir);

impl Served {
    fn new(version: &str) -> Self {
        let served = Self(tempfile::tempdir().expect("a folder"));
        served.publish(version, "1");
        served
    }

    fn archive(version: &str) -> String {
        format!("envtest-v{version}-linux-amd64.tar.gz")
    }

    fn url(&self, version: &str) -> String {
        format!("file://{}/{}", self.0.path().display(), Self::archive(version))
    }

    /// Writes an archive with its checksum beside it; the checksum.
    fn publish(&self, version: &str, content: &str) -> String {
        let programs = self.0.path().join("controller-tools/envtest");
        fs::create_dir_all(&programs).expect("a folder");
        for name in ["etcd", "kube-apiserver", "kubectl"] {
            executable(&programs.join(name), &format!("echo {content}"));
        }
        let script = "tar -czf $1 controller-tools && if command -v sha512sum >/dev/null; then sha512sum $1; \
                      else shasum -a 512 $1; fi > $1.sha512 && cut -d ' ' -f 1 $1.sha512";
        let output = Command::new("sh")
            .args(["-euc", script, "sh", &Self::archive(version)])
            .current_dir(self.0.path())
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Deletes what is beside an archive.
    fn forget(&self, version: &str) {
        fs::remove_file(self.0.path().join(format!("{}.sha512", Self::archive(version)))).expect("removed");
    }
}

#[test]
fn what_is_fetched_once_is_known_from_then_on() {
    const PINS: &str = "tests/envtest.sha512";
    let project = Project::new("iris (x)");
    let served = Served::new("1.37.0");
    let fetch = |version: &str| {
        let (version, url) =
            (format!("ENVTEST_K8S_VERSION={version}"), format!("ENVTEST_URL={}", served.url(version)));
        project.try_make(&["setup-envtest", "ENVTEST_PLATFORM=linux-amd64", &version, &url])
    };
    let assets = project.path.join("bin/k8s");
    let there = |version: &str| assets.join(format!("{version}-linux-amd64/etcd")).is_file();
    let gone = || fs::remove_dir_all(&assets).expect("removed");
    let line = |sum: &str, version: &str| format!("{sum}  {}\n", Served::archive(version));

    // An archive that is not as published is not taken, and not remembered.
    let first = served.publish("1.37.0", "1");
    let sum = served.0.path().join("envtest-v1.37.0-linux-amd64.tar.gz.sha512");
    fs::write(&sum, "00  envtest\n").expect("written");
    let (text, passed) = fetch("1.37.0");
    assert!(!passed && text.contains("is not the one beside it"), "{text}");
    assert!(!there("1.37.0") && !project.path.join(PINS).exists());
    fs::write(&sum, &first).expect("written");

    // The first time
    let (text, passed) = fetch("1.37.0");
    assert!(passed && text.contains("note: the checksum of envtest-v1.37.0-linux-amd64.tar.gz is in tests/envtest.sha512 now: commit it"), "{text}");
    assert!(there("1.37.0"));
    assert_eq!(project.read(PINS), line(&first, "1.37.0"));
    // It is there.
    served.forget("1.37.0");
    assert_eq!(fetch("1.37.0"), (String::new(), true));
    // In another checkout
    gone();
    let (text, passed) = fetch("1.37.0");
    assert!(passed && there("1.37.0") && !text.contains("note:"), "{text}");

    // Another version, as on another platform
    let other = served.publish("1.36.0", "1");
    let (text, passed) = fetch("1.36.0");
    assert!(passed && there("1.36.0") && text.contains("commit it"), "{text}");
    let both = line(&first, "1.37.0") + &line(&other, "1.36.0");
    assert_eq!(project.read(PINS), both);

    // Another archive of the same name, even with its checksum beside it
    gone();
    let second = served.publish("1.37.0", "2");
    let (text, passed) = fetch("1.37.0");
    assert!(!passed && !there("1.37.0"), "{text}");
    for part in [
        "error: file://",
        "is not the archive whose checksum tests/envtest.sha512 has\n",
        &format!("expected SHA-512 {first}\n"),
        &format!("found            {second}\n"),
        "delete the line of\nenvtest-v1.37.0-linux-amd64.tar.gz, and run `make setup-envtest` again.\n",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert_eq!(project.read(PINS), both);
    let left: Vec<_> = fs::read_dir(&assets).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    // As it says; line ends of Windows do no harm.
    fs::write(project.path.join(PINS), line(&other, "1.36.0").replace('\n', "\r\n")).expect("written");
    let (text, passed) = fetch("1.37.0");
    assert!(passed && there("1.37.0"), "{text}");
    assert!(project.read(PINS).ends_with(&line(&second, "1.37.0")));
    let (text, passed) = fetch("1.36.0");
    assert!(passed && !text.contains("note:"), "{text}");
}
