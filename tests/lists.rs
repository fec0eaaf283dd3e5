//! Lists of modules, which are the tool's, with modules of the user's own in them.

mod common;

use std::process::Command;

use common::cluster::run;
use common::{Sandbox, tree};

const API: &str = "api/src/lib.rs";
const VERSION: &str = "api/src/v1alpha1/mod.rs";
const CONTROLLERS: &str = "src/controller/mod.rs";

/// The walk-through's project with a module of the user's in each list.
fn project() -> Sandbox {
    let sandbox = Sandbox::with_iris();
    for (list, line, added) in [
        (API, "pub mod rules;", "pub mod common;\npub mod rules;"),
        (API, "//! The API", "#![warn(missing_docs)]\n//! The API"),
        (VERSION, "pub mod iris;", "/// What several kinds have.\npub mod common;\npub mod iris;"),
        (VERSION, "pub use iris::Iris;", "pub use common::Size;\npub use iris::Iris;"),
        (CONTROLLERS, "pub mod iris_resources;", "pub mod iris_resources;\nmod zone;"),
    ] {
        let text = sandbox.read(list);
        assert!(text.contains(line), "{text}");
        sandbox.write(list, &text.replacen(line, added, 1));
    }
    sandbox.write("api/src/common.rs", "//! Mine.\n");
    sandbox.write("api/src/v1alpha1/common.rs", "//! Mine.\n\npub struct Size;\n");
    sandbox.write("src/controller/zone.rs", "//! Mine.\n");
    sandbox
}

fn create(sandbox: &Sandbox, version: &str, kind: &str, more: &[&str]) -> common::Ran {
    let version = format!("--version={version}");
    let kind = format!("--kind={kind}");
    sandbox.run(&[&["create", "api", "--group=test", &version, &kind], more].concat())
}

#[test]
fn modules_of_ones_own_stay() {
    let sandbox = project();
    let before = tree(sandbox.path());
    create(&sandbox, "v1alpha1", "Iris", &[]).success();
    sandbox.run(&["init", "--domain", "myardyas.club"]).success();
    assert!(tree(sandbox.path()) == before, "nothing is new");
    create(&sandbox, "v1alpha1", "Bulb", &[]).success();
    create(&sandbox, "v1", "Iris", &[]).success();
    let has = |list: &str, lines: &str| {
        let text = sandbox.read(list);
        assert!(text.contains(lines), "{list}: {text}");
    };
    has(API, "#![warn(missing_docs)]\n//! The API");
    has(API, "pub mod common;\npub mod rules;\npub mod shared;\npub mod v1;\npub mod v1alpha1;\n");
    has(VERSION, "pub mod bulb;\n/// What several kinds have.\npub mod common;\npub mod iris;\n");
    has(VERSION, "pub use common::Size;\n");
    has(VERSION, "pub use bulb::Bulb;\n");
    has(
        CONTROLLERS,
        "pub mod bulb;\npub mod bulb_resources;\npub mod iris;\npub mod iris_resources;\nmod zone;\n",
    );
    has(CONTROLLERS, "    iris::start(manager);\n    bulb::start(manager);\n");
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition=2024", API, CONTROLLERS]).current_dir(sandbox.path());
    run(rustfmt, "").unwrap_or_else(|difference| panic!("not formatted:\n{difference}"));

    // Also where another version of the tool wrote the lists.
    let project = sandbox.read("PROJECT");
    let version = format!("cliVersion: {}", env!("CARGO_PKG_VERSION"));
    sandbox.write("PROJECT", &project.replace(&version, "cliVersion: 0.0.1"));
    for list in [API, VERSION, CONTROLLERS] {
        let old = sandbox.read(list).replacen("\n//! ", "\n//! As it was once: ", 1);
        sandbox.write(list, &old);
    }
    create(&sandbox, "v1alpha1", "Corm", &[]).success();
    has(API, "pub mod common;\npub mod rules;\n");
    has(VERSION, "pub mod common;\n");
    has(CONTROLLERS, "\nmod zone;\n");
    assert!(!sandbox.read(API).contains("As it was once"));
}

#[test]
fn what_a_list_is_kept_without_is_told() {
    let sandbox = project();
    let changed = sandbox.read(VERSION).replace("pub use iris::Iris;\n", "");
    sandbox.write(VERSION, &changed);
    let ran = create(&sandbox, "v1alpha1", "Bulb", &[]).code(1);
    assert!(ran.stderr.contains(VERSION), "{}", ran.stderr);
    let ran = create(&sandbox, "v1alpha1", "Bulb", &["--on-conflict=keep"]).success();
    let note = format!(
        "note: `{VERSION}` is kept without `pub mod bulb;`: what it does not declare is not compiled"
    );
    assert!(ran.stderr.contains(&note), "{}", ran.stderr);
    assert_eq!(sandbox.read(VERSION), changed);
}

#[test]
fn shared_types_have_a_place() {
    let sandbox = Sandbox::with_iris();
    let path = "api/src/shared.rs";
    assert!(sandbox.read(path).contains("This file is yours."), "{}", sandbox.read(path));
    assert!(sandbox.read(API).contains("\npub mod shared;\n"));
    sandbox.write(path, "//! Mine.\n\npub struct Size;\n");
    create(&sandbox, "v1", "Bulb", &[]).success();
    assert_eq!(sandbox.read(path), "//! Mine.\n\npub struct Size;\n");
    // The list names it, so it has to be there.
    std::fs::remove_file(sandbox.path().join(path)).expect("removed");
    create(&sandbox, "v1", "Corm", &[]).success();
    assert!(sandbox.read(path).contains("This file is yours."));
    let groups = Sandbox::new("fleet");
    groups.run(&["init", "--domain=example.com", "--multigroup"]).success();
    groups.run(&["create", "api", "--group=shared", "--version=v1", "--kind=Ship"]).success();
    assert!(groups.read(API).contains("pub mod shared;\npub mod shared_;\n"), "{}", groups.read(API));
}
