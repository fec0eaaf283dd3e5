//! The generated tests under faults: the operator passes them all, weakened ones do not, and `docs/reliability.md` says
//! what was seen. `BLESS=1 cargo test --test faults` renews that page.

mod common;
#[path = "faults/page.rs"]
mod page;
#[path = "faults/weaknesses.rs"]
mod weaknesses;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use common::{Sandbox, cluster};
use weaknesses::{WEAKNESSES, Weakness};

/// Tests mostly wait, so that more of them run at a time than there are cores.
const THREADS: &str = "--test-threads=8";
const REPORT: &str = "report.tsv";

/// Runs tests under faults of a project, all or the one of that name; what they print, and whether they pass.
fn faults(sandbox: &Sandbox, only: &[&str]) -> (String, bool) {
    // Projects share a target folder, and in it the names of programs.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cargo = cluster::cargo(sandbox.path());
    cargo
        .args(["test", "--locked", "--quiet", "--test=faults", "--", "--include-ignored", THREADS])
        .args(only);
    cargo.env("FAULTS_REPORT", sandbox.path().join(REPORT));
    if !only.is_empty() {
        // Nobody debugs these, and they are many.
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "false");
    }
    let output = cargo.output().expect("a run");
    let printed = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert!(printed.contains("test result: "), "the tests ran:\n{printed}");
    (printed, output.status.success())
}

#[test]
fn the_operator_survives_and_the_page_says_how() {
    let sandbox = Sandbox::with_iris();
    let (printed, passed) = faults(&sandbox, &[]);
    assert!(passed && printed.contains(" 0 ignored;"), "{printed}");
    page::check(&sandbox.read(REPORT));
}

#[test]
fn weakened_operators_do_not_survive() {
    let mut weakened = BTreeSet::new();
    for Weakness { case, patches } in WEAKNESSES {
        // Not under the name that others build here: of two projects of one name cargo takes one for the other.
        let sandbox = Sandbox::new("weakened");
        sandbox.run(&["init", "--domain", "example.com"]).success();
        sandbox.run(&["create", "api", "--group=test", "--version=v1alpha1", "--kind=Iris"]).success();
        // Those who wait in vain need not wait long.
        let patience = (
            "tests/common/mod.rs",
            "PATIENCE: Duration = Duration::from_secs(20)",
            "PATIENCE: Duration = Duration::from_secs(8)",
        );
        for (path, from, to) in patches.iter().chain([&patience]) {
            let before = sandbox.read(path);
            assert!(before.contains(from), "{path} has no `{from}`");
            sandbox.write(path, &before.replace(from, to));
        }
        let (printed, passed) = faults(&sandbox, &["--exact", case]);
        assert!(printed.contains("running 1 test"), "{case} is a test:\n{printed}");
        assert!(!passed, "{case} does not bite");
        weakened.extend(case.split("::f").nth(1).and_then(|name| name.get(..2)));
    }
    assert_eq!(weakened.len(), 20, "each case is shown to bite: {weakened:?}");
}
