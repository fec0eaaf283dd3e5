//! Whether two requirements can have one version.

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

/// Whether some version is what both ask for.
///
/// Each comparator is a range without gaps, so what two have in common begins where one of them begins.
pub(super) fn overlap(a: &VersionReq, b: &VersionReq) -> bool {
    let starts = a.comparators.iter().chain(&b.comparators).flat_map(starts);
    starts.chain([Version::new(0, 0, 0)]).any(|version| a.matches(&version) && b.matches(&version))
}

/// The first versions that a comparator may let through, those of a pre-release and of the release after it included.
fn starts(comparator: &Comparator) -> Vec<Version> {
    let Comparator { op, major, minor, patch, pre, .. } = comparator;
    let release = Version::new(*major, minor.unwrap_or(0), patch.unwrap_or(0));
    let mut starts =
        vec![Version { pre: pre.clone(), build: BuildMetadata::EMPTY, ..release.clone() }, release];
    if *op == Op::Greater {
        let next = |number: u64| number.saturating_add(1);
        starts.push(match (minor, patch) {
            (None, _) => Version::new(next(*major), 0, 0),
            (Some(minor), None) => Version::new(*major, next(*minor), 0),
            (Some(minor), Some(patch)) => Version::new(*major, *minor, next(*patch)),
        });
        // After `1.0.0-rc.1` comes `1.0.0-rc.1.0`.
        if let Ok(pre) = Prerelease::new(&format!("{pre}.0")) {
            starts.push(Version { pre, ..starts[1].clone() });
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_overlap_where_one_version_is_both() {
        for (a, b, expected) in [
            ("5.0", "5.0", true),
            ("5", "5.3.1", true),
            ("4.0", "5.0", false),
            ("0.28", "0.29", false),
            ("0.29.1", "0.29", true),
            ("0.0.3", "0.0.4", false),
            ("=5.0.0", "5.1", false),
            ("=5.1.2", "5.1", true),
            ("~5.0", "5.1", false),
            ("~5.1", "5.1.4", true),
            ("*", "5.0", true),
            ("5.*", "5.7", true),
            (">=4", "5.0", true),
            (">=4, <5", "5.0", false),
            (">=4, <=5", "5.2", true),
            ("<5", "5.0", false),
            ("<5.0.1", "5.0", true),
            (">5.0.0, <5.0.2", "5.0", true),
            (">5", "5.0", false),
            (">5.1", "5.0", true),
            (">4", ">5, <6", false),
            ("<1", "<2", true),
            ("5.0.0-rc.1", "5.0", true),
            ("=5.0.0-rc.1", "5.0", false),
            ("=5.0.0-rc.2", "5.0.0-rc.1", true),
            ("=5.1.0-rc.2", "5.0.0-rc.1", false),
            (">5.0.0-rc.1, <5.0.0", "5.0.0-rc.1", true),
        ] {
            let parse = |text: &str| VersionReq::parse(text).expect("a requirement");
            assert_eq!(overlap(&parse(a), &parse(b)), expected, "{a} and {b}");
            assert_eq!(overlap(&parse(b), &parse(a)), expected, "{b} and {a}");
        }
    }
}
