//! Something else in the place of every file that is read.

use super::world::World;
use super::{Tree, stand};

const FILES: [&str; 18] = [
    "PROJECT",
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "Makefile",
    ".gitignore",
    "hack/boilerplate.rs.txt",
    "config/crd/kustomization.yaml",
    "config/crd/bases/test.myardyas.club_iris.yaml",
    "config/rbac/role.yaml",
    "config/rbac/role_binding.yaml",
    "config/manager/manager.yaml",
    "src/lib.rs",
    "src/controller/mod.rs",
    "src/controller/iris.rs",
    "api/src/lib.rs",
    "api/src/v1alpha1/iris.rs",
    "tests/faults.rs",
];

type Place = fn(&World, &str);

const THINGS: [(&str, Place); 16] = [
    ("a pipe", |world, path| world.pipe(path)),
    ("a device", |world, path| world.link(path, "/dev/zero")),
    ("a folder", |world, path| world.folder(path)),
    ("a socket", |world, path| world.socket(path)),
    ("100 MB", |world, path| world.sparse(path, 100 << 20)),
    ("a terabyte", |world, path| world.sparse(path, 1 << 40)),
    ("15 MB", |world, path| world.sparse(path, 15 << 20)),
    ("a link to a stranger", |world, path| world.link(path, world.beside("outside/canary.rs"))),
    ("a link to the repository", |world, path| world.link(path, world.root().join(".git/config"))),
    ("a link to itself", |world, path| world.link(path, world.root().join(path))),
    ("without permissions", |world, path| world.mode(path, 0o000)),
    ("with another user's rights", |world, path| world.mode(path, 0o6755)),
    ("no UTF-8", |world, path| world.append(path, b"\n# \xff\xfe\n")),
    ("control characters", |world, path| {
        let text = String::from_utf8_lossy(&world.bytes(path)).into_owned();
        let noise = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{7f}";
        world.write(path, format!("# // {noise}\n{text}\n# // {noise}\n"));
    }),
    ("Windows' line ends", |world, path| world.replace(path, "\n", "\r\n")),
    ("empty", |world, path| world.write(path, "")),
];

pub(super) fn trees() -> Vec<Tree> {
    let all = FILES.iter().flat_map(|&file| THINGS.iter().map(move |&(what, place)| (file, what, place)));
    let tree = |(file, what, place): (&'static str, &str, Place)| {
        let every = if file == "PROJECT" { 5 } else { 16 };
        Tree::new(format!("{file}: {what}"), move |world| place(world, file)).every(every)
    };
    all.map(tree).collect()
}

#[test]
fn corpus_what_is_no_ordinary_file() {
    stand(&trees());
}
