//! Whatever the arguments: a clear error and an untouched tree, or a project that parses everywhere and that Kubernetes
//! takes.
//!
//! `PROPTEST_CASES=1000 PROPTEST_RNG_SEED=$RANDOM cargo test --test property` looks further than the usual run, which
//! draws the same cases every time.
#![cfg(unix)]

mod common;
#[path = "property/draw.rs"]
mod draw;
#[path = "property/project.rs"]
mod project;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Ran, Sandbox, difference, snapshot};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use draw::Session;

type Checked = Result<(), TestCaseError>;

#[test]
fn any_init_is_refused_clearly_or_gives_a_sound_project() {
    check(80, 0.3, &draw::starts());
}

#[test]
fn any_create_api_is_refused_clearly_or_leaves_a_sound_project() {
    check(70, 0.3, &draw::sessions());
}

/// Draws `cases` sessions and checks each; at least the given `share` of all commands has to succeed.
fn check(cases: u32, share: f64, sessions: &BoxedStrategy<Session>) {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(20);
    }
    let tally = Tally::default();
    let found = TestRunner::new(config).run(sessions, |session| tally.session(&session));
    match found {
        Ok(()) => {}
        Err(TestError::Fail(why, session)) => panic!("{why}\nminimal:\n{session:#?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
    let (done, refused) = (tally.done.into_inner(), tally.refused.into_inner());
    #[expect(clippy::cast_precision_loss, reason = "they are small")]
    let enough = done as f64 >= share * (done + refused) as f64 && refused > 0;
    assert!(enough, "{done} commands succeeded and {refused} were refused: the draw shows little");
}

/// How many commands ended in which way.
#[derive(Default)]
struct Tally {
    done: AtomicUsize,
    refused: AtomicUsize,
}

impl Tally {
    fn session(&self, session: &Session) -> Checked {
        let sandbox = Sandbox::new("iris");
        for command in &session.commands {
            let before = snapshot(sandbox.path());
            let ran = sandbox.run(command);
            clear(&ran)?;
            if ran.status != Some(0) {
                self.refused.fetch_add(1, Ordering::Relaxed);
                unchanged(sandbox.path(), &before, "a refusal changes the tree")?;
                continue;
            }
            self.done.fetch_add(1, Ordering::Relaxed);
            project::sound(sandbox.path()).map_err(TestCaseError::fail)?;
            let before = snapshot(sandbox.path());
            clear(&sandbox.run(command))?;
            unchanged(sandbox.path(), &before, "the same command again changes the tree")?;
        }
        Ok(())
    }
}

/// The command ended as one should: silent about panics, with a status it promises, and an error if it failed.
fn clear(ran: &Ran) -> Checked {
    let errors = ran.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    // What a flag does not do is said before what is wrong with another.
    let first = ran.stderr.lines().find(|line| !line.starts_with("note: ")).unwrap_or_default();
    let fits = match ran.status {
        Some(0) => errors == 0,
        Some(1) => errors == 1 && first.starts_with("error: ") && ran.stdout.is_empty(),
        Some(2) => errors >= 1 && first.starts_with("error: ") && ran.stdout.is_empty(),
        _ => false,
    };
    let raw = ran.stderr.chars().any(|c| c.is_control() && c != '\n');
    prop_assert!(fits, "not a clear end: {:#?}", ran);
    prop_assert!(!raw && ran.stderr.len() < 20_000, "not fit for a terminal: {:#?}", ran);
    Ok(())
}

fn unchanged(
    root: &Path,
    before: &std::collections::BTreeMap<std::path::PathBuf, common::Entry>,
    what: &str,
) -> Checked {
    let changed = difference(before, &snapshot(root));
    prop_assert!(changed.is_empty(), "{}: {:?}", what, changed);
    Ok(())
}
