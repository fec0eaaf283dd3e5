//! Something else in the place of every folder that is listed or written.

use super::world::World;
use super::{Tree, stand};

const FOLDERS: [&str; 13] = [
    "config",
    "config/crd",
    "config/crd/bases",
    "config/rbac",
    "config/manager",
    "config/samples",
    "src",
    "src/controller",
    "api",
    "api/src",
    "api/src/v1alpha1",
    "tests",
    "hack",
];

const TARGETS: [&str; 7] = ["/", "..", "SELF", "ROOT", "GIT", "GIT/hooks", "OUTSIDE"];

/// Adds a tree for any command, and one for those that list the most.
fn add(trees: &mut Vec<Tree>, name: String, plant: impl Fn(&World) + Clone + Send + Sync + 'static) {
    let again = plant.clone();
    trees.push(Tree::new(name.clone(), move |world| again(world)).every(16));
    trees.push(Tree::new(name, move |world| plant(world)).only("manifests").every(4));
}

pub(super) fn trees() -> Vec<Tree> {
    let mut trees = Vec::new();
    for folder in FOLDERS {
        let up = "../".repeat(folder.matches('/').count());
        for target in TARGETS {
            let target = match target {
                "SELF" => folder.rsplit('/').next().unwrap_or(folder).to_owned(),
                "ROOT" => format!("{up}."),
                "OUTSIDE" => format!("{up}../outside"),
                other => other.replace("GIT", &format!("{up}.git")),
            };
            add(&mut trees, format!("{folder} as a link to {target}"), move |world| {
                world.link(folder, &target);
            });
        }
        add(&mut trees, format!("{folder} as a link to a pipe"), move |world| {
            world.pipe("pipe");
            world.link(folder, world.root().join("pipe"));
        });
        add(&mut trees, format!("{folder} as a pipe"), move |world| world.pipe(folder));
        add(&mut trees, format!("{folder} as a file"), move |world| world.write(folder, "mine\n"));
    }
    // A link inside may stay inside.
    trees.push(Tree::new("src/controller moved to another place", |world| {
        let from = world.root().join("src/controller");
        std::fs::rename(from, world.root().join("src/elsewhere")).expect("a move");
        world.link("src/controller", "elsewhere");
    }));
    trees
}

#[test]
fn corpus_links_and_pipes_in_the_place_of_folders() {
    stand(&trees());
}
