//! Everything that is printed: data on stdout, all else on stderr, colour where it is wanted.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write};

use anstream::adapter::strip_str;
use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::{Color, Format, Global};
use crate::scaffold::{self, Action, Answer, Change, OnConflict, Plan};
use crate::{Error, Result};

const VERB: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// How the program talks.
#[derive(Debug)]
pub struct Console {
    format: Format,
    quiet: bool,
    verbose: bool,
    interactive: bool,
    lost: Cell<bool>,
}

impl Console {
    /// A console as the global options say.
    #[must_use]
    pub fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => ColorChoice::Always.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let interactive = terminal && !global.no_input && std::env::var_os("CI").is_none();
        let Global { format, quiet, verbose, .. } = *global;
        Self { format, quiet, verbose, interactive, lost: Cell::new(false) }
    }

    /// Whether data could not be printed, which has been reported. A reader that has gone away is nobody's mistake.
    #[must_use]
    pub fn lost_data(&self) -> bool {
        self.lost.get()
    }

    /// Prints data as text or, in JSON, as `value`.
    pub fn data_or_json(&self, text: &str, value: &impl Serialize) {
        match self.format {
            Format::Text => self.data(text),
            Format::Json => self.json(value),
        }
    }

    /// Prints data.
    pub fn data(&self, text: &str) {
        match line(anstream::stdout(), text) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe && !self.lost.replace(true) => {
                self.error(&Error::io("write to", "standard output")(error));
            }
            _ => {}
        }
    }

    /// Prints one JSON document.
    pub fn json(&self, value: &impl Serialize) {
        // A value of ours has no maps with keys other than text, so this cannot fail.
        self.data(&serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Tells the user something that is not a result.
    pub fn note(&self, text: &str) {
        self.tell(&format!("{VERB}note:{VERB:#} {text}"));
    }

    /// Says what is about to happen, or has: a verb and its object.
    pub fn status(&self, verb: &str, object: &str) {
        self.tell(&status(VERB, verb, object));
    }

    /// Says that the command failed and what to do.
    pub fn error(&self, error: &Error) {
        let (message, hints) = (error.to_string(), error.hints());
        if self.format == Format::Json {
            let value = serde_json::json!({ "error": { "message": message, "hints": hints } });
            say(&value.to_string());
            return;
        }
        let mut text = String::new();
        let separate = matches!(error, Error::Usage(_) | Error::Definitions(_));
        for (position, message) in message.lines().enumerate() {
            if position == 0 || separate {
                let _ = writeln!(text, "{ERROR}error:{ERROR:#} {message}");
            } else {
                let _ = writeln!(text, "{message}");
            }
        }
        if !hints.is_empty() {
            text.push('\n');
        }
        for hint in hints {
            let _ = writeln!(text, "{HINT}hint:{HINT:#} {hint}");
        }
        say(text.trim_end());
    }

    /// Lists what a plan does, or did.
    pub fn plan(&self, plan: &Plan) {
        let line = |change: &Change| {
            let (style, verb, detail) = match change.action {
                Action::Create => (VERB, "Creating", false),
                Action::Update => (VERB, "Updating", false),
                Action::Keep => (VERB, "Keeping", true),
                Action::Unchanged => (VERB, "Unchanged", true),
                Action::Conflict => (WARNING, "Conflict", false),
            };
            (self.verbose || !detail).then(|| status(style, verb, change.path.as_str()))
        };
        // All lines at once: one at a time costs as much as the files.
        let lines: Vec<String> = plan.changes().iter().filter_map(line).collect();
        if !lines.is_empty() {
            self.tell(&lines.join("\n"));
        }
        if !plan.changes().iter().any(|change| change.writes() || change.action == Action::Conflict) {
            self.status("Unchanged", "everything is as it should be");
        }
        for note in plan.notes() {
            self.note(note);
        }
    }

    /// Prints a unified diff.
    pub fn diff(&self, diff: &str) {
        let (added, removed) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default());
        let (place, file) = (AnsiColor::Cyan.on_default(), Style::new().bold());
        let mut text = String::new();
        for line in diff.lines() {
            let style = match line.as_bytes() {
                [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => file,
                [b'+', ..] => added,
                [b'-', ..] => removed,
                [b'@', ..] => place,
                _ => Style::new(),
            };
            let _ = writeln!(text, "{style}{line}{style:#}");
        }
        self.data(text.trim_end_matches('\n'));
    }

    /// Suggests what to run next.
    pub fn next(&self, lines: &[String]) {
        if !lines.is_empty() {
            self.tell(&format!("Next:\n  {}", lines.join("\n  ")));
        }
    }

    /// Asks for a value; `None` when there is nobody to ask or the answer is empty.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        if !self.interactive {
            return None;
        }
        let mut stderr = anstream::stderr();
        write!(stderr, "{question}: ").and_then(|()| stderr.flush()).ok()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        let answer = answer.trim();
        (!answer.is_empty()).then(|| answer.to_owned())
    }

    /// Settles the conflicts of a plan: asks on a terminal, refuses elsewhere.
    ///
    /// # Errors
    /// [`Error::Conflicts`] when there is a conflict and nobody settles it.
    pub fn resolve(&self, plan: &mut Plan) -> Result<()> {
        if !self.interactive {
            return scaffold::resolve(plan, OnConflict::Abort);
        }
        scaffold::resolve_by(plan, |change| {
            loop {
                let question = format!(
                    "`{}` holds something else; overwrite? [y]es, [n]o, [d]iff, [a]ll, [q]uit",
                    change.path
                );
                match self.ask(&question).unwrap_or_default().to_ascii_lowercase().as_str() {
                    "y" | "yes" => return Answer::Overwrite,
                    "n" | "no" => return Answer::Keep,
                    "a" | "all" => return Answer::OverwriteAll,
                    "d" | "diff" => self.diff(&scaffold::unified_change(change)),
                    "q" | "quit" | "" => return Answer::Abort,
                    _ => {}
                }
            }
        })
    }

    fn tell(&self, text: &str) {
        if !self.quiet && self.format == Format::Text {
            say(text);
        }
    }
}

/// A verb and its object.
fn status(style: Style, verb: &str, object: &str) -> String {
    format!("{style}{verb:>12}{style:#} {object}")
}

/// Writes a line to people; what cannot be said to them is not worth an error.
fn say(text: &str) {
    let _ = line(anstream::stderr(), text);
}

/// Writes a line, or several, at once: a stream that takes no colour is given what is between two colours each time.
fn line(mut stream: AutoStream<impl RawStream + AsLockedWrite>, text: &str) -> io::Result<()> {
    let mut text = match stream.current_choice() {
        ColorChoice::Never => strip_str(text).to_string(),
        _ => text.to_owned(),
    };
    text.push('\n');
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
