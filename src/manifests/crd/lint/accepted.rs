//! Comments that accept a finding: `// +iris-scaffold:lint:allow=nobools` above a field, with a reason behind it or none.

use std::collections::{HashMap, HashSet};

use super::RULES;
use crate::manifests::crd::sources::Places;
use crate::nearest::nearest;
use crate::path::RelPath;
use crate::printable;

/// What such a comment begins with.
pub const ALLOW: &str = "+iris-scaffold:lint:allow=";

/// The number of a comment, by the file and line of what it is about, and the rule that it names.
pub(super) type ByDeclaration<'a> = HashMap<(&'a RelPath, usize, &'a str), usize>;

/// All such comments.
pub struct Accepted(Vec<Comment>);

struct Comment {
    path: RelPath,
    line: usize,
    rules: Vec<String>,
}

impl Accepted {
    /// The comments in sources.
    #[must_use]
    pub fn read(sources: &[(RelPath, String)]) -> Self {
        let mut comments = Vec::new();
        for (path, text) in sources {
            for (index, line) in text.lines().enumerate() {
                let body = line.trim_start().strip_prefix("//").map(str::trim_start);
                if let Some(rest) = body.and_then(|body| body.strip_prefix(ALLOW)) {
                    let names = rest.split_whitespace().next().unwrap_or_default();
                    let rules = names.split(',').map(str::to_owned).collect();
                    comments.push(Comment { path: path.clone(), line: index + 1, rules });
                }
            }
        }
        Self(comments)
    }

    /// Which comment accepts what a rule says of the declaration in a line of a file.
    pub(super) fn by_declaration<'a>(&'a self, places: &Places<'_>) -> ByDeclaration<'a> {
        let lines = places.lines();
        let mut accepted = HashMap::new();
        for (number, Comment { path, line, rules }) in self.0.iter().enumerate() {
            let declared = lines.get(path).and_then(|lines| lines.range(line + 1..).next());
            for rule in rules {
                accepted.extend(declared.map(|line| ((path, *line, rule.as_str()), number)));
            }
        }
        accepted
    }

    /// What is said of comments that accept nothing, where `used` has the number and the rule of those that do.
    pub(super) fn in_vain(&self, used: &HashSet<(usize, &str)>) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, Comment { path, line, rules }) in self.0.iter().enumerate() {
            for rule in rules.iter().filter(|rule| !used.contains(&(number, rule.as_str()))) {
                lines.push(if RULES.contains(&rule.as_str()) {
                    format!("`{path}:{line}`: `{rule}` has nothing to say here: remove the comment")
                } else {
                    let likely = nearest(rule, RULES);
                    let likely = likely.map_or_else(String::new, |it| format!("; did you mean `{it}`?"));
                    format!("`{path}:{line}`: there is no rule {}{likely}", printable::value(rule))
                });
            }
        }
        lines
    }
}
