//! The edits that are made to a user's file: lines above an anchor, and other lines in their place.

use super::RelPath;
use crate::{Error, Result};

/// Puts `lines` above the line that contains `anchor`, with that line's indentation and the file's line ends, and
/// changes no other byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// Which file.
    pub path: RelPath,
    /// Text of the line to put the new ones above, such as `# +kubebuilder:scaffold:rbac`.
    pub anchor: String,
    /// What to put there, without indentation.
    pub lines: String,
    /// A line that is only there when the insertion has been made; compared without indentation.
    pub present: String,
}

impl Insert {
    /// The edited text; the same text when the insertion was made before.
    ///
    /// # Errors
    /// [`Error::AnchorMissing`] when no line contains the anchor.
    pub fn apply(&self, text: &str) -> Result<String> {
        if text.lines().any(|line| line.trim() == self.present.trim()) {
            return Ok(text.to_owned());
        }
        let Some(found) = text.find(&self.anchor) else {
            return Err(self.missing());
        };
        let start = text[..found].rfind('\n').map_or(0, |end| end + 1);
        let line = &text[start..];
        let indentation = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut result = text[..start].to_owned();
        for line in self.lines.lines() {
            if !line.is_empty() {
                result.push_str(indentation);
            }
            result.push_str(line);
            result.push_str(end);
        }
        result.push_str(line);
        Ok(result)
    }

    /// The error for a file that is not there or has no anchor.
    #[must_use]
    pub fn missing(&self) -> Error {
        let paste = self.lines.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n");
        Error::AnchorMissing { path: self.path.clone(), anchor: self.anchor.clone(), paste }
    }
}

/// `text` with the lines `to` in the place of the lines `from`, each with the indentation of the line it replaces (or of
/// the last one) and that line's end; `None` when those lines are not there. Indentation is not compared.
#[must_use]
pub fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let from: Vec<&str> = from.lines().map(str::trim).collect();
    let found = lines
        .windows(from.len())
        .position(|window| window.iter().map(|line| line.trim()).eq(from.iter().copied()))?;
    let (before, rest) = lines.split_at(found);
    let (old, after) = rest.split_at(from.len());
    let mut result = before.concat();
    for (position, line) in to.lines().enumerate() {
        let model = old.get(position).or(old.last())?;
        let body = model.trim();
        let (indentation, end) = model.split_once(body).unwrap_or(("", "\n"));
        result.push_str(indentation);
        result.push_str(line.trim_start());
        result.push_str(end);
    }
    result.push_str(&after.concat());
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_take_the_place_of_others() {
        let text = "a:\r\n  - name: x\r\n    value: 1\r\n  # end";
        let expected = "a:\r\n  - name: x\r\n    value: 2\r\n  # end";
        let (from, to) = ("- name: x\n  value: 1", "- name: x\n  value: 2");
        assert_eq!(replaced(text, from, to).as_deref(), Some(expected));
        assert_eq!(replaced(expected, from, to), None);
        assert_eq!(replaced("", from, to), None);
    }

    fn insert() -> Insert {
        Insert {
            path: RelPath::new("list.yaml").expect("a path"),
            anchor: "# +here".into(),
            lines: "- name: a\n  value: 1".into(),
            present: "- name: a".into(),
        }
    }

    #[test]
    fn keeps_indentation_line_ends_and_every_other_byte() {
        for end in ["\n", "\r\n"] {
            let text = format!("x:\t{end}  - old # c{end}  # +here (keep){end}{end}tail");
            let expected = format!(
                "x:\t{end}  - old # c{end}  - name: a{end}    value: 1{end}  # +here (keep){end}{end}tail"
            );
            let edited = insert().apply(&text).expect("an anchor");
            assert_eq!(edited, expected);
            assert_eq!(insert().apply(&edited).expect("an anchor"), expected, "twice is once");
        }
    }

    #[test]
    fn a_missing_anchor_shows_what_to_paste() {
        let error = insert().apply("nothing\n").expect_err("no anchor");
        assert_eq!(error.to_string(), "`list.yaml` has no line with `# +here`");
        assert!(error.hints()[0].ends_with("        - name: a\n          value: 1"), "{:?}", error.hints());
    }
}
