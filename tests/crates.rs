//! The libraries that are written into every project: the tool's copy of them is theirs, byte for byte. `make golden`
//! renews it.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use common::sha256;

const MARK: &str = ">>> ";

/// Every file of a library but what cargo makes, by path.
fn files(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let list = if path.is_dir() { &mut folders } else { &mut files };
            list.push(path);
        }
    }
    files.retain(|path| !path.ends_with("Cargo.lock") && !path.starts_with(root.join("target")));
    files.sort();
    files
}

#[test]
fn the_tool_carries_the_libraries_as_they_are() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for library in ["runtime", "testing"] {
        let (root, mut text, mut sums) = (home.join(library), String::new(), String::new());
        for path in files(&root) {
            let file = fs::read_to_string(&path).expect("a text");
            let name = path.strip_prefix(&root).expect("a path below").to_str().expect("UTF-8");
            assert!(file.ends_with('\n') && !file.contains('\r'), "{name}: ends of lines");
            assert!(!file.lines().any(|line| line.starts_with(MARK)), "{name}: a line begins like a file");
            write!(text, "{MARK}{name}\n{file}").expect("a string");
            writeln!(sums, "{}  {name}", sha256(&file)).expect("a string");
        }
        write!(text, "{MARK}SHA256SUMS\n{sums}").expect("a string");
        let copy = home.join(format!("templates/crates/{library}.txt"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&copy, &text).expect("written");
        }
        let found = fs::read_to_string(&copy).expect("the copy");
        assert!(found == text, "the copy of `{library}` is old: renew it with `make golden`");
    }
}

/// Cargo leaves folders that hold a manifest out of a package: what the tool needs of the libraries is in texts.
#[test]
fn packages_hold_what_they_need_and_nothing_else() {
    let list = |package: &str| {
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["package", "--list", "--allow-dirty", "--offline", "-p", package]);
        let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let tool = list("iris-scaffold");
    for needed in ["templates/crates/runtime.txt", "templates/crates/testing.txt", "src/main.rs"] {
        assert!(tool.iter().any(|path| path == needed), "{needed}");
    }
    let foreign = ["examples/", "runtime/", "testing/", ".ci/"];
    assert!(!tool.iter().any(|path| foreign.iter().any(|folder| path.starts_with(folder))), "{tool:?}");
    for library in ["operator-runtime", "operator-testing"] {
        let files = list(library);
        for needed in ["src/lib.rs", "LICENSE", "README.md"] {
            assert!(files.iter().any(|path| path == needed), "{library}: {needed}");
        }
    }
}
