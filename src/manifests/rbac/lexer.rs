//! Finds the line comments of a Rust source text.
//!
//! Only enough of Rust's lexer to know what is a comment: strings (raw, byte and C strings too), characters and block
//! comments hide what looks like one. The text need not compile. A lexer crate would do the same with a release every
//! week; the rules that matter here have been stable since Rust 1.0, C strings aside.

/// A line comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// From the first slash to the end of the line.
    pub text: &'a str,
    /// The whole line it is on, without the line end.
    pub line_text: &'a str,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

/// All line comments in `source`, documentation comments included, in order.
#[must_use]
pub fn comments(source: &str) -> Comments<'_> {
    Comments { cursor: Cursor { source, at: 0 }, line: 1, counted: 0 }
}

/// The line comments of a source text, found one by one.
pub struct Comments<'a> {
    cursor: Cursor<'a>,
    /// The line, counted from 1, of the byte up to which lines were counted.
    line: usize,
    counted: usize,
}

impl<'a> Iterator for Comments<'a> {
    type Item = Comment<'a>;

    fn next(&mut self) -> Option<Comment<'a>> {
        let cursor = &mut self.cursor;
        let source = cursor.source;
        while let Some(c) = cursor.peek() {
            let start = cursor.at;
            if c == '/' && cursor.eat("//") {
                cursor.skip_while(|c| c != '\n');
                self.line += source[self.counted..start].matches('\n').count();
                self.counted = start;
                let line_start = source[..start].rfind('\n').map_or(0, |end| end + 1);
                return Some(Comment {
                    text: source[start..cursor.at].trim_end(),
                    line_text: source[line_start..cursor.at].trim_end(),
                    line: self.line,
                    column: source[line_start..start].chars().count() + 1,
                });
            } else if c == '/' && cursor.eat("/*") {
                cursor.block_comment();
            } else if c == '"' {
                cursor.string();
            } else if c == '\'' {
                cursor.character_or_lifetime();
            } else if c == '_' || c.is_alphanumeric() {
                cursor.word();
            } else {
                cursor.bump();
            }
        }
        None
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

    /// Behind the `/*`; block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 1;
        while depth > 0 && self.peek().is_some() {
            if self.eat("/*") {
                depth += 1;
            } else if self.eat("*/") {
                depth -= 1;
            } else {
                self.bump();
            }
        }
    }

    /// At the opening quote of a string with escapes.
    fn string(&mut self) {
        self.bump();
        while let Some(c) = self.peek() {
            self.bump();
            match c {
                '"' => return,
                '\\' => self.bump(),
                _ => {}
            }
        }
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

    /// At an identifier, keyword or number. Some are prefixes of strings: `r"…"`, `br#"…"#`, `b"…"`, `c"…"`.
    fn word(&mut self) {
        let start = self.at;
        self.skip_while(|c| c == '_' || c.is_alphanumeric());
        if !matches!(&self.source[start..self.at], "r" | "br" | "cr") {
            return;
        }
        let hashes = self.rest().len() - self.rest().trim_start_matches('#').len();
        if self.rest()[hashes..].starts_with('"') {
            self.at += hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            self.at = self.rest().find(&end).map_or(self.source.len(), |found| self.at + found + end.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        comments(source).map(|comment| comment.text).collect()
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
