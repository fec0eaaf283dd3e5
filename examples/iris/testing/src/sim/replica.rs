//! What an operator is given in a simulation, and what starts it again when it dies.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::Client;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::determinism::EPOCH;
use super::draw::{Draw, hash};
use super::network::{Conditions, Link, Network};
use super::panic_text;
use super::world::{Author, Shared, Violation};

/// How long a replica may take to stop.
const STOP: Duration = Duration::from_secs(60);
/// An operator that ends by itself so often will not get any further.
const ENDS: u32 = 30;

/// What one process of the operator is given, in the place of what it would find by itself.
#[non_exhaustive]
pub struct Replica {
    /// The connection to the simulated API server.
    pub client: Client,
    /// Who it is in the election. No two processes are the same.
    pub identity: String,
    /// The time of day. Those of two replicas may differ by minutes.
    pub clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// Where its random numbers start.
    pub seed: u64,
    /// Resolves when it should stop.
    pub shutdown: BoxFuture<'static, ()>,
    /// The arguments of its command line, the name of the program first: it takes part in an election, and serves nothing.
    pub args: Vec<String>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Runs an operator until it ends, and says why if it failed.
pub(super) type Run = dyn Fn(Replica) -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// What is done to a replica.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Crash,
    Stop,
    /// It is stopped, and one of the new version takes its place.
    Upgrade,
    /// It and the server do not reach each other for so long.
    CutOff(Duration),
}

/// One of the operator's replicas: a process after the other.
pub(super) struct Keeper {
    pub(super) shared: Shared,
    pub(super) conditions: Arc<Conditions>,
    pub(super) run: Arc<Run>,
    /// The version that it is of until it is upgraded.
    pub(super) older: Option<Arc<Run>>,
    pub(super) number: usize,
    pub(super) args: Vec<String>,
    /// How far its clock is ahead, in milliseconds.
    pub(super) clock: i64,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    /// Whether it may not end by itself.
    pub(super) is_undisturbed: bool,
}

/// How a process ended.
enum End {
    Asked,
    Died,
    ByItself(Result<(), String>),
}

impl Keeper {
    pub(super) async fn keep(mut self) {
        let name: Arc<str> = format!("replica-{}", self.number + 1).into();
        let mut draw = Draw::new(self.conditions.seed, &name);
        let mut ends = 0;
        for process in 1_u32.. {
            let author = Author { name: name.clone(), identity: format!("{name}.{process}").into() };
            let begun = Instant::now();
            match self.process(&author, &mut draw).await {
                Ok(End::ByItself(result)) => {
                    let why = result.err().unwrap_or_else(|| "as if it had been asked to".to_owned());
                    self.shared.world().tell(&name, format!("ends by itself: {why}"));
                    ends = if begun.elapsed() < Duration::from_secs(60) { ends + 1 } else { 0 };
                    if self.is_undisturbed || ends > ENDS {
                        return self.violate("the operator runs", format!("it ended: {why}"));
                    }
                }
                Ok(End::Died | End::Asked) => {}
                Err(violation) => return self.shared.world().violate(violation),
            }
            sleep(draw.time(300..=8_000)).await;
            self.shared.world().tell(&name, "starts again");
        }
    }

    fn violate(&self, property: &str, detail: String) {
        self.shared.world().violate(Violation::new(property, detail));
    }

    /// Runs one process to its end.
    async fn process(&mut self, author: &Author, draw: &mut Draw) -> Result<End, Violation> {
        let link = Arc::new(Link::default());
        let network = Network {
            shared: self.shared.clone(),
            conditions: self.conditions.clone(),
            author: author.clone(),
            link: link.clone(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (begun, ahead) = (Instant::now() - self.shared.world().now(), self.clock);
        let clock = move || {
            let since = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH) + begun.elapsed();
            let ahead_by = Duration::from_millis(ahead.unsigned_abs());
            if ahead < 0 { since - ahead_by } else { since + ahead_by }
        };
        let replica = Replica {
            client: network.client(),
            identity: author.identity.to_string(),
            clock: Box::new(clock),
            seed: hash(draw.number(), author.identity.as_bytes()),
            shutdown: async move {
                // Should nobody be there to ask, nobody asks.
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            .boxed(),
            args: self.args.clone(),
        };
        let mut running =
            Running(tokio::spawn(self.older.as_ref().unwrap_or(&self.run)(replica)), link.clone());
        loop {
            let order = tokio::select! {
                biased;
                ended = &mut running.0 => return ended_by_itself(ended),
                () = link.crash.notified() => Order::Crash,
                Some(order) = self.orders.recv() => order,
            };
            match order {
                Order::Crash => {
                    self.shared.world().tell(&author.name, "crashes");
                    return Ok(End::Died);
                }
                Order::CutOff(lasts) => {
                    let mut world = self.shared.world();
                    world.tell(&author.name, format!("is cut off for {lasts:?}"));
                    link.cut(world.now() + lasts);
                }
                Order::Stop | Order::Upgrade => {
                    let is_upgrade = matches!(order, Order::Upgrade) && self.older.take().is_some();
                    let why = if is_upgrade { ", as a new version takes its place" } else { "" };
                    self.shared.world().tell(&author.name, format!("is asked to stop{why}"));
                    let _ = stop.send(());
                    let ended = tokio::select! {
                        biased;
                        ended = timeout(STOP, &mut running.0) => ended,
                        () = link.crash.notified() => return Ok(End::Died),
                    };
                    let Ok(ended) = ended else {
                        let detail = format!("{} still runs after {STOP:?}", author.name);
                        return Err(Violation::new("an operator that is asked to stop does so", detail));
                    };
                    return ended_by_itself(ended).map(|_| End::Asked);
                }
            }
        }
    }
}

fn ended_by_itself(ended: Result<Result<(), String>, tokio::task::JoinError>) -> Result<End, Violation> {
    match ended {
        Ok(result) => Ok(End::ByItself(result)),
        Err(error) if error.is_panic() => {
            let panic = panic_text(&*error.into_panic());
            Err(Violation::new("the operator does not panic", panic))
        }
        Err(_) => Ok(End::Died),
    }
}

/// A process, which dies when this is dropped.
struct Running(tokio::task::JoinHandle<Result<(), String>>, Arc<Link>);

impl Drop for Running {
    fn drop(&mut self) {
        self.1.kill();
        self.0.abort();
    }
}
