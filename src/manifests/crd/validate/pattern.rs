//! Regular expressions as the API server reads them: RE2's syntax with Go's library.
//!
//! Small enough to be here. The crates for regular expressions in Rust differ from Go in what they accept (`{` alone,
//! `a**`, `\Q…\E`, `[a&&b]`), and what counts is whether the API server accepts a pattern.

mod classes;
mod parser;

/// A pattern that the API server accepts.
#[derive(Debug)]
pub(super) struct Pattern(Node);

#[derive(Clone, Debug)]
enum Node {
    /// One character of a set.
    One(Set),
    Assert(Assertion),
    Concat(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>),
}

#[derive(Clone, Copy, Debug)]
enum Assertion {
    TextBegin,
    TextEnd,
    LineBegin,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

/// A set of characters.
#[derive(Clone, Debug, Default)]
struct Set {
    ranges: Vec<(char, char)>,
    negated: bool,
    /// Without regard to case.
    fold: bool,
    /// Has a class of Unicode, whose members are not known here.
    unknown: bool,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What Go's `regexp.Compile` would complain about.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(Self)
    }

    /// Whether the pattern is found in the text; `None` when that is not known here.
    pub(super) fn is_found(&self, text: &str) -> Option<bool> {
        if self.0.unknown() {
            return None;
        }
        let text: Vec<char> = text.chars().collect();
        let everywhere = vec![true; text.len() + 1];
        Some(self.0.ends(&text, &everywhere).contains(&true))
    }
}

impl Node {
    /// Where matches can end that begin at one of the places in `begins`; both lists have a place before each
    /// character and one at the end.
    fn ends(&self, text: &[char], begins: &[bool]) -> Vec<bool> {
        let mut ends = vec![false; begins.len()];
        match self {
            Self::One(set) => {
                for (at, c) in text.iter().enumerate() {
                    ends[at + 1] = begins[at] && set.has(*c);
                }
            }
            Self::Assert(assertion) => {
                for at in 0..begins.len() {
                    ends[at] = begins[at] && assertion.holds(text, at);
                }
            }
            Self::Concat(nodes) => {
                return nodes.iter().fold(begins.to_vec(), |begins, node| node.ends(text, &begins));
            }
            Self::Either(nodes) => {
                for node in nodes {
                    join(&mut ends, &node.ends(text, begins));
                }
            }
            Self::Repeat(node, min, max) => {
                let mut current = begins.to_vec();
                for _ in 0..*min {
                    current = node.ends(text, &current);
                }
                join(&mut ends, &current);
                // Once nothing new is reached, more rounds reach nothing either.
                for _ in 0..max.map_or(usize::MAX, |max| max - min) {
                    current = node.ends(text, &current);
                    if !join(&mut ends, &current) {
                        break;
                    }
                }
            }
        }
        ends
    }

    fn unknown(&self) -> bool {
        match self {
            Self::One(set) => set.unknown,
            Self::Assert(_) => false,
            Self::Concat(nodes) | Self::Either(nodes) => nodes.iter().any(Self::unknown),
            Self::Repeat(node, ..) => node.unknown(),
        }
    }
}

/// Adds `more` to `places`; whether that changed anything.
fn join(places: &mut [bool], more: &[bool]) -> bool {
    let mut changed = false;
    for (place, more) in places.iter_mut().zip(more) {
        changed |= *more && !*place;
        *place |= *more;
    }
    changed
}

impl Set {
    fn has(&self, c: char) -> bool {
        let within = |c: char| self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
        let folded = || c.to_lowercase().any(within) || c.to_uppercase().any(within);
        (within(c) || (self.fold && folded())) != self.negated
    }
}

impl Assertion {
    fn holds(self, text: &[char], at: usize) -> bool {
        let word = |index: usize| text.get(index).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_');
        let boundary = || (at > 0 && word(at - 1)) != word(at);
        match self {
            Self::TextBegin => at == 0,
            Self::TextEnd => at == text.len(),
            Self::LineBegin => at == 0 || text[at - 1] == '\n',
            Self::LineEnd => at == text.len() || text[at] == '\n',
            Self::WordBoundary => boundary(),
            Self::NoWordBoundary => !boundary(),
        }
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
