//! The programs that this one runs: they end, write nothing where only reading is asked for, and what they print is
//! bounded and harmless. Scripts stand in for cargo and `crdgen`.
#![cfg(unix)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anstream::adapter::strip_str;
use common::stand_in::{cargo_of, manifests_with, program, with_cargo};
use common::{Sandbox, terminal};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use rustix::termios::{Winsize, tcsetwinsize};

/// Shell commands that print the definition that the project has.
fn print_iris(sandbox: &Sandbox) -> String {
    let text = sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml");
    let iris: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
    format!("cat <<'END'\n{iris}\nEND")
}

/// Whether programs that this one starts ignore the signal, as `nohup` has it.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("what Linux says of this program");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
    let mask = u64::from_str_radix(mask.trim(), 16).expect("a number");
    mask >> (signal.as_raw() - 1) & 1 == 1
}

#[test]
fn a_signal_ends_what_runs_too() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let cargo =
        cargo_of(folder.path(), "trap '' INT TERM HUP; sleep 50 & echo $! >one; mv one pids; wait; sleep 50");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        if is_ignored(signal) {
            continue;
        }
        let pids = sandbox.path().join("pids");
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("iris-scaffold"));
        command.args(["manifests"]).env("CARGO", &cargo).current_dir(sandbox.path()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a run");
        let begin = Instant::now();
        while !pids.exists() && begin.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let started: i32 = sandbox.read("pids").trim().parse().expect("a number");
        std::fs::remove_file(pids).expect("removed");
        kill_process(Pid::from_child(&child), signal).expect("a signal");
        let status = child.wait().expect("an end");
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        let gone = |pid| {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // Nobody may have waited for it yet.
            state.contains(") Z ") || test_kill_process(Pid::from_raw(pid).expect("a number")).is_err()
        };
        let begin = Instant::now();
        while !gone(started) {
            assert!(begin.elapsed() < Duration::from_secs(5), "{signal:?}: {started} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn what_cargo_says_has_no_styles_and_an_end() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let styles = r"printf '\033[1;33mwarning\033[0m: \033]0;title\007one\342\200\256\tx\r\n' >&2";
    let built = cargo_of(folder.path(), &print_iris(&sandbox));
    let real = std::fs::read_to_string(&built).expect("a script");
    let cargo = program(folder.path(), "cargo", &format!("{styles}\n{real}"));
    let ran = with_cargo(&sandbox, &cargo, &["--check", "--crds-only"]).success();
    let first = ran.stderr.lines().next();
    assert_eq!(first, Some("warning: one\\u{202e}\tx"), "{:?}", ran.stderr);

    let flood = "yes 'warning: again' | head -c 10000000 >&2; head -c 10000000 /dev/zero; echo";
    let cargo = program(folder.path(), "cargo", &format!("{flood}\n{real}"));
    let ran = with_cargo(&sandbox, &cargo, &["--check", "--crds-only"]).success();
    assert!(ran.stderr.len() < 3 << 20, "{}", ran.stderr.len());
    let cut = "\nnote: `cargo` says more than 1 MiB: the rest is left out\n";
    assert_eq!(ran.stderr.matches(cut).count(), 1);

    for endless in ["yes >&2", "yes", "yes >&2 & sleep 100"] {
        let cargo = program(folder.path(), "cargo", endless);
        let ran = with_cargo(&sandbox, &cargo, &["--crds-only"]).code(1);
        assert!(ran.stderr.contains("error: `cargo` printed more than 16 MiB\n"), "{}", ran.stderr.len());
    }
}

/// A stand-in for cargo that says what it compiles unless it has to be quiet, draws a bar as wide as it is told, and does
/// not end before there is a file `go` in the project.
fn slow_cargo(sandbox: &Sandbox, folder: &std::path::Path) -> PathBuf {
    let real = std::fs::read_to_string(cargo_of(folder, &print_iris(sandbox))).expect("a script");
    let slow = r#"case "$*" in *--quiet*) ;; *) echo '   Compiling first v1.0.0' >&2 ;; esac
[ "$CARGO_TERM_PROGRESS_WHEN" = always ] && {
    printf '    Building [=>   ] 1/2: \033[2J\342\200\256%s\r' "$CARGO_TERM_PROGRESS_WIDTH" >&2
    sleep 0.2
    printf '    Building [==>  ] 2/2: %090d\r' 0 >&2
}
for i in $(seq 600); do [ -e go ] && break; sleep 0.05; done
[ -e go ] || exit 1
case "$*" in *--quiet*) ;; *) printf '   Compiling second v1.0.0\n    Finished it\n' >&2 ;; esac"#;
    program(folder, "cargo", &format!("{slow}\n{real}"))
}

#[test]
fn lines_of_cargo_arrive_while_it_runs() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let cargo = slow_cargo(&sandbox, folder.path());
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("iris-scaffold"));
    command.args(["manifests", "--stdout", "--crds-only"]).env("CARGO", &cargo).current_dir(sandbox.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a run");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    assert_eq!(line, "   Compiling first v1.0.0\n");
    assert_eq!(child.try_wait().expect("a look"), None, "cargo has not ended");
    sandbox.write("go", "");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "   Compiling second v1.0.0\n    Finished it\n");
    let printed = child.wait_with_output().expect("an end");
    assert!(printed.status.success());

    // What is data is the same whatever is said beside it.
    let quiet = with_cargo(&sandbox, &cargo, &["--stdout", "--crds-only", "--quiet"]).success();
    assert_eq!((quiet.stdout.as_bytes(), quiet.stderr.as_str()), (&printed.stdout[..], ""));
    let json = with_cargo(&sandbox, &cargo, &["--stdout", "--crds-only", "--format=json"]).success();
    serde_json::from_str::<serde_json::Value>(&json.stdout).expect("JSON");
    assert_eq!(json.stderr, "", "who reads JSON reads the error from the other stream");
}

