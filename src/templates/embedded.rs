//! The sources of the libraries that are written into every project, as one text each.
//!
//! The libraries are ordinary crates beside this one, and cargo leaves folders with a manifest of their own out of a
//! package. So the tool carries a copy of each, which `make golden` renews and `tests/crates.rs` holds equal to the sources.

use super::Rendered;

/// Stands before the path of each file.
const MARK: &str = ">>> ";

/// The libraries' folders in a project, and their files.
const CRATES: [(&str, &str); 2] = [
    ("runtime", include_str!("../../templates/crates/runtime.txt")),
    ("testing", include_str!("../../templates/crates/testing.txt")),
];

/// The files of all libraries.
pub fn files() -> impl Iterator<Item = Rendered> {
    CRATES.into_iter().flat_map(|(folder, text)| {
        unpack(text).map(move |(path, text)| Rendered::fixed(format!("{folder}/{path}"), text))
    })
}

/// Paths and texts of the files in one text.
fn unpack(text: &str) -> impl Iterator<Item = (&str, &str)> {
    // The mark begins a line, and what begins the text is a file.
    let mut rest = text.strip_prefix(MARK);
    std::iter::from_fn(move || {
        let (path, after) = rest?.split_once('\n')?;
        let (file, next) = match after.split_once(&format!("\n{MARK}")) {
            Some((file, next)) => (&after[..=file.len()], Some(next)),
            None => (after, None),
        };
        rest = next;
        Some((path, file))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_out_as_they_went_in() {
        let files: Vec<_> = unpack(">>> a\nx\n\n>>> b/c\n>>\ny >>> z\n").collect();
        assert_eq!(files, [("a", "x\n\n"), ("b/c", ">>\ny >>> z\n")]);
    }
}
