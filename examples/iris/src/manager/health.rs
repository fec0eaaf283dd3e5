//! `/healthz` and `/readyz`, for the probes of the manager's Pod.

use super::Shared;
use super::http::{Answer, text};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use std::fmt::Write;

/// Answers a probe.
#[must_use]
pub fn answer(shared: &Shared, request: &Request<Incoming>) -> Answer {
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "ok"),
        "/readyz" => {
            let (ready, report) = readiness(shared);
            text(
                if ready {
                    StatusCode::OK
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                },
                report,
            )
        }
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

/// Whether the manager is ready, with a line per check. A replica that stands by is ready to take over.
fn readiness(shared: &Shared) -> (bool, String) {
    let mut ready = true;
    let mut report = String::new();
    if shared.is_leading() {
        for (controller, synced) in shared.checks() {
            ready &= synced;
            let (sign, state) = if synced {
                ('+', "ok")
            } else {
                ('-', "not every object is known yet")
            };
            let _ = writeln!(report, "[{sign}] {controller}: {state}");
        }
    } else {
        report.push_str("[+] leader election: standing by\n");
    }
    report.push_str(if ready { "ok" } else { "not ready" });
    (ready, report)
}
