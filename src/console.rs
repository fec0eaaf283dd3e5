//! Everything that is printed: data on stdout, all else on stderr, colour where it is wanted.
//!
//! What goes to stderr, or to a terminal, is `Text`: escaped, with styles that are ours. Data that goes elsewhere is
//! exact.

use std::cell::Cell;
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write};

use anstream::adapter::strip_str;
use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::{Color, Format, Global};
use crate::scaffold::{self, Action, Answer, OnConflict, Plan};
use crate::{Error, Result, printable};

const VERB: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// How many columns a verb has, which is at the right of them.
const VERB_COLUMNS: usize = 12;

/// Most hints of an error that are shown.
const HINTS: usize = 20;

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

    /// Prints data: as it is, or escaped where it would go to a terminal.
    pub fn data(&self, text: &str) {
        let stdout = io::stdout();
        let mut text =
            if stdout.is_terminal() { printable::lines(text).into_owned() } else { text.to_owned() };
        text.push('\n');
        let mut stdout = stdout.lock();
        self.printed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
    }

    /// Reports data that could not be printed, once.
    fn printed(&self, done: io::Result<()>) {
        match done {
            Err(error) if error.kind() != ErrorKind::BrokenPipe && !self.lost.replace(true) => {
                self.error(&Error::io("write to", "standard output")(error));
            }
            _ => {}
        }
    }

    /// Prints one JSON document.
    pub fn json(&self, value: &impl Serialize) {
        // A value of ours has no maps with keys other than text, so this cannot fail.
        let document = serde_json::to_string_pretty(value).unwrap_or_default();
        self.data(&printable::json(&document));
    }

    /// Tells the user something that is not a result, in one line.
    pub fn note(&self, text: &str) {
        self.tell(&Text::new().styled(VERB, "note:").line(" ").line(&printable::brief(text)));
    }

    /// Says what is about to happen, or has: a verb and its object.
    pub fn status(&self, verb: &str, object: &str) {
        self.tell(&Text::new().status(VERB, verb, object));
    }

    /// Says that the command failed and what to do. A line that begins with `error:` or `hint:` is ours: where a
    /// message has several lines, all but the first are indented.
    pub fn error(&self, error: &Error) {
        let message = error.to_string();
        let message = printable::brief(&message);
        let hints: Vec<String> =
            error.hints().iter().take(HINTS).map(|hint| printable::brief(hint).into()).collect();
        if self.format == Format::Json {
            say(&Text::new().lines(&error_json(&message, &hints)));
            return;
        }
        let mut text = Text::new();
        let separate = matches!(error, Error::Usage(_) | Error::Definitions(_) | Error::Dependencies(_));
        for (position, message) in message.trim_end_matches('\n').split('\n').enumerate() {
            if position == 0 || separate {
                text = text.styled(ERROR, "error:").line(" ").line(message).end();
            } else {
                let indent = if message.starts_with("  ") { "" } else { "  " };
                text = text.line(indent).line(message).end();
            }
        }
        if !hints.is_empty() {
            text = text.end();
        }
        for hint in hints {
            text = text.styled(HINT, "hint:").line(" ").lines(&hint).end();
        }
        say(&text);
    }

    /// Lists what a plan does, or did.
    pub fn plan(&self, plan: &Plan) {
        // All lines at once: one at a time costs as much as the files.
        let mut lines = Text::new();
        for change in plan.changes() {
            let (style, verb, detail) = match change.action {
                Action::Create => (VERB, "Creating", false),
                Action::Update => (VERB, "Updating", false),
                Action::Keep => (VERB, "Keeping", true),
                Action::Unchanged => (VERB, "Unchanged", true),
                Action::Conflict => (WARNING, "Conflict", false),
            };
            if self.verbose || !detail {
                lines = lines.status(style, verb, change.path.as_str()).end();
            }
        }
        self.tell(&lines);
        if !plan.changes().iter().any(|change| change.writes() || change.action == Action::Conflict) {
            self.status("Unchanged", "everything is as it should be");
        }
        for note in plan.notes() {
            self.note(note);
        }
    }

    /// Prints a unified diff: exact, for `git apply`, or escaped where it is coloured or goes to a terminal.
    pub fn diff(&self, diff: &str) {
        let stdout = anstream::stdout();
        if stdout.current_choice() == ColorChoice::Never {
            self.data(diff.trim_end_matches('\n'));
            return;
        }
        let (added, removed) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default());
        let (place, file) = (AnsiColor::Cyan.on_default(), Style::new().bold());
        let mut text = Text::new();
        for line in diff.trim_end_matches('\n').split('\n') {
            let style = match line.as_bytes() {
                [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => file,
                [b'+', ..] => added,
                [b'-', ..] => removed,
                [b'@', ..] => place,
                _ => Style::new(),
            };
            let (line, end) = line.strip_suffix('\r').map_or((line, ""), |line| (line, "\r\n"));
            text = text.code(style, line);
            text = if end.is_empty() { text.end() } else { text.lines(end) };
        }
        self.printed(write(stdout, &text));
    }

    /// Suggests what to run next.
    pub fn next(&self, lines: &[String]) {
        if !lines.is_empty() {
            let text = Text::new().line("Next:").end();
            self.tell(&lines.iter().fold(text, |text, line| text.line("  ").line(line).end()));
        }
    }

    /// Asks for a value; `None` when there is nobody to ask or the answer is empty.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        if !self.interactive {
            return None;
        }
        write(anstream::stderr(), &Text::new().line(question).line(": ")).ok()?;
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
                    "d" | "diff" => match scaffold::unified_change(change) {
                        Ok(diff) => self.diff(&diff),
                        Err(error) => self.error(&error),
                    },
                    "q" | "quit" | "" => return Answer::Abort,
                    _ => {}
                }
            }
        })
    }

    fn tell(&self, text: &Text) {
        if !self.quiet && self.format == Format::Text {
            say(text);
        }
    }
}

