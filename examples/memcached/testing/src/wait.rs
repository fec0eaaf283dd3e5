//! Waiting for what a test brings about.

use std::time::{Duration, Instant};

/// How long [`eventually`] waits.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Tries `probe` until it succeeds; fails the test with what was seen last if that takes too long.
pub async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, probe).await.unwrap_or_else(|seen| panic!("{seen}"))
}

/// As [`eventually`], for as long as `patience`; the error says what was seen last.
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, String> {
    let deadline = Instant::now() + patience;
    loop {
        match probe().await {
            Ok(value) => return Ok(value),
            Err(seen) if Instant::now() > deadline => {
                return Err(format!("waited {patience:?} until {what}, seen last: {seen}"));
            }
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// `Ok` if `holds`, otherwise the error that `seen` describes: for probes of [`eventually`].
pub fn ensure(holds: bool, seen: &impl serde::Serialize) -> Result<(), String> {
    if holds { Ok(()) } else { Err(serde_json::to_string(seen).expect("JSON")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_tried_until_it_succeeds() {
        let mut count = 0;
        let tried = async || {
            count += 1;
            ensure(count == 3, &count).map(|()| count)
        };
        assert_eq!(eventually("it is three", tried).await, 3);
    }

    #[tokio::test]
    async fn who_waits_in_vain_is_told_what_was_seen_last() {
        let seen = within(Duration::ZERO, "it rains", async || ensure(false, &["sun"])).await;
        assert_eq!(seen, Err("waited 0ns until it rains, seen last: [\"sun\"]".to_owned()));
    }
}
