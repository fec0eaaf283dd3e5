//! Reads the arguments of a marker from left to right.

use crate::printable;

use super::fault::{ARGUMENTS, Fault, example, names, unknown};

/// Reads one comment from left to right.
pub struct Reader<'a> {
    /// The comment.
    pub text: &'a str,
    /// The next byte to read.
    pub at: usize,
}

impl Reader<'_> {
    /// The next character that is not a space.
    pub fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    /// An argument's name and the `=` behind it.
    pub fn name(&mut self) -> Result<(usize, String), Fault> {
        self.peek();
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest[..length].to_owned();
        if name.is_empty() {
            return Err(Fault::new(start, "expected the name of an argument", names()));
        }
        self.at += length;
        if self.peek() != Some('=') {
            return Err(if ARGUMENTS.contains(&name.as_str()) {
                Fault::new(self.at, format!("expected `=` after {}", printable::value(&name)), example())
            } else {
                unknown(start, &name)
            });
        }
        self.at += 1;
        Ok((start, name))
    }

    /// `a;b`, `{a, b}`, or nothing.
    pub fn list(&mut self) -> Result<Vec<String>, Fault> {
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
                    return Err(Fault::new(self.at, "expected `}` at the end of the list", example()));
                }
            }
        }
        self.at += 1;
        Ok(words)
    }

    /// A word, quoted or bare.
    pub fn value(&mut self) -> Result<String, Fault> {
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

    /// Another character than one that ends a word.
    #[must_use]
    pub fn unexpected(&self, found: char) -> Fault {
        let message = format!("expected `,` before the next argument, found `{found}`");
        Fault::new(self.at, message, format!("separate words with `;` and arguments with `,`; {}", example()))
    }
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
