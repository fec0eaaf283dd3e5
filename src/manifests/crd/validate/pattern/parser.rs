//! The syntax of RE2 with the additions of Perl that Go knows.

use super::set::{LAST, Set};
use super::{Assertion, Node};
use crate::limits::DEPTH;

/// No repetition may ask for more, nested ones multiplied.
const MOST: usize = 1000;

/// Most instructions of a pattern with its repetitions written out; Go's library takes 128 MiB of them.
const LARGEST: usize = 3_355_443;

/// A part of a pattern.
struct Part {
    node: Node,
    /// How often the innermost part of a counted repetition is repeated.
    copies: usize,
    /// How many instructions it is, its repetitions written out.
    size: usize,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) fold: bool,
    lines: bool,
    dot_all: bool,
}

pub(super) struct Parser<'a> {
    pub(super) rest: &'a str,
    pub(super) flags: Flags,
    depth: usize,
    /// The bytes from the last `:]` on, without which no `[:` begins a class; none when there is no `:]`.
    pub(super) named: Option<usize>,
}

pub(super) fn parse(text: &str) -> Result<Node, String> {
    let named = text.rfind(":]").map(|at| text.len() - at);
    let mut parser = Parser { rest: text, flags: Flags::default(), depth: 0, named };
    let part = parser.either()?;
    if parser.rest.is_empty() { Ok(part.node) } else { Err("unexpected `)`".into()) }
}

impl Part {
    fn leaf(node: Node) -> Self {
        Self { node, copies: 1, size: 1 }
    }

    /// Parts one after the other.
    fn concat(parts: Vec<Self>) -> Result<Self, String> {
        let size = parts.iter().fold(0, |size: usize, part| size.saturating_add(part.size));
        Self::joined(parts, size, Node::Concat)
    }

    /// Parts in place of each other. Of neighbours that are one character each, Go makes one class.
    fn either(parts: Vec<Self>) -> Result<Self, String> {
        let mut size = 0_usize;
        let mut before = false;
        for part in &parts {
            let one = matches!(part.node, Node::One(_));
            size = size.saturating_add(if one && before { 0 } else { part.size.saturating_add(1) });
            before = one;
        }
        Self::joined(parts, size.saturating_sub(1), Node::Either)
    }

    fn joined(mut parts: Vec<Self>, size: usize, node: fn(Vec<Node>) -> Node) -> Result<Self, String> {
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let copies = parts.iter().map(|part| part.copies).max().unwrap_or(1);
        Self { node: node(parts.into_iter().map(|part| part.node).collect()), copies, size: size.max(1) }
            .checked()
    }

    fn repeated(self, min: usize, max: Option<usize>) -> Result<Self, String> {
        let size = match max {
            None if min == 0 => self.size.saturating_add(2),
            None => self.size.saturating_mul(min).saturating_add(1),
            Some(max) => self.size.saturating_mul(max).saturating_add(max.saturating_sub(min)).max(1),
        };
        // Go's library does not look at what is there no time.
        let times = max.unwrap_or(min.max(1));
        let copies = if max == Some(0) { 1 } else { self.copies.saturating_mul(times) };
        Self { node: Node::Repeat(Box::new(self.node), min, max), copies, size }.checked()
    }

    /// The same as a group whose text is kept.
    fn captured(self) -> Result<Self, String> {
        Self { size: self.size.saturating_add(2), ..self }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        if self.size > LARGEST {
            return Err("it is too large with its repetitions written out".into());
        }
        Ok(self)
    }
}

