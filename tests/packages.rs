//! What cargo packages is what its users get: the tool installs and writes the same projects, and the libraries take the
//! place of the folders in them.
#![cfg(unix)]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::cluster::{run, target_environment};
use common::{Sandbox, image, tree};
use serde_json::{Value, json};
use toml_edit::{DocumentMut, Item};

const TOOL: &str = "iris-scaffold";
const LIBRARIES: [&str; 2] = ["operator-runtime", "operator-testing"];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A folder that stays between runs, for what need not be compiled again.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages")
}

fn cargo(project: &Path, args: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).current_dir(project).envs(target_environment());
    run(cargo, "").unwrap_or_else(|error| panic!("cargo {args:?}:\n{error}"))
}

/// The folder with the package files.
fn packages() -> &'static Path {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let target = folder().join("target");
        let target = target.to_str().expect("UTF-8");
        // What is packaged is compiled below, without its dependencies.
        let options = ["--no-verify", "--allow-dirty", "--offline", "--quiet", "--package", TOOL];
        let libraries = LIBRARIES.map(|library| ["--package", library]).concat();
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        cargo(home, &[&["package"][..], &options, &libraries, &["--target-dir", target]].concat());
        folder().join("target/package")
    })
}

fn file(package: &str) -> PathBuf {
    packages().join(format!("{package}-{VERSION}.crate"))
}

/// Unpacks a package below `folder`.
fn unpack(package: &str, folder: &Path) -> PathBuf {
    let unpacked = folder.join(format!("{package}-{VERSION}"));
    let _ = fs::remove_dir_all(&unpacked);
    let mut tar = Command::new("tar");
    // All packaged files are of one time, by which cargo would take them for compiled.
    tar.arg("-xzmf").arg(file(package)).arg("-C").arg(folder);
    run(tar, "").expect("unpacked");
    unpacked
}

/// A registry of the libraries, in the form that cargo reads from a folder.
fn publish(registry: &Path) {
    for library in LIBRARIES {
        let package = file(library);
        let unpacked = unpack(library, &folder());
        let manifest = fs::read_to_string(unpacked.join("Cargo.toml")).expect("its manifest");
        let manifest: DocumentMut = manifest.parse().expect("TOML");
        let list = |item: Option<&Item>| -> Vec<String> {
            let list = item.and_then(Item::as_array).into_iter().flatten();
            list.map(|value| value.as_str().expect("a text").to_owned()).collect()
        };
        let table = |name: &str| manifest.get(name).and_then(Item::as_table_like).map(|table| table.iter());
        let dependency = |kind: &'static str, target: Option<&str>| {
            let target = target.map(str::to_owned);
            move |(name, item): (&str, &Item)| {
                let flag = |name: &str| item.get(name).and_then(Item::as_bool);
                json!({
                    "name": name,
                    "req": item.get("version").and_then(Item::as_str).expect("a version"),
                    "features": list(item.get("features")),
                    "optional": flag("optional").unwrap_or(false),
                    "default_features": flag("default-features").unwrap_or(true),
                    "target": target,
                    "kind": kind,
                    "registry": "https://github.com/rust-lang/crates.io-index",
                    "package": item.get("package").and_then(Item::as_str),
                })
            }
        };
        let normal = table("dependencies").into_iter().flatten().map(dependency("normal", None));
        let dev = table("dev-dependencies").into_iter().flatten().map(dependency("dev", None));
        let targets = table("target").into_iter().flatten().flat_map(|(target, item)| {
            let dependencies = item.get("dependencies").and_then(Item::as_table_like);
            let dependencies = dependencies.into_iter().flat_map(|table| table.iter());
            dependencies.map(dependency("normal", Some(target)))
        });
        let dependencies: Vec<Value> = normal.chain(dev).chain(targets).collect();
        assert!(dependencies.len() > 10, "{library}: {dependencies:?}");
        let features = table("features").into_iter().flatten();
        let features = features.map(|(name, item)| (name.to_owned(), json!(list(Some(item)))));
        let entry = json!({
            "name": library,
            "vers": VERSION,
            "deps": dependencies,
            "cksum": checksum(&package),
            "features": {},
            "features2": features.collect::<serde_json::Map<_, _>>(),
            "yanked": false,
            "v": 2,
        });
        let index = registry.join("index").join(&library[..2]).join(&library[2..4]);
        fs::create_dir_all(&index).expect("the index");
        fs::write(index.join(library), format!("{entry}\n")).expect("an entry");
        fs::copy(package, registry.join(format!("{library}-{VERSION}.crate"))).expect("the package");
    }
}

