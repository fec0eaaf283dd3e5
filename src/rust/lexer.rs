//! The tokens of a Rust text, as far as it matters how deep they may nest.

use super::Fault;

/// A token.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The sign or bracket; of a keyword, `e` if it may stand between a block and what belongs to it.
    pub(super) byte: u8,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    /// One character.
    Sign,
    Keyword,
    /// A name, number, text or character.
    Operand,
    Lifetime,
}

impl Token {
    /// Whether a sign that follows is between two operands.
    pub(super) fn is_operand(self) -> bool {
        matches!(self.kind, Kind::Operand | Kind::Close)
    }
}

/// The words behind which something may be nested.
const KEYWORDS: [&str; 44] = [
    "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum",
    "extern", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut",
    "pub", "raw", "ref", "return", "safe", "static", "struct", "super", "trait", "try", "type", "union",
    "unsafe", "use", "where", "while", "yield", "become",
];

/// A place in the text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Where the last token begins.
    start: usize,
    /// Whether nothing is between the last token and the one before.
    pub(super) joint: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // The line that names an interpreter is none.
        let shebang = text.starts_with("#!") && !text[2..].trim_start().starts_with('[');
        let at = if shebang { text.find('\n').unwrap_or(text.len()) } else { 0 };
        Self { text, at, start: at, joint: false }
    }

    /// A fault at the last token.
    pub(super) fn fault(&self, message: &str, limit: bool) -> Fault {
        let line = self.text[..self.start.min(self.text.len())].matches('\n').count() + 1;
        Fault { line, message: message.to_owned(), limit }
    }

    /// The next token; an error when it has no end.
    pub(super) fn token(&mut self) -> Result<Option<Token>, ()> {
        let before = self.at;
        self.space()?;
        self.joint = self.at == before;
        self.start = self.at;
        let Some(c) = self.peek() else { return Ok(None) };
        let byte = u8::try_from(c).unwrap_or(b'?');
        let kind = match c {
            '(' | '[' | '{' => Kind::Open,
            ')' | ']' | '}' => Kind::Close,
            '"' => return self.string(),
            '\'' => return Ok(Some(self.quote())),
            _ if c.is_ascii_digit() => return Ok(Some(self.number())),
            _ if c == '_' || c.is_alphanumeric() => return self.word(),
            _ => Kind::Sign,
        };
        self.at += c.len_utf8();
        Ok(Some(Token { kind, byte }))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    /// Passes spaces and comments.
    fn space(&mut self) -> Result<(), ()> {
        loop {
            self.skip_while(|c| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200e}' | '\u{200f}'));
            if self.rest().starts_with("//") {
                self.skip_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.start = self.at;
                self.comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// A block comment, which may have others inside.
    fn comment(&mut self) -> Result<(), ()> {
        let bytes = self.text.as_bytes();
        let (mut at, mut depth) = (self.at, 0_usize);
        while at + 1 < bytes.len() {
            match &bytes[at..at + 2] {
                b"/*" => depth += 1,
                b"*/" => depth -= 1,
                _ => {
                    at += 1;
                    continue;
                }
            }
            at += 2;
            if depth == 0 {
                self.at = at;
                return Ok(());
            }
        }
        Err(())
    }

    /// A text with escapes.
    fn string(&mut self) -> Result<Option<Token>, ()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    self.at = at + 1;
                    return Ok(Some(Token { kind: Kind::Operand, byte: b'"' }));
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        Err(())
    }

    /// A character, or a lifetime or label.
    fn quote(&mut self) -> Token {
        self.at += 1;
        let mut ahead = self.rest().chars();
        let character = match (ahead.next(), ahead.next()) {
            (Some('\\'), _) => {
                self.at += 1;
                self.at += self.peek().map_or(0, char::len_utf8);
                self.skip_while(|c| c != '\'' && c != '\n');
                true
            }
            (Some(c), Some('\'')) if c != '\'' => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        };
        if character {
            self.at += usize::from(self.rest().starts_with('\''));
            return Token { kind: Kind::Operand, byte: b'\'' };
        }
        self.skip_while(|c| c == '_' || c.is_alphanumeric());
        Token { kind: Kind::Lifetime, byte: b'\'' }
    }

    fn number(&mut self) -> Token {
        self.skip_while(|c| c == '_' || c.is_alphanumeric());
        Token { kind: Kind::Operand, byte: b'0' }
    }

    /// A name or keyword, or a text with letters in front.
    fn word(&mut self) -> Result<Option<Token>, ()> {
        let start = self.at;
        self.skip_while(|c| c == '_' || c.is_alphanumeric());
        let word = &self.text[start..self.at];
        let rest = self.rest();
        let operand = Ok(Some(Token { kind: Kind::Operand, byte: b'a' }));
        match word {
            "b" | "c" if rest.starts_with('"') => return self.string(),
            "b" if rest.starts_with('\'') => return Ok(Some(self.quote())),
            "r" | "br" | "cr" if rest.starts_with(['"', '#']) => {
                let hashes = rest.len() - rest.trim_start_matches('#').len();
                if let Some(inside) = rest[hashes..].strip_prefix('"') {
                    let end = format!("\"{}", "#".repeat(hashes));
                    let length = inside.find(&end).ok_or(())?;
                    self.at += hashes + 1 + length + end.len();
                    return operand;
                }
                if word == "r" && hashes == 1 {
                    // A name that is spelt like a keyword.
                    self.at += 1;
                    self.skip_while(|c| c == '_' || c.is_alphanumeric());
                }
                return operand;
            }
            _ => {}
        }
        if KEYWORDS.contains(&word) {
            let carries_on = matches!(word, "else" | "as" | "in");
            return Ok(Some(Token { kind: Kind::Keyword, byte: if carries_on { b'e' } else { b'k' } }));
        }
        operand
    }
}
