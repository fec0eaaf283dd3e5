//! The generated project's `Cargo.lock`.
//!
//! The template holds every package of the registry at the version the tool was tested with, and the project's own two
//! under their names. Cargo wants packages and dependencies sorted by name (with `--locked` it refuses anything else),
//! so the two move to where their names belong.

const PACKAGE: &str = "[[package]]\n";

/// `lock` with packages, and the dependencies of each, in cargo's order.
#[must_use]
pub fn sorted(lock: &str) -> String {
    let mut parts = lock.split(PACKAGE);
    let preamble = parts.next().unwrap_or_default();
    let mut packages: Vec<String> = parts.map(|part| sort_dependencies(part.trim_end())).collect();
    // A stable sort: several versions of a package stay in the order cargo gave them.
    packages.sort_by(|a, b| name(a).cmp(name(b)));
    let mut text = preamble.to_owned();
    text.push_str(
        &packages.iter().map(|package| format!("{PACKAGE}{package}\n")).collect::<Vec<_>>().join("\n"),
    );
    text
}

/// Names of all packages in `lock`; a project cannot have one of these.
pub fn packages(lock: &str) -> impl Iterator<Item = &str> {
    lock.split(PACKAGE).skip(1).map(name)
}

fn name(package: &str) -> &str {
    package.strip_prefix("name = \"").and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn sort_dependencies(package: &str) -> String {
    let Some((before, list)) = package.split_once("dependencies = [\n") else {
        return package.to_owned();
    };
    let Some((list, after)) = list.split_once(']') else {
        return package.to_owned();
    };
    let mut lines: Vec<&str> = list.lines().collect();
    lines.sort_unstable();
    format!("{before}dependencies = [\n{}\n]{after}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
