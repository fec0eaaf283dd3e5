//! The grammar of `+kubebuilder:rbac` comments.
//!
//! `// +kubebuilder:rbac:groups=apps,resources=deployments;deployments/status,verbs=get;list;watch`: arguments are
//! separated by `,`, the words of a list by `;` (or `{a, b}`); words are bare or quoted with `"` or backticks, and
//! spaces between them do not count.

use crate::Problem;
use crate::scaffold::RelPath;

use super::lexer::Comment;

/// The marker's name with the sign in front.
const NAME: &str = "+kubebuilder:rbac";

/// The arguments' names.
const ARGUMENTS: [&str; 7] = [
    "groups",
    "resources",
    "resourceNames",
    "verbs",
    "urls",
    "namespace",
    "roleName",
];

/// What one comment allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// API groups; `core` or empty is the core group.
    pub groups: Vec<String>,
    /// Resources, and subresources such as `deployments/status`.
    pub resources: Vec<String>,
    /// Only objects of these names; empty means all.
    pub resource_names: Vec<String>,
    /// What is allowed.
    pub verbs: Vec<String>,
    /// Paths that are not resources, such as `/metrics`.
    pub urls: Vec<String>,
    /// Empty: everywhere.
    pub namespace: String,
    /// Empty: the default role.
    pub role_name: String,
}

/// Why a marker cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, in bytes of the comment.
    at: usize,
    /// What is wrong.
    message: String,
    /// What to write instead.
    hint: String,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// The fault with its place in the sources, and the line with a sign below the place.
    #[must_use]
    pub fn at(&self, path: &RelPath, comment: &Comment<'_>) -> Problem {
        let inside = comment
            .text
            .get(..self.at)
            .unwrap_or(comment.text)
            .chars()
            .count();
        let column = comment.column + inside;
        let number = comment.line.to_string();
        let gutter = " ".repeat(number.len());
        let indent = comment.line_text.len() - comment.line_text.trim_start().len();
        let line = comment.line_text.trim_start();
        let sign = " ".repeat((column - 1).saturating_sub(indent));
        let message = format!(
            "`{path}` line {number}, column {column}: {}\n{gutter} |\n{number} | {line}\n{gutter} | {sign}^",
            self.message
        );
        Problem::new(message).hint(self.hint.clone())
    }
}

/// Reads a line comment: nothing when it is not this marker.
#[must_use]
pub fn parse(comment: &str) -> Option<Result<Marker, Fault>> {
    let body = comment.strip_prefix("//")?;
    let body = body.strip_prefix(['/', '!']).unwrap_or(body).trim_start();
    let arguments = body.strip_prefix(NAME)?;
    let start = comment.len() - arguments.len();
    let mut reader = Reader {
        text: comment,
        at: start,
    };
    match arguments.chars().next() {
        Some(':') => {
            reader.at += 1;
            Some(reader.marker())
        }
        None | Some(' ' | '\t' | '=') => Some(Err(Fault::new(
            start,
            format!("expected `:` and arguments after `{NAME}`"),
            example(),
        ))),
        // another marker whose name begins alike
        Some(_) => None,
    }
}

fn example() -> String {
    format!("for instance `// {NAME}:groups=apps,resources=deployments,verbs=get;list;watch`")
}