/// An error as the JSON document that every failed command prints.
pub(crate) fn error_json(message: &str, hints: &[String]) -> String {
    let value = serde_json::json!({ "error": { "message": message, "hints": hints } });
    printable::json(&value.to_string()).into_owned()
}

/// Passes on a line that another program printed, in our styles and not in its own.
pub(crate) fn pass_on(line: &str) {
    let line = strip_str(line.trim_end_matches('\r')).to_string();
    say(&match status_verb(&line) {
        Some((verb, object)) => Text::new().status(VERB, verb, object),
        None => Text::new().code(Style::new(), &line),
    });
}

/// The verb and its object of a line that says what is being done, as cargo's do and ours.
pub(crate) fn status_verb(line: &str) -> Option<(&str, &str)> {
    let (verb, object) = line.split_at_checked(VERB_COLUMNS)?;
    let verb = verb.trim_start_matches(' ');
    let is_verb = verb.starts_with(|c: char| c.is_ascii_uppercase())
        && verb[1..].bytes().all(|byte| byte.is_ascii_lowercase());
    if object.is_empty() {
        is_verb.then_some((verb, ""))
    } else {
        Some((verb, object.strip_prefix(' ')?)).filter(|_| is_verb)
    }
}

/// Shows a line on a terminal of so many columns, without its end, so that the next one takes its place; an empty one
/// takes it away. Spaces do, as a terminal that shows no styles knows them too.
pub(crate) fn transient(line: &str, columns: usize) {
    let printable = |c: char| {
        let escaped = (!c.is_ascii_graphic() && c != ' ').then(|| c.escape_default());
        escaped.map_or_else(|| c.to_string(), |escaped| escaped.to_string())
    };
    let shown: String = line.trim_end().chars().map(printable).collect();
    // Some terminals begin a new line after the last column.
    let width = columns.saturating_sub(1);
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(format!("\r{shown:<width$.width$}\r").as_bytes());
    let _ = stderr.flush();
}

/// Prints lines to people, escaped.
pub(crate) fn tell(lines: &str) {
    say(&Text::new().lines(lines));
}

/// Text for people: whatever is added is escaped, and the styles are ours.
struct Text(String);

impl Text {
    fn new() -> Self {
        Self(String::new())
    }

    /// Adds a part of a line.
    fn line(mut self, text: &str) -> Self {
        self.0.push_str(&printable::line(text));
        self
    }

    /// Adds text that may have several lines.
    fn lines(mut self, text: &str) -> Self {
        self.0.push_str(&printable::lines(text));
        self
    }

    /// Adds a part of a line in a style.
    fn styled(self, style: Style, text: &str) -> Self {
        self.style(&style.render().to_string()).line(text).style(&style.render_reset().to_string())
    }

    /// Adds a line of a file in a style: tabs stay.
    fn code(self, style: Style, line: &str) -> Self {
        self.style(&style.render().to_string()).lines(line).style(&style.render_reset().to_string())
    }

    /// Adds a verb and its object.
    fn status(self, style: Style, verb: &str, object: &str) -> Self {
        self.styled(style, &format!("{verb:>VERB_COLUMNS$}")).line(" ").line(object)
    }

    /// Ends the line.
    fn end(mut self) -> Self {
        self.0.push('\n');
        self
    }

    fn style(mut self, code: &str) -> Self {
        self.0.push_str(code);
        self
    }
}

/// Says something to people, in lines; what cannot be said to them is not worth an error.
fn say(text: &Text) {
    if !text.0.is_empty() {
        let ended = if text.0.ends_with('\n') { "" } else { "\n" };
        let _ = write(anstream::stderr(), &Text(format!("{}{ended}", text.0)));
    }
}

/// Writes text at once: a stream that takes no colour is given what is between two colours each time.
fn write(mut stream: AutoStream<impl RawStream + AsLockedWrite>, text: &Text) -> io::Result<()> {
    let plain;
    let text = match stream.current_choice() {
        ColorChoice::Never => {
            plain = strip_str(&text.0).to_string();
            &plain
        }
        _ => &text.0,
    };
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
