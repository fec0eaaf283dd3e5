//! The documents are true: `docs/cli.md` is what clap knows (`BLESS=1 cargo test --test docs reference` renews it), and
//! the README and the tutorial do what they show, on a real control plane.
//!
//! Of these two, every block with one of these fences is played, in order, in one bash session per document:
//!
//! - `console`: lines after `$ ` are commands, the others what they print. A line `...` stands for any lines, `...` in
//!   a line for any text; the number of spaces does not matter. Nothing shown means that only success matters. A
//!   command fails exactly when the first line shown begins with `Error`. Commands that only look are repeated until
//!   they print what is shown.
//! - `console terminal`: another terminal, whose command runs until the end. Without a command: what it has printed.
//! - a language and a path: the file has this text; a file without a folder that does not exist yet is made.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use common::Sandbox;
use common::cluster::{Cluster, eventually, programs, target_environment};
use iris_scaffold::cli::Cli;

fn document(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_readme_is_true() {
    play("README.md");
}

#[test]
fn the_tutorial_is_true() {
    play("docs/tutorial.md");
}

#[test]
fn the_cookbook_shows_code_that_is_compiled() {
    shows_code_of_files("docs/writing-controllers.md", &[("rust", 21)]);
}

#[test]
fn the_page_on_simulations_shows_code_that_is_compiled() {
    shows_code_of_files("docs/simulation.md", &[("rust", 5)]);
}

#[test]
fn the_page_for_kubebuilder_users_shows_code_that_is_compiled() {
    shows_code_of_files("docs/for-kubebuilder-users.md", &[("rust", 6), ("go", 6)]);
}

/// The code of a document, at least so much in each language, is in files that other tests compile.
fn shows_code_of_files(path: &str, languages: &[(&str, usize)]) {
    let text = fs::read_to_string(document(path)).expect("the document");
    let all = blocks(&text);
    for (language, at_least) in languages {
        let blocks: Vec<_> = all.iter().filter(|block| block.language == *language).collect();
        assert!(blocks.len() >= *at_least, "{path} shows code in {language}");
        for Block { detail, line, lines, .. } in blocks {
            let folders = ["examples/", "runtime/examples/", "tests/runtime/"];
            let compiled = folders.iter().any(|folder| detail.starts_with(folder));
            assert!(compiled, "{path}:{line}: `{detail}` is no file that a test compiles");
            let file = fs::read_to_string(document(detail));
            let file = file.unwrap_or_else(|error| panic!("{path}:{line}: `{detail}`: {error}"));
            assert!(file.contains(&lines.join("\n")), "{path}:{line}: `{detail}` has no such text");
        }
    }
}

/// The last column of its tables names what is ours: commands, flags, targets, files, and words of the libraries.
#[test]
fn what_stands_beside_kubebuilder_is_there() {
    let read = |path: &str| fs::read_to_string(document(path)).expect("a file");
    let (page, reference) = (read("docs/for-kubebuilder-users.md"), read("docs/cli.md"));
    let (makefile, options) = (read("examples/iris/Makefile"), read("runtime/src/options.rs"));
    let switches = read("examples/iris/config/default/kustomization.yaml");
    let mut libraries = read("runtime/src/telemetry.rs");
    for folder in ["runtime/src", "testing/src"] {
        for file in fs::read_dir(document(folder)).expect("a folder") {
            libraries += &fs::read_to_string(file.expect("an entry").path()).unwrap_or_default();
        }
    }
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = libraries.split(|c| !word(c)).collect();
    let is_flag = |flag: &str| {
        let field = format!("pub {}: ", flag.trim_start_matches("--").replace('-', "_"));
        reference.contains(&format!("`{flag}`"))
            || [&options, &libraries].iter().any(|it| it.contains(&field))
    };
    let is_there = |name: &str| match name.split_once(' ').filter(|_| !name.starts_with('[')) {
        Some(("make", targets)) => targets.split(' ').all(|it| makefile.contains(&format!("\n{it}:"))),
        _ if name.starts_with("iris-scaffold") => {
            let (command, flags) = name.split_once(" --").unwrap_or((name, ""));
            let flags = flags.split(' ').next().filter(|flag| !flag.is_empty());
            reference.contains(&format!("## `{command}`"))
                && flags.is_none_or(|it| is_flag(&format!("--{it}")))
        }
        _ if name.starts_with("--") => is_flag(name),
        _ if name.starts_with('/') => libraries.contains(name),
        _ if name.starts_with('[') => switches.contains(&format!("# {name} ")),
        _ if name.contains('/') || name.starts_with("Cargo.") => {
            document("examples/iris").join(name).exists()
        }
        _ => name.split(|c| !word(c)).all(|it| words.contains(it)),
    };
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 90, "{}", rows.len());
    for row in rows {
        let ours = row.trim_end_matches(" |").rsplit(" | ").next().expect("a column");
        for name in ours.split('`').skip(1).step_by(2) {
            assert!(is_there(name), "there is no `{name}`: {row}");
        }
    }
}