/// Reads one comment from left to right.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn marker(&mut self) -> Result<Marker, Fault> {
        let start = self.at;
        let mut marker = Marker::default();
        let mut seen: Vec<String> = Vec::new();
        loop {
            let (at, name) = self.name()?;
            if seen.contains(&name) {
                let hint = format!("join them with `;`: `{name}=a;b`");
                return Err(Fault::new(at, format!("argument `{name}` is given twice"), hint));
            }
            match name.as_str() {
                "groups" => marker.groups = self.list()?,
                "resources" => marker.resources = self.list()?,
                "resourceNames" => marker.resource_names = self.list()?,
                "verbs" => marker.verbs = self.list()?,
                "urls" => marker.urls = self.list()?,
                "namespace" => marker.namespace = self.value()?,
                "roleName" => marker.role_name = self.value()?,
                _ => return Err(unknown(at, &name)),
            }
            seen.push(name);
            match self.peek() {
                None => break,
                Some(',') => self.at += 1,
                Some(other) => return Err(self.unexpected(other)),
            }
        }
        complete(&marker, start)?;
        Ok(marker)
    }

    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    /// An argument's name and the `=` behind it.
    fn name(&mut self) -> Result<(usize, String), Fault> {
        self.peek();
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = rest[..length].to_owned();
        if name.is_empty() {
            return Err(Fault::new(start, "expected the name of an argument", names()));
        }
        self.at += length;
        if self.peek() != Some('=') {
            return Err(if ARGUMENTS.contains(&name.as_str()) {
                Fault::new(self.at, format!("expected `=` after `{name}`"), example())
            } else {
                unknown(start, &name)
            });
        }
        self.at += 1;
        Ok((start, name))
    }

    /// `a;b`, `{a, b}`, or nothing.
    fn list(&mut self) -> Result<Vec<String>, Fault> {
        let braced = self.peek() == Some('{');
        let separator = if braced { ',' } else { ';' };
        self.at += usize::from(braced);
        let mut words = Vec::new();
        loop {
            match self.peek() {
                Some('}') if braced => break,
                None | Some(',') if !braced => return Ok(words),
                _ => {}
            }
            words.push(self.value()?);
            match self.peek() {
                Some(c) if c == separator => self.at += 1,
                Some('}') if braced => break,
                None | Some(',') if !braced => return Ok(words),
                Some(other) if braced => {
                    let message = format!("expected `,` between words in braces, found `{other}`");
                    return Err(Fault::new(self.at, message, example()));
                }
                Some(other) => return Err(self.unexpected(other)),
                None => {
                    return Err(Fault::new(
                        self.at,
                        "expected `}` at the end of the list",
                        example(),
                    ));
                }
            }
        }
        self.at += 1;
        Ok(words)
    }

    /// A word, quoted or bare.
    fn value(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some('"' | '`') => {
                let start = self.at;
                let end = self.quoted()?;
                unquote(&self.text[start..end], start)
            }
            None | Some(',' | ';' | '}') => Err(Fault::new(
                self.at,
                "expected a value",
                "write `\"\"` for the empty word, or leave it out",
            )),
            Some(_) => self.bare(),
        }
    }

    /// Everything up to a separator; quoted parts may hold separators.
    fn bare(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let mut end = start;
        while let Some(c) = self.peek().filter(|c| !matches!(c, ',' | ';' | '}')) {
            if matches!(c, '"' | '`') {
                self.quoted()?;
            } else {
                self.at += c.len_utf8();
            }
            end = self.at;
        }
        Ok(self.text[start..end].to_owned())
    }

    /// Passes a quoted word and gives its end.
    fn quoted(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        let quote = self.text[start..].chars().next().unwrap_or('"');
        let mut escaped = false;
        for (offset, c) in self.text[start..].char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if c == '\\' && quote == '"' {
                escaped = true;
            } else if c == quote {
                self.at = start + offset + 1;
                return Ok(self.at);
            }
        }
        Err(Fault::new(
            start,
            format!("the quote {quote} is never closed"),
            "close it, or write the word bare",
        ))
    }

    fn unexpected(&self, found: char) -> Fault {
        let message = format!("expected `,` before the next argument, found `{found}`");
        Fault::new(
            self.at,
            message,
            format!("separate words with `;` and arguments with `,`; {}", example()),
        )
    }
}

/// Checks what the API server would refuse.
fn complete(marker: &Marker, at: usize) -> Result<(), Fault> {
    let fault = |message: &str, hint: &str| Err(Fault::new(at, message, hint));
    let has_resources = !marker.resources.is_empty();
    if marker.verbs.is_empty() {
        return fault(
            "argument `verbs` is missing",
            "say what is allowed, such as `verbs=get;list;watch`",
        );
    }
    if marker.urls.is_empty() && !has_resources {
        return fault(
            "argument `resources` is missing",
            "say what the verbs are for, such as `resources=pods`",
        );
    }
    if has_resources && marker.groups.is_empty() {
        return fault(
            "argument `groups` is missing",
            "the core group is `groups=\"\"` or `groups=core`",
        );
    }
    if !marker.urls.is_empty()
        && (has_resources || !marker.groups.is_empty() || !marker.resource_names.is_empty())
    {
        return fault(
            "`urls` cannot stand beside resources",
            "write two markers, one with `urls`",
        );
    }
    if !marker.urls.is_empty() && !marker.namespace.is_empty() {
        return fault(
            "`urls` cannot be allowed in one namespace",
            "leave `namespace` out of this marker",
        );
    }
    Ok(())
}

fn names() -> String {
    format!(
        "the arguments are {}",
        ARGUMENTS.map(|name| format!("`{name}`")).join(", ")
    )
}

fn unknown(at: usize, name: &str) -> Fault {
    let close = ARGUMENTS.iter().map(|known| (distance(name, known), known)).min();
    let hint = match close {
        Some((distance, known)) if distance <= 1 + known.len() / 4 => format!("did you mean `{known}`?"),
        _ => names(),
    };
    Fault::new(at, format!("unknown argument `{name}`"), hint)
}

/// How many letters must be changed, added or removed to make `b` of `a`, regardless of case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The word in quotes; `"` has escapes, the backtick has none.
fn unquote(quoted: &str, start: usize) -> Result<String, Fault> {
    let inner = &quoted[1..quoted.len() - 1];
    if quoted.starts_with('`') {
        return Ok(inner.to_owned());
    }
    let mut word = String::new();
    let mut chars = inner.char_indices();
    while let Some((offset, mut c)) = chars.next() {
        if c == '\\' {
            let escaped = chars.next().map(|(_, escaped)| escaped);
            let hint = "only `\\\"` and `\\\\` are needed; in backticks nothing is escaped";
            c = escaped
                .filter(|escaped| matches!(escaped, '"' | '\\'))
                .ok_or_else(|| Fault::new(start + 1 + offset, "unknown escape in a quoted word", hint))?;
        }
        word.push(c);
    }
    Ok(word)
}
