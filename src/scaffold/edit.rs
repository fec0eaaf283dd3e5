//! The one edit that is made to a user's file: lines above an anchor.

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

#[cfg(test)]
mod tests {
    use super::*;

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
