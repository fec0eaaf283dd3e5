//! A generated operator under faults: it passes the tests of `tests/faults/suite`, weakened ones do not, and
//! `docs/reliability.md` says what was seen. `BLESS=1 cargo test --test faults` renews that page. That it passes its own
//! tests is what `tests/generated.rs` is for.

mod common;
#[path = "faults/page.rs"]
mod page;
#[path = "faults/simulated.rs"]
mod simulated;
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
use simulated::{SIMULATED, Simulated};
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
/// The module of the cases that keep the API server so busy that others would be late.
const SIZES: &str = "sizes::";

/// Held by whoever runs tests of a project: projects share a target folder, and the machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
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
    suite: PathBuf,
    simulation: PathBuf,
}

impl Weakened {
    fn compile() -> Self {
        let sandbox = project("weakened");
        for patch in COMMON {
            alter(&sandbox, patch, "");
        }
        let of_the_suite = WEAKNESSES.iter().map(|it| (it.case, it.patches));
        for (name, patches) in of_the_suite.chain(SIMULATED.iter().map(|it| (it.name, it.patches))) {
            let condition = condition(name);
            for patch in patches {
                alter(&sandbox, patch, &condition);
            }
        }
        let mut cargo = cluster::cargo(sandbox.path());
        cargo.args(["test", "--locked", "--no-run", "--test", "suite", "--test", "simulation"]);
        cargo.arg("--message-format=json-render-diagnostics");
        let output = cargo.output().expect("a run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let program = |name: &str| {
            let found = printed.lines().find_map(|line| {
                let message: Value = serde_json::from_str(line).expect("JSON");
                let is_wanted = message["target"]["name"] == *name;
                message["executable"].as_str().filter(|_| is_wanted).map(PathBuf::from)
            });
            found.expect("a program")
        };
        Self { suite: program("suite"), simulation: program("simulation"), sandbox }
    }

    /// A program of its tests, with a defence missing or none.
    fn command(&self, program: &Path, weakness: Option<&str>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.sandbox.path()).env("KUBEBUILDER_ASSETS", cluster::programs());
        command.env_remove(VARIABLE).envs(weakness.map(|weakness| (VARIABLE, weakness)));
        command
    }

    /// Runs all cases, with no defence missing.
    fn survives(&self) -> (String, bool) {
        let (mut printed, mut passed) = (String::new(), true);
        for which in [&[THREADS, "--skip", STORIES, "--skip", SIZES][..], &[FEW, SIZES]] {
            let mut command = self.command(&self.suite, None);
            command.args(which).env("FAULTS_REPORT", self.sandbox.path().join(REPORT));
            let (more, succeeded) = outcome(&command.output().expect("a run"));
            printed += &more;
            passed &= succeeded;
        }
        (printed, passed)
    }

    /// Runs cases, weakened or not.
    fn run(&self, cases: &[&str], weakness: Option<&str>) -> (String, bool) {
        let mut command = self.command(&self.suite, weakness);
        command.args([FEW, "--exact"]).args(cases);
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

    /// Why the simulation does not find a weakness, if it does not.
    fn overlooked(&self, Simulated { name, seeds, property, .. }: &Simulated) -> Option<String> {
        let mut command = self.command(&self.simulation, Some(name));
        command.env("SIM_SEEDS", seeds.to_string()).env_remove("SIM_SEED");
        let (printed, passed) = outcome(&command.output().expect("a run"));
        if passed {
            Some(format!("{name} is not found in {seeds} histories"))
        } else if printed.contains(&format!("it does not hold that {property}")) {
            None
        } else {
            Some(format!("{name} is found otherwise than by `{property}`:\n{printed}"))
        }
    }
}

/// What `complaint` says of all of these, several at a time.
fn complaints<T: Sync>(
    all: &[T],
    at_once: usize,
    complaint: impl Fn(&T) -> Option<String> + Sync,
) -> Vec<String> {
    let (next, complaints) = (Mutex::new(all.iter()), Mutex::new(Vec::new()));
    let work = || {
        // In statements of their own, so that nothing is locked while a case runs.
        let take = || next.lock().expect("no panic").next();
        while let Some(one) = take() {
            let complaint = complaint(one);
            complaints.lock().expect("no panic").extend(complaint);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work);
        }
    });
    complaints.into_inner().expect("no panic")
}

#[test]
fn the_operator_survives_and_weakened_ones_do_not() {
    let mut numbers: BTreeSet<_> = WEAKNESSES.iter().filter_map(|it| number(it.case)).collect();
    numbers.extend(SIMULATED.iter().filter_map(|it| number(it.name)));
    assert_eq!(numbers.len(), 42, "each case is shown to bite: {numbers:?}");
    let all = WEAKNESSES.iter().map(|it| it.case).chain(SIMULATED.iter().map(|it| it.name));
    let stories: Vec<_> = all.filter(|case| case.starts_with(STORIES)).collect();
    assert_eq!(stories.len(), 5, "and so is each way of telling a story");
    let _alone = alone();
    let weakened = Weakened::compile();

    // As users get it, but for conditions that do not hold.
    let (printed, passed) = weakened.survives();
    assert!(passed && printed.contains(" 0 ignored;"), "{printed}");
    page::check(&weakened.sandbox.read(REPORT));
    let (printed, passed) = weakened.run(&stories, None);
    assert!(passed, "without a weakness all is well:\n{printed}");

    let of_the_suite = complaints(WEAKNESSES, AT_ONCE, |it| weakened.complaint(it));
    // Histories use all cores.
    let of_simulation = complaints(SIMULATED, 1, |it| weakened.overlooked(it));
    assert!(of_the_suite.is_empty(), "{}", of_the_suite.join("\n\n"));
    assert!(of_simulation.is_empty(), "{}", of_simulation.join("\n\n"));
}

/// Which of the cases of `docs/reliability.md` it is.
fn number(case: &str) -> Option<&str> {
    case.split("::f").nth(1)?.get(..2)
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
    let _alone = alone();
    let mut cargo = cluster::cargo(sandbox.path());
    cargo.args(["test", "--locked", "--quiet", "--test", "iris", "--", THREADS]);
    let (printed, passed) = outcome(&cargo.output().expect("a run"));
    assert!(passed, "{printed}");
}
