//! The engine's promises: all or nothing, whatever happens on the way; nothing written that was not planned.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::tree;
use iris_scaffold::scaffold::{
    Action, Certainty, Draft, File, Insert, OnConflict, Ownership, Plan, RelPath, Tree, apply, apply_with,
    recover, resolve, unified,
};
use tempfile::TempDir;

fn path(path: &str) -> RelPath {
    RelPath::new(path).expect("a path")
}

fn file(at: &str, ownership: Ownership, text: &str) -> File {
    File {
        path: path(at),
        ownership,
        text: text.to_owned().into(),
        executable: Path::new(at).extension().is_some_and(|it| it == "sh"),
        certainty: Certainty::Unsure,
    }
}

/// A project with a file to replace, one to edit and one to leave.
fn project() -> TempDir {
    let root = TempDir::new().expect("a directory");
    fs::create_dir(root.path().join("a")).expect("a directory");
    for (name, text) in [
        ("PROJECT", "version: 1\n"),
        ("a/owned.rs", "// old\n"),
        ("list.yaml", "x:\n# +here\n"),
        ("mine", "mine\n"),
    ] {
        fs::write(root.path().join(name), text).expect("a file");
    }
    root
}

fn plan(root: &Path) -> Plan {
    let mut draft = Draft::new(Tree::open(root));
    let base = Some("// old\n".into());
    draft.file(file("a/owned.rs", Ownership::Owned { base }, "// new\n")).expect("a file");
    draft.file(file("b/c/new.rs", Ownership::Seeded { again: false }, "fn new() {}\n")).expect("a file");
    draft.file(file("run.sh", Ownership::Seeded { again: false }, "#!/bin/sh\n")).expect("a file");
    draft.file(file("PROJECT", Ownership::Derived, "version: 2\n")).expect("a file");
    draft
        .insert(&Insert {
            path: path("list.yaml"),
            anchor: "# +here".into(),
            lines: "- new".into(),
            present: "- new".into(),
        })
        .expect("an anchor");
    draft.plan().expect("a plan")
}

type Files = BTreeMap<String, Vec<u8>>;

/// The tree before and after the plan, and how many steps it takes.
fn before_and_after() -> (Files, Files, usize) {
    let root = project();
    let before = tree(root.path());
    let mut steps = 0;
    apply_with(&plan(root.path()), &mut |_| {
        steps += 1;
        Ok(())
    })
    .expect("an apply");
    (before, tree(root.path()), steps)
}

#[test]
fn a_plan_is_applied_whole_and_only_once() {
    let (before, after, _) = before_and_after();
    assert_ne!(before, after);
    assert_eq!(after["list.yaml"], b"x:\n- new\n# +here\n");
    assert!(!after.keys().any(|name| name.starts_with(".iris-scaffold")));
    let root = project();
    apply(&plan(root.path())).expect("an apply");
    let again = {
        let mut draft = Draft::new(Tree::open(root.path()));
        let base = Some("// new\n".into());
        draft.file(file("a/owned.rs", Ownership::Owned { base }, "// new\n")).expect("a file");
        draft.plan().expect("a plan")
    };
    assert!(again.changes().iter().all(|change| change.action == Action::Unchanged));
}

#[cfg(unix)]
#[test]
fn programs_can_be_run_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = project();
    let mode =
        |name: &str| fs::metadata(root.path().join(name)).expect("a file").permissions().mode() & 0o777;
    fs::set_permissions(root.path().join("a/owned.rs"), fs::Permissions::from_mode(0o640))
        .expect("permissions");
    apply(&plan(root.path())).expect("an apply");
    assert_eq!(mode("a/owned.rs"), 0o640);
    assert_eq!(mode("run.sh") & 0o100, 0o100);
}

