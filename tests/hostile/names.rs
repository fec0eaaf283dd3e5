//! Names of files and folders that no editor makes, and more files than any project has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use super::{Tree, stand};

const NAMES: [&[u8]; 14] = [
    b"\x1b]0;pwned\x07",
    b"\x1b[2J\x1b[31m",
    b"x\nhint: pwned",
    b"x\r\nerror: pwned",
    "\u{202e}sr.nwo".as_bytes(),
    "\u{9b}31m\u{2066}".as_bytes(),
    b"\xff\xfe",
    b"back\\slash",
    b"co:lon",
    b"-rf",
    b"`id`$(id)'\"",
    b" ",
    b"con",
    &[b'n'; 240],
];

pub(super) fn trees() -> Vec<Tree> {
    let mut trees = Vec::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        for is_folder in [false, true] {
            let kind = if is_folder { "folders" } else { "files" };
            let plant = move |world: &mut super::World| {
                for (folder, extension, text) in FILES {
                    // What is wrong in a file makes its name part of an error.
                    let mut path = world.root().join(folder).join(OsStr::from_bytes(name));
                    if is_folder {
                        path.push("inner");
                    }
                    path.as_mut_os_string().push(extension);
                    let above = path.parent().expect("a folder");
                    // Only where something else that was planted is not in the way.
                    if world.root().join(folder).canonicalize().is_ok_and(|it| it.starts_with(world.root())) {
                        let _ = fs::create_dir_all(above)
                            .and_then(|()| fs::write(path, text[number % text.len()]));
                    }
                }
            };
            trees.push(Tree::new(format!("{kind} named {}", name.escape_ascii()), plant).every(4));
        }
    }
    trees
}

/// Where such files are, what their names end with, and what they may hold.
const FILES: [(&str, &str, [&[u8]; 3]); 4] = [
    ("src", ".rs", [b"// +kubebuilder:rbac:groups=a,nothing=b\n", b"\xff", b"fn a() {}\n"]),
    ("api/src", ".rs", [b"fn a() {}\n", b"fn a() {}\n", b"// +kubebuilder:rbac:verbs=\n"]),
    (
        "config/crd/bases",
        ".yaml",
        [b"kind: CustomResourceDefinition\n", b"kind: CustomResourceDefinition\n", b"\xff"],
    ),
    ("config/rbac", ".yaml", [b"roleRef: {}\n", b"roleRef: [\n", b"roleRef: {}\n"]),
];

fn many() -> Vec<Tree> {
    let files = |folder: &'static str, extension: &'static str, count: usize| {
        Tree::new(format!("{count} files in {folder}"), move |world| {
            for number in 0..count {
                fs::write(world.root().join(format!("{folder}/f{number}.{extension}")), "").expect("a file");
            }
        })
    };
    let trees = vec![
        files("src", "rs", 50_000),
        files("config/crd/bases", "yaml", 50_000),
        files("api/src", "txt", 120_000),
        Tree::new("folders in 300 others", |world| {
            for folder in ["src", "api/src", "config"] {
                let deep = world.root().join(folder).join("deep/".repeat(300));
                fs::create_dir_all(&deep).expect("folders");
                fs::write(deep.join("a.rs"), "// +kubebuilder:rbac:groups=a,nothing=b\n").expect("a file");
            }
        }),
        Tree::new("20,000 folders", |world| {
            for number in 0..20_000 {
                fs::create_dir(world.root().join(format!("config/f{number}"))).expect("a folder");
            }
        }),
    ];
    trees.into_iter().map(|tree| tree.only("manifests").every(4)).collect()
}

/// The folder that a command is started in, and where it puts a project.
fn places() -> Vec<Tree> {
    let place = |name: &'static [u8]| {
        Tree::new(format!("started in a folder named {}", name.escape_ascii()), move |world| {
            world.start = OsStr::from_bytes(name).into();
            let _ = fs::create_dir(world.start());
        })
        .every(4)
    };
    NAMES.map(place).into()
}

#[test]
fn corpus_names_that_are_no_text_for_a_terminal() {
    stand(&trees());
}

#[test]
fn corpus_more_files_than_any_project_has() {
    stand(&many());
}

#[test]
fn corpus_places_with_such_names() {
    stand(&places());
}
