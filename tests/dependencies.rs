//! The crates that a project shares with the libraries in it: what is refused would not have built, what is not does, and
//! what a refusal says to do is enough. Cargo is the judge, with a few empty crates for a registry.

mod common;

use std::fs;
use std::process::Command;

use common::cluster::run;
use iris_scaffold::Problem;
use iris_scaffold::dependencies::{Text, misfits};
use serde_json::Value;
use tempfile::TempDir;
use toml_edit::{DocumentMut, Table};

const PUBLISHED: [(&str, &str); 7] = [
    ("kube", "4.0.0"),
    ("kube", "5.0.0-rc.1"),
    ("kube", "5.0.0"),
    ("kube", "5.1.0"),
    ("k8s-openapi", "0.28.0"),
    ("k8s-openapi", "0.29.0"),
    ("schemars", "1.0.0"),
];

/// A project and what becomes of its library. Each text is the entries of a table.
#[derive(Clone, Copy, Default)]
struct Case {
    shared: &'static str,
    operator: &'static str,
    api: &'static str,
    before: &'static str,
    after: &'static str,
    /// More of the workspace's manifest.
    more: &'static str,
    /// Crates of which the lock has another version than the newest, which stands before it.
    locked: &'static [(&'static str, &'static str, &'static str)],
}

struct Project(TempDir);

impl Project {
    fn new(case: &Case) -> Self {
        let project = Self(TempDir::new().expect("a directory"));
        let vendor = project.0.path().join("vendor");
        for (name, version) in PUBLISHED {
            project.package(&format!("vendor/{name}-{version}"), name, version, "");
            let sums = vendor.join(format!("{name}-{version}/.cargo-checksum.json"));
            fs::write(sums, r#"{"files": {}}"#).expect("sums");
        }
        project.package("kube", "kube", "5.0.0", "");
        project.write(
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"vendor\"\n[source.vendor]\ndirectory = \"vendor\"\n[net]\noffline = true\n",
        );
        let tables = format!(
            "operator-runtime = {{ path = \"runtime\" }}\n{}\n[workspace]\nmembers = [\"api\", \"runtime\"]\n\
             resolver = \"3\"\nexclude = [\"vendor\", \"kube\"]\n[workspace.dependencies]\n{}\n{}",
            case.operator, case.shared, case.more
        );
        project.package(".", "iris", "0.1.0", &tables);
        project.package("api", "iris-api", "0.1.0", case.api);
        project.library(case.before);
        project.cargo(&["generate-lockfile", "--quiet"]).expect("a lock");
        let lock = project.read("Cargo.lock");
        let lock = case.locked.iter().fold(lock, |lock, (name, from, to)| {
            let package = |version: &str| format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&package(from)), "{lock}");
            lock.replace(&package(from), &package(to))
        });
        project.write("Cargo.lock", &lock);
        project.cargo(&["metadata", "--locked", "--format-version=1"]).expect("a project as it should be");
        project
    }

    fn library(&self, asks: &str) {
        self.package("runtime", "operator-runtime", "0.1.0", asks);
    }

    fn package(&self, folder: &str, name: &str, version: &str, dependencies: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}"
        );
        self.write(&format!("{folder}/Cargo.toml"), &manifest);
        self.write(&format!("{folder}/src/lib.rs"), "");
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).expect("a file")
    }

    fn cargo(&self, args: &[&str]) -> Result<String, String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).current_dir(self.0.path());
        run(cargo, "")
    }

    /// What the tool says of a library that asks for this.
    fn misfits(&self, after: &str) -> Vec<Problem> {
        let library = format!("[dependencies]\n{after}");
        let library = Text { path: "runtime/Cargo.toml", text: &library };
        let (root, api) = (self.read("Cargo.toml"), self.read("api/Cargo.toml"));
        let manifests =
            [Text { path: "Cargo.toml", text: &root }, Text { path: "api/Cargo.toml", text: &api }];
        misfits(&[library], &manifests, Some(&self.read("Cargo.lock")))
    }

    /// Whether operator and types have the library's version of each crate, without (`--locked`) or with changes of the lock.
    fn builds(&self, options: &[&str]) -> Result<(), String> {
        let printed = self.cargo(&[&["metadata", "--format-version=1"], options].concat())?;
        let metadata: Value = serde_json::from_str(&printed).expect("JSON");
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let of = |package: &str| -> Vec<String> {
            let id = list(&metadata["packages"]).into_iter().find(|found| found["name"] == package);
            let id = id.expect("the package")["id"].clone();
            let node = list(&metadata["resolve"]["nodes"])
                .into_iter()
                .find(|node| node["id"] == id)
                .expect("its node");
            list(&node["dependencies"]).iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
        };
        let named =
            |id: &String, name: &str| id.contains(&format!("#{name}@")) || id.contains(&format!("/{name}#"));
        for name in ["kube", "k8s-openapi"] {
            for package in ["iris", "iris-api"] {
                let (own, library) = (of(package), of("operator-runtime"));
                let own: Vec<_> = own.iter().filter(|id| named(id, name)).collect();
                let library: Vec<_> = library.iter().filter(|id| named(id, name)).collect();
                if !own.is_empty() && !library.iter().all(|id| own.contains(id)) {
                    return Err(format!("{package} has {own:?}, the library {library:?}"));
                }
            }
        }
        Ok(())
    }

    /// Does what the hints say.
    fn follow(&self, problems: &[Problem]) {
        let mut commands = 0;
        for hint in problems.iter().flat_map(|problem| &problem.hints) {
            if let Some(rest) = hint.strip_prefix("write in `[") {
                let (table, rest) = rest.split_once("]` of `").expect("a table");
                let (path, line) = rest.split_once("`: `").expect("a path");
                let paste = format!("[{table}]\n{}\n", line.strip_suffix('`').expect("a line"));
                let paste: DocumentMut = paste.parse().unwrap_or_else(|error| panic!("{paste}: {error}"));
                let mut manifest: DocumentMut = self.read(path).parse().expect("TOML");
                merge(manifest.as_table_mut(), paste.as_table());
                self.write(path, &manifest.to_string());
            } else if let Some(command) = hint.strip_prefix("run `cargo ") {
                let command = command.strip_suffix('`').expect("a command");
                self.cargo(&command.split(' ').collect::<Vec<_>>()).expect("the command");
                commands += 1;
            } else {
                assert_eq!(hint, "then run this command again");
            }
        }
        assert_eq!(commands, 1, "{problems:#?}");
    }
}

