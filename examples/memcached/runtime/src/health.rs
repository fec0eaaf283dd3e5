//! Whether the process is alive and ready.

use std::collections::BTreeMap;
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
    asked: BTreeMap<String, Box<dyn Fn() -> State + Send + Sync>>,
}

impl Health {
    /// Reports the state of the check `name`.
    pub(crate) fn report(&self, name: &str, state: State) {
        self.0.lock().reported.insert(name.to_owned(), state);
    }

    /// Asks `check` for the state of the check `name` each time.
    pub(crate) fn ask(&self, name: String, check: Box<dyn Fn() -> State + Send + Sync>) {
        self.0.lock().asked.insert(name, check);
    }

    /// The answer to whether all checks pass, with a line on each.
    pub(crate) fn ready(&self) -> (StatusCode, String) {
        let checks = self.0.lock();
        let asked = checks.asked.iter().map(|(name, check)| (name.clone(), check()));
        let mut all = checks.reported.clone();
        all.extend(asked);
        let line = |(name, state): (&String, &State)| match state {
            Ok(()) => format!("[+] {name} ok\n"),
            Err(reason) => format!("[-] {name}: {reason}\n"),
        };
        let lines: String = all.iter().map(line).collect();
        if all.values().all(Result::is_ok) {
            (StatusCode::OK, lines + "ok\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, lines + "not ready\n")
        }
    }
}
