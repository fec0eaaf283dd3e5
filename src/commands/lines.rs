//! What other programs print, line by line: never more of it in memory than a line, and no line without an end.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use crate::console;

/// Longest line that is kept, in bytes; the rest of a longer one is dropped.
const LINE: usize = 64 << 10;

/// How much of what a program tells people is passed on, in bytes.
const TOLD: usize = 1 << 20;

/// What a program tells people, passed on to them: without styles, escaped, and not without end.
pub(super) struct PassedOn {
    program: &'static str,
    left: Option<usize>,
}

impl PassedOn {
    /// Of the program of that name.
    pub(super) fn of(program: &'static str) -> Self {
        Self { program, left: Some(TOLD) }
    }

    /// Passes a line on.
    pub(super) fn line(&mut self, line: &str) {
        let Some(left) = self.left else { return };
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
    let Some(stream) = stream else { return true };
    let mut stream = BufReader::new(stream.take(length));
    let mut line = Vec::new();
    while let Ok(true) = next(&mut stream, &mut line) {
        each(&String::from_utf8_lossy(&line));
    }
    stream.get_ref().limit() > 0
}

/// Reads the next line; false at the end.
fn next(stream: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut begun = false;
    loop {
        let found = match stream.fill_buf() {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if found.is_empty() {
            return Ok(begun);
        }
        begun = true;
        let end = found.iter().position(|byte| *byte == b'\n');
        let part = &found[..end.unwrap_or(found.len())];
        line.extend_from_slice(&part[..part.len().min(LINE - line.len())]);
        let used = end.map_or(found.len(), |end| end + 1);
        stream.consume(used);
        if end.is_some() {
            return Ok(true);
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
}
