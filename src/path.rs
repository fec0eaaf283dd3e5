//! A path inside the project.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{Problem, printable};

/// A file's path relative to the project's root: `/`-separated, not empty, never leaving the root, writable on
/// every system (no component that Windows reserves), and none of git's own files, which say what git runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RelPath(String);

impl RelPath {
    /// Checks `path`.
    ///
    /// # Errors
    /// A [`Problem`] when it is empty, absolute, has an empty, `.` or `..` component, or one that Windows or
    /// git reserves.
    pub fn new(path: impl Into<String>) -> Result<Self, Problem> {
        let path = path.into();
        match path.split('/').find_map(fault) {
            Some(fault) => Err(Problem::new(format!("path `{}` {fault}", printable::line(&path)))),
            None => Ok(Self(path)),
        }
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the last dot of the file's name; empty when there is none.
    #[must_use]
    pub fn extension(&self) -> &str {
        let name = self.file_name();
        name.rsplit_once('.').map_or("", |(stem, extension)| if stem.is_empty() { "" } else { extension })
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// What is before the last component: the path of the directory it is in, empty for the root.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Where it is on disk when the project is at `root`.
    #[must_use]
    pub fn under(&self, root: &Path) -> PathBuf {
        let mut path = root.to_path_buf();
        path.extend(self.0.split('/'));
        path
    }
}

/// The path that `path` is from `folder`, both relative to the root and `/`-separated, as a file in that folder means it;
/// `None` when it leads out of the project. That of the root is empty.
#[must_use]
pub fn from_folder(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The path as a part of a line for people, escaped; [`RelPath::as_str`] is exact.
impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable::line(&self.0))
    }
}

/// Names that Windows gives to devices, whatever the extension.
const DEVICES: [&str; 22] = [
    "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn",
];

/// Whether Windows reserves this file name (without its extension).
#[must_use]
pub fn is_device(stem: &str) -> bool {
    DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device))
}

/// Whether some file system takes this name for `.git`: in capitals, as its short name on Windows, with the dots, spaces
/// and streams that Windows leaves out, or the invisible characters that macOS does. Git refuses the same.
#[must_use]
pub fn is_git(component: &str) -> bool {
    let ignored = |c: &char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let name: String = component.chars().filter(|c| !ignored(c)).collect();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case("git~1")
}

fn fault(component: &str) -> Option<&'static str> {
    match component {
        "" => Some("is empty or has an empty component"),
        "." | ".." => Some("has a `.` or `..` component"),
        _ if is_git(component) => Some("has a component that git keeps for itself"),
        _ if component.contains(['\\', ':', '\0']) => Some("has a character that not every system allows"),
        _ if is_device(component.split('.').next().unwrap_or(component)) => {
            Some("has a component that Windows reserves")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_leaves_the_root_or_cannot_be_written_everywhere() {
        for bad in ["", "/a", "a//b", "../a", "a/..", "./a", "a\\b", "src/con.rs", "NUL", "a:b"] {
            assert!(RelPath::new(bad).is_err(), "{bad}");
        }
        for good in ["a", ".gitignore", "src/console.rs", "config/crd/bases/a.b_c.yaml"] {
            assert_eq!(RelPath::new(good).expect(good).as_str(), good);
        }
    }

    #[test]
    fn refuses_git_in_any_spelling() {
        for bad in [
            ".git",
            "a/.git/hooks",
            ".GIT",
            ".git.",
            ".git ",
            ".git . .",
            "git~1",
            "GIT~1",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{202e}t",
        ] {
            let error = RelPath::new(format!("config/{bad}")).expect_err(bad).message;
            assert!(error.ends_with("git keeps for itself"), "{error}");
        }
        for good in [".gitignore", ".github/x", "git", "git~2", "a.git", ".gitattributes"] {
            assert!(RelPath::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn knows_its_extension() {
        let extension =
            |path: &str| RelPath::new(path).map(|path| path.extension().to_owned()).unwrap_or_default();
        assert_eq!(extension("src/main.rs"), "rs");
        assert_eq!(extension(".gitignore"), "");
        assert_eq!(extension("a.b/Makefile"), "");
    }
}
