//! The engine's promises: all or nothing, whatever happens on the way; nothing written that was not planned.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use common::tree;
use iris_scaffold::scaffold::{
    Action, Certainty, Draft, File, Insert, Journals, OnConflict, Ownership, Plan, RelPath, Step, Tree,
    apply, apply_with, check_whole, recover, resolve, unified,
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

/// Journals in a folder that only this test has.
fn journals() -> (TempDir, Journals) {
    let folder = TempDir::new().expect("a directory");
    let journals = Journals::new([folder.path().join("state/iris")]);
    (folder, journals)
}

/// Applies the plan for the project at `root` and stops for good before step number `fatal`, as after SIGKILL: the engine
/// has no destructors that touch the disk.
fn killed_at(root: &Path, journals: &Journals, fatal: usize) {
    let mut step = 0;
    let killed = catch_unwind(AssertUnwindSafe(|| {
        apply_with(&plan(root), journals, None, &mut |_| {
            step += 1;
            if step == fatal + 1 { std::panic::resume_unwind(Box::new("killed")) } else { Ok(()) }
        })
    }));
    assert!(killed.is_err());
}

/// The number of the first step that `wanted` says.
fn step(wanted: impl Fn(Step<'_>) -> bool) -> usize {
    let (_folder, journals) = journals();
    let (mut steps, mut found) = (0, None);
    let applied = apply_with(&plan(project().path()), &journals, None, &mut |step| {
        found = found.or(wanted(step).then_some(steps));
        steps += 1;
        Ok(())
    });
    applied.map(|()| found.expect("such a step")).expect("an apply")
}

/// The staging folder of a command that was killed.
fn staging(root: &Path) -> PathBuf {
    let mut found = fs::read_dir(root.join(".iris-scaffold")).expect("a folder");
    found.next().expect("a staging folder").expect("an entry").path()
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
    let (_folder, journals) = journals();
    let before = tree(root.path());
    let mut steps = 0;
    apply_with(&plan(root.path()), &journals, None, &mut |_| {
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
    let (folder, journals) = journals();
    apply(&plan(root.path()), &journals, None).expect("an apply");
    assert_eq!(tree(&folder.path().join("state/iris")), Files::new());
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
        |name: &str| fs::metadata(root.path().join(name)).expect("a file").permissions().mode() & 0o7777;
    // Nobody lends a text rights that a program had.
    fs::set_permissions(root.path().join("a/owned.rs"), fs::Permissions::from_mode(0o6640))
        .expect("permissions");
    apply(&plan(root.path()), &journals().1, None).expect("an apply");
    assert_eq!(mode("a/owned.rs"), 0o640);
    assert_eq!(mode("run.sh") & 0o100, 0o100);
}

#[cfg(unix)]
#[test]
fn what_waits_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = project();
    let (folder, journals) = journals();
    let state = folder.path().join("state/iris");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
    let mut seen = 0;
    apply_with(&plan(root.path()), &journals, None, &mut |step| {
        if matches!(step, Step::Place(_)) {
            let journal = fs::read_dir(&state)?.next().expect("a journal")?.path();
            assert_eq!((mode(&staging(root.path())), mode(&state), mode(&journal)), (0o700, 0o700, 0o600));
            seen += 1;
        }
        Ok(())
    })
    .expect("an apply");
    assert_eq!(seen, 5);
}

#[test]
fn an_error_at_any_step_leaves_everything_as_it_was() {
    let (before, _, steps) = before_and_after();
    for failing in 0..steps {
        let root = project();
        let (folder, journals) = journals();
        let mut step = 0;
        let result = apply_with(&plan(root.path()), &journals, None, &mut |_| {
            step += 1;
            if step == failing + 1 { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        });
        let error = result.expect_err("the step failed");
        assert!(error.to_string().starts_with("cannot "), "{error}");
        assert_eq!(before, tree(root.path()), "step {failing}: {error}");
        assert!(!tree(folder.path()).keys().any(|name| !name.ends_with('/')), "step {failing}: {error}");
    }
}

#[test]
fn killed_at_any_step_it_is_as_before_or_as_after_once_the_next_command_ran() {
    let (before, after, steps) = before_and_after();
    let mut seen = (0, 0);
    for fatal in 0..steps {
        let root = project();
        let (folder, journals) = journals();
        killed_at(root.path(), &journals, fatal);
        let whole = check_whole(root.path(), &journals);
        let found = tree(root.path());
        assert!(whole.is_ok() != recover(root.path(), &journals).expect("a recovery"), "step {fatal}");
        if whole.is_ok() {
            let visible = |name: &String| !name.starts_with(".iris-scaffold") && !name.ends_with('/');
            let (mut found, mut now) = (found, tree(root.path()));
            found.retain(|name, _| visible(name));
            now.retain(|name, _| visible(name));
            assert_eq!(found, now, "what is whole is not changed: step {fatal}");
        }
        assert!(!tree(folder.path()).keys().any(|name| !name.ends_with('/')), "step {fatal}");
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
    let (_folder, journals) = journals();
    killed_at(root.path(), &journals, steps - 1);
    fs::rename(root.path().join("PROJECT"), staging(root.path()).join("4.new")).expect("a rename");
    recover(root.path(), &journals).expect("a recovery");
    assert_eq!(after, tree(root.path()));
}

#[test]
fn what_changed_since_planning_is_not_overwritten() {
    let root = project();
    let plan = plan(root.path());
    fs::write(root.path().join("list.yaml"), "edited\n").expect("a file");
    let before = tree(root.path());
    let error = apply(&plan, &journals().1, None).expect_err("a change");
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
        let diff = unified(&plan).expect("a diff");
        assert!(diff.contains("-mine\n+theirs\n"), "{diff}");
        let settled = resolve(&mut plan, policy).and_then(|()| apply(&plan, &journals().1, None));
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
    apply(&plan(root.path()), &journals().1, None).expect("an apply");
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
    let (_folder, journals) = journals();
    let failed = apply_with(&plan, &journals, None, &mut |_| {
        step += 1;
        if step == 5 { Err(io::Error::other("no")) } else { Ok(()) }
    });
    assert!(failed.is_err() && !parent.path().join("x").exists());
    apply(&plan, &journals, None).expect("an apply");
    assert_eq!(fs::read_to_string(root.join("a/b")).expect("a file"), "b\n");
}

#[test]
fn what_changed_since_a_command_was_killed_is_not_touched() {
    type Change = fn(&Path);
    let placing = step(|step| matches!(step, Step::Place(path) if path.as_str() == "list.yaml"));
    let changes: [(&str, Change); 5] = [
        ("the user edits a file that is to be replaced", |root| {
            fs::write(root.join("list.yaml"), "mine\n").expect("a file");
        }),
        ("the user edits a file that was replaced", |root| {
            fs::write(root.join("a/owned.rs"), "// mine\n").expect("a file");
        }),
        ("a file takes the place of one that is to be made", |root| {
            fs::write(root.join("run.sh"), "mine\n").expect("a file");
        }),
        ("a staged text is another one", |root| {
            fs::write(staging(root).join("2.new"), "- theirs\n").expect("a file");
        }),
        ("a staged text is a directory", |root| {
            fs::remove_file(staging(root).join("2.new")).expect("a file");
            fs::create_dir(staging(root).join("2.new")).expect("a directory");
        }),
    ];
    for (what, change) in changes {
        let root = project();
        let (_folder, journals) = journals();
        killed_at(root.path(), &journals, placing);
        change(root.path());
        let before = tree(root.path());
        let error = recover(root.path(), &journals).expect_err(what);
        assert!(!error.to_string().is_empty());
        check_whole(root.path(), &journals).expect_err(what);
        assert_eq!(before, tree(root.path()), "{what}: {error}");
        // Who removes the staging folder has decided.
        fs::remove_dir_all(staging(root.path())).expect("a removal");
        check_whole(root.path(), &journals).expect(what);
        assert!(!recover(root.path(), &journals).expect(what), "{what}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_came_since_a_command_was_killed_is_not_followed() {
    use std::os::unix::fs::symlink;
    let placing = step(|step| matches!(step, Step::Place(path) if path.as_str() == "b/c/new.rs"));
    for target in ["", ".git/hooks"] {
        let root = project();
        let outside = TempDir::new().expect("a directory");
        let (_folder, journals) = journals();
        killed_at(root.path(), &journals, placing);
        let target = if target.is_empty() { outside.path().to_path_buf() } else { root.path().join(target) };
        fs::create_dir_all(&target).expect("a directory");
        fs::remove_dir_all(root.path().join("b")).expect("a removal");
        symlink(&target, root.path().join("b")).expect("a link");
        let before = tree(root.path());
        let error = recover(root.path(), &journals).expect_err("a link that leads astray");
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert_eq!(before, tree(root.path()));
        assert!(tree(&target).is_empty());
    }
}

#[test]
fn what_git_could_carry_is_not_taken_for_a_journal() {
    let committed = step(|step| matches!(step, Step::SetAside(_)));
    let root = project();
    let (folder, journals) = journals();
    killed_at(root.path(), &journals, committed);
    // A copy of everything, journal included, is another folder.
    let copy = project();
    let from = staging(root.path());
    let to = copy.path().join(".iris-scaffold").join(from.file_name().expect("a name"));
    fs::create_dir_all(&to).expect("a directory");
    for (name, text) in tree(&from) {
        fs::write(to.join(name), text).expect("a file");
    }
    for (_, text) in tree(&folder.path().join("state/iris")) {
        fs::write(copy.path().join(".iris-scaffold/journal"), text).expect("a file");
    }
    let before = tree(copy.path());
    check_whole(copy.path(), &journals).expect("nothing to finish");
    assert!(!recover(copy.path(), &journals).expect("nothing to finish"));
    assert_eq!(before, tree(copy.path()));
    // A command that writes leaves what is not its own alone.
    apply(&plan(copy.path()), &journals, None).expect("an apply");
    let theirs = |files: Files| -> Files {
        files.into_iter().filter(|(name, _)| name.starts_with(".iris-scaffold")).collect()
    };
    assert_eq!(theirs(before), theirs(tree(copy.path())));
    assert!(recover(root.path(), &journals).expect("a recovery"));
}

#[cfg(unix)]
#[test]
fn journals_of_others_are_not_followed_and_none_is_written_where_others_write() {
    use std::os::unix::fs::PermissionsExt as _;
    let committed = step(|step| matches!(step, Step::SetAside(_)));
    let root = project();
    let (folder, journals) = journals();
    killed_at(root.path(), &journals, committed);
    let state = folder.path().join("state/iris");
    let journal = fs::read_dir(&state).expect("a folder").next().expect("a journal").expect("it").path();
    for (path, mode, whole) in [(&state, 0o777, true), (&journal, 0o666, true), (&journal, 0o600, false)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        assert_eq!(check_whole(root.path(), &journals).is_ok(), whole, "{mode:o} {path:?}");
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("its mode");
    }
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).expect("a folder");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).expect("its mode");
    let before = tree(project().path());
    let other = project();
    let error =
        apply(&plan(other.path()), &Journals::new([shared.clone()]), None).expect_err("a shared folder");
    assert!(error.to_string().contains("only this user may write to"), "{error}");
    assert_eq!(before, tree(other.path()));
    apply(&plan(other.path()), &Journals::new([shared, folder.path().join("own")]), None)
        .expect("the next folder");
}

#[test]
fn journals_of_any_form_are_refused_in_no_time() {
    let committed = step(|step| matches!(step, Step::SetAside(_)));
    let root = project();
    let (folder, journals) = journals();
    killed_at(root.path(), &journals, committed);
    let state = folder.path().join("state/iris");
    let file = fs::read_dir(&state).expect("a folder").next().expect("a journal").expect("it").path();
    let whole = fs::read_to_string(&file).expect("a journal");
    let before = tree(root.path());
    let repeated = |text: &str, times| text.repeat(times);
    let mut texts: Vec<String> = [
        repeated("[", 200_000),
        repeated("{\"root\":", 200_000),
        repeated(&whole, 2),
        repeated("\"\\u0000", 1_000_000),
        repeated(" ", 17 << 20),
        whole.replace("\"PROJECT\"", "\"../PROJECT\""),
        whole.replace("\"PROJECT\"", "\".git/config\""),
        whole.replace("\"PROJECT\"", "\"/etc/passwd\""),
        whole.replace("\"changes\":5", "\"changes\":18446744073709551615"),
        whole.replace("\"root\"", "\"other\":1,\"root\""),
    ]
    .into();
    texts.extend((0..whole.len()).step_by(7).map(|end| whole[..end].to_owned()));
    let staging = staging(root.path()).file_name().expect("a name").to_str().expect("text").to_owned();
    texts.extend(["..", "", "../../..", "0123456789abcdeF"].map(|name| whole.replace(&staging, name)));
    for text in texts {
        fs::write(&file, &text).expect("a journal");
        let shown: String = text.chars().take(200).collect();
        let error = recover(root.path(), &journals).expect_err(&shown);
        assert!(error.to_string().len() < 2_000, "{error}");
        check_whole(root.path(), &journals).expect_err(&shown);
        assert_eq!(before, tree(root.path()), "{shown}");
    }
    fs::write(&file, &whole).expect("a journal");
    assert!(recover(root.path(), &journals).expect("a recovery"));
}
