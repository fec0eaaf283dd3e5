//! Hostile surroundings: disks, signals, streams, links and neighbours. Whatever happens, there is one clear error or none,
//! nobody waits for ever, and the project is as before or as it should be.
#![cfg(unix)]

mod common;
#[cfg(target_os = "linux")]
#[path = "hostile/corpus.rs"]
mod corpus;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Ran, Sandbox, difference, snapshot, tree};

const PROGRAM: &str = env!("CARGO_BIN_EXE_iris-scaffold");
const WIDGET: [&str; 5] = ["create", "api", "--group=test", "--version=v1", "--kind=Widget"];
/// How long a command may take before it counts as waiting for ever.
const PATIENCE: Duration = Duration::from_secs(20);

fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn shell(folder: &Path, script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM]).args(args).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command that must end soon, and without a panic.
fn ran(mut command: Command) -> Ran {
    let mut child = command.spawn().expect("a run");
    let begin = Instant::now();
    while child.try_wait().expect("its status").is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill().expect("an end");
            panic!("waits for ever: {command:?}");
        }
        sleep(Duration::from_millis(1));
    }
    ended(child)
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().expect("its output");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let ran = Ran { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() };
    assert!(!ran.stderr.contains("panicked"), "{ran:#?}");
    ran
}

/// Asserts a failure with one error, and that nothing changed. The error.
fn refused(sandbox: &Sandbox, command: Command) -> String {
    let before = snapshot(sandbox.path());
    let ran = ran(command).code(1);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    let changed = difference(&before, &snapshot(sandbox.path()));
    assert!(changed.is_empty(), "{changed:?} changed, though: {}", ran.stderr);
    ran.stderr
}

/// Numbers that look random.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn a_read_only_project_stays_as_it_is() {
    let sandbox = Sandbox::with_project();
    let me = sandbox.path().metadata().expect("its owner").uid();
    // Nothing is read-only to root.
    let other = (me == 0).then_some(65534);
    let copy = sandbox.path().parent().expect("a parent").join("program");
    fs::copy(PROGRAM, &copy).expect("a copy that everybody may run");
    fs::set_permissions(copy.parent().expect("a parent"), fs::Permissions::from_mode(0o755))
        .expect("its mode");
    let run = |args: &[&str]| {
        let mut command = Command::new(&copy);
        command.args(args).current_dir(sandbox.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(user) = other {
            command.uid(user).gid(user);
        }
        command
    };
    let folders: Vec<_> =
        ["", "src/controller", "config/rbac", "api/src"].map(|it| sandbox.path().join(it)).into();
    let mode = |mode| {
        for folder in &folders {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("its mode");
        }
    };
    mode(0o555);
    let error = refused(&sandbox, run(&WIDGET));
    assert!(error.contains("permission denied"), "{error}");
    mode(0o755);
    // One file that cannot be read.
    let file = sandbox.path().join("src/controller/mod.rs");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("its mode");
    let error = refused(&sandbox, run(&WIDGET));
    assert!(error.contains("src/controller/mod.rs") && error.contains("permission denied"), "{error}");
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    // No file may be longer than so many blocks of 512 bytes, as on a disk that is full at this point.
    let script = |blocks| format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$0\" \"$@\"");
    for blocks in [0, 1, 2, 4, 8, 16, 40] {
        let empty = Sandbox::new("iris");
        let error = refused(&empty, shell(empty.path(), &script(blocks), &["init", "--domain=example.com"]));
        assert!(
            error.contains("cannot write ") || error.contains("cannot keep a journal"),
            "{blocks}: {error}"
        );
        empty.run(&["init", "--domain=example.com"]).success();
    }
    for blocks in [0, 1, 2, 4] {
        let sandbox = Sandbox::with_project();
        let error = refused(&sandbox, shell(sandbox.path(), &script(blocks), &WIDGET));
        assert!(
            error.contains("cannot write ") || error.contains("cannot keep a journal"),
            "{blocks}: {error}"
        );
        sandbox.run(&WIDGET).success();
    }
}

