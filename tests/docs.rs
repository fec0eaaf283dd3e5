//! The documents are true: `docs/cli.md` is what clap knows (`BLESS=1 cargo test --test docs` renews it), and every
//! ```` ```console ```` block of the README and the tutorial does what it shows, on a real control plane.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use iris_scaffold::cli::Cli;

fn document(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
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

const FOREIGN: &str = "Accepted for kubebuilder's sake, without effect";

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
    // What has no effect comes last.
    headings.sort_by_key(|heading| (*heading == Some(FOREIGN), heading.is_some()));
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
        let _ = writeln!(
            page,
            "| {} | {} | {default} | {}{} |",
            spelling(arg),
            value(arg),
            cell(&meaning),
            choices(arg)
        );
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
