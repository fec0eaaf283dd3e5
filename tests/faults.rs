//! A generated operator under faults: it passes its own tests and those of `tests/faults/suite`, weakened ones do not, and
//! `docs/reliability.md` says what was seen. `BLESS=1 cargo test --test faults` renews that page.

mod common;
#[path = "faults/page.rs"]
mod page;
#[path = "faults/weakness.rs"]
mod weakness;
#[path = "faults/weaknesses.rs"]
mod weaknesses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{Sandbox, cluster, tree};
use serde_json::Value;
use weakness::{COMMON, ITSELF, Patch, VARIABLE, WEAK, Weakness, condition};
use weaknesses::WEAKNESSES;

/// Tests mostly wait, so that more of them run at a time than there are cores.
const THREADS: &str = "--test-threads=8";
/// For those that have a control plane each.
const FEW: &str = "--test-threads=2";
/// Weakened operators that run at a time, each with a control plane of its own.
const AT_ONCE: usize = 4;
const REPORT: &str = "report.tsv";
/// The module of the cases that are about a reconcile, and not about the runtime.
const STORIES: &str = "stories::";

/// Held by whoever runs tests of a project: projects share a target folder, and the machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs all tests of that program of a project; what they print, and whether they pass.
fn tests(sandbox: &Sandbox, program: &str) -> (String, bool) {
    let _alone = alone();
    let mut cargo = cluster::cargo(sandbox.path());
    // The project's own tests tell the whole story.
    cargo.args(["test", "--locked", "--quiet", "--test", program, "--", THREADS, "--skip", STORIES]);
    cargo.env("FAULTS_REPORT", sandbox.path().join(REPORT));
    outcome(&cargo.output().expect("a run"))
}

fn outcome(output: &Output) -> (String, bool) {
    let printed = [&*output.stderr, &*output.stdout].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(printed.contains("test result: "), "the tests ran:\n{printed}");
    (printed, output.status.success())
}

/// A project to change the sources of, with the suite in it.
fn project(name: &str) -> Sandbox {
    // Not under the name that others build here: of two projects of one name cargo takes one for the other.
    let sandbox = Sandbox::new(name);
    sandbox.run(&["init", "--domain", "example.com"]).success();
    sandbox.run(&["create", "api", "--group=test", "--version=v1alpha1", "--kind=Iris"]).success();
    fs::create_dir(sandbox.path().join("tests/suite")).expect("a folder");
    for (path, text) in tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/suite")) {
        let text = String::from_utf8(text).expect("UTF-8").replace("api_crate", &format!("{name}_api"));
        sandbox.write(&format!("tests/suite/{path}"), &text);
    }
    let manifest = sandbox.read("Cargo.toml");
    let dependencies = "[dev-dependencies]\n";
    assert!(manifest.contains(dependencies), "{manifest}");
    let futures = format!("{dependencies}futures = \"0.3\"\n");
    sandbox.write("Cargo.toml", &manifest.replace(dependencies, &futures));
    // Other dependencies need it already, so that nothing is looked up.
    let mut lock = cluster::cargo(sandbox.path());
    lock.args(["metadata", "--format-version=1"]);
    cluster::run(lock, "").expect("the lock has it");
    sandbox
}

fn is_story(case: &str) -> bool {
    case.starts_with(STORIES)
}

fn alter(sandbox: &Sandbox, (path, from, to): &Patch, condition: &str) {
    let before = sandbox.read(path);
    assert_eq!(before.matches(from).count(), 1, "{path} has `{from}` once");
    let to = to.replace(ITSELF, from);
    // What is common to all weaknesses says `WEAKNESS`, which is no condition.
    let to = if condition.is_empty() { to } else { to.replace(WEAK, condition) };
    sandbox.write(path, &before.replace(from, &to));
}

/// The tests under faults of a project with all weaknesses: none shows before [`VARIABLE`] names its case.
struct Weakened {
    sandbox: Sandbox,
    program: PathBuf,
}

