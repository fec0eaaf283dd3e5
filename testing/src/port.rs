//! Ports for what tests start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that nobody listens at, nor is given to those who connect to somewhere before it is used: it is below theirs.
#[must_use]
pub fn free_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = std::process::id() * 251 + COUNT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + count % 20_000).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
