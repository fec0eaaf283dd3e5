//! Texts as lines: a checkout on Windows may end each with a carriage return and a line feed, and says the same.

use std::borrow::Cow;

/// Whether two texts have the same lines, however these end.
#[must_use]
pub fn same_lines(a: &str, b: &str) -> bool {
    a == b || (a.contains('\r') || b.contains('\r')) && plain(a) == plain(b)
}

/// `text` with the line ends of `model`, if that has any: those that most of its lines have.
pub(super) fn with_ends_of<'a>(text: Cow<'a, str>, model: &str) -> Cow<'a, str> {
    let (all, windows) = (model.matches('\n').count(), model.matches("\r\n").count());
    if windows * 2 <= all {
        return text;
    }
    Cow::Owned(plain(&text).replace('\n', "\r\n"))
}

fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_make_no_difference_and_stay() {
        assert!(same_lines("a\nb\n", "a\r\nb\r\n") && same_lines("a\r\nb\n", "a\nb\r\n"));
        assert!(
            !same_lines("a\nb\n", "a\nb") && !same_lines("a\rb", "ab") && !same_lines("a\r\nb", "a\n\nb")
        );
        let with = |text: &'static str, model| with_ends_of(Cow::Borrowed(text), model).into_owned();
        assert_eq!(with("a\nb\n", "x\r\ny\r\n"), "a\r\nb\r\n");
        assert_eq!(with("a\nb\n", "x\r\ny\nz\n"), "a\nb\n");
        assert_eq!(with("a\r\nb\n", "x\r\n"), "a\r\nb\r\n");
        assert_eq!(with("a\nb\n", ""), "a\nb\n");
    }
}
