//! Whether the YAML library can read a text in little time: looked at before it sees a byte.
//!
//! libyaml, which is below every YAML reader for Rust that keeps to the rest of the world's ways, builds all nodes of a
//! document before anyone can stop it, looks at every open bracket for each token, and wipes its buffers as often as a
//! scalar has spaces. This goes through a text as its scanner does, token by token and with the same rules for what is
//! a comment, a quotation or a block of text, but keeps nothing, and counts what each token will cost. Where the
//! scanner must stop with an error by these rules, all brackets that follow count as open: a text that misleads this
//! module is refused, not believed.

use super::Fault;
use crate::limits::{Budget, DEPTH};

/// Most nodes of a text: each takes the library some hundred bytes, and a definition has a few ten thousand.
pub(super) const NODES: u64 = 1 << 20;
/// What reading may cost, in looks at an open bracket: about a second's worth.
const WORK: u64 = 1 << 27;
/// How many bytes of a buffer are wiped in the time of one look.
const WIPED: u64 = 64;
/// Most brackets behind an error.
const BRACKETS: usize = 10_000;
/// How far a key's colon may be away, in characters.
const KEY: usize = 1024;

/// What a text has that was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether something is said twice by a name, so that its values are more than the text.
    pub(super) aliases: bool,
}

/// Goes through a text.
///
/// # Errors
/// A [`Fault`] with the line at which the text becomes too much.
pub(super) fn check(text: &str) -> Result<Found, Fault> {
    let mut guard = Guard {
        bytes: text.as_bytes(),
        at: 0,
        index: 0,
        line: 1,
        column: 0,
        indent: -1,
        indents: Vec::new(),
        keys: vec![Key::default()],
        key_allowed: true,
        directives: 0,
        work: Budget::of(WORK),
        nodes: Budget::of(NODES),
        found: Found::default(),
    };
    while guard.token()? {}
    Ok(guard.found)
}

/// Where a key may have begun, of which only a colon tells that it was one.
#[derive(Clone, Copy, Default)]
struct Key {
    possible: bool,
    line: usize,
    index: usize,
    column: i64,
}

struct Guard<'a> {
    bytes: &'a [u8],
    /// Of the next byte.
    at: usize,
    /// The same in characters.
    index: usize,
    line: usize,
    column: i64,
    /// Column of the innermost block; -1 outside of all.
    indent: i64,
    indents: Vec<i64>,
    /// One for each open bracket, and the first for what is outside of all.
    keys: Vec<Key>,
    key_allowed: bool,
    directives: usize,
    work: Budget,
    nodes: Budget,
    found: Found,
}