/// Each promise names the tests that hold it.
#[test]
fn every_promise_has_its_test() {
    let text = fs::read_to_string(document("SECURITY.md")).expect("the document");
    let mut sources = String::new();
    let mut folders = vec![document("tests"), document("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                sources.push_str(&fs::read_to_string(path).expect("a source"));
            }
        }
    }
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() > 8, "{rows:?}");
    for row in rows {
        let held_by = row.trim_end_matches(" |").rsplit(" | ").next().expect("a column");
        let tests: Vec<&str> =
            held_by.split('`').skip(1).step_by(2).filter(|it| !it.contains(['…', '/'])).collect();
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            assert!(
                sources.contains(&format!("#[test]\nfn {test}()"))
                    || sources.contains(&format!("#[test]\n    fn {test}()")),
                "there is no test `{test}`"
            );
        }
    }
}

/// Does what a document shows.
fn play(path: &str) {
    // Both make a project `iris`, and build it in one folder.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(document(path)).expect("the document");
    let mut session = Session::start();
    let mut played = 0;
    for block in blocks(&text) {
        let place = format!("{path}:{}", block.line);
        if block.language == "console" {
            for step in steps(&block.lines) {
                played += 1;
                if block.detail.is_empty() {
                    session.step(&place, &step);
                } else {
                    session.terminal(&place, &step);
                }
            }
        } else if block.detail.is_empty() {
            assert_ne!(block.language, "rust", "{place}: the block does not say from which file it is");
        } else {
            session.file(&place, block.detail, &block.lines.join("\n"));
        }
    }
    assert!(played > 3, "{path} shows something");
}

