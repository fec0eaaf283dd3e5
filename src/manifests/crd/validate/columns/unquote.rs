//! Texts in quotes, with the escapes of Go.

use std::str::Chars;

/// The text in single or double quotes; none when an escape in it is none of Go's.
pub(super) fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    if !inner.contains(['\\', quote]) {
        return Some(inner.to_owned());
    }
    let mut found = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        found.push(match c {
            c if c == quote => return None,
            '\\' => escape(&mut chars, quote)?,
            c => c,
        });
    }
    Some(found)
}

/// The character that follows a backslash.
fn escape(chars: &mut Chars<'_>, quote: char) -> Option<char> {
    Some(match chars.next()? {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        c if c == quote => c,
        'x' => number(chars, 0, 2, 16)?,
        'u' => number(chars, 0, 4, 16)?,
        'U' => number(chars, 0, 8, 16)?,
        c => number(chars, c.to_digit(8)?, 2, 8).filter(|c| u32::from(*c) < 256)?,
    })
}

fn number(chars: &mut Chars<'_>, begin: u32, digits: u32, base: u32) -> Option<char> {
    let digit = |number: u32, _| number.checked_mul(base)?.checked_add(chars.next()?.to_digit(base)?);
    char::from_u32((0..digits).try_fold(begin, digit)?)
}
