//! Paths of printer columns as the API server reads them: the `JSONPath` of `client-go`, which has its own mind about
//! dots in names, filters and what follows a bracket.

use super::unquote::unquote;

/// A step of a path, or a part of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// `.name` or `['name']`.
    Field(String),
    /// `.*`.
    Wildcard,
    /// `..`.
    Recursive,
    /// `[1]`, `[1:3]`, `[*]`.
    Items(Range),
    /// `[0,2]`.
    Union(Vec<Vec<Self>>),
    Filter(Box<Filter>),
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A word where none may be, but for `range` and `end`, which show nothing here.
    Word(String),
}

/// Which items of a list: from, to, step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) from: Option<i64>,
    pub(super) to: To,
    pub(super) step: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum To {
    /// One item alone.
    Next,
    End,
    At(i64),
}

/// `?(@.left == right)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    pub(super) left: Vec<Node>,
    /// None when the left side has to be there, whatever it is.
    pub(super) comparison: Option<(String, Vec<Node>)>,
}

/// What a path begins with, and whether anything follows a brace that ends it.
#[derive(Debug, PartialEq)]
pub(super) struct Path {
    pub(super) nodes: Vec<Node>,
    pub(super) cut: bool,
}

/// Reads the path of a column.
///
/// # Errors
/// Why the API server cannot read it.
pub(super) fn parse(path: &str) -> Result<Path, String> {
    // The server puts it in braces, and reads whatever comes of that.
    let text = format!("{path}}}");
    let mut reader = Reader { rest: &text, nodes: Vec::new() };
    reader.action()?;
    actions(reader.rest)?;
    Ok(Path { cut: !reader.rest.is_empty(), nodes: reader.nodes })
}

/// The first expression of a text in braces.
fn first(text: &str) -> Result<Vec<Node>, String> {
    Ok(actions(&format!("{{{text}}}"))?.into_iter().next().unwrap_or_default())
}

/// The expressions in braces that a text has.
fn actions(text: &str) -> Result<Vec<Vec<Node>>, String> {
    let (mut rest, mut found) = (text, Vec::new());
    while let Some((_, action)) = rest.split_once('{') {
        let mut reader = Reader { rest: action, nodes: Vec::new() };
        reader.action()?;
        rest = reader.rest;
        found.push(reader.nodes);
    }
    Ok(found)
}