#[test]
fn killed_at_any_moment_it_is_as_before_or_as_after() {
    let sandbox = Sandbox::with_project();
    let before = tree(sandbox.path());
    let begin = Instant::now();
    sandbox.run(&WIDGET).success();
    let mut longest = u64::try_from(begin.elapsed().as_micros()).expect("a moment") * 5 / 4;
    let after = tree(sandbox.path());
    let mut state = 7;
    let mut ends = [0, 0];
    for round in 0..400 {
        if round >= 40 && ends.iter().all(|&count| count > 0) {
            break;
        }
        longest += longest / 100;
        let sandbox = Sandbox::with_project();
        let mut child = program(sandbox.path(), &WIDGET).spawn().expect("a run");
        sleep(Duration::from_micros(random(&mut state) % longest));
        child.kill().expect("a kill");
        let _ = ended(child);
        // Any command that writes mends what is left, and this one changes nothing.
        sandbox.run(&["manifests", "--rbac-only"]).success();
        let now = tree(sandbox.path());
        assert!(now == before || now == after, "{:?}", now.keys().collect::<Vec<_>>());
        ends[usize::from(now == after)] += 1;
    }
    assert!(ends[0] > 0 && ends[1] > 0, "killed too early or too late: {ends:?}");
    let whole = before;
    for _ in 0..20 {
        let sandbox = Sandbox::new("iris");
        let init = ["init", "--domain", "myardyas.club"];
        let mut child = program(sandbox.path(), &init).spawn().expect("a run");
        sleep(Duration::from_micros(random(&mut state) % longest));
        child.kill().expect("a kill");
        let _ = ended(child);
        sandbox.run(&init).success();
        assert!(tree(sandbox.path()) == whole);
    }
}

#[test]
fn streams_that_break_are_no_reason_to_panic() {
    let sandbox = Sandbox::with_project();
    for (script, status) in [
        ("\"$0\" completion bash | head -c 1 >/dev/null", 0),
        ("\"$0\" completion bash >&-", 0),
        ("\"$0\" create api 2>&-", 2),
        ("\"$0\" --help >/dev/full; exit 0", 0),
        ("\"$0\" --format json version >/dev/full", 1),
        ("\"$0\" manifests --stdout --rbac-only >/dev/full", 1),
        ("\"$0\" version <&-", 0),
        ("env -i \"$0\" version", 0),
        ("TERM=dumb LC_ALL=C COLUMNS=1 \"$0\" --help >/dev/null", 0),
        ("COLUMNS=99999999999999999999 \"$0\" --help >/dev/null", 0),
    ] {
        let ran = ran(shell(sandbox.path(), script, &[]));
        assert_eq!(ran.status, Some(status), "{script}: {}", ran.stderr);
    }
    let lost = ran(shell(sandbox.path(), "\"$0\" completion bash >/dev/full", &[]));
    assert_eq!(lost.stderr, "error: cannot write to `standard output`: no space left on device\n");
}

#[test]
fn links_out_of_the_project_are_not_followed() {
    let sandbox = Sandbox::with_project();
    let outside = Sandbox::with_project();
    let real = sandbox.path().join("PROJECT");
    for (name, target) in [
        ("src/controller/mod.rs", outside.path().join("src/controller/mod.rs")),
        ("src/controller/mod.rs", "/nowhere/at/all".into()),
        ("src/controller/mod.rs", "mod.rs".into()),
        ("config/crd/kustomization.yaml", "/dev/zero".into()),
        ("PROJECT", outside.path().join("PROJECT")),
    ] {
        let path = sandbox.path().join(name);
        let kept = fs::read(&path).expect("a file");
        fs::remove_file(&path).expect("a removal");
        symlink(&target, &path).expect("a link");
        let before = snapshot(outside.path());
        let error = refused(&sandbox, program(sandbox.path(), &WIDGET));
        assert!(error.contains(name) && error.contains("symbolic link"), "{target:?}: {error}");
        assert!(difference(&before, &snapshot(outside.path())).is_empty());
        fs::remove_file(&path).expect("a removal");
        fs::write(&path, kept).expect("a file");
    }
    // The root may be a link, and so may what it leads to inside.
    fs::rename(&real, sandbox.path().join("config/PROJECT")).expect("a move");
    symlink("config/PROJECT", &real).expect("a link");
    let link = outside.path().join("link");
    symlink(sandbox.path(), &link).expect("a link");
    let ran = ran(program(&link, &WIDGET)).success();
    assert!(ran.stderr.contains("Creating api/src/v1/widget.rs"), "{}", ran.stderr);
    assert!(real.symlink_metadata().expect("it").is_symlink());
    assert!(sandbox.read("config/PROJECT").contains("kind: Widget"));
}

#[test]
fn what_is_no_file_is_not_read() {
    for name in ["PROJECT", "src/controller/mod.rs", "config/crd/kustomization.yaml", "src/mine.rs"] {
        for what in ["pipe", "directory", "device", "giant"] {
            let sandbox = Sandbox::with_project();
            let path = sandbox.path().join(name);
            let _ = fs::remove_file(&path);
            match what {
                "pipe" => assert!(Command::new("mkfifo").arg(&path).status().expect("a pipe").success()),
                "directory" => fs::create_dir(&path).expect("a directory"),
                "giant" => File::create(&path).expect("a file").set_len(70 << 20).expect("its length"),
                _ => symlink("/dev/zero", &path).expect("a link"),
            }
            if (name, what) == ("src/mine.rs", "directory") {
                continue;
            }
            let error = refused(&sandbox, program(sandbox.path(), &WIDGET));
            assert!(error.contains(name), "{what}: {error}");
        }
    }
}