fn checksum(file: &Path) -> String {
    use sha2::Digest as _;
    let content = fs::read(file).expect("the package");
    sha2::Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What stands for crates.io until the libraries are there, above the project, so that the project is as its user's.
fn registry_for(project: &Path) {
    let above = project.parent().expect("a parent");
    let registry = above.join("registry");
    publish(&registry);
    let patches =
        LIBRARIES.map(|it| format!("{it} = {{ version = \"{VERSION}\", registry = \"published\" }}\n"));
    let config = format!(
        "[registries.published]\nindex = \"https://registry.invalid/index\"\n\
         [source.published]\nregistry = \"https://registry.invalid/index\"\nreplace-with = \"folder\"\n\
         [source.folder]\nlocal-registry = \"{}\"\n[patch.crates-io]\n{}",
        registry.display(),
        patches.concat()
    );
    fs::create_dir_all(above.join(".cargo")).expect("a folder");
    fs::write(above.join(".cargo/config.toml"), config).expect("the configuration");
}

/// Where cargo has unpacked what comes from the registry: among all that its user has, and nobody's any more afterwards.
struct Unpacked(PathBuf);

impl Unpacked {
    fn of(metadata: &str) -> Self {
        let metadata: Value = serde_json::from_str(metadata).expect("JSON");
        let packages = metadata["packages"].as_array().expect("a list");
        let library = packages.iter().find(|package| package["name"] == LIBRARIES[0]).expect("the library");
        let manifest = Path::new(library["manifest_path"].as_str().expect("a path"));
        let folder = manifest.ancestors().nth(2).expect("the registry's folder");
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, LIBRARIES.map(|library| format!("{library}-{VERSION}")));
        Self(folder.to_owned())
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_packaged_tool_installs_and_writes_the_same_project() {
    let unpacked = unpack(TOOL, &folder());
    let root = tempfile::tempdir().expect("a folder");
    let mut install = Command::new(env!("CARGO"));
    install.args(["install", "--quiet", "--debug", "--locked", "--offline", "--path"]).arg(&unpacked);
    install.arg("--root").arg(root.path()).current_dir(root.path());
    install.env("CARGO_TARGET_DIR", folder().join("target"));
    // It runs twice: what takes long is the compiler.
    install.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "false");
    run(install, "").expect("it installs");

    let (packaged, ours) = (Sandbox::new("iris"), Sandbox::with_iris());
    for args in ["init --domain myardyas.club", "create api --group test --version v1alpha1 --kind Iris"] {
        let mut program = Command::new(root.path().join("bin").join(TOOL));
        program.args(args.split(' ')).current_dir(packaged.path());
        run(program, "").unwrap_or_else(|error| panic!("{args}:\n{error}"));
    }
    assert!(tree(packaged.path()) == tree(ours.path()), "another project");
    cargo(packaged.path(), &["metadata", "--locked", "--offline", "--format-version=1"]);
}

#[test]
fn published_libraries_take_the_place_of_the_folders() {
    let sandbox = Sandbox::with_iris();
    registry_for(sandbox.path());
    // As the comment above each dependency says.
    let manifest = sandbox.read("Cargo.toml");
    let mut lines: Vec<&str> = manifest.lines().collect();
    for library in LIBRARIES {
        let comment = lines.iter().position(|line| line.contains(&format!("write: {library} = ")));
        let comment = comment.expect("the comment");
        lines[comment + 1] = lines[comment].split_once("write: ").expect("what to write").1;
    }
    sandbox.write("Cargo.toml", &(lines.join("\n") + "\n"));
    for folder in ["runtime", "testing"] {
        fs::remove_dir_all(sandbox.path().join(folder)).expect("removed");
    }
    let _unpacked = Unpacked::of(&cargo(sandbox.path(), &["metadata", "--offline", "--format-version=1"]));
    let lock = sandbox.read("Cargo.lock");
    assert_eq!(lock.matches("\nsource = \"registry+https://registry.invalid/index\"\n").count(), 2);
    let check = ["check", "--quiet", "--locked", "--offline", "--workspace", "--all-targets"];
    cargo(sandbox.path(), &check);
    image::prepare(sandbox.path()).expect("the image needs no folders");

    sandbox.run(&["create", "api", "--group=test", "--version=v1", "--kind=Tulip"]).success();
    for folder in ["runtime", "testing"] {
        assert!(!sandbox.path().join(folder).exists(), "{folder} is back");
    }
    assert_eq!(sandbox.read("Cargo.lock"), lock);
    cargo(sandbox.path(), &check);
}