impl Parser<'_> {
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn either(&mut self) -> Result<Part, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("it is nested more than {DEPTH} levels deep"));
        }
        let mut branches = vec![self.concat()?];
        while self.eat("|") {
            branches.push(self.concat()?);
        }
        self.depth -= 1;
        Part::either(branches)
    }

    fn concat(&mut self) -> Result<Part, String> {
        let mut parts = Vec::new();
        let mut repeated = false;
        while let Some(c) = self.peek().filter(|c| !"|)".contains(*c)) {
            let count = self.repetition(c)?;
            let Some((min, max)) = count else {
                repeated = false;
                self.atom(&mut parts)?;
                continue;
            };
            let operand = parts.pop().filter(|_| !repeated);
            let operand = operand.ok_or_else(|| {
                if repeated { "two repetitions in a row" } else { "a repetition of nothing" }.to_owned()
            })?;
            let part = operand.repeated(min, max)?;
            if c == '{' && part.copies > MOST {
                return Err(format!("repetitions of more than {MOST}"));
            }
            parts.push(part);
            repeated = true;
        }
        Part::concat(parts)
    }

    /// The counts of the repetition that begins with `c`; none when it is an ordinary character.
    fn repetition(&mut self, c: char) -> Result<Option<(usize, Option<usize>)>, String> {
        let count = match c {
            '*' => (0, None),
            '+' => (1, None),
            '?' => (0, Some(1)),
            '{' => {
                // Only as far as it can be a number, or two.
                let end = self.rest[1..].find(|c: char| !c.is_ascii_digit() && c != ',');
                let inner = end.filter(|end| self.rest[1 + end..].starts_with('}'));
                let inner = inner.map(|end| &self.rest[1..=end]);
                let number = |text: &str| {
                    let plain = text == "0" || !text.starts_with('0');
                    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                    (digits && plain).then(|| text.parse().unwrap_or(usize::MAX))
                };
                let counts = inner.and_then(|inner| match inner.split_once(',') {
                    None => number(inner).map(|exact| (exact, Some(exact))),
                    Some((min, "")) => number(min).map(|min| (min, None)),
                    Some((min, max)) => Some((number(min)?, Some(number(max)?))),
                });
                let (Some(counts), Some(inner)) = (counts, inner) else {
                    return Ok(None);
                };
                let (min, max) = counts;
                if min > MOST || max.is_some_and(|max| max > MOST || max < min) {
                    return Err(format!("`{{{inner}}}` is no number of repetitions"));
                }
                self.rest = &self.rest[inner.len() + 1..];
                counts
            }
            _ => return Ok(None),
        };
        self.next();
        self.eat("?");
        Ok(Some(count))
    }

    fn atom(&mut self, parts: &mut Vec<Part>) -> Result<(), String> {
        let node = match self.next().unwrap_or_default() {
            '(' => match self.group()? {
                Some(part) => {
                    parts.push(part);
                    return Ok(());
                }
                None => return Ok(()),
            },
            '[' => Node::One(self.class()?),
            '.' if self.flags.dot_all => Node::One(Set::of([(0, LAST)], false)),
            '.' => Node::One(Set::of([(10, 10)], false).negated()),
            '^' if self.flags.lines => Node::Assert(Assertion::LineBegin),
            '^' => Node::Assert(Assertion::TextBegin),
            '$' if self.flags.lines => Node::Assert(Assertion::LineEnd),
            '$' => Node::Assert(Assertion::TextEnd),
            '\\' if self.eat("Q") => {
                let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                parts.extend(quoted.chars().map(|c| Part::leaf(Node::One(self.one(c.into())))));
                self.rest = rest;
                return Ok(());
            }
            '\\' => match self.peek() {
                Some('A') => self.assertion(Assertion::TextBegin),
                Some('z') => self.assertion(Assertion::TextEnd),
                Some('b') => self.assertion(Assertion::WordBoundary),
                Some('B') => self.assertion(Assertion::NoWordBoundary),
                _ => match self.escaped_class()? {
                    Some(set) => Node::One(set),
                    None => Node::One(self.escape().map(|c| self.one(c))?),
                },
            },
            c => Node::One(self.one(c.into())),
        };
        parts.push(Part::leaf(node));
        Ok(())
    }

    fn assertion(&mut self, assertion: Assertion) -> Node {
        self.next();
        Node::Assert(assertion)
    }

    fn one(&self, c: u32) -> Set {
        Set::of([(c, c)], self.flags.fold)
    }

    /// What follows a parenthesis; none when it only sets flags.
    fn group(&mut self) -> Result<Option<Part>, String> {
        let outer = self.flags;
        let mut captured = true;
        if self.eat("?P<") || self.eat("?<") {
            let look = self.rest.starts_with(['=', '!']);
            let (name, rest) = self.rest.split_once('>').filter(|_| !look).ok_or("no look-behind")?;
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("`{name}` is no name of a group"));
            }
            self.rest = rest;
        } else if self.eat("?") {
            captured = false;
            let end = self.rest.find([':', ')']).ok_or("a parenthesis is not closed")?;
            let (on, off) = self.rest[..end].split_once('-').unwrap_or((&self.rest[..end], ""));
            let negated = self.rest[..end].contains('-');
            let scoped = self.rest[end..].starts_with(':');
            if negated && off.is_empty() {
                return Err("no flag after `(?`".into());
            }
            for (letter, set) in on.chars().map(|c| (c, true)).chain(off.chars().map(|c| (c, false))) {
                match letter {
                    'i' => self.flags.fold = set,
                    'm' => self.flags.lines = set,
                    's' => self.flags.dot_all = set,
                    'U' => {}
                    '=' | '!' => return Err("no look-ahead".into()),
                    other => return Err(format!("`{other}` is no flag")),
                }
            }
            self.rest = &self.rest[end + 1..];
            if !scoped {
                return Ok(None);
            }
        }
        let part = self.either()?;
        self.flags = outer;
        if !self.eat(")") {
            return Err("a parenthesis is not closed".into());
        }
        Ok(Some(if captured { part.captured()? } else { part }))
    }
}
