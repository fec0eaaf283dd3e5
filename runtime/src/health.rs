//! Whether the process is alive and ready.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;

/// Passes, or fails with a reason.
type State = Result<(), String>;

/// Named checks. Shared by everyone who reports.
#[derive(Clone, Default)]
pub(crate) struct Health(Arc<Mutex<Checks>>);

#[derive(Default)]
struct Checks {
    reported: BTreeMap<String, State>,
    asked: BTreeMap<String, Check>,
    /// Asked whether the process is alive.
    alive: BTreeMap<String, Check>,
}

pub(crate) type Check = Arc<dyn Fn() -> State + Send + Sync>;

impl Health {
    /// Reports the state of the check `name`.
    pub(crate) fn report(&self, name: &str, state: State) {
        self.0.lock().reported.insert(name.to_owned(), state);
    }

    /// Asks `check` for the state of the check `name` each time.
    pub(crate) fn ask(&self, name: String, check: Check) {
        self.0.lock().asked.insert(name, check);
    }

    /// The process is alive only while `check` passes.
    pub(crate) fn ask_whether_alive(&self, name: String, check: Check) {
        self.0.lock().alive.insert(name, check);
    }

    /// The answer to whether the process is alive.
    pub(crate) fn alive(&self) -> (StatusCode, String) {
        let alive = self.0.lock().alive.clone();
        answer(&alive.into_iter().map(state).collect(), "not alive")
    }

    /// The answer to whether all checks pass, with a line on each.
    pub(crate) fn ready(&self) -> (StatusCode, String) {
        let (mut all, asked) = {
            let checks = self.0.lock();
            (checks.reported.clone(), checks.asked.clone())
        };
        all.extend(asked.into_iter().map(state));
        answer(&all, "not ready")
    }
}

/// The state of a check. Nothing is locked meanwhile, because it may take its time.
fn state((name, check): (String, Check)) -> (String, State) {
    let state = catch_unwind(AssertUnwindSafe(|| check())).unwrap_or_else(|_| Err("it panicked".to_owned()));
    (name, state)
}

/// `ok`, or what it is not, after a line on each check.
fn answer(states: &BTreeMap<String, State>, otherwise: &str) -> (StatusCode, String) {
    let line = |(name, state): (&String, &State)| match state {
        Ok(()) => format!("[+] {name} ok\n"),
        Err(reason) => format!("[-] {name}: {reason}\n"),
    };
    let lines: String = states.iter().map(line).collect();
    let passes = states.values().all(Result::is_ok);
    let (code, end) =
        if passes { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, otherwise) };
    (code, format!("{lines}{end}\n"))
}
