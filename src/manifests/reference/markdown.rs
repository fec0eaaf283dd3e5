//! Texts and values as Markdown.

/// A value as it is. Line breaks in it become spaces.
pub(super) fn code(value: &str) -> String {
    let value = value.replace(['\r', '\n'], " ");
    let fence = "`".repeat(longest_run(&value) + 1);
    // A space is taken away at each end, so that a backtick can be there.
    let pad =
        if value.starts_with('`') || value.ends_with('`') || value.trim().is_empty() { " " } else { "" };
    format!("{fence}{pad}{value}{pad}{fence}")
}

/// A block of code in a language.
pub(super) fn fence(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// Text for a cell of a table, where `|` would begin the next one.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

/// A text that belongs to the item of a list before it.
pub(super) fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") });
    lines.collect::<Vec<_>>().join("\n")
}

/// The name of a place in a page: that of a path in a version. Letters, digits and `-` alone are the same everywhere.
pub(super) fn anchor(version: &str, path: &str) -> String {
    let mut anchor = version.to_owned();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        anchor.push('-');
        for char in part.chars() {
            match char {
                '[' => anchor.push_str("-items"),
                '{' => anchor.push_str("-values"),
                ']' | '}' => {}
                char if char.is_ascii_alphanumeric() => anchor.push(char),
                char => anchor.push_str(&format!("-{:x}-", u32::from(char))),
            }
        }
    }
    anchor
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or_default()
}
