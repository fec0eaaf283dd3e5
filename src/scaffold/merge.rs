//! Lists of the tool's in which others have put lines of their own: these stay where they are when the list changes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The list `new` with the lines that somebody has added to the list `base`, which make it `disk`; `None` when lines of
/// `base` are missing or changed. Line ends do not count, and are those of Unix in the result.
#[must_use]
pub fn merged(base: &str, disk: &str, new: &str) -> Option<String> {
    let [base, disk, new] = [base, disk, new].map(|text| text.lines().collect::<Vec<_>>());
    let mut added = added(&base, &disk)?;
    for lines in added.values_mut() {
        // What the list has got since need not be there twice.
        lines.retain(|line| module(line).is_none() || !new.contains(line));
    }
    let mut merged = Vec::new();
    for change in capture_diff_slices(Algorithm::Myers, &base, &new) {
        let (old, fresh) = (change.old_range(), &new[change.new_range()]);
        let stays = matches!(change, DiffOp::Equal { .. });
        let mut fresh: &[&str] = if stays { &[] } else { fresh };
        for at in old.clone() {
            join(&mut merged, added.remove(&at).unwrap_or_default(), std::mem::take(&mut fresh));
            merged.extend(stays.then(|| base[at]));
        }
        // Lines that are new, and before which line of the list.
        if !fresh.is_empty() {
            join(&mut merged, added.remove(&old.start).unwrap_or_default(), fresh);
        }
    }
    join(&mut merged, added.remove(&base.len()).unwrap_or_default(), &[]);
    Some(merged.into_iter().map(|line| format!("{line}\n")).collect())
}

/// `text` without the modules that none of the lists `known` has.
#[must_use]
pub fn without_others(text: &str, known: &[&str]) -> String {
    let is_known = |line: &str| known.iter().any(|list| list.lines().any(|other| other == line));
    let lines = text.lines().filter(|line| module(line).is_none() || is_known(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The lines of `disk` that are not of `base`, by the number of the line before which they are.
fn added<'a>(base: &[&str], disk: &[&'a str]) -> Option<BTreeMap<usize, Vec<&'a str>>> {
    let mut added: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut at = 0;
    for line in disk.iter().copied() {
        if base.get(at) == Some(&line) {
            at += 1;
        } else {
            added.entry(at).or_default().push(line);
        }
    }
    (at == base.len()).then_some(added)
}

/// Appends somebody's lines and those of the tool: modules in the order that rustfmt wants, all else of the tool first.
fn join<'a>(merged: &mut Vec<&'a str>, theirs: Vec<&'a str>, ours: &[&'a str]) {
    let (Some(theirs), Some(ours)) = (modules(&theirs), modules(ours)) else {
        merged.extend(ours);
        merged.extend(theirs);
        return;
    };
    let (mut theirs, mut ours) = (theirs.into_iter().peekable(), ours.into_iter().peekable());
    while let (Some((one, _)), Some((other, _))) = (theirs.peek(), ours.peek()) {
        let next = if one.cmp(other) == Ordering::Less { theirs.next() } else { ours.next() };
        merged.extend(next.into_iter().flat_map(|(_, lines)| lines));
    }
    merged.extend(theirs.chain(ours).flat_map(|(_, lines)| lines));
}

/// The modules that lines declare, each with the comments and attributes above it; `None` when there is something else.
fn modules<'a>(lines: &[&'a str]) -> Option<Vec<(&'a str, Vec<&'a str>)>> {
    let mut found = Vec::new();
    let mut above = Vec::new();
    for line in lines.iter().copied() {
        above.push(line);
        if let Some(name) = module(line) {
            found.push((name, std::mem::take(&mut above)));
        } else if !line.starts_with("//") && !line.starts_with("#[") {
            return None;
        }
    }
    above.is_empty().then_some(found)
}

/// The module that a line declares, if it does nothing else.
fn module(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let name = line.strip_prefix("mod ")?.strip_suffix(';')?;
    name.chars().all(|c| c == '_' || c == '#' || c.is_alphanumeric()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str =
        "//! A list.\n\npub mod rules;\npub mod v1;\n\npub use v1::A;\n\nfn all() {\n    a();\n}\n";
    const NEW: &str = "//! A list.\n\npub mod b1;\npub mod rules;\npub mod v1;\npub mod v2;\n\npub use b1::B;\npub use v1::A;\n\n\
                       fn all() {\n    b();\n    a();\n}\n";

    #[test]
    fn lines_of_others_stay_where_they_are() {
        for (theirs, expected) in [
            (BASE.to_owned(), NEW.to_owned()),
            (
                BASE.replace("pub mod rules", "pub mod common;\npub mod rules"),
                NEW.replace("pub mod rules", "pub mod common;\npub mod rules"),
            ),
            (
                BASE.replace("pub mod rules", "pub mod a1;\n/// Mine.\nmod c;\npub mod rules"),
                NEW.replace("pub mod b1", "pub mod a1;\npub mod b1")
                    .replace("pub mod r", "/// Mine.\nmod c;\npub mod r"),
            ),
            (BASE.replace("v1;\n", "v1;\nmod zebra;\n"), NEW.replace("v2;\n", "v2;\nmod zebra;\n")),
            (
                BASE.replace("//! A", "#![allow(x)]\n//! A").replace("\n    a", "\n    mine();\n    a")
                    + "\nfn end() {}\n",
                NEW.replace("//! A", "#![allow(x)]\n//! A").replace("\n    a", "\n    mine();\n    a")
                    + "\nfn end() {}\n",
            ),
            (BASE.replace("v1;\n", "v1;\npub mod v2;\n"), NEW.to_owned()),
            (
                BASE.replace('\n', "\r\n").replace("v1;\r\n", "v1;\r\nmod w;\r\n"),
                NEW.replace("v2;\n", "v2;\nmod w;\n"),
            ),
        ] {
            assert_eq!(merged(BASE, &theirs, NEW).as_deref(), Some(expected.as_str()), "{theirs}");
            assert_eq!(merged(NEW, &expected, NEW).as_deref(), Some(expected.as_str()), "twice is once");
        }
    }

    #[test]
    fn lines_of_the_list_cannot_be_changed() {
        for theirs in [BASE.replace("pub mod v1;\n", ""), BASE.replace("    a", "    c"), String::new()] {
            assert_eq!(merged(BASE, &theirs, NEW), None, "{theirs}");
        }
        assert_eq!(merged("", "mine\n", "new\n").as_deref(), Some("new\nmine\n"));
    }

    #[test]
    fn modules_of_others_can_be_told() {
        let old = BASE.replace("A list", "An older list").replace("mod v1;\n", "mod v1;\nmod zebra;\n");
        let base = without_others(&old, &[BASE, NEW]);
        assert_eq!(
            merged(&base, &old, NEW).as_deref(),
            Some(NEW.replace("v2;\n", "v2;\nmod zebra;\n").as_str())
        );
    }
}
