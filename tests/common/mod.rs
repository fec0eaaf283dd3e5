//! A directory to run `iris-scaffold` in, and how to look at what it did.
#![allow(dead_code, unused_imports, reason = "every test binary uses a part of this")]

pub mod cluster;
pub mod image;
pub mod operator;
#[cfg(unix)]
pub mod stand_in;
pub mod switches;
#[cfg(unix)]
pub mod terminal;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A fresh directory with a name of the test's choice.
pub struct Sandbox {
    _parent: TempDir,
    path: PathBuf,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl Sandbox {
    /// An empty directory called `name`.
    pub fn new(name: &str) -> Self {
        let parent =
            tempfile::Builder::new().prefix("iris-scaffold-").tempdir().expect("a temporary directory");
        let path = parent.path().canonicalize().expect("its path").join(name);
        std::fs::create_dir(&path).expect("a directory");
        Self { _parent: parent, path }
    }

    /// The walk-through's project after `init`.
    pub fn with_project() -> Self {
        let sandbox = Self::new("iris");
        sandbox.run(&["init", "--domain", "myardyas.club"]).success();
        sandbox
    }

    /// The walk-through's project after `create api`.
    pub fn with_iris() -> Self {
        let sandbox = Self::with_project();
        sandbox
            .run(&["create", "api", "--group", "test", "--version", "v1alpha1", "--kind", "Iris"])
            .success();
        sandbox
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::write(self.path.join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Runs `iris-scaffold` here, with no terminal.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        let output = Command::cargo_bin("iris-scaffold")
            .expect("the program")
            .args(args)
            .current_dir(&self.path)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .output()
            .expect("a run");
        Ran::of(output)
    }
}

impl Ran {
    /// What a program left.
    pub fn of(output: std::process::Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
            status: output.status.code(),
        }
    }

    pub fn success(self) -> Self {
        self.code(0)
    }

    pub fn code(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }
}

/// The checksum of a text, as `sha256sum` says it.
pub fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies what is at `path` below one root below another: a file, or, where the path ends with `/`, a folder.
pub fn copy(from: &Path, to: &Path, path: &str) {
    let target = to.join(path);
    if path.ends_with('/') {
        std::fs::create_dir_all(target).expect("a folder");
    } else {
        std::fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
        std::fs::copy(from.join(path), target).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

/// Every file below `root` with its content; symbolic links as where they lead.
pub fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = entry.path();
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                files.insert(format!("{name}/"), Vec::new());
                folders.push(path);
            } else if kind.is_symlink() {
                files.insert(
                    name,
                    std::fs::read_link(&path).expect("a link").to_string_lossy().into_owned().into_bytes(),
                );
            } else {
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

/// What a path is, with its permissions and, for a file, its content; for a link, where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub mode: u32,
    pub content: Vec<u8>,
}

/// Everything below `root`, also what is no file; nothing that a reader would wait for is read.
#[cfg(unix)]
pub fn snapshot(root: &Path) -> BTreeMap<PathBuf, Entry> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let mut entries = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let found = path.symlink_metadata().expect("its kind");
            let content = if found.is_symlink() {
                std::fs::read_link(&path).expect("a link").as_os_str().as_bytes().to_vec()
            } else if found.is_file() {
                std::fs::read(&path).expect("a file")
            } else {
                Vec::new()
            };
            if found.is_dir() {
                folders.push(path.clone());
            }
            let name = path.strip_prefix(root).expect("below the root").to_path_buf();
            entries.insert(name, Entry { mode: found.permissions().mode(), content });
        }
    }
    entries
}

/// The paths at which two snapshots differ.
pub fn difference(before: &BTreeMap<PathBuf, Entry>, after: &BTreeMap<PathBuf, Entry>) -> Vec<PathBuf> {
    let either = before.keys().chain(after.keys());
    let mut paths: Vec<PathBuf> =
        either.filter(|path| before.get(*path) != after.get(*path)).cloned().collect();
    paths.sort();
    paths.dedup();
    paths
}