impl Guard<'_> {
    /// Passes one token. Whether there is another.
    fn token(&mut self) -> Result<bool, Fault> {
        self.space();
        self.unroll(self.column);
        let cost = u64::try_from(self.keys.len()).unwrap_or(u64::MAX);
        self.cost(cost)?;
        let c = self.byte(0);
        let flow = self.in_flow();
        if c == 0 {
            return Ok(false);
        }
        if self.column == 0 && c == b'%' {
            return self.directive();
        }
        if self.at_indicator() {
            self.unroll(-1);
            self.forget_key();
            self.key_allowed = false;
            self.skip(3);
            return Ok(true);
        }
        match c {
            b'[' | b'{' => {
                self.node()?;
                self.keep_key();
                self.keys.push(Key::default());
                self.nested()?;
                self.key_allowed = true;
                self.skip(1);
            }
            b']' | b'}' => {
                self.forget_key();
                if flow {
                    self.keys.pop();
                }
                self.key_allowed = false;
                self.skip(1);
            }
            b',' => {
                self.node()?;
                self.forget_key();
                self.key_allowed = true;
                self.skip(1);
            }
            b'-' if self.is_blankz(1) => {
                if !flow && !self.key_allowed {
                    return self.doubt();
                }
                self.node()?;
                self.roll(self.column)?;
                self.forget_key();
                self.key_allowed = true;
                self.skip(1);
            }
            b'?' if flow || self.is_blankz(1) => {
                if !flow && !self.key_allowed {
                    return self.doubt();
                }
                self.node()?;
                self.roll(self.column)?;
                self.forget_key();
                self.key_allowed = !flow;
                self.skip(1);
            }
            b':' if flow || self.is_blankz(1) => return self.value(),
            b'*' | b'&' => return self.anchor(c == b'*'),
            b'!' => return self.tag(),
            b'|' | b'>' if !flow => {
                self.node()?;
                self.forget_key();
                self.key_allowed = true;
                return self.block();
            }
            b'\'' | b'"' => return self.quoted(c),
            _ if self.begins_plain(c) => return self.plain(),
            _ => return self.doubt(),
        }
        Ok(true)
    }

    /// At a colon.
    fn value(&mut self) -> Result<bool, Fault> {
        let flow = self.in_flow();
        let key = self.keys.last().copied().unwrap_or_default();
        if key.possible && key.line == self.line && key.index + KEY >= self.index {
            self.roll(key.column)?;
            self.forget_key();
            self.key_allowed = false;
        } else {
            if !flow && !self.key_allowed {
                return self.doubt();
            }
            self.node()?;
            self.roll(self.column)?;
            self.key_allowed = !flow;
        }
        self.forget_key();
        self.skip(1);
        Ok(true)
    }

    fn directive(&mut self) -> Result<bool, Fault> {
        self.unroll(-1);
        self.forget_key();
        self.key_allowed = false;
        self.directives += 1;
        if self.directives > DEPTH {
            return Err(self.fault("more directives than any file has"));
        }
        let known = [&b"%TAG"[..], b"%YAML"].iter().any(|name| self.bytes[self.at..].starts_with(name));
        if !known {
            return self.doubt();
        }
        while !self.is_breakz(0) {
            self.skip(1);
        }
        self.skip_line();
        Ok(true)
    }

    fn anchor(&mut self, alias: bool) -> Result<bool, Fault> {
        self.node()?;
        self.found.aliases |= alias;
        self.keep_key();
        self.key_allowed = false;
        self.skip(1);
        let start = self.at;
        while is_word(self.byte(0)) {
            self.skip(1);
        }
        if start == self.at || !(self.is_blankz(0) || b"?:,]}%@`".contains(&self.byte(0))) {
            return self.doubt();
        }
        Ok(true)
    }

    fn tag(&mut self) -> Result<bool, Fault> {
        self.node()?;
        self.keep_key();
        self.key_allowed = false;
        let verbatim = self.byte(1) == b'<';
        self.skip(if verbatim { 2 } else { 1 });
        while is_word(self.byte(0))
            || self.byte(0) != 0 && b";/?:@&=+$.%!~*'()".contains(&self.byte(0))
            || verbatim && matches!(self.byte(0), b',' | b'[' | b']')
        {
            self.skip(1);
        }
        if verbatim {
            if self.byte(0) != b'>' {
                return self.doubt();
            }
            self.skip(1);
        }
        if self.is_blankz(0) || self.in_flow() && self.byte(0) == b',' { Ok(true) } else { self.doubt() }
    }

    /// At the sign of a block of text.
    fn block(&mut self) -> Result<bool, Fault> {
        let mut increment = 0;
        self.skip(1);
        for _ in 0..2 {
            match self.byte(0) {
                b'+' | b'-' => self.skip(1),
                digit @ b'1'..=b'9' if increment == 0 => {
                    increment = i64::from(digit - b'0');
                    self.skip(1);
                }
                _ => break,
            }
        }
        while self.is_blank(0) {
            self.skip(1);
        }
        if self.byte(0) == b'#' {
            while !self.is_breakz(0) {
                self.skip(1);
            }
        }
        if !self.is_breakz(0) {
            return self.doubt();
        }
        self.skip_line();
        let mut indent = if increment == 0 { 0 } else { self.indent.max(0) + increment };
        let mut longest = self.breaks(&mut indent);
        while self.column == indent && self.byte(0) != 0 {
            self.cost(1 + longest / WIPED)?;
            while !self.is_breakz(0) {
                self.skip(1);
            }
            self.skip_line();
            longest = longest.max(self.breaks(&mut indent));
        }
        Ok(true)
    }

    /// Passes empty lines and the indentation of the next one, which is found if `indent` is 0. The number of lines.
    fn breaks(&mut self, indent: &mut i64) -> u64 {
        let (mut lines, mut widest) = (0, 0);
        loop {
            while (*indent == 0 || self.column < *indent) && self.byte(0) == b' ' {
                self.skip(1);
            }
            widest = widest.max(self.column);
            if self.break_length(0) == 0 {
                break;
            }
            self.skip_line();
            lines += 1;
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        lines
    }

    fn quoted(&mut self, quote: u8) -> Result<bool, Fault> {
        self.node()?;
        self.keep_key();
        self.key_allowed = false;
        self.skip(1);
        let (mut run, mut longest) = (0_u64, 0_u64);
        loop {
            if self.at_indicator() || self.byte(0) == 0 {
                return self.doubt();
            }
            if self.is_blankz(0) {
                run += 1;
                self.step();
                continue;
            }
            if run > 0 {
                longest = longest.max(run);
                self.cost(longest / WIPED)?;
                run = 0;
            }
            match self.byte(0) {
                b'\'' if quote == b'\'' && self.byte(1) == b'\'' => self.skip(2),
                c if c == quote => break,
                b'\\' if quote == b'"' => {
                    self.skip(1);
                    if self.byte(0) != 0 {
                        self.step();
                    }
                }
                _ => self.skip(1),
            }
        }
        self.skip(1);
        Ok(true)
    }

    fn begins_plain(&self, c: u8) -> bool {
        !(self.is_blankz(0) || b"-?:,[]{}#&*!|>'\"%@`".contains(&c))
            || c == b'-' && !self.is_blank(1)
            || !self.in_flow() && matches!(c, b'?' | b':') && !self.is_blankz(1)
    }

    fn plain(&mut self) -> Result<bool, Fault> {
        self.node()?;
        self.keep_key();
        self.key_allowed = false;
        let (indent, flow) = (self.indent + 1, self.in_flow());
        let (mut run, mut longest, mut leading) = (0_u64, 0_u64, false);
        loop {
            if self.at_indicator() || self.byte(0) == b'#' {
                break;
            }
            while !self.is_blankz(0) {
                let c = self.byte(0);
                if flow && c == b':' && matches!(self.byte(1), b',' | b'?' | b'[' | b']' | b'{' | b'}') {
                    return self.doubt();
                }
                if c == b':' && self.is_blankz(1) || flow && matches!(c, b',' | b'[' | b']' | b'{' | b'}') {
                    break;
                }
                if run > 0 {
                    longest = longest.max(run);
                    self.cost(longest / WIPED)?;
                    (run, leading) = (0, false);
                }
                self.skip(1);
            }
            if !self.is_blankz(0) || self.byte(0) == 0 {
                break;
            }
            while self.is_blankz(0) && self.byte(0) != 0 {
                if self.is_blank(0) {
                    if leading && self.column < indent && self.byte(0) == b'\t' {
                        return self.doubt();
                    }
                } else {
                    leading = true;
                }
                run += 1;
                self.step();
            }
            if !flow && self.column < indent {
                break;
            }
        }
        self.key_allowed |= leading;
        Ok(true)
    }

    /// Passes spaces, comments and line ends.
    fn space(&mut self) {
        loop {
            if self.column == 0 && self.bytes[self.at..].starts_with("\u{feff}".as_bytes()) {
                self.skip(1);
            }
            while self.byte(0) == b' ' || (self.in_flow() || !self.key_allowed) && self.byte(0) == b'\t' {
                self.skip(1);
            }
            if self.byte(0) == b'#' {
                while !self.is_breakz(0) {
                    self.skip(1);
                }
            }
            if self.break_length(0) == 0 {
                return;
            }
            self.skip_line();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    /// Behind what the scanner should take for an error.
    fn doubt(&self) -> Result<bool, Fault> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        if rest.iter().filter(|&&c| matches!(c, b'[' | b'{')).nth(BRACKETS).is_some() {
            return Err(self.fault("no YAML from here on, and more brackets than a mistake explains"));
        }
        Ok(false)
    }

    fn cost(&self, steps: u64) -> Result<(), Fault> {
        self.work.take(steps).map_err(|_| self.fault("nested too deep and too often to be read"))
    }

    fn node(&self) -> Result<(), Fault> {
        self.nodes.take(1).map_err(|_| self.fault(format!("more than {NODES} values")))
    }

    fn nested(&self) -> Result<(), Fault> {
        if self.keys.len() - 1 + self.indents.len() > DEPTH {
            return Err(self.fault(format!("nested deeper than {DEPTH}")));
        }
        Ok(())
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { line: self.line, message: message.into(), limit: true }
    }

    fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// A key may begin here.
    fn keep_key(&mut self) {
        let key = Key { possible: true, line: self.line, index: self.index, column: self.column };
        if let Some(last) = self.keys.last_mut().filter(|_| self.key_allowed) {
            *last = key;
        }
    }

    fn forget_key(&mut self) {
        if let Some(last) = self.keys.last_mut() {
            last.possible = false;
        }
    }

    /// A block begins at `column`, unless it is one already.
    fn roll(&mut self, column: i64) -> Result<(), Fault> {
        if !self.in_flow() && self.indent < column {
            self.indents.push(self.indent);
            self.indent = column;
            self.nested()?;
        }
        Ok(())
    }

    /// All blocks right of `column` end.
    fn unroll(&mut self, column: i64) {
        while !self.in_flow() && self.indent > column {
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Whether a document begins or ends here.
    fn at_indicator(&self) -> bool {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        self.column == 0 && (rest.starts_with(b"---") || rest.starts_with(b"...")) && self.is_blankz(3)
    }

    /// The byte that is `ahead`; 0 behind the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    fn is_breakz(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.break_length(ahead) > 0
    }

    fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    /// The bytes of the line end that is `ahead`, of which YAML 1.1 has more than others.
    fn break_length(&self, ahead: usize) -> usize {
        match (self.byte(ahead), self.byte(ahead + 1), self.byte(ahead + 2)) {
            (b'\r', b'\n', _) | (0xc2, 0x85, _) => 2,
            (b'\r' | b'\n', ..) => 1,
            (0xe2, 0x80, 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    /// Passes so many characters.
    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.at += 1;
            while self.byte(0) & 0xc0 == 0x80 {
                self.at += 1;
            }
            self.index += 1;
            self.column += 1;
        }
    }

    /// Passes a line end, if one is here.
    fn skip_line(&mut self) {
        let length = self.break_length(0);
        if length > 0 {
            self.at += length;
            self.index += if self.bytes[self.at - length] == b'\r' { length } else { 1 };
            self.column = 0;
            self.line += 1;
        }
    }

    /// Passes a character or a line end.
    fn step(&mut self) {
        if self.break_length(0) > 0 { self.skip_line() } else { self.skip(1) }
    }
}

/// What names of anchors are made of.
fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-')
}
