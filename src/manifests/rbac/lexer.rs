//! Finds the comments of a Rust source text.
//!
//! Only enough of Rust's lexer to know what is a comment: strings (raw, byte and C strings too), characters and block
//! comments hide what looks like one. The text need not compile. A lexer crate would do the same with a release every
//! week; the rules that matter here have been stable since Rust 1.0, C strings aside.
//!
//! Markers are line comments. Where else one could be meant is found, too, so that it can be told: lines of block comments
//! and of documentation that is written as an attribute.

/// A comment on one line, or such a line of a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// From the first slash to the end of the line; of a line of a longer one, what begins with `+` or `//`.
    pub text: &'a str,
    /// What it is a line of.
    pub kind: Kind,
    /// The whole line it is on, up to its end.
    pub line_text: &'a str,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

impl<'a> Comment<'a> {
    /// The text of a line comment.
    #[must_use]
    pub fn line(&self) -> Option<&'a str> {
        (self.kind == Kind::Line).then_some(self.text)
    }
}

/// What a line is a line of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Itself: `// …`, also as documentation.
    Line,
    /// `/* … */`.
    Block,
    /// `#[doc = "…"]`.
    Attribute,
}

/// All line comments in `source`, documentation comments included, and lines of longer ones that could be meant as one,
/// in order.
#[must_use]
pub fn comments(source: &str) -> Comments<'_> {
    Comments { cursor: Cursor { source, at: 0 }, inside: None, line: 1, line_start: 0, column: 0, counted: 0 }
}

/// The comments of a source text, found one by one.
pub struct Comments<'a> {
    cursor: Cursor<'a>,
    /// What is left of a longer comment: its kind, and where it is.
    inside: Option<(Kind, usize, usize)>,
    /// The place of the byte up to which was counted: the line, counted from 1, where it begins, and how many characters
    /// of it are before.
    line: usize,
    line_start: usize,
    column: usize,
    counted: usize,
}

impl<'a> Iterator for Comments<'a> {
    type Item = Comment<'a>;

    fn next(&mut self) -> Option<Comment<'a>> {
        loop {
            if let Some((kind, start, end)) = self.inside {
                if let Some(found) = self.line_of(kind, start, end) {
                    return Some(found);
                }
                continue;
            }
            let cursor = &mut self.cursor;
            let c = cursor.peek()?;
            let start = cursor.at;
            if c == '/' && cursor.eat("//") {
                cursor.skip_while(|c| c != '\n');
                let end = cursor.at;
                return Some(self.comment(Kind::Line, start, end));
            } else if c == '/' && cursor.eat("/*") {
                let (start, end) = cursor.block_comment();
                self.inside = Some((Kind::Block, start, end));
            } else if c == '"' {
                let (inner, end) = cursor.string();
                self.attribute(start, inner, end);
            } else if c == '\'' {
                cursor.character_or_lifetime();
            } else if c == '_' || c.is_alphanumeric() {
                if let Some((inner, end)) = cursor.word() {
                    self.attribute(start, inner, end);
                }
            } else {
                cursor.bump();
            }
        }
    }
}

impl<'a> Comments<'a> {
    /// Looks into the string that begins at `start` if it is documentation.
    fn attribute(&mut self, start: usize, inner: usize, end: usize) {
        let before = self.cursor.source[..start].trim_end();
        let name = before.strip_suffix('=').and_then(|before| before.trim_end().strip_suffix("doc"));
        if name.is_some_and(|before| before.trim_end().ends_with(['[', '(', ','])) {
            self.inside = Some((Kind::Attribute, inner, end));
        }
    }

    /// The next line of a longer comment, if it could be meant as a comment of its own.
    fn line_of(&mut self, kind: Kind, start: usize, end: usize) -> Option<Comment<'a>> {
        let rest = &self.cursor.source[start..end];
        let length = rest.find('\n').unwrap_or(rest.len());
        self.inside = (length < rest.len()).then_some((kind, start + length + 1, end));
        let line = rest[..length].trim_end();
        let text =
            line.trim_start_matches(|c: char| c.is_whitespace() || (kind == Kind::Block && "*!".contains(c)));
        let from = start + line.len() - text.len();
        (text.starts_with('+') || text.starts_with("//")).then(|| self.comment(kind, from, from + text.len()))
    }

    fn comment(&mut self, kind: Kind, start: usize, end: usize) -> Comment<'a> {
        let source = self.cursor.source;
        let passed = &source[self.counted..start];
        match passed.rfind('\n') {
            None => self.column += passed.chars().count(),
            Some(last) => {
                self.line += passed.matches('\n').count();
                self.line_start = self.counted + last + 1;
                self.column = source[self.line_start..start].chars().count();
            }
        }
        self.counted = start;
        Comment {
            text: source[start..end].trim_end(),
            kind,
            line_text: source[self.line_start..end].trim_end(),
            line: self.line,
            column: self.column + 1,
        }
    }
}