#[test]
fn project_files_of_any_form_are_refused_in_no_time() {
    let whole = Sandbox::with_iris().read("PROJECT");
    let sandbox = Sandbox::with_iris();
    let mut refusals = 0;
    for end in (0..whole.len()).step_by(5) {
        sandbox.write("PROJECT", &whole[..end]);
        let before = tree(sandbox.path());
        let ran = ran(program(sandbox.path(), &[&WIDGET[..], &["--dry-run"]].concat()));
        if ran.status != Some(0) {
            assert_eq!((ran.status, ran.stderr.matches("error: ").count()), (Some(1), 1), "{}", ran.stderr);
            refusals += 1;
        }
        assert!(tree(sandbox.path()) == before);
    }
    assert!(refusals > 20, "{refusals}");
    let entry = whole.split_once("resources:\n").expect("a kind").1;
    let anchors: Vec<_> = (1..30).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]", n - 1)).collect();
    let anchors = anchors.join("\n");
    for (what, text) in [
        ("two megabytes", whole.repeat(1 + (2 << 20) / whole.len())),
        ("deep lists", format!("{whole}deep: {}", "[".repeat(200_000))),
        ("deep maps", format!("{whole}deep: {}", "{a: ".repeat(200_000))),
        ("anchors", format!("{whole}a0: &a0 [x, x]\n{anchors}")),
        ("a key twice", format!("{whole}domain: other.example.com\n")),
        ("a kind twice", format!("{whole}{entry}")),
        ("a newer version", whole.replace("version: \"3\"", "version: \"4\"")),
        ("two documents", format!("{whole}---\n{whole}")),
        ("a number", whole.replace("projectName: iris", "projectName: 7")),
        ("a tag", whole.replace("projectName: iris", "projectName: !!binary aXJpcw==")),
        ("control characters", whole.replace("kind: Iris", "kind: \"Iris\\e[31m\"")),
        ("another kind", whole.replace("kind: Iris", "kind: ../../Iris")),
    ] {
        sandbox.write("PROJECT", &text);
        let error = refused(&sandbox, program(sandbox.path(), &WIDGET));
        assert!(error.len() < 2_000 && !error.contains('\u{1b}'), "{what}: {error}");
    }
    // What is not ours is kept.
    let more = whole.replace("plugins:\n", "plugins:\n  other.example.com/v1:\n    key: value\n");
    sandbox.write("PROJECT", &more);
    ran(program(sandbox.path(), &WIDGET)).success();
    assert!(sandbox.read("PROJECT").contains("  other.example.com/v1:\n    key: value\n"));
}

