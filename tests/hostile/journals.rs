//! Folders and files of the name that the tool once gave to its staging folder, committed by a stranger or the user's own.

use super::world::World;
use super::{Tree, stand};

/// A journal in the form that version 0.1.0 wrote: lines of paths, and a new text for each.
fn journal(path: &str) -> Tree {
    let path = path.to_owned();
    Tree::new(format!("a journal that names {path}"), move |world| {
        let place = world.place().display().to_string();
        world.link("linked", "../outside");
        world.link("repository", ".git");
        world.write(".iris-scaffold/journal", path.replace("PLACE", &place));
        for number in 0..3 {
            world.write(&format!(".iris-scaffold/{number}.new"), "#!/bin/sh\necho pwned\n");
        }
        world.mode(".iris-scaffold/0.new", 0o755);
    })
    .every(2)
}

pub(super) fn journals() -> Vec<Tree> {
    let named = [
        ".git/hooks/post-checkout",
        ".git/config",
        ".git/hooks/new/deep\n.git/HEAD",
        "../outside/canary",
        "linked/canary",
        "linked/new/file",
        "repository/config",
        "PLACE/outside/canary",
        "src/lib.rs",
        "PROJECT",
        ".cargo/config.toml\nCargo.toml\nMakefile",
        "\u{1b}]0;pwned\u{7}/../x",
        "src/a\r\nsrc/b",
        "\n\n",
    ];
    let mut trees: Vec<Tree> = named.map(journal).into();
    trees.push(Tree::new("a journal with a link to a text", |world| {
        world.write(".iris-scaffold/journal", "src/lib.rs\n");
        world.link(".iris-scaffold/0.new", "../../outside/canary");
    }));
    trees.push(Tree::new("a journal that names a hundred thousand files", |world| {
        world.write(".iris-scaffold/journal", "src/lib.rs\n".repeat(100_000));
        world.write(".iris-scaffold/99999.new", "pwned\n");
    }));
    trees
}

/// What is at the place of the staging folder.
pub(super) fn folders() -> Vec<Tree> {
    let inside = |name: &str, plant: fn(&World)| {
        Tree::new(name, move |world| {
            world.write(".iris-scaffold/0.new", "pwned\n");
            plant(world);
        })
    };
    vec![
        inside("a journal that is a device", |world| world.link(".iris-scaffold/journal", "/dev/zero")),
        inside("a journal that is a pipe", |world| world.pipe(".iris-scaffold/journal")),
        inside("a journal that is a folder", |world| world.write(".iris-scaffold/journal/mine", "mine\n")),
        inside("a journal that is a socket", |world| world.socket(".iris-scaffold/journal")),
        inside("a journal of 100 MB", |world| world.sparse(".iris-scaffold/journal", 100 << 20)),
        inside("a journal that is no text", |world| world.write(".iris-scaffold/journal", b"src/\xff\n")),
        inside("a journal elsewhere", |world| world.link(".iris-scaffold/journal", "../../outside/canary")),
        inside("new texts without a journal", |world| world.write(".iris-scaffold/1.old", "mine\n")),
        Tree::new("the user's own folder", |world| {
            world.write(".iris-scaffold/notes.txt", "mine\n");
            world.write(".iris-scaffold/deep/er.toml", "mine = true\n");
        }),
        Tree::new("the user's own file", |world| world.write(".iris-scaffold", "mine\n")),
        Tree::new("an empty folder of the name", |world| world.folder(".iris-scaffold")),
        Tree::new("a pipe of the name", |world| world.pipe(".iris-scaffold")),
        Tree::new("a link to a stranger", |world| world.link(".iris-scaffold", "../outside")),
        Tree::new("a link to the repository", |world| world.link(".iris-scaffold", ".git")),
        Tree::new("a link to the whole disk", |world| world.link(".iris-scaffold", "/")),
        Tree::new("a link to itself", |world| world.link(".iris-scaffold", ".iris-scaffold")),
        Tree::new("a folder that nobody may enter", |world| {
            world.write(".iris-scaffold/notes.txt", "mine\n");
            world.mode(".iris-scaffold", 0o000);
        }),
    ]
}

#[test]
fn corpus_journals_that_a_stranger_committed() {
    stand(&journals());
}

#[test]
fn corpus_folders_named_like_the_staging_folder() {
    let trees: Vec<Tree> = folders().into_iter().map(|tree| tree.every(2)).collect();
    stand(&trees);
}
