//! Whether the process is alive and ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;

/// Named checks, each passing or failing with a reason. Shared by everyone who reports.
#[derive(Clone, Default)]
pub(crate) struct Health(Arc<Mutex<BTreeMap<String, Result<(), String>>>>);

impl Health {
    /// Reports the state of the check `name`.
    pub(crate) fn report(&self, name: &str, state: Result<(), String>) {
        self.0.lock().insert(name.to_owned(), state);
    }

    /// The answer to whether all checks pass, with a line on each.
    pub(crate) fn ready(&self) -> (StatusCode, String) {
        let checks = self.0.lock();
        let line = |(name, state): (&String, &Result<(), String>)| match state {
            Ok(()) => format!("[+] {name} ok\n"),
            Err(reason) => format!("[-] {name}: {reason}\n"),
        };
        let lines: String = checks.iter().map(line).collect();
        if checks.values().all(Result::is_ok) {
            (StatusCode::OK, lines + "ok\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, lines + "not ready\n")
        }
    }
}