#[test]
fn the_bar_of_cargo_is_shown_on_a_terminal() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let cargo = slow_cargo(&sandbox, folder.path());
    let (mut ours, its) = terminal::open();
    let size = Winsize { ws_row: 20, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&its, size).expect("a size");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("iris-scaffold"));
    command.args(["manifests", "--crds-only"]).env("CARGO", &cargo).current_dir(sandbox.path());
    for name in
        ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "CI", "CARGO_TERM_PROGRESS_WHEN", "CARGO_TERM_QUIET"]
    {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(its).spawn().expect("a run");
    drop(command);
    let (mut seen, mut part) = (String::new(), [0; 4096]);
    let mut has_begun = false;
    while let Ok(length @ 1..) = ours.read(&mut part) {
        seen.push_str(std::str::from_utf8(&part[..length]).expect("ASCII"));
        if seen.contains("2/2") && !has_begun {
            assert_eq!(child.try_wait().expect("a look"), None, "cargo has not ended");
            assert_eq!(screen(&seen).last().map(|line| &line[..26]), Some("    Building [==>  ] 2/2: "));
            sandbox.write("go", "");
            has_begun = true;
        }
    }
    assert!(has_begun && child.wait().expect("an end").success(), "{seen:?}");
    assert!(seen.contains("\r    Building [=>   ] 1/2: \\u{202e}60"), "{seen:?}");
    let styled = "\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m first v1.0.0";
    assert!(seen.contains(styled), "{seen:?}");
    let plain = strip_str(&seen).to_string();
    assert!(!plain.contains(|c: char| c.is_control() && !"\r\n".contains(c)), "{seen:?}");
    assert!(!seen.contains("[2J"), "{seen:?}");
    let lines = screen(&seen);
    assert_eq!(
        lines[..3],
        ["   Compiling first v1.0.0", "   Compiling second v1.0.0", "    Finished it"],
        "nothing of the bar is left"
    );
    assert!(lines.iter().all(|line| line.len() < 60), "no line is broken: {lines:?}");
}

/// What a terminal shows of a text: a carriage return goes back to the beginning of the line.
fn screen(text: &str) -> Vec<String> {
    let text = strip_str(text).to_string();
    let shown = |line: &str| {
        let mut cells: Vec<char> = Vec::new();
        for part in line.split('\r') {
            let part: Vec<char> = part.chars().collect();
            let kept = cells.split_off(cells.len().min(part.len()));
            cells = part;
            cells.extend(kept);
        }
        cells.into_iter().collect::<String>().trim_end().to_owned()
    };
    text.trim_end_matches('\n').split('\n').map(shown).collect()
}

#[test]
fn reading_does_not_write_the_lock_file() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let cargo = cargo_of(folder.path(), &print_iris(&sandbox));
    let real = std::fs::read_to_string(&cargo).expect("a script");
    let stale = "case \"$*\" in *--locked*) \
                 echo 'error: cannot update the lock file /x because --locked was passed to prevent this' >&2; exit 101;; \
                 esac";
    let cargo = program(folder.path(), "cargo", &format!("{stale}\n{real}"));
    for option in ["--check", "--stdout", "--dry-run", "--diff"] {
        let ran = with_cargo(&sandbox, &cargo, &["--crds-only", option]).code(1);
        let what =
            format!("error: `Cargo.lock` is missing or out of date, and `{option}` does not write it\n");
        assert!(ran.stderr.contains(&what), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("hint: run the command without `{option}`")), "{}", ran.stderr);
    }
    with_cargo(&sandbox, &cargo, &["--crds-only"]).success();
}

#[test]
fn a_repository_runs_nothing() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let ran_it = folder.path().join("ran");
    let evil = program(folder.path(), "evil", &format!("touch '{}'; cat \"$1\"", ran_it.display()));
    let evil = evil.to_str().expect("UTF-8");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(arguments);
        assert!(git.current_dir(sandbox.path()).status().expect("git").success(), "{arguments:?}");
    };
    sandbox.write(".gitattributes", "*.yaml diff=evil filter=evil\n");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=first"]);
    for key in
        ["diff.evil.textconv", "diff.evil.command", "filter.evil.smudge", "core.fsmonitor", "core.pager"]
    {
        git(&["config", key, evil]);
    }
    let _ = std::fs::remove_file(&ran_it);
    let crdgen = print_iris(&sandbox);
    let against = |commit: &str| {
        manifests_with(&sandbox, &crdgen, &["--check", "--crds-only", &format!("--against={commit}")])
    };
    against("HEAD").success();
    assert!(!ran_it.exists(), "a program of the repository ran");
    for (commit, shown) in
        [("--all", "--all"), ("-x\u{1b}[2J\nhint: x", "-x\\u{1b}[2J\\nhint: x"), ("", ""), ("none", "none")]
    {
        let ran = against(commit).code(1);
        assert!(ran.stderr.starts_with(&format!("error: there is no commit `{shown}`\n")), "{}", ran.stderr);
    }

    // Not without end.
    let mut file = std::fs::OpenOptions::new();
    let path = "config/crd/bases/test.myardyas.club_iris.yaml";
    let text = sandbox.read(path);
    file.append(true).open(sandbox.path().join(path)).expect("a file").set_len(17 << 20).expect("longer");
    git(&["-c", "core.fsmonitor=false", "commit", "--quiet", "--all", "--message=long"]);
    sandbox.write(path, &text);
    let ran = against("HEAD").code(1);
    assert!(ran.stderr.contains(" prints more than 16 MiB"), "{}", ran.stderr);
}