struct Reader<'a> {
    rest: &'a str,
    nodes: Vec<Node>,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Up to the brace that closes it.
    fn action(&mut self) -> Result<(), String> {
        loop {
            if self.eat("}") {
                return Ok(());
            }
            if self.rest.starts_with("[?(") {
                self.filter()?;
            } else if self.eat("..") {
                if self.nodes.last() == Some(&Node::Recursive) {
                    return Err("`..` follows `..`".into());
                }
                self.nodes.push(Node::Recursive);
                if self.rest.starts_with(is_word) {
                    self.field();
                }
            } else {
                self.other()?;
            }
        }
    }

    fn other(&mut self) -> Result<(), String> {
        let first = self.rest.chars().next().filter(|c| !['\r', '\n'].contains(c));
        match first.ok_or("it has no end")? {
            ' ' | '@' | '$' => {
                self.take(1);
            }
            '[' => self.bracket()?,
            quote @ ('"' | '\'') => self.quoted(quote)?,
            '.' => {
                self.take(1);
                self.field();
            }
            c if c == '+' || c == '-' || c.is_numeric() => self.number()?,
            c if is_word(c) => {
                let end = self.rest.find(ends_name).unwrap_or(self.rest.len());
                let node = match self.take(end) {
                    "true" => Node::Bool(true),
                    "false" => Node::Bool(false),
                    word => Node::Word(word.to_owned()),
                };
                self.nodes.push(node);
            }
            c => return Err(unreadable(c)),
        }
        Ok(())
    }

    /// A name, up to what ends it; a backslash hides that.
    fn field(&mut self) {
        let (mut hidden, mut end) = (false, self.rest.len());
        for (at, c) in self.rest.char_indices() {
            if !hidden && c != '\\' && ends_name(c) {
                end = at;
                break;
            }
            hidden = !hidden && c == '\\';
        }
        let name = self.take(end);
        self.nodes.push(if name == "*" { Node::Wildcard } else { Node::Field(name.replace('\\', "")) });
    }

    fn number(&mut self) -> Result<(), String> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest[sign..].find(|c: char| c != '.' && !c.is_numeric());
        let text = self.take(digits.map_or(self.rest.len(), |digits| sign + digits));
        let float = || text.parse().ok().filter(|float: &f64| float.is_finite()).map(Node::Float);
        let node = text.parse().ok().map(Node::Int).or_else(float);
        self.nodes.push(node.ok_or_else(|| format!("`{text}` is no number"))?);
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<(), String> {
        let mut last = quote;
        let end = self.rest.char_indices().skip(1).find_map(|(at, c)| {
            let is_end = c == '\n' || (c == quote && last != '\\');
            last = c;
            is_end.then_some((at, c))
        });
        let Some((end, _)) = end.filter(|(_, c)| *c != '\n') else {
            return Err("a quote is not closed".into());
        };
        let text = self.take(end + 1);
        self.nodes.push(Node::Text(unquote(text).ok_or_else(|| format!("{text} has a wrong escape"))?));
        Ok(())
    }

    /// What is in brackets, but for filters.
    fn bracket(&mut self) -> Result<(), String> {
        let end = self.rest.find(['\n', ']']).filter(|end| self.rest[*end..].starts_with(']'));
        let text = self.take(end.ok_or("a bracket is not closed")? + 1);
        let inner = &text[1..text.len() - 1];
        if inner.contains(',') {
            let parts = inner.split(',').map(|part| first(&format!("[{}]", part.trim_matches(' '))));
            self.nodes.push(Node::Union(parts.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let quoted = inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\''));
        if let Some(name) = quoted.filter(|name| !name.contains('\'')) {
            // So a dot in quotes is not part of the name either.
            self.nodes.extend(first(&format!(".{name}"))?);
            return Ok(());
        }
        self.nodes.push(Node::Items(range(if inner == "*" { ":" } else { inner })?));
        Ok(())
    }

    fn filter(&mut self) -> Result<(), String> {
        self.take("[?(".len());
        let (mut opened, mut closed, mut last) = (None, false, '(');
        let end = self.rest.char_indices().find_map(|(at, c)| {
            match (c, opened) {
                ('\n', _) => return Some((at, c)),
                ('"' | '\'', None) => opened = Some(c),
                ('"' | '\'', Some(quote)) => closed |= last != '\\' && c == quote,
                (')', _) if opened.is_some() == closed => return Some((at, c)),
                _ => {}
            }
            last = c;
            None
        });
        let Some((end, _)) = end.filter(|(_, c)| *c == ')') else {
            return Err("a filter is not closed".into());
        };
        let text = self.take(end);
        self.take(1);
        if !self.eat("]") {
            return Err("a filter ends at its first `)`, which no `]` follows".into());
        }
        self.nodes.push(Node::Filter(Box::new(condition(text)?)));
        Ok(())
    }
}

/// What stands in a filter: one comparison, or something that has to be there.
fn condition(text: &str) -> Result<Filter, String> {
    let is_sign = |c: char| "!<>=".contains(c);
    let left = text.find(is_sign).unwrap_or(text.len());
    let signs = text[left..].find(|c: char| !is_sign(c)).unwrap_or(text.len() - left);
    // The right side has at least one character, if need be the last of the signs.
    let signs = if left + signs == text.len() { signs.saturating_sub(1) } else { signs };
    if left == 0 || signs == 0 {
        return Ok(Filter { left: first(text)?, comparison: None });
    }
    let (left, right) = text.split_at(left);
    let (sign, right) = right.split_at(signs);
    Ok(Filter { left: first(left)?, comparison: Some((sign.to_owned(), first(right)?)) })
}

/// Reads `1`, `-1:`, `::2`, nothing.
fn range(text: &str) -> Result<Range, String> {
    let wrong = || format!("`[{text}]` is neither a number of an item nor a name in single quotes");
    let mut parts = text.split(':');
    let [from, to, step] = [parts.next(), parts.next(), parts.next()];
    let number = |part: Option<&str>| match part.unwrap_or_default() {
        "" => Ok(None),
        digits if digits.starts_with('+') => Err(wrong()),
        digits => digits.parse().map(Some).map_err(|_| wrong()),
    };
    if parts.next().is_some() {
        return Err(wrong());
    }
    let to = match (to, number(to)?) {
        (None, _) => To::Next,
        (_, None) => To::End,
        (_, Some(at)) => To::At(at),
    };
    Ok(Range { from: number(from)?, to, step: number(step)? })
}

fn unreadable(c: char) -> String {
    match c {
        '&' | '|' => "a filter is one comparison, without `&&` and `||`".into(),
        '~' => "no filter compares with a regular expression".into(),
        '!' => "a filter cannot be negated".into(),
        c => format!("`{c}` has no place there"),
    }
}

/// Letters, digits and the underscore.
fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether a name ends before a character.
fn ends_name(c: char) -> bool {
    " \t\r\n.,[]$@{}".contains(c)
}
