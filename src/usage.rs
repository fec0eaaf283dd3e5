//! Command lines that clap does not take: told as clap tells them, or as JSON where the rest of the line asks for it.
//!
//! clap repeats arguments as they are, among styles of its own. So that no argument can control the terminal, what is
//! printed is what clap says about the arguments escaped.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::Cli;
use crate::{console, printable};

/// Prints what clap says about `args`, and gives the exit status that goes with it. Help and version come as "errors"
/// too; clap knows which stream and status each one wants.
pub(crate) fn report(error: clap::Error, args: &[OsString]) -> ExitCode {
    let status = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    let Some(mut error) = harmless(error, args) else {
        let message = "an argument has control characters where none can be";
        if wants_json(args) {
            console::tell(&console::error_json(message, &[]));
        } else {
            console::tell(&format!("error: {message}"));
        }
        return status;
    };
    let invalid = error.get(ContextKind::InvalidArg);
    if matches!(invalid, Some(ContextValue::String(word)) if word == "true" || word == "false") {
        let tip = "a flag and its `true` or `false` are one word, as in `--controller=false`";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    // A reader that has gone away is no reason to fail.
    let _ = if error.use_stderr() && wants_json(args) {
        let (message, hints) = parts(&error);
        writeln!(io::stderr(), "{}", console::error_json(&message, &hints))
    } else {
        print(&error, args)
    };
    status
}

/// Prints it with the styles that the line asks for. What `--color` says clap does not know before it has taken the line.
fn print(error: &clap::Error, args: &[OsString]) -> io::Result<()> {
    let text = if says(args, "--color", "never") {
        error.render().to_string()
    } else if says(args, "--color", "always") {
        error.render().ansi().to_string()
    } else {
        return error.print();
    };
    if error.use_stderr() { write!(io::stderr(), "{text}") } else { write!(io::stdout(), "{text}") }
}

/// What clap says about the arguments escaped; nothing if it has nothing to say about those.
fn harmless(error: clap::Error, args: &[OsString]) -> Option<clap::Error> {
    let is_harmless = |arg: &OsString| arg.to_str().is_some_and(printable::is_line);
    // Of bytes that are no text clap says that there are some, not which.
    if !error.use_stderr() || error.kind() == ErrorKind::InvalidUtf8 || args.iter().all(is_harmless) {
        return Some(error);
    }
    Cli::try_parse_from(args.iter().map(|arg| printable::path(Path::new(arg)))).err()
}

fn wants_json(args: &[OsString]) -> bool {
    says(args, "--format", "json")
}

/// Whether the line gives a flag that value, wherever and whatever else it says.
fn says(args: &[OsString], flag: &str, value: &str) -> bool {
    let word = format!("{flag}={value}");
    args.iter().any(|arg| *arg == *word) || args.windows(2).any(|pair| pair[0] == flag && pair[1] == value)
}

/// What is wrong, and the ways out.
fn parts(error: &clap::Error) -> (String, Vec<String>) {
    let missing = [ErrorKind::MissingSubcommand, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
    if missing.contains(&error.kind()) {
        return ("the command is missing".to_owned(), vec!["`--help` lists the commands".to_owned()]);
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let words: Vec<_> = paragraphs.next().unwrap_or_default().split_whitespace().collect();
    let message = words.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    let lines = paragraphs.flat_map(str::lines);
    (message, lines.filter_map(|line| line.trim().strip_prefix("tip: ").map(str::to_owned)).collect())
}