#[test]
fn arguments_and_places_that_are_no_text_are_refused_or_work() {
    let sandbox = Sandbox::new("a b\n'$(x)");
    ran(program(sandbox.path(), &["init", "--domain=example.com", "--project-name=odd"])).success();
    ran(program(sandbox.path(), &WIDGET)).success();
    let mut command = program(sandbox.path(), &["create", "api", "--version=v1", "--kind=A"]);
    command.arg(OsStr::from_bytes(b"--group=\xff"));
    ran(command).code(2);
    let mut command = program(sandbox.path(), &["init", "--domain=example.com"]);
    command.arg(OsStr::from_bytes(b"\xff\xfe"));
    let error = ran(command).code(2).stderr;
    assert!(error.contains("hint: choose one with `--project-name NAME`"), "{error}");
    ran(program(sandbox.path(), &["-C", &"x/".repeat(5_000), "manifests"])).code(1);
    ran(program(sandbox.path(), &["-C", &"x".repeat(5_000), "manifests"])).code(1);
    ran(program(sandbox.path(), &["-C", "PROJECT", "manifests"])).code(1);
    ran(program(sandbox.path(), &["-C", "", "manifests"])).code(2);
    ran(shell(sandbox.path(), "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" manifests", &[]))
        .code(1);
    ran(shell(
        sandbox.path(),
        "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" init --domain a.b",
        &[],
    ))
    .code(1);
    for (args, word) in [
        (["init", "--domain=a.b", "--multigroup", "true"], "--multigroup=true"),
        (["create", "api", "--controller", "false"], "--controller=false"),
    ] {
        let error = ran(program(sandbox.path(), &args)).code(2).stderr;
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn commands_at_the_same_time_take_turns() {
    let sandbox = Sandbox::with_project();
    let kinds = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta"];
    let children = kinds.map(|kind| {
        let kind = format!("--kind={kind}");
        program(sandbox.path(), &[&WIDGET[..4], &[&kind]].concat()).spawn().expect("a run")
    });
    for child in children {
        ended(child).success();
    }
    let one_by_one = Sandbox::with_project();
    for kind in kinds {
        one_by_one.run(&[&WIDGET[..4], &[&format!("--kind={kind}")]].concat()).success();
    }
    let (together, expected) = (tree(sandbox.path()), tree(one_by_one.path()));
    assert_eq!(together.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for kind in kinds {
        assert!(sandbox.read("PROJECT").contains(&format!("kind: {kind}\n")), "{kind}");
    }
    sandbox.run(&["manifests", "--rbac-only", "--check"]).success();
}

#[test]
fn a_new_directory_gets_one_of_two_projects() {
    for _ in 0..20 {
        let sandbox = Sandbox::new("parent");
        let children = ["a.example.com", "b.example.com"].map(|domain| {
            let domain = format!("--domain={domain}");
            program(sandbox.path(), &["init", "iris", &domain]).spawn().expect("a run")
        });
        let ended: Vec<Ran> = children.into_iter().map(ended).collect();
        let won: Vec<_> = ended.iter().filter(|ran| ran.status == Some(0)).collect();
        assert_eq!(won.len(), 1, "{ended:#?}");
        let files = tree(&sandbox.path().join("iris"));
        let domains = ["a.example.com", "b.example.com"];
        let found = domains.map(|domain| {
            files.values().filter(|text| String::from_utf8_lossy(text).contains(domain)).count()
        });
        assert!(found[0] == 0 || found[1] == 0, "{found:?}");
        assert!(
            files.contains_key("PROJECT") && !files.keys().any(|name| name.starts_with(".iris-scaffold"))
        );
    }
    let sandbox = Sandbox::new("parent");
    let pipe = sandbox.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("a pipe").success());
    for more in ["--dry-run", "--project-name=iris"] {
        ran(program(sandbox.path(), &["init", "pipe", "--domain=a.b", more])).code(1);
    }
}

#[test]
fn two_files_that_are_one_are_not_both_written() {
    let sandbox = Sandbox::with_project();
    sandbox.write("config/rbac/widget_admin_role.yaml", "mine: true\n");
    let link = sandbox.path().join("config/rbac/widget_editor_role.yaml");
    symlink("widget_admin_role.yaml", link).expect("a link");
    let overwrite = [&WIDGET[..], &["--on-conflict=overwrite"]].concat();
    let error = refused(&sandbox, program(sandbox.path(), &overwrite));
    assert!(error.contains("are one file, through a symbolic link"), "{error}");
}

#[test]
fn diffs_and_documents_have_an_end() {
    let sandbox = Sandbox::with_project();
    let check = ["manifests", "--rbac-only", "--check"];
    for text in ["a\n".repeat(2_000_000), "\u{1b}\n".repeat(1_000_000)] {
        sandbox.write("config/rbac/role.yaml", &text);
        let mut command = program(sandbox.path(), &check);
        command.stdout(Stdio::null());
        ran(command).code(1);
    }
    for name in [".gitignore", "Makefile", "README.md"] {
        sandbox.write(name, &"\u{1}".repeat(15 << 20));
    }
    let init = ["init", "--domain=myardyas.club", "--diff", "--on-conflict=overwrite", "--format=json"];
    fs::remove_file(sandbox.path().join("PROJECT")).expect("removed");
    let error = ran(program(sandbox.path(), &init)).code(1).stderr;
    assert!(error.contains("the diff compares more than 32 MiB"), "{error}");
    let sandbox = Sandbox::with_project();
    let document = "---\nkind: CustomResourceDefinition\n";
    sandbox.write("config/many.yaml", &document.repeat(300_000));
    let error = refused(&sandbox, program(sandbox.path(), &check));
    assert!(error.contains("more than 10000 documents"), "{error}");
}

#[test]
fn files_that_the_user_broke_are_named() {
    for (name, text) in [
        ("src/controller/mod.rs", "fn {"),
        ("config/crd/kustomization.yaml", "resources: [\n"),
        ("config/crd/kustomization.yaml", ""),
        ("config/manager/manager.yaml", "\u{feff}kind: Deployment\r\n"),
        ("api/src/lib.rs", "pub mod v1;\n"),
        ("src/lib.rs", "\u{0}"),
    ] {
        let sandbox = Sandbox::with_project();
        sandbox.write(name, text);
        let before = snapshot(sandbox.path());
        let ran = ran(program(sandbox.path(), &WIDGET));
        if ran.status == Some(0) {
            // A file that the command has no business with.
            assert_eq!(sandbox.read(name), text, "{name}");
            continue;
        }
        assert!(ran.code(1).stderr.contains(name), "{name}");
        assert!(difference(&before, &snapshot(sandbox.path())).is_empty(), "{name}");
    }
}