/// A fenced block: ```` ```language detail ````.
struct Block<'a> {
    language: &'a str,
    detail: &'a str,
    /// Counted from 1.
    line: usize,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if let Some(fence) = line.strip_prefix("```") {
            let (language, detail) = fence.split_once(' ').unwrap_or((fence, ""));
            let inside = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```").collect();
            blocks.push(Block { language, detail, line: number, lines: inside });
        }
    }
    blocks
}

/// A command, if any, and what is shown of its output.
#[derive(Debug, Default)]
struct Step<'a> {
    command: String,
    shown: Vec<&'a str>,
}

fn steps<'a>(lines: &[&'a str]) -> Vec<Step<'a>> {
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            (None, Some(step)) if step.command.ends_with('\\') => {
                let _ = write!(step.command, "\n{line}");
            }
            (None, Some(step)) => step.shown.push(line),
            (None, None) => steps.push(Step { command: String::new(), shown: vec![line] }),
        }
    }
    steps
}

/// `Ok` when the output is what is shown, see the top.
fn compare(shown: &[&str], seen: &str) -> Result<(), String> {
    let lines: Vec<_> = seen.trim_end().lines().collect();
    if shown.is_empty() || lines_match(shown, &lines) {
        return Ok(());
    }
    Err(format!("{seen}\ninstead of\n{}", shown.join("\n")))
}

fn lines_match(shown: &[&str], seen: &[&str]) -> bool {
    match shown {
        [] => seen.is_empty(),
        ["..."] => true,
        ["...", rest @ ..] => (0..=seen.len()).any(|skipped| lines_match(rest, &seen[skipped..])),
        [line, rest @ ..] => {
            seen.first().is_some_and(|found| line_matches(line, found)) && lines_match(rest, &seen[1..])
        }
    }
}

fn line_matches(shown: &str, seen: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, seen) = (words(shown), words(seen));
    let parts: Vec<_> = shown.split("...").collect();
    let [first, middle @ .., last] = parts.as_slice() else { return shown == seen };
    let inner = seen.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    let rest = inner.and_then(|inner| {
        middle.iter().try_fold(inner, |rest, part| rest.split_once(part).map(|(_, rest)| rest))
    });
    rest.is_some()
}

#[test]
fn what_is_shown_is_compared_strictly() {
    let same = |shown: &str, seen: &str| compare(&shown.lines().collect::<Vec<_>>(), seen).is_ok();
    assert!(same("a b\n...\nc...d", "a   b\nx\ny\nc1d\n") && same("...\nb", "b\n") && same("a\n...", "a"));
    assert!(!same("a", "a\nb") && !same("a\nb", "a") && !same("a...b", "ab c") && !same("...\nb", "b\na"));
    assert!(!same("a...a", "a") && !same("a", ""));
}

/// A shell in an empty folder, with the tool, kubectl and a cluster, as a reader has.
struct Session {
    sandbox: Sandbox,
    shell: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
}

/// Comes before the status of a command, after its output.
const END: &str = "~~~ status ";
/// What is started ends with the shell, and that with this process.
const SETUP: &str = "exec 2>&1; trap 'for job in $(jobs -p); do kill -- -$job; wait $job; done' EXIT\n";

impl Session {
    fn start() -> Self {
        let sandbox = Sandbox::new("work");
        let home = sandbox.path().parent().expect("a parent");
        let bin = home.join("bin");
        fs::create_dir(&bin).expect("a folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_iris-scaffold"), bin.join("iris-scaffold"))
            .expect("a link");
        let inherited = std::env::var("PATH").expect("a path");
        let path = format!("{}:{}:{inherited}", bin.display(), programs().display());
        let mut command = std::process::Command::new("bash");
        for variable in ["MAKEFLAGS", "MAKELEVEL", "WATCH_NAMESPACE", "IRIS_IMAGE", "CARGO_TERM_COLOR"] {
            command.env_remove(variable);
        }
        let mut shell = command
            .current_dir(sandbox.path())
            .env("PATH", path)
            .env("KUBECONFIG", Cluster::shared_with_nodes().kubeconfig())
            .envs(target_environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash");
        let (sender, output) = channel();
        let lines = BufReader::new(shell.stdout.take().expect("a pipe")).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut input = shell.stdin.take().expect("a pipe");
        input.write_all(SETUP.as_bytes()).expect("a shell");
        Self { sandbox, shell, input: Some(input), output }
    }

    /// Runs a command; whether it succeeds, and what it prints.
    fn run(&mut self, command: &str) -> (bool, String) {
        let line = format!("{{ {command}\n}} </dev/null; printf '\\n{END}%d\\n' $?\n");
        self.input.as_mut().expect("open").write_all(line.as_bytes()).expect("a shell");
        let mut seen = String::new();
        loop {
            let line = self.output.recv_timeout(Duration::from_secs(1200));
            let line = line.unwrap_or_else(|_| panic!("`{command}` does not end; so far:\n{seen}"));
            if let Some(status) = line.strip_prefix(END) {
                return (status == "0", seen);
            }
            let _ = writeln!(seen, "{line}");
        }
    }

    fn step(&mut self, place: &str, step: &Step) {
        let what = format!("{place}: `{}`", step.command);
        let fails = step.shown.first().is_some_and(|line| line.starts_with("Error"));
        let mut once = || {
            let (succeeded, seen) = self.run(&step.command);
            if succeeded == fails {
                return Err(format!("{seen}\nsuccess: {succeeded}"));
            }
            compare(&step.shown, &seen)
        };
        if ["kubectl get ", "curl "].iter().any(|start| step.command.starts_with(start)) {
            eventually(&what, once);
        } else if let Err(problem) = once() {
            panic!("{what}: {problem}");
        }
    }

    fn terminal(&mut self, place: &str, step: &Step) {
        let log = self.sandbox.path().with_file_name("terminal.log");
        if !step.command.is_empty() {
            let command = format!("set -m; {} >{} 2>&1 & set +m", step.command, log.display());
            assert!(self.run(&command).0, "{place}: it starts");
        }
        eventually(&format!("{place}: the other terminal"), || {
            compare(&step.shown, &fs::read_to_string(&log).unwrap_or_default())
        });
    }

    fn file(&mut self, place: &str, file: &str, text: &str) {
        let (_, folder) = self.run("pwd");
        let path = Path::new(folder.trim()).join(file);
        if !file.contains('/') && !path.exists() {
            fs::write(&path, format!("{text}\n")).expect("a file");
        }
        let content = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{place}: {file}: {error}"));
        assert!(content.contains(text), "{place}: {file} has no such text");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.shell.wait();
    }
}

#[test]
fn the_reference_is_current() {
    let (path, expected) = (document("docs/cli.md"), reference());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &expected).expect("the reference can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "renew docs/cli.md with `BLESS=1 cargo test --test docs reference`");
}

#[test]
fn every_dependency_has_its_reason() {
    let read = |path: &str| fs::read_to_string(document(path)).unwrap_or_default();
    let manifest: toml_edit::DocumentMut = read("Cargo.toml").parse().expect("TOML");
    let page = read("docs/architecture.md");
    let (_, table) = page.split_once("## Dependencies").expect("the section");
    let explained: Vec<&str> = table
        .lines()
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .map(str::trim)
        .collect();
    for section in ["dependencies", "dev-dependencies"] {
        for (name, _) in manifest[section].as_table().expect("a table") {
            assert!(explained.contains(&name), "docs/architecture.md does not say what `{name}` is for");
        }
    }
}

const PREFACE: &str = "\
# Command line

Every command and every option of `iris-scaffold`. `iris-scaffold COMMAND --help` says the same in a terminal. This page
is made from the program; `BLESS=1 cargo test --test docs reference` renews it.

Data goes to standard output, everything else to standard error. The exit status is 0 when the command succeeded, 1 when
it failed, and 2 when the arguments cannot be right.

A `BOOL` is `true` or `false`, given after `=`; `--option` alone means `--option=true`. `init` needs `--domain`, and
`create api` needs `--group`, `--version` and `--kind`: on a terminal they are asked for, elsewhere it is an error to
leave them out. `-h` and `--help` work everywhere, `-V` and `--version` before any command.
";

/// The whole command line as one page of markdown.
fn reference() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = PREFACE.to_owned();
    page.push_str("\n## Commands\n\n| Command | What it does |\n|---|---|\n");
    let mut commands = Vec::new();
    collect(&root, &mut commands);
    for command in &commands {
        let name = name(command);
        let anchor = name.replace(' ', "-");
        let _ = writeln!(page, "| [`{name}`](#{anchor}) | {} |", about(command));
    }
    page.push_str("\n## Global options\n\nEvery command takes these, before or after its name.\n");
    let global: Vec<_> = root.get_arguments().filter(|arg| arg.is_global_set()).collect();
    table(&mut page, &global);
    for command in commands {
        section(&mut page, command);
    }
    page
}

/// The commands that do something, in the order of the help.
fn collect<'a>(command: &'a Command, found: &mut Vec<&'a Command>) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        if sub.has_subcommands() { collect(sub, found) } else { found.push(sub) }
    }
}

fn name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or_else(|| command.get_name())
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn section(page: &mut String, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _ = write!(page, "\n## `{}`\n\n{}.\n\n```text\n{usage}\n```\n", name(command), about(command));
    let own: Vec<_> = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help")
        .collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in &own {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            let _ = write!(page, "\n### {heading}\n");
        }
        let of: Vec<_> = own.iter().copied().filter(|arg| arg.get_help_heading() == heading).collect();
        table(page, &of);
    }
}

fn table(page: &mut String, args: &[&Arg]) {
    page.push_str("\n| Option | Value | Default | Meaning |\n|---|---|---|---|\n");
    for arg in args {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let (meaning, default) = match help.split_once(" [default: ") {
            Some((meaning, default)) => (meaning.to_owned(), default.trim_end_matches(']').to_owned()),
            None => (help, defaults(arg)),
        };
        let (option, value, meaning) = (spelling(arg), value(arg), cell(&meaning) + &choices(arg));
        let _ = writeln!(page, "| {option} | {value} | {default} | {meaning} |");
    }
}

fn spelling(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("`-{short}`"));
    let long = arg.get_long().map(|long| format!("`--{long}`"));
    let spellings: Vec<_> = short.into_iter().chain(long).collect();
    if spellings.is_empty() { format!("`{arg}`") } else { spellings.join(", ") }
}

fn value(arg: &Arg) -> String {
    let name = arg.get_value_names().and_then(<[_]>::first);
    name.filter(|_| takes_value(arg) && !arg.is_positional())
        .map_or_else(String::new, |name| format!("`{name}`"))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn defaults(arg: &Arg) -> String {
    let values = arg.get_default_values().iter().filter(|_| takes_value(arg));
    values.map(|value| format!("`{}`", value.to_string_lossy())).collect::<Vec<_>>().join(", ")
}

/// The values that an option can have, each with what it means.
fn choices(arg: &Arg) -> String {
    if arg.is_hide_possible_values_set() || !takes_value(arg) {
        return String::new();
    }
    let choices: Vec<_> = arg
        .get_possible_values()
        .iter()
        .map(|choice| {
            let help = choice.get_help().map(|help| format!(": {}", cell(&help.to_string())));
            format!("`{}`{}", choice.get_name(), help.unwrap_or_default())
        })
        .collect();
    if choices.is_empty() { String::new() } else { format!("<br>{}", choices.join("<br>")) }
}

/// Text as one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
