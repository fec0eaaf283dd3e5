//! What other programs print, line by line: never more of it in memory than a line, and no line without an end.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use anstream::adapter::strip_str;

use super::progress::{Bar, Progress};
use crate::console;

/// Longest line that is kept, in bytes; the rest of a longer one is dropped.
const LINE: usize = 64 << 10;

/// How much of what a program tells people is passed on, in bytes.
const TOLD: usize = 1 << 20;

/// What a program tells people, passed on to them: without styles, escaped, and not without end.
pub(super) struct PassedOn {
    program: &'static str,
    left: Option<usize>,
    bar: Option<Bar>,
}

/// What a program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A line, without its end.
    Line(&'a str),
    /// How far it is: what comes next takes its place.
    State(&'a str),
}

impl PassedOn {
    /// Of the program of that name.
    pub(super) fn of(program: &'static str, progress: Progress) -> Self {
        Self { program, left: Some(TOLD), bar: progress.bar() }
    }

    /// Passes on all that the program says, up to the end of the stream or an error, and lets `look` at every line.
    /// Whether the end comes within so many bytes.
    pub(super) fn all(mut self, stream: Option<impl Read>, length: u64, mut look: impl FnMut(&str)) -> bool {
        let has_states = self.bar.is_some();
        let whole = read(stream, length, has_states, |said| match said {
            Said::Line(line) => {
                look(line);
                self.line(line);
            }
            Said::State(state) => self.bar.iter_mut().for_each(|bar| bar.show(state)),
        });
        self.bar.iter_mut().for_each(Bar::clear);
        whole
    }

    /// Passes a line on.
    pub(super) fn line(&mut self, line: &str) {
        let Some(left) = self.left else { return };
        self.bar.iter_mut().for_each(Bar::clear);
        self.left = left.checked_sub(line.len() + 1);
        if self.left.is_some() {
            console::pass_on(line);
        } else {
            console::tell(&format!(
                "note: `{}` says more than {} MiB: the rest is left out",
                self.program,
                TOLD >> 20
            ));
        }
    }
}

/// Calls `each` with every line, without its end, up to the end of the stream or an error. Whether that comes within so
/// many bytes.
pub(super) fn each(stream: Option<impl Read>, length: u64, mut each: impl FnMut(&str)) -> bool {
    read(stream, length, false, |said| {
        if let Said::Line(line) = said {
            each(line);
        }
    })
}

/// The same of lines and, where they are asked for, states.
fn read(stream: Option<impl Read>, length: u64, has_states: bool, mut each: impl FnMut(Said<'_>)) -> bool {
    let Some(stream) = stream else { return true };
    let mut stream = BufReader::new(stream.take(length));
    let mut line = Vec::new();
    while let Ok(true) = next(&mut stream, &mut line, has_states, &mut each) {
        each(Said::Line(&String::from_utf8_lossy(&line)));
    }
    stream.get_ref().limit() > 0
}

/// Reads the next line; false at the end. With states, what is before a carriage return and looks like one is given to
/// `each`, and what follows takes its place.
fn next(
    stream: &mut impl BufRead,
    line: &mut Vec<u8>,
    has_states: bool,
    each: &mut impl FnMut(Said<'_>),
) -> io::Result<bool> {
    line.clear();
    let (mut begun, mut was_state, mut may_be_state) = (false, false, has_states);
    loop {
        let found = match stream.fill_buf() {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(first) = found.first() else { return Ok(begun && !was_state) };
        begun = true;
        // A return before the end of the line is a part of that.
        if was_state && *first != b'\n' {
            line.clear();
        }
        let end = found.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let is_line = end.is_some_and(|end| found[end] == b'\n');
        let part = &found[..end.unwrap_or(found.len())];
        line.extend_from_slice(&part[..part.len().min(LINE - line.len())]);
        let used = end.map_or(found.len(), |end| end + 1);
        stream.consume(used);
        if is_line {
            return Ok(true);
        }
        was_state = false;
        if end.is_some() {
            if may_be_state {
                let state = strip_str(&String::from_utf8_lossy(line)).to_string();
                was_state = console::status_verb(&state).is_some();
                if was_state {
                    each(Said::State(&state));
                }
                may_be_state = was_state;
            }
            if line.len() < LINE {
                line.push(b'\r');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_none_is_lost() {
        let mut found = Vec::new();
        let long = io::repeat(b'x').take(1 << 20).chain(&b"\n\nb\xff"[..]);
        assert!(each(Some(long), 2 << 20, |line| found.push(line.to_owned())));
        assert_eq!(found, ["x".repeat(LINE), String::new(), "b\u{fffd}".to_owned()]);
        let mut lines = 0;
        assert!(!each(Some(io::repeat(b'\n')), 1000, |_| lines += 1));
        assert_eq!(lines, 1000);
    }

    #[test]
    fn states_are_told_from_lines() {
        let said =
            b"   Compiling a v1\n    Building [=> ] 1/2: a\r    Building [==>] 2/2: a\rerror: x\ry\r\n\
                     \r    Finished\r\n    Building\rlast\r    Building [";
        for has_states in [true, false] {
            let mut found = Vec::new();
            assert!(read(Some(&said[..]), 1000, has_states, |said| found.push(format!("{said:?}"))));
            let mut expected = vec![
                r#"Line("   Compiling a v1")"#,
                r#"State("    Building [=> ] 1/2: a")"#,
                r#"State("    Building [==>] 2/2: a")"#,
                r#"Line("error: x\ry\r")"#,
                r#"Line("\r    Finished\r")"#,
                r#"State("    Building")"#,
                r#"Line("last\r    Building [")"#,
            ];
            if !has_states {
                expected = vec![
                    r#"Line("   Compiling a v1")"#,
                    r#"Line("    Building [=> ] 1/2: a\r    Building [==>] 2/2: a\rerror: x\ry\r")"#,
                    r#"Line("\r    Finished\r")"#,
                    r#"Line("    Building\rlast\r    Building [")"#,
                ];
            }
            assert_eq!(found, expected);
        }
    }
}
