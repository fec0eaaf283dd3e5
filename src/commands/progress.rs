//! How much of cargo's own progress is shown: its lines as they come and, on a terminal, its bar.
//!
//! Cargo writes to a pipe of ours and not to the terminal, as nothing that a program prints reaches one as it is. It is
//! told how wide the terminal is, and draws its bar on lines that end with a carriage return, each in the place of the
//! one before. Of such a line the printable characters are shown, and what moves the cursor is ours.

use std::io::{IsTerminal as _, stderr};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cli::{Format, Global};
use crate::console;

/// The narrowest terminal with a bar; cargo has no room for one on less.
const NARROWEST: usize = 20;

/// The shortest time between two states of the bar. Cargo takes longer; other programs may not.
const INTERVAL: Duration = Duration::from_millis(50);

/// What is shown of cargo's progress; warnings and errors always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing.
    Quiet,
    /// Lines such as `Compiling serde v1.0.228`.
    Lines,
    /// Lines, and below them a bar on a terminal of so many columns.
    Bar(usize),
}

impl Progress {
    /// What the global options, the terminal and cargo's own settings in the environment ask for.
    pub(super) fn of(global: &Global) -> Self {
        let is_terminal = stderr().is_terminal();
        // Who wants JSON reads the error from the other stream.
        if global.quiet || (global.format == Format::Json && !is_terminal) {
            return Self::Quiet;
        }
        let is = |name: &str, values: &[&str]| {
            std::env::var_os(name).is_some_and(|value| values.iter().any(|known| value == *known))
        };
        let has_bar = is_terminal
            && std::env::var_os("CI").is_none()
            && !is("TERM", &["dumb"])
            && !is("CARGO_TERM_QUIET", &["true"])
            && !is("CARGO_TERM_PROGRESS_WHEN", &["never", "always"]);
        match columns().filter(|columns| has_bar && *columns >= NARROWEST) {
            Some(columns) => Self::Bar(columns),
            None => Self::Lines,
        }
    }

    /// Tells cargo.
    pub(super) fn ask(self, cargo: &mut Command) {
        match self {
            Self::Quiet => {
                cargo.arg("--quiet");
            }
            Self::Lines => {}
            Self::Bar(columns) => {
                cargo.env("CARGO_TERM_PROGRESS_WHEN", "always");
                cargo.env("CARGO_TERM_PROGRESS_WIDTH", columns.to_string());
                cargo.env("CARGO_TERM_PROGRESS_TERM_INTEGRATION", "false");
            }
        }
    }

    /// The bar, if there is one.
    pub(super) fn bar(self) -> Option<Bar> {
        match self {
            Self::Bar(columns) => Some(Bar { columns, shown: None }),
            Self::Quiet | Self::Lines => None,
        }
    }
}

/// The line at the bottom of a terminal that each state takes from the one before.
#[derive(Debug)]
pub(super) struct Bar {
    columns: usize,
    /// Since when there is something on that line.
    shown: Option<Instant>,
}

impl Bar {
    /// Shows a state, unless the one before has just come.
    pub(super) fn show(&mut self, state: &str) {
        if self.shown.is_none_or(|since| since.elapsed() >= INTERVAL) {
            console::transient(state, self.columns);
            self.shown = Some(Instant::now());
        }
    }

    /// Makes room for a line.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            console::transient("", self.columns);
        }
    }
}

/// How wide the terminal is, where that can be asked.
#[cfg(unix)]
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stderr()).ok()?;
    Some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn columns() -> Option<usize> {
    None
}