fn merge(into: &mut Table, from: &Table) {
    for (key, item) in from {
        match (into.get_mut(key).and_then(|known| known.as_table_mut()), item.as_table()) {
            (Some(into), Some(from)) => merge(into, from),
            _ => drop(into.insert(key, item.clone())),
        }
    }
}

fn builds_without_a_word(name: &str, case: Case) {
    let project = Project::new(&case);
    assert_eq!(project.misfits(case.after), [], "{name}");
    project.library(case.after);
    project.builds(&["--locked"]).unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn is_refused(name: &str, case: Case) -> String {
    let project = Project::new(&case);
    let problems = project.misfits(case.after);
    assert!(!problems.is_empty(), "{name}: nothing was said");
    project.library(case.after);
    let broken = project.builds(&["--locked"]);
    assert!(broken.is_err(), "{name}: refused, and builds");
    project.library(case.before);
    project.follow(&problems);
    assert_eq!(project.misfits(case.after), [], "{name}: refused again");
    project.library(case.after);
    project.builds(&[]).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines = problems.iter().map(|problem| format!("{}\n{}\n", problem.message, problem.hints.join("\n")));
    lines.collect()
}

const FIVE: Case = Case {
    shared: "kube = \"5.0\"\n",
    operator: "kube.workspace = true\n",
    api: "kube.workspace = true\n",
    before: "kube = \"5.0\"\n",
    after: "kube = \"5.0\"\n",
    more: "",
    locked: &[],
};

#[test]
fn what_fits_builds() {
    for (name, case) in [
        ("the same", FIVE),
        ("newer than asked", Case { after: "kube = \"5.1\"", ..FIVE }),
        ("any", Case { shared: "kube = \"*\"", after: "kube = \"5.1\"", ..FIVE }),
        ("a range", Case { shared: "kube = \">=4, <6\"", ..FIVE }),
        ("in a table", Case { operator: "[dependencies.kube]\nversion = \"5.0\"", ..FIVE }),
        ("renamed", Case { operator: "k = { package = \"kube\", version = \"5.0\" }", ..FIVE }),
        (
            "another crate of that name",
            Case { operator: "kube = { package = \"schemars\", version = \"1\" }", ..FIVE },
        ),
        (
            "an older one beside it",
            Case {
                operator: "kube.workspace = true\nold = { package = \"kube\", version = \"4.0\" }\n",
                ..FIVE
            },
        ),
        (
            "patched",
            Case {
                more: "[patch.crates-io]\nkube = { path = \"kube\" }",
                after: "kube = \"=5.0.0\"",
                ..FIVE
            },
        ),
        ("nobody else's", Case { operator: "", api: "", shared: "", before: "kube = \"5\"", ..FIVE }),
    ] {
        builds_without_a_word(name, case);
    }
}

/// The project's lock follows by itself, and could not before.
#[test]
fn what_only_the_library_uses_is_its_own_matter() {
    for before in ["", "kube = \"4.0\""] {
        let case = Case { operator: "", api: "", shared: "", before, ..FIVE };
        let project = Project::new(&case);
        assert_eq!(project.misfits(case.after), [], "{before}");
        project.library(case.after);
        project.builds(&[]).unwrap_or_else(|error| panic!("{before}: {error}"));
    }
}

#[test]
fn what_is_refused_does_not_build_until_the_hints_are_followed() {
    const OLD: Case = Case { shared: "kube = \"4.0\"", before: "kube = \"4.0\"", ..FIVE };
    for (name, case) in [
        ("the workspace's", OLD),
        ("with more", Case { shared: "kube = { default-features = false, version = \"4.0\" }", ..OLD }),
        ("in a table", Case { shared: "[workspace.dependencies.kube]\nversion = \"4.0\"", ..OLD }),
        ("with dots", Case { shared: "kube.version = \"4.0\"", ..OLD }),
        ("the operator's", Case { operator: "kube = \"4.0\"", before: "kube = \"4.0\"", ..FIVE }),
        ("the operator's only", Case { operator: "kube = \"4.0\"", ..FIVE }),
        ("the types'", Case { api: "kube = \"4.0\"", before: "kube = \"4.0\"", ..FIVE }),
        ("renamed", Case { shared: "kube = { package = \"kube\", version = \"4.0\" }", ..OLD }),
        (
            "called otherwise",
            Case { operator: "k = { package = \"kube\", version = \"4.0\" }", shared: "", api: "", ..OLD },
        ),
        ("for one system", Case { operator: "[target.'cfg(unix)'.dependencies]\nkube = \"4.0\"", ..FIVE }),
        ("exact", Case { shared: "kube = \"=5.0.0\"", after: "kube = \"5.1\"", ..FIVE }),
        ("locked", Case { after: "kube = \"5.1\"", locked: &[("kube", "5.1.0", "5.0.0")], ..FIVE }),
        (
            "locked before a release",
            Case {
                shared: "kube = \"5.0.0-rc.1\"",
                before: "kube = \"5.0.0-rc.1\"",
                locked: &[("kube", "5.1.0", "5.0.0-rc.1")],
                ..FIVE
            },
        ),
        (
            "a range that is locked",
            Case {
                shared: "kube = \">=4, <6\"",
                before: "kube = \">=4\"",
                locked: &[("kube", "5.1.0", "4.0.0")],
                ..FIVE
            },
        ),
        (
            "two at once",
            Case {
                shared: "kube = \"4.0\"\nk8s-openapi = \"0.28\"",
                operator: "kube.workspace = true\nk8s-openapi.workspace = true",
                before: "kube = \"4.0\"\nk8s-openapi = \"0.28\"",
                after: "kube = \"5.0\"\nk8s-openapi = \"0.29\"",
                ..FIVE
            },
        ),
    ] {
        is_refused(name, case);
    }
}

#[test]
fn a_refusal_says_what_to_write() {
    let list = Case {
        shared: "kube = { default-features = false, version = \"4.0\", features = [\n  \"client\", # Mine.\n] }",
        before: "kube = \"4.0\"",
        ..FIVE
    };
    let project = Project::new(&Case { shared: "kube = \"4.0\"", ..list });
    let root = project.read("Cargo.toml").replace("kube = \"4.0\"", list.shared);
    project.write("Cargo.toml", &root);
    let problems = project.misfits("kube = \"5.0\"");
    let [problem] = &problems[..] else { panic!("{problems:#?}") };
    assert_eq!(
        problem.message,
        "`Cargo.toml` asks for `kube` `4.0` in `[workspace.dependencies]`, and the new `runtime/` needs `5.0`"
    );
    assert_eq!(
        problem.hints,
        [
            "write in `[workspace.dependencies]` of `Cargo.toml`: \
             `kube = { default-features = false, version = \"5.0\", features = [\"client\"] }`",
            "run `cargo update -p kube`",
            "then run this command again",
        ]
    );
    let locked =
        is_refused("locked", Case { after: "kube = \"5.1\"", locked: &[("kube", "5.1.0", "5.0.0")], ..FIVE });
    assert_eq!(
        locked,
        "`Cargo.lock` has `iris` built with `kube` `5.0.0`, and the new `runtime/` needs `5.1`\n\
         run `cargo update -p kube`\nthen run this command again\n"
    );
}

#[test]
fn what_cannot_be_judged_is_left_to_cargo() {
    let needs = Text { path: "runtime/Cargo.toml", text: "[dependencies]\nkube = \"5.0\"\n" };
    let lock = "[[package]]\nname = \"iris\"\nversion = \"0.1.0\"\ndependencies = [\"kube\"]\n\
                [[package]]\nname = \"kube\"\nversion = \"4.0.0\"\nsource = \"git+https://example.com/kube#0\"\n";
    for kube in [
        "kube = { git = \"https://example.com/kube\", version = \"4.0\" }",
        "kube = { path = \"../kube\" }",
        "kube = { version = \"4.0\", registry = \"corporate\" }",
        "kube = \"four\"",
        "kube = 4",
        "kube = {",
    ] {
        let manifest = format!("[package]\nname = \"iris\"\n[dependencies]\n{kube}\n");
        let manifest = Text { path: "Cargo.toml", text: &manifest };
        // Of what it cannot read cargo says so itself.
        let lock = Some(lock).filter(|_| kube.contains('}'));
        assert_eq!(misfits(&[needs], &[manifest], lock), [], "{kube}");
    }
    let manifest =
        Text { path: "Cargo.toml", text: "[package]\nname = \"iris\"\n[dependencies]\nkube = \"5\"\n" };
    assert_eq!(misfits(&[needs], &[manifest], None), []);
    assert_eq!(misfits(&[needs], &[manifest], Some("[[package]\n")), []);
    assert_eq!(misfits(&[needs], &[], Some(lock)), []);
    assert_eq!(misfits(&[], &[manifest], Some(lock)), []);
    assert_eq!(misfits(&[needs], &[manifest], Some(lock)).len(), 1);
    // A package of the registry may be called as the project is.
    let other = lock.replacen("dependencies", "source = \"registry+https://example.com\"\ndependencies", 1);
    assert_eq!(misfits(&[needs], &[manifest], Some(&other)), []);
    // Only the library's own tests.
    let needs = Text { path: "runtime/Cargo.toml", text: "[dev-dependencies]\nkube = \"6.0\"\n" };
    assert_eq!(misfits(&[needs], &[manifest], None), []);
}
