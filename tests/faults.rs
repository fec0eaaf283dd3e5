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
use weaknesses::{Patch, WEAKNESSES, Weakness};

/// Tests mostly wait, so that more of them run at a time than there are cores.
const THREADS: &str = "--test-threads=8";
const REPORT: &str = "report.tsv";
const PATIENCE: &str = "PATIENCE: Duration = Duration::from_secs(8)";

/// Runs tests of a project, all of that program or the one of that name; what they print, and whether they pass.
fn tests(sandbox: &Sandbox, program: &str, only: &[&str]) -> (String, bool) {
    // Projects share a target folder, and in it the names of programs.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cargo = cluster::cargo(sandbox.path());
    cargo
        .args(["test", "--locked", "--quiet", "--test", program, "--", "--include-ignored", THREADS])
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

/// A project whose sources are changed.
fn altered(patches: &[Patch]) -> Sandbox {
    // Not under the name that others build here: of two projects of one name cargo takes one for the other.
    let sandbox = Sandbox::new("altered");
    sandbox.run(&["init", "--domain", "example.com"]).success();
    sandbox.run(&["create", "api", "--group=test", "--version=v1alpha1", "--kind=Iris"]).success();
    alter(&sandbox, patches);
    sandbox
}

fn alter(sandbox: &Sandbox, patches: &[Patch]) {
    for (path, from, to) in patches {
        let before = sandbox.read(path);
        assert!(before.contains(from), "{path} has no `{from}`");
        sandbox.write(path, &before.replace(from, to));
    }
}

#[test]
fn the_operator_survives_and_the_page_says_how() {
    let sandbox = Sandbox::with_iris();
    let (printed, passed) = tests(&sandbox, "faults", &[]);
    assert!(passed && printed.contains(" 0 ignored;"), "{printed}");
    page::check(&sandbox.read(REPORT));
}

#[test]
fn weakened_operators_do_not_survive() {
    let mut weakened = BTreeSet::new();
    for Weakness { case, patches } in WEAKNESSES {
        let sandbox = altered(patches);
        // Those who wait in vain need not wait long.
        alter(&sandbox, &[("tests/common/mod.rs", "PATIENCE: Duration = Duration::from_secs(20)", PATIENCE)]);
        let (printed, passed) = tests(&sandbox, "faults", &["--exact", case]);
        assert!(printed.contains("running 1 test"), "{case} is a test:\n{printed}");
        assert!(!passed, "{case} does not bite");
        weakened.extend(case.split("::f").nth(1).and_then(|name| name.get(..2)));
    }
    assert_eq!(weakened.len(), 20, "each case is shown to bite: {weakened:?}");
}

#[test]
fn a_value_that_the_server_writes_in_another_form_is_no_change() {
    // The API server makes one CPU of a thousand millis, so that the Deployment never says what the controller wants.
    let sandbox = altered(&[(
        "src/controller/iris_resources.rs",
        "image: Some(image.into()), ..Container::default() }",
        r#"image: Some(image.into()), ..Container::default() };
    let limits = serde_json::json!({ "limits": { "cpu": "1000m" } });
    let container = Container { resources: serde_json::from_value(limits).expect("limits"), ..container }"#,
    )]);
    let (printed, passed) = tests(&sandbox, "iris", &[]);
    assert!(passed, "{printed}");
}
