//! The sources of the libraries that are written into every project, as one text each.
//!
//! The libraries are ordinary crates beside this one, and cargo leaves folders with a manifest of their own out of a
//! package. So the tool carries a copy of each, which `make golden` renews and `tests/crates.rs` holds equal to the sources.

use super::Rendered;

/// Stands before the path of each file.
const MARK: &str = ">>> ";
const NEXT: &str = "\n>>> ";

/// File beside those of a library with the checksum of each, as `sha256sum` writes it: what the library's files were when
/// they were written. It is made with the text.
pub const SUMS: &str = "SHA256SUMS";

/// A library that is written into projects.
pub struct Library {
    /// Its package.
    pub package: &'static str,
    /// Its folder in a project.
    pub folder: &'static str,
    text: &'static str,
}

/// All of them.
pub const LIBRARIES: [Library; 2] = [
    Library {
        package: "operator-runtime",
        folder: "runtime",
        text: include_str!("../../templates/crates/runtime.txt"),
    },
    Library {
        package: "operator-testing",
        folder: "testing",
        text: include_str!("../../templates/crates/testing.txt"),
    },
];

/// The files of all libraries.
pub fn files() -> impl Iterator<Item = Rendered> {
    LIBRARIES.iter().flat_map(|library| {
        let file = |(path, text)| Rendered::fixed(format!("{}/{path}", library.folder), text);
        unpack(library.text).map(file)
    })
}

/// Paths and texts of the files in one text.
fn unpack(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    // The mark begins a line, and what begins the text is a file.
    let mut rest = text.strip_prefix(MARK);
    std::iter::from_fn(move || {
        let (path, after) = rest?.split_once('\n')?;
        let (file, next) = match after.split_once(NEXT) {
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