/// A place in the source.
struct Cursor<'a> {
    source: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn eat(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    /// Behind the `/*`; block comments nest. Where its text is.
    fn block_comment(&mut self) -> (usize, usize) {
        let start = self.at;
        let mut depth = 1;
        while self.peek().is_some() {
            let end = self.at;
            if self.eat("/*") {
                depth += 1;
            } else if self.eat("*/") {
                depth -= 1;
                if depth == 0 {
                    return (start, end);
                }
            } else {
                self.bump();
            }
        }
        (start, self.at)
    }

    /// At the opening quote of a string with escapes. Where its text is.
    fn string(&mut self) -> (usize, usize) {
        self.bump();
        let start = self.at;
        while let Some(c) = self.peek() {
            let end = self.at;
            self.bump();
            match c {
                '"' => return (start, end),
                '\\' => self.bump(),
                _ => {}
            }
        }
        (start, self.at)
    }

    /// At a `'`: a character such as `'"'` or `'\''`, or the start of a lifetime or label.
    fn character_or_lifetime(&mut self) {
        self.bump();
        let mut ahead = self.rest().chars();
        match (ahead.next(), ahead.next()) {
            (Some('\\'), _) => {
                self.bump();
                self.bump();
                self.skip_while(|c| c != '\'' && c != '\n');
                self.eat("'");
            }
            (Some(c), Some('\'')) if c != '\'' => {
                self.bump();
                self.bump();
            }
            _ => {}
        }
    }

    /// At an identifier, keyword or number. Some are prefixes of strings: `r"…"`, `br#"…"#`, `b"…"`, `c"…"`. Where the
    /// text of a raw one is.
    fn word(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        self.skip_while(|c| c == '_' || c.is_alphanumeric());
        if !matches!(&self.source[start..self.at], "r" | "br" | "cr") {
            return None;
        }
        let hashes = self.rest().len() - self.rest().trim_start_matches('#').len();
        if !self.rest()[hashes..].starts_with('"') {
            return None;
        }
        self.at += hashes + 1;
        let inner = self.at;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = self.rest().find(&close).map_or(self.source.len(), |found| inner + found);
        self.at = self.source.len().min(end + close.len());
        Some((inner, end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        let lines = comments(source).filter(|comment| comment.kind == Kind::Line);
        lines.map(|comment| comment.text).collect()
    }

    #[test]
    fn knows_where_a_line_could_be_meant_as_a_comment() {
        let source = "/* +a\n * +b é\r\n\n\t // c\n d */ é /*+e*/\n#[doc = \"+f\n  +g\"] #![doc=r#\"+h\"#] //i\n\
                      #[cfg_attr(x, doc = \"+j\")] /** +k **/ /* /* +l */";
        let found: Vec<_> = comments(source).collect();
        let places: Vec<_> = found.iter().map(|c| (c.text, c.kind, c.line, c.column)).collect();
        let expected = [
            ("+a", Kind::Block, 1, 4),
            ("+b é", Kind::Block, 2, 4),
            ("// c", Kind::Block, 4, 3),
            ("+e", Kind::Block, 5, 11),
            ("+f", Kind::Attribute, 6, 10),
            ("+g", Kind::Attribute, 7, 3),
            ("+h", Kind::Attribute, 7, 18),
            ("//i", Kind::Line, 7, 24),
            ("+j", Kind::Attribute, 8, 22),
            ("+k *", Kind::Block, 8, 32),
        ];
        assert_eq!(places, expected);
        assert_eq!(found[3].line_text, " d */ é /*+e");
        let none = "let doc = \"+a\"; #[docs = \"+b\"] f(\"+c\"); #[doc = \"d +e\"] b\"+f\"";
        assert_eq!(comments(none).count(), 0);
    }

    #[test]
    fn knows_where_a_comment_is() {
        let source = "fn a() {} // one\n\n    /// two\r\nlet é = 1; //! three";
        let found: Vec<_> = comments(source).collect();
        let places: Vec<_> = found.iter().map(|c| (c.text, c.line, c.column)).collect();
        assert_eq!(places, [("// one", 1, 11), ("/// two", 3, 5), ("//! three", 4, 12)]);
        assert_eq!(found[1].line_text, "    /// two");
    }

    #[test]
    fn sees_no_comment_where_there_is_none() {
        for source in [
            "\"// no\"",
            "\"a\\\"// no\"",
            "\"two\n// no\nlines\"",
            "r\"\\\" + \"// no\"",
            "r#\"a\"// no\"#",
            "r##\"a\"#// no\"##",
            "br#\"\"// no\"#",
            "cr#\"\"// no\"#",
            "b\"// no\"",
            "c\"// no\"",
            "/* // no */",
            "/* /* */ // no */",
            "/** // no\n// no */",
            "format!(\"{}\", \"https://no\")",
            "\"not closed // no",
            "/* not closed // no",
            "r#\"not closed\" // no",
        ] {
            assert_eq!(texts(source), [] as [&str; 0], "{source}");
        }
    }

    #[test]
    fn is_not_misled_by_quotes() {
        for before in [
            "'\"'",
            "b'\"'",
            "'\\''",
            "'\\\\'",
            "'/'",
            "'\\u{22}'",
            "fn f<'a>(x: &'a str) -> &'static str",
            "'l: loop {}",
            "r#type",
            "\"\\\\\"",
            "r\"\\\"",
            "/* /* \" */ ' */",
            "1.0e5f64",
            "a / b",
            "for'a",
            "br",
            "'é'",
            "('a', 'b')",
        ] {
            let source = format!("{before} // yes");
            assert_eq!(texts(&source), ["// yes"], "{source}");
        }
    }

    proptest! {
        #[test]
        fn finds_comments_between_anything_whole(parts in prop::collection::vec(0_usize..12, 0..20)) {
            const PARTS: [&str; 12] = [
                "\"// a\"", "r#\"\"// b\"#", "'\"'", "'x", "/* /* // c */ */", "// +d\n", "b'\\''", "'\\\\'",
                "ident", "\n", "r\"\\\"", "42",
            ];
            let source: Vec<&str> = parts.iter().map(|part| PARTS[*part]).collect();
            let expected = parts.iter().filter(|part| **part == 5).count();
            let source = source.join(" ");
            prop_assert_eq!(texts(&source), vec!["// +d"; expected]);
        }

        #[test]
        fn never_panics(source in "[/*\"'r#b\\\\\n é+]{0,60}") {
            let _ = comments(&source).count();
        }
    }
}