#[test]
fn an_error_at_any_step_leaves_everything_as_it_was() {
    let (before, _, steps) = before_and_after();
    for failing in 0..steps {
        let root = project();
        let mut step = 0;
        let result = apply_with(&plan(root.path()), &mut |_| {
            step += 1;
            if step == failing + 1 { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        });
        let error = result.expect_err("the step failed");
        assert!(error.to_string().starts_with("cannot "), "{error}");
        assert_eq!(before, tree(root.path()), "step {failing}: {error}");
    }
}

#[test]
fn killed_at_any_step_it_is_as_before_or_as_after_once_the_next_command_ran() {
    let (before, after, steps) = before_and_after();
    let mut seen = (0, 0);
    for fatal in 0..steps {
        let root = project();
        let mut step = 0;
        let killed = catch_unwind(AssertUnwindSafe(|| {
            apply_with(&plan(root.path()), &mut |_| {
                step += 1;
                // Nothing runs after this, as after SIGKILL: the engine has no destructors that touch the disk.
                if step == fatal + 1 { std::panic::resume_unwind(Box::new("killed")) } else { Ok(()) }
            })
        }));
        assert!(killed.is_err());
        recover(root.path()).expect("a recovery");
        let mut found = tree(root.path());
        // An empty directory made on the way is no difference that anybody sees.
        if found != after {
            found.retain(|name, _| !name.ends_with('/') || before.contains_key(name));
        }
        match (found == before, found == after) {
            (true, _) => seen.0 += 1,
            (_, true) => seen.1 += 1,
            _ => panic!("step {fatal} leaves neither: {:?}", found.keys()),
        }
    }
    assert!(seen.0 > 3 && seen.1 > 3, "both ends occur: {seen:?}");
}

#[test]
fn killed_while_undoing_is_as_after() {
    let (_, after, steps) = before_and_after();
    // The journal decides: whatever an interrupted undo moved back is moved forward again.
    let root = project();
    let mut step = 0;
    let killed = catch_unwind(AssertUnwindSafe(|| {
        apply_with(&plan(root.path()), &mut |_| {
            step += 1;
            if step == steps { std::panic::resume_unwind(Box::new("killed")) } else { Ok(()) }
        })
    }));
    assert!(killed.is_err());
    let staging = root.path().join(".iris-scaffold");
    fs::rename(root.path().join("PROJECT"), staging.join("4.new")).expect("a rename");
    recover(root.path()).expect("a recovery");
    assert_eq!(after, tree(root.path()));
}

#[test]
fn what_changed_since_planning_is_not_overwritten() {
    let root = project();
    let plan = plan(root.path());
    fs::write(root.path().join("list.yaml"), "edited\n").expect("a file");
    let before = tree(root.path());
    let error = apply(&plan).expect_err("a change");
    assert_eq!(error.to_string(), "`list.yaml` changed while the command ran");
    assert_eq!(before, tree(root.path()));
}

#[test]
fn what_would_not_parse_is_never_planned() {
    for (name, text) in [("a.rs", "fn {"), ("a.toml", "= 1"), ("a.yaml", "a: ["), ("PROJECT", "\t- x")] {
        let root = TempDir::new().expect("a directory");
        let mut draft = Draft::new(Tree::open(root.path()));
        draft.file(file(name, Ownership::Derived, text)).expect("a file");
        let error = draft.plan().expect_err(name);
        assert!(error.to_string().starts_with(&format!("`{name}` would not parse: ")), "{error}");
    }
}

#[test]
fn conflicts_are_settled_before_anything_is_written() {
    let settle = |policy| {
        let root = project();
        let mut draft = Draft::new(Tree::open(root.path()));
        draft.file(file("mine", Ownership::Seeded { again: false }, "theirs\n")).expect("a file");
        draft.file(file("new", Ownership::Seeded { again: false }, "new\n")).expect("a file");
        let mut plan = draft.plan().expect("a plan");
        assert!(unified(&plan).contains("-mine\n+theirs\n"), "{}", unified(&plan));
        let settled = resolve(&mut plan, policy).and_then(|()| apply(&plan));
        let text = fs::read_to_string(root.path().join("mine")).expect("a file");
        (settled.map_err(|error| error.to_string()), text, root.path().join("new").exists())
    };
    assert_eq!(settle(OnConflict::Keep), (Ok(()), "mine\n".into(), true));
    assert_eq!(settle(OnConflict::Overwrite), (Ok(()), "theirs\n".into(), true));
    let message = "1 file would overwrite work that is not its own: `mine`".to_owned();
    assert_eq!(settle(OnConflict::Abort), (Err(message), "mine\n".into(), false));
}

#[cfg(unix)]
#[test]
fn links_inside_are_written_through_and_links_outside_refused() {
    use std::os::unix::fs::symlink;
    let root = project();
    fs::rename(root.path().join("list.yaml"), root.path().join("real.yaml")).expect("a rename");
    symlink("real.yaml", root.path().join("list.yaml")).expect("a link");
    apply(&plan(root.path())).expect("an apply");
    assert!(root.path().join("list.yaml").symlink_metadata().expect("a link").is_symlink());
    assert_eq!(fs::read_to_string(root.path().join("real.yaml")).expect("a file"), "x:\n- new\n# +here\n");

    let outside = TempDir::new().expect("a directory");
    for (link, target) in [("b", outside.path().to_path_buf()), ("PROJECT", outside.path().join("nothing"))] {
        let root = project();
        let _ = fs::remove_file(root.path().join(link));
        symlink(&target, root.path().join(link)).expect("a link");
        let before = tree(root.path());
        let mut draft = Draft::new(Tree::open(root.path()));
        let planned = ["PROJECT", "b/c/new.rs"]
            .into_iter()
            .try_for_each(|name| draft.file(file(name, Ownership::Derived, "// x\n")));
        let error = planned.expect_err("a link that leads astray");
        assert!(error.to_string().contains("through a symbolic link"), "{error}");
        assert_eq!(before, tree(root.path()));
    }
    assert!(tree(outside.path()).is_empty());
}

#[test]
fn a_missing_root_is_made_and_a_failed_one_removed_again() {
    let parent = TempDir::new().expect("a directory");
    let root = parent.path().join("x/y");
    let mut draft = Draft::new(Tree::open(&root));
    draft.file(file("a/b", Ownership::Derived, "b\n")).expect("a file");
    let plan = draft.plan().expect("a plan");
    let mut step = 0;
    let failed = apply_with(&plan, &mut |_| {
        step += 1;
        if step == 5 { Err(io::Error::other("no")) } else { Ok(()) }
    });
    assert!(failed.is_err() && !parent.path().join("x").exists());
    apply(&plan).expect("an apply");
    assert_eq!(fs::read_to_string(root.join("a/b")).expect("a file"), "b\n");
}
