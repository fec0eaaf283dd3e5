//! The generated project's `Cargo.lock`.
//!
//! The template holds every package of the registry at the version the tool was tested with, and the project's own two
//! under their names. Cargo wants packages and dependencies sorted by name (with `--locked` it refuses anything else),
//! so the two move to where their names belong.

use std::borrow::Cow;

const PACKAGE: &str = "[[package]]\n";
const NEXT: &str = "\n[[package]]\n";

/// `lock` with packages, and the dependencies of each, in cargo's order.
#[must_use]
pub fn sorted(lock: &str) -> String {
    let mut parts = lock.split(PACKAGE);
    let preamble = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.map(str::trim_end).collect();
    // A stable sort: several versions of a package stay in the order cargo gave them.
    packages.sort_by_cached_key(|package| name(package));
    let mut text = String::with_capacity(lock.len() + 1);
    text.push_str(preamble);
    for (position, package) in packages.into_iter().enumerate() {
        text.push_str(if position == 0 { PACKAGE } else { NEXT });
        // Those of the registry have none of the project's own among their dependencies.
        let own = !package.contains("\nsource = ");
        text.push_str(&if own { sort_dependencies(package) } else { package.into() });
        text.push('\n');
    }
    text
}

fn name(package: &str) -> &str {
    package.strip_prefix("name = \"").and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn sort_dependencies(package: &str) -> Cow<'_, str> {
    let parts = package.split_once("dependencies = [\n");
    let Some((before, (list, after))) =
        parts.and_then(|(before, list)| Some((before, list.split_once(']')?)))
    else {
        return package.into();
    };
    let mut lines: Vec<&str> = list.lines().collect();
    lines.sort_unstable();
    format!("{before}dependencies = [\n{}\n]{after}", lines.join("\n")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(lock: &str) -> impl Iterator<Item = &str> {
        lock.split(PACKAGE).skip(1).map(name)
    }

    #[test]
    fn own_packages_move_to_their_place() {
        let lock = "# head\nversion = 4\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n\n[[package]]\nname = \"zeta\"\n\
                    version = \"0.1.0\"\ndependencies = [\n \"zeta-api\",\n \"b\",\n]\n\n[[package]]\nname = \"c\"\nversion = \"2\"\n";
        let sorted = sorted(lock);
        assert_eq!(packages(&sorted).collect::<Vec<_>>(), ["b", "c", "zeta"]);
        assert!(sorted.contains("dependencies = [\n \"b\",\n \"zeta-api\",\n]\n"), "{sorted}");
        assert!(sorted.ends_with("]\n") && sorted.starts_with("# head\n"));
        assert_eq!(super::sorted(&sorted), sorted);
    }
}
