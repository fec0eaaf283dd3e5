//! The answer to a watch: it goes on until it is over, or something happens to it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep, sleep_until};

use super::draw::Draw;
use super::fault::SimFault;
use super::network::Network;
use super::server::Watch;
use super::world::Unheard;

/// How often the server is asked though nothing happened: it may have a bookmark.
pub(super) const IDLE: Duration = Duration::from_secs(5);

/// Tells `lines` what the watch tells, for as long as it `lasts`.
pub(super) async fn stream(
    network: Network,
    mut watch: Watch,
    lines: UnboundedSender<io::Result<Bytes>>,
    lasts: Duration,
    fault: Option<SimFault>,
    mut draw: Draw,
) {
    let begun = Instant::now();
    let end = begun + lasts;
    // Nothing goes wrong any more once all is calm.
    let left = network.conditions.calm_at.saturating_sub(network.shared.world().now());
    let fault_at = begun + draw.time(0..=40_000).min(left);
    let befalls = |kind| fault == Some(kind) && Instant::now() >= fault_at;
    let mut revisions = network.shared.revisions();
    loop {
        let told = network.shared.world().poll(&mut watch);
        for line in told {
            let unheard = Unheard::new(&network.shared);
            let now = network.shared.world().now();
            let is_late = fault == Some(SimFault::WatchLate) && now < network.conditions.calm_at;
            sleep(if is_late { draw.time(200..=15_000) } else { draw.time(0..=8) }).await;
            while network.link.is_cut(network.shared.world().now()) {
                sleep(Duration::from_millis(100)).await;
            }
            if befalls(SimFault::WatchSilent) || befalls(SimFault::WatchBroken) {
                break;
            }
            drop(unheard);
            let ends = line.windows(14).any(|part| part == br#""type":"ERROR""#);
            if network.link.is_dead() || lines.unbounded_send(Ok(line)).is_err() || ends {
                return;
            }
        }
        if befalls(SimFault::WatchSilent) {
            // It is open for as long as its reader wants.
            let _unheard = Unheard::new(&network.shared);
            while !lines.is_closed() && !network.link.is_dead() {
                sleep(IDLE).await;
            }
            return;
        }
        if befalls(SimFault::WatchBroken) {
            if draw.chance(500) {
                let _ = lines.unbounded_send(Err(io::ErrorKind::ConnectionReset.into()));
            }
            return;
        }
        tokio::select! {
            biased;
            _ = revisions.changed() => {}
            () = sleep_until(end) => return,
            () = sleep_until(fault_at), if fault.is_some() && Instant::now() < fault_at => {}
            () = sleep(IDLE) => {}
        }
        if lines.is_closed() || network.link.is_dead() {
            return;
        }
    }
}
