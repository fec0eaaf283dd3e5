//! What may reach a terminal: one definition of printable text, and how everything else is shown.
//!
//! Control characters make a terminal do things, characters of direction show text in another order, and invisible
//! ones hide it. They are shown as Rust writes them, such as `\u{1b}`. Two kinds of invisible character are part of
//! ordinary writing and stay where they are: joiners in scripts and emoji that use them, and the choice between a
//! symbol's two looks. Flags made of tag characters are the one emoji that is shown in pieces.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// Most characters of the beginning and of the end of a line of a message.
const HEAD: usize = 700;
const TAIL: usize = 300;
/// What a line may be long without a look at it, in bytes.
const LINE: usize = HEAD + TAIL;
/// How long a message may become before it is cut, in bytes.
const MESSAGE: usize = 10_000;

/// `text` as a part of a line, such as a name: line ends and tabs are escaped, too.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_, _| false)
}

/// `text` as lines: line ends and tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c, next| matches!(c, '\n' | '\t') || (c == '\r' && next == Some('\n')))
}

/// Whether all of `text` is shown as it is on one line.
#[must_use]
pub fn is_line(text: &str) -> bool {
    matches!(line(text), Cow::Borrowed(_))
}

/// Whether all of `text` is shown as it is on lines of their own.
#[must_use]
pub fn is_lines(text: &str) -> bool {
    matches!(lines(text), Cow::Borrowed(_))
}

/// The start of `text`, at most `longest` characters of it, as a part of a line.
#[must_use]
pub fn start(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", line(&text[..end])),
        None => line(text).into_owned(),
    }
}

/// A message that people can read: long lines without their middle, and no more than so many of them.
#[must_use]
pub fn brief(message: &str) -> Cow<'_, str> {
    if message.len() <= LINE {
        return Cow::Borrowed(message);
    }
    let mut shown = String::new();
    let mut lines = message.split('\n');
    for line in lines.by_ref() {
        if !shown.is_empty() {
            shown.push('\n');
        }
        match (line.char_indices().nth(HEAD), line.char_indices().nth_back(TAIL - 1)) {
            (Some((head, _)), Some((tail, _))) if head < tail => {
                shown.extend([&line[..head], " … ", &line[tail..]]);
            }
            _ => shown.push_str(line),
        }
        if shown.len() > MESSAGE {
            break;
        }
    }
    let more = lines.count();
    if more > 0 {
        let _ = write!(shown, "\nand {more} more {}", if more == 1 { "line" } else { "lines" });
    }
    Cow::Owned(shown)
}

/// A value in backticks, shortened when it is long.
#[must_use]
pub fn value(value: &str) -> String {
    format!("`{}`", start(value, 64))
}