impl Weakened {
    fn compile() -> Self {
        let sandbox = project("weakened");
        for patch in COMMON {
            alter(&sandbox, patch, "");
        }
        for Weakness { case, patches, .. } in WEAKNESSES {
            let condition = condition(case);
            for patch in *patches {
                alter(&sandbox, patch, &condition);
            }
        }
        let mut cargo = cluster::cargo(sandbox.path());
        cargo.args([
            "test",
            "--locked",
            "--no-run",
            "--test",
            "suite",
            "--message-format=json-render-diagnostics",
        ]);
        let output = cargo.output().expect("a run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let program = String::from_utf8(output.stdout).expect("UTF-8").lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).expect("JSON");
            let is_wanted = message["target"]["name"] == "suite";
            message["executable"].as_str().filter(|_| is_wanted).map(PathBuf::from)
        });
        Self { program: program.expect("a program"), sandbox }
    }

    /// Runs cases, weakened or not.
    fn run(&self, cases: &[&str], weakness: Option<&str>) -> (String, bool) {
        let mut command = Command::new(&self.program);
        command.current_dir(self.sandbox.path()).env("KUBEBUILDER_ASSETS", cluster::programs());
        let threads = if cases.iter().all(|case| is_story(case)) { FEW } else { THREADS };
        command.args([threads, "--exact"]).args(cases).env_remove(VARIABLE);
        command.envs(weakness.map(|weakness| (VARIABLE, weakness)));
        let (printed, passed) = outcome(&command.output().expect("a run"));
        let count = format!("running {} test", cases.len());
        assert!(printed.contains(&count), "{cases:?} are tests:\n{printed}");
        (printed, passed)
    }

    /// Why a weakness does not do what it should, if it does not.
    fn complaint(&self, Weakness { case, failure, .. }: &Weakness) -> Option<String> {
        let (printed, passed) = self.run(&[case], Some(case));
        if passed {
            Some(format!("{case} does not bite"))
        } else if printed.contains(failure) {
            None
        } else {
            Some(format!("{case} fails without `{failure}`:\n{printed}"))
        }
    }
}

#[test]
fn the_operator_survives_and_the_page_says_how() {
    let sandbox = project("survivor");
    let (printed, passed) = tests(&sandbox, "faults");
    assert!(passed && printed.contains("1 passed"), "{printed}");
    let (printed, passed) = tests(&sandbox, "suite");
    assert!(passed && printed.contains(" 0 ignored;"), "{printed}");
    page::check(&sandbox.read(REPORT));
}

#[test]
fn weakened_operators_do_not_survive() {
    let numbers: BTreeSet<_> =
        WEAKNESSES.iter().filter_map(|it| it.case.split("::f").nth(1)?.get(..2)).collect();
    assert_eq!(numbers.len(), 40, "each case is shown to bite: {numbers:?}");
    let stories = WEAKNESSES.iter().filter(|it| is_story(it.case)).count();
    assert_eq!(stories, 5, "and so is each way of telling a story");
    let _alone = alone();
    let weakened = Weakened::compile();

    let (stories, cases): (Vec<_>, Vec<_>) =
        WEAKNESSES.iter().map(|it| it.case).partition(|case| is_story(case));
    for cases in [cases, stories] {
        let (printed, passed) = weakened.run(&cases, None);
        assert!(passed, "without a weakness all is well:\n{printed}");
    }

    let (next, complaints) = (Mutex::new(WEAKNESSES.iter()), Mutex::new(Vec::new()));
    let work = || {
        // In statements of their own, so that nothing is locked while a case runs.
        let take = || next.lock().expect("no panic").next();
        while let Some(weakness) = take() {
            let complaint = weakened.complaint(weakness);
            complaints.lock().expect("no panic").extend(complaint);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let complaints = complaints.into_inner().expect("no panic");
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn a_value_that_the_server_writes_in_another_form_is_no_change() {
    // The API server makes one CPU of a thousand millis, so that the Deployment never says what the controller wants.
    let sandbox = project("altered");
    let patch = (
        "src/controller/iris_resources.rs",
        "image: Some(image.into()), ..Container::default() }",
        r#"image: Some(image.into()), ..Container::default() };
    let limits = serde_json::json!({ "limits": { "cpu": "1000m" } });
    let container = Container { resources: serde_json::from_value(limits).expect("limits"), ..container }"#,
    );
    alter(&sandbox, &patch, "");
    let (printed, passed) = tests(&sandbox, "iris");
    assert!(passed, "{printed}");
}
