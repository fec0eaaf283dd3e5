//! Repositories that a stranger prepared, and projects and folders of other users.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::commands::{self, line};
use super::world::World;
use super::{Tally, Tree, attempt, stand};

fn git(world: &World, args: &[&str]) {
    // Not as the project's configuration has it.
    let off =
        ["core.fsmonitor=false", "filter.all.clean=cat", "filter.all.process=", "filter.all.smudge=cat"];
    let mut command = Command::new("git");
    for setting in off.iter().chain(&["user.name=a", "user.email=a@example.com", "core.hooksPath=/nowhere"]) {
        command.args(["-c", setting]);
    }
    command.env("HOME", world.beside("home")).env("GIT_NO_LAZY_FETCH", "1");
    let _ = command.args(args).current_dir(world.root()).output();
}

/// A repository whose `.git/config` says more.
fn configured(world: &World, more: &str) {
    let mark = world.beside("bin/mark").display().to_string();
    world.append(".git/config", more.replace("MARK", &mark));
}

/// A repository that lacks a text, and a configuration that says whom to ask for it.
fn promised(world: &World) {
    world.remove("config/crd/bases/test.myardyas.club_iris.yaml");
    world.write("config/crd/bases/lost.yaml", "kind: CustomResourceDefinition\nlost: true\n");
    git(world, &["add", "-f", "config/crd/bases"]);
    git(world, &["commit", "--quiet", "--no-verify", "--message=lost"]);
    let objects = world.root().join(".git/objects");
    for folder in fs::read_dir(objects).into_iter().flatten().filter_map(Result::ok) {
        for object in fs::read_dir(folder.path()).into_iter().flatten().filter_map(Result::ok) {
            let id = format!("{}{}", folder.file_name().display(), object.file_name().display());
            let kind = Command::new("git").args(["cat-file", "-t", &id]).current_dir(world.root()).output();
            if kind.is_ok_and(|kind| kind.stdout.starts_with(b"blob")) {
                let _ = fs::remove_file(object.path());
            }
        }
    }
    configured(
        world,
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\
         \turl = ext::MARK fetch\n\tpromisor = true\n\tuploadpack = MARK fetch\n[protocol]\n\tallow = always\n\
         [protocol \"ext\"]\n\tallow = always\n",
    );
}

pub(super) fn repositories() -> Vec<Tree> {
    let against = |name: &str, plant: fn(&mut World)| Tree::new(name, plant).only("manifests");
    vec![
        against("a repository that lacks what it promises", |world| promised(world)),
        against("a repository that asks a remote over ssh", |world| {
            promised(world);
            configured(world, "[remote \"origin\"]\n\turl = ssh://pwned/x\n");
        }),
        against("a configuration that includes others", |world| {
            world.write("included", "[core]\n\tfsmonitor = MARK included\n");
            configured(world, "[include]\n\tpath = ../included\n\tpath = /dev/zero\n");
        }),
        against("a configuration without end", |world| world.link(".git/config", "/dev/zero")),
        against("a configuration that is a pipe", |world| world.pipe(".git/config")),
        against("a configuration that is none", |world| world.write(".git/config", "[\u{1b}]0;pwned\u{7}\n")),
        against("no repository", |world| world.remove(".git")),
        against("a repository elsewhere", |world| {
            let _ = fs::rename(world.root().join(".git"), world.beside("outside/git"));
            world.write(".git", "gitdir: ../outside/git\n");
        }),
        against("a linked repository", |world| {
            let _ = fs::rename(world.root().join(".git"), world.beside("outside/git"));
            let _ = symlink("../outside/git", world.root().join(".git"));
        }),
        against("a commit of deep texts", |world| {
            world.write(
                "config/crd/bases/deep.yaml",
                format!("kind: CustomResourceDefinition\nx: {}", "[".repeat(200_000)),
            );
            world.write("config/crd/bases/a\u{1b}[2J\nhint: pwned.yaml", "kind: CustomResourceDefinition\nspec: {names: {kind: \"\\e[2J\\nhint: pwned\"}}\nmetadata: {name: \"\\e]0;pwned\\a\"}\n");
            git(world, &["add", "-f", "config/crd/bases"]);
            git(world, &["commit", "--quiet", "--no-verify", "--message=deep"]);
        }),
        against("a commit of many definitions", |world| {
            for number in 0..300 {
                world.write(
                    &format!("config/crd/bases/many{number}.yaml"),
                    "kind: CustomResourceDefinition\n",
                );
            }
            git(world, &["add", "-f", "config/crd/bases"]);
            git(world, &["commit", "--quiet", "--no-verify", "--message=many"]);
        }),
    ]
}

#[test]
fn corpus_repositories_of_a_stranger() {
    stand(&repositories());
}

#[test]
fn corpus_commits_that_a_remote_would_be_asked_for() {
    let mut total = Tally::default();
    for command in [
        "manifests --against=0123456789012345678901234567890123456789",
        "manifests --against=HEAD",
        "manifests --against=--upload-pack=touch",
        "manifests --against=:/pwned",
        "manifests --against=HEAD^{/((((((((((a*)*)*)*)*)*)*)*)*)*b}",
    ] {
        for (mode, reads) in commands::modes(command).into_iter().take(4) {
            let tree = Tree::new("a repository that lacks what it promises", |world| promised(world));
            let line = line(command, mode, reads, 1);
            let (_, found) = attempt(&tree.world(), &line);
            total.add(found);
        }
    }
    total.judge();
}

/// Projects that belong to somebody else, which only root can make.
fn foreign() -> Vec<Tree> {
    vec![
        Tree::new("a project of another user", |world| {
            world.give_away("");
            world.give_away("PROJECT");
        }),
        Tree::new("a repository of another user", |world| {
            world.give_away(".git");
        }),
        Tree::new("files of another user", |world| {
            for path in ["config/rbac/role.yaml", "src/controller/mod.rs", "config/crd/kustomization.yaml"] {
                world.give_away(path);
            }
        }),
        Tree::new("a folder that everybody may write to", |world| {
            world.mode("", 0o1777);
            world.mode("src", 0o777);
        }),
    ]
}

#[test]
fn corpus_projects_of_another_user() {
    stand(&foreign());
}

/// As in `/tmp`, where anybody can put a PROJECT above the folders of all others.
#[test]
fn a_project_of_another_user_above_ones_own_folder_is_not_taken_for_ones_own() {
    let tree = Tree::new("another user's project above", |world| {
        world.start = "mine".into();
        world.folder("mine");
        world.give_away("");
        world.give_away("PROJECT");
        world.mode("", 0o1777);
    });
    if !tree.world().give_away("PROJECT") {
        return;
    }
    let mut total = Tally::default();
    for line in commands::lines(0).into_iter().chain(commands::lines(1)) {
        let is_of_a_project = line.words[0] == "create" || line.words[0] == "manifests";
        let (changed, mut found) = attempt(&tree.world(), &line);
        if is_of_a_project && changed {
            found.faults.push(format!("`{line}` writes into the other user's project"));
        }
        total.add(found);
    }
    total.judge();
}