/// A path as a part of a line; bytes that are no text are shown as `\xff`.
#[must_use]
pub fn path(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(&line(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// A JSON document that means the same, with everything that is not printable as `\uXXXX`.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    // Outside of texts a document has nothing but ASCII.
    let stays = |c: char| c == '\n' || !(is_hidden(c) || is_joiner(c) || is_look(c));
    if document.chars().all(stays) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if stays(c) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(shown)
}

/// `text` with everything escaped that is not printable, but what `keeps` says of a character and its successor.
fn escaped(text: &str, keeps: impl Fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    let mut shown = String::new();
    // Everything before is in `shown`.
    let mut done = 0;
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let after = characters.peek().map(|(_, c)| *c);
        if keeps(c, after) || is_printable(before, c, after) {
            before = Some(c);
            continue;
        }
        shown.push_str(&text[done..at]);
        shown.extend(c.escape_default());
        done = at + c.len_utf8();
        before = None;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

/// Whether a character shows itself, between what is shown before it and what follows.
fn is_printable(before: Option<char>, c: char, after: Option<char>) -> bool {
    if is_look(c) {
        let is_key = |c| matches!(c, '0'..='9' | '#' | '*') && after == Some('\u{20e3}');
        return before.is_some_and(|before| is_joined(before) || is_key(before));
    }
    if is_joiner(c) {
        return before.is_some_and(|before| is_joined(before) || is_look(before));
    }
    !is_hidden(c)
}

/// Whether a character is of a script or of emoji in which joiners are usual.
fn is_joined(c: char) -> bool {
    let usual = matches!(
        c,
        '©' | '®' | '\u{600}'..='\u{1cff}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
            | '\u{a8e0}'..='\u{a8ff}' | '\u{fb50}'..='\u{fefc}' | '\u{11000}'..='\u{11fff}' | '\u{1f000}'..='\u{1faff}'
    );
    usual && !is_hidden(c) && !is_look(c)
}

/// Zero-width non-joiner and joiner.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// The choice of a symbol's look, as text or as emoji.
fn is_look(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Whether a character never shows itself: it controls, turns the direction, ends a line, or is invisible.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' // soft hyphen
            | '\u{34f}' // grapheme joiner
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // directions
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // invisible vowels and selectors
            | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' // zero width
            | '\u{2028}' | '\u{2029}' // line ends
            | '\u{fe00}'..='\u{fe0d}' | '\u{fff0}'..='\u{fffb}' // selectors, annotations
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // formats
            | '\u{e0000}'..='\u{e0fff}' // tags and selectors
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_brief() {
        for short in ["", "one\ntwo", &"x".repeat(1000)] {
            assert_eq!(brief(short), short);
        }
        let long = format!("`a.rs:1`: pattern `{}` nests too deep", "(ü".repeat(100_000));
        let shown = brief(&long);
        assert!(
            shown.starts_with("`a.rs:1`: pattern `(ü(ü") && shown.ends_with("(ü` nests too deep"),
            "{shown}"
        );
        assert_eq!(shown.chars().count(), 1003);
        let many = "a line of some length\n".repeat(10_000);
        let shown = brief(&many);
        assert!(shown.len() < 11_000 && shown.ends_with(" more lines"), "{shown}");
    }

    #[test]
    fn what_controls_or_hides_is_shown() {
        for (text, shown) in [
            ("a\u{1b}[31m\u{7f}\u{9b}\0", "a\\u{1b}[31m\\u{7f}\\u{9b}\\u{0}"),
            ("a\nerror: b\r\tc", "a\\nerror: b\\r\\tc"),
            ("\u{202e}\u{2066}\u{200e}\u{200f}\u{61c}", "\\u{202e}\\u{2066}\\u{200e}\\u{200f}\\u{61c}"),
            ("\u{2028}\u{feff}\u{ad}\u{3164}", "\\u{2028}\\u{feff}\\u{ad}\\u{3164}"),
            ("a\u{200b}b\u{200d}c\u{fe0f}\u{2060}", "a\\u{200b}b\\u{200d}c\\u{fe0f}\\u{2060}"),
            ("🏴\u{e0067}\u{e0101}", "🏴\\u{e0067}\\u{e0101}"),
            ("👩\u{200d}\u{200d}", "👩\u{200d}\\u{200d}"),
        ] {
            assert_eq!(line(text), shown);
            assert!(!is_line(text) && is_line(shown));
        }
    }

    #[test]
    fn ordinary_writing_stays() {
        for text in [
            "",
            "a `b` \\ 'c' \"d\" …",
            "Müller & Söhne, 東京, Владимир, e\u{301}",
            "👩\u{200d}💻 ❤\u{fe0f} ❤\u{fe0f}\u{200d}🔥 🇩🇪 1\u{fe0f}\u{20e3} ©\u{fe0f}",
            "می\u{200c}خواهم क्\u{200d}ष",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn lines_keep_their_ends() {
        assert_eq!(lines("a\tb\r\nc\n"), "a\tb\r\nc\n");
        assert_eq!(lines("a\rb\n\u{1b}c\r"), "a\\rb\n\\u{1b}c\\r");
        assert!(is_lines("a\r\n\tb") && !is_lines("a\rb"));
    }

    #[test]
    fn values_are_not_endless() {
        assert_eq!(value("a\u{1b}[31m\n"), "`a\\u{1b}[31m\\n`");
        assert_eq!(value(&"x".repeat(300)).chars().count(), 64 + 3);
        assert_eq!(start("ab\n", 2), "ab…");
    }

    #[test]
    fn json_means_the_same() {
        let text = "\u{1b}\u{7f}\u{9b}\u{202e}\u{200d}\u{e0067}é👩\n";
        let document = serde_json::to_string(text).expect("JSON");
        let shown = json(&document);
        assert_eq!(shown, "\"\\u001b\\u007f\\u009b\\u202e\\u200d\\udb40\\udc67é👩\\n\"");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
    }

    #[cfg(unix)]
    #[test]
    fn paths_show_bytes_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"a\xff\n\x1b/b");
        assert_eq!(path(Path::new(name)), "a\\xff\\n\\u{1b}/b");
    }
}
