//! The project's licence: its text, and the header of its Rust files.

use super::{ProjectView, Rendered, render};
use crate::Result;
use crate::path::RelPath;
use crate::project::License;
use crate::scaffold::Tree;

/// Where the header of Rust files is kept for later commands.
const HEADER: &str = "hack/boilerplate.rs.txt";

/// What the user said about the licence.
#[derive(Clone, Debug)]
pub struct Licensing {
    /// Which licence.
    pub license: License,
    /// Who owns the copyright.
    pub owner: Option<String>,
    /// A header of the user's own.
    pub custom: Option<String>,
}

impl Licensing {
    /// What a project says that exists already: only the header matters to later commands.
    ///
    /// # Errors
    /// When the header cannot be read.
    pub fn of_project(tree: &Tree) -> Result<Self> {
        let custom = tree.read(&RelPath::new(HEADER)?)?;
        Ok(Self { license: License::None, owner: None, custom })
    }

    /// The header with its final line end and an empty line below; or nothing.
    #[must_use]
    pub fn header(&self) -> String {
        let text = match &self.custom {
            // However its lines end: as one line, what follows the first would be code.
            Some(text) => text.replace("\r\n", "\n").replace('\r', "\n"),
            None if self.spdx().is_empty() => String::new(),
            None => {
                let owner =
                    self.owner.as_ref().map(|owner| format!("Copyright {owner}.\n")).unwrap_or_default();
                format!("{owner}SPDX-License-Identifier: {}\n", self.spdx())
            }
        };
        let edge = |c: char| c == '*' || c.is_whitespace();
        let lines: Vec<String> = match text.trim().strip_prefix("/*").and_then(|text| text.strip_suffix("*/"))
        {
            // As kubebuilder's header files are.
            Some(block) => block.trim_matches(edge).lines().map(|line| comment(unstarred(line))).collect(),
            None => text.trim().lines().map(comment).collect(),
        };
        if lines.is_empty() { String::new() } else { format!("{}\n\n", lines.join("\n")) }
    }

    /// The licence's SPDX identifier; empty for none or one of the user's own.
    #[must_use]
    pub fn spdx(&self) -> &'static str {
        if self.custom.is_some() { "" } else { self.license.spdx() }
    }

    /// The licence's own files.
    #[must_use]
    pub fn files(&self, p: &ProjectView) -> Vec<Rendered> {
        let mut files = match self.spdx() {
            "Apache-2.0" => vec![render!("project/LICENSE.apache2.j2" => "LICENSE"; p: ProjectView)],
            "MIT" => {
                let authors = format!("the {} authors", p.project_name);
                let holder = self.owner.as_deref().unwrap_or(&authors);
                vec![render!("project/LICENSE.mit.j2" => "LICENSE"; holder: str)]
            }
            _ => Vec::new(),
        };
        if !p.header.is_empty() {
            files.push(Rendered::new(HEADER, Ok(p.header.clone())));
        }
        files
    }
}

/// A line of a block comment without the star that many have in front.
fn unstarred(line: &str) -> &str {
    let text = line.trim_start();
    text.strip_prefix("* ").or_else(|| text.strip_prefix('*')).unwrap_or(text)
}

/// A line as a Rust comment that can stand anywhere; lines that are one already stay.
fn comment(line: &str) -> String {
    let line = line.trim_end();
    match line.strip_prefix("//") {
        None if line.is_empty() => "//".to_owned(),
        None => format!("// {line}"),
        // Documentation, which has to be of something. Four slashes are none.
        Some(rest) if rest.starts_with('!') || rest.starts_with('/') && !rest.starts_with("//") => {
            format!("//{}", rest.trim_start_matches(['/', '!']))
        }
        Some(_) => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Licensing;
    use crate::project::License;

    #[test]
    fn headers_of_any_form_become_line_comments() {
        for (custom, header) in [
            ("Mine.\n\nAll mine.\n", "// Mine.\n//\n// All mine.\n\n"),
            ("// Mine.", "// Mine.\n\n"),
            ("/// Mine.\n//!\n//! All mine.\n//// ----", "// Mine.\n//\n// All mine.\n//// ----\n\n"),
            ("Mine.\rAll mine.\r\n", "// Mine.\n// All mine.\n\n"),
            ("/*\nMine.\n\nAll mine.\n*/\n", "// Mine.\n//\n// All mine.\n\n"),
            ("/**\n * Mine.\n */", "// Mine.\n\n"),
        ] {
            let licensing =
                Licensing { license: License::Apache2, owner: None, custom: Some(custom.to_owned()) };
            assert_eq!(licensing.header(), header, "{custom}");
        }
    }
}
