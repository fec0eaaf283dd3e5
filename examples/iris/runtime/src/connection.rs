//! The connection to the API server: a client with a pool of connections, all of which are abandoned when one of them does
//! not answer. Routers that forget idle connections forget them together, and without a word.

use std::sync::Arc;

use kube::Client;
use tokio::runtime::Handle;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::spawn_blocking;
use tokio::time::{Duration, Instant, timeout};
use tracing::{debug, warn};

use crate::errors::BoxError;

/// A request that its sender gave up sooner says nothing about its connection.
const PATIENCE: Duration = Duration::from_secs(4);
/// New connections are not made more often: a server that is merely slow has enough to do.
const PERIOD: Duration = Duration::from_secs(5);
/// How long making them may take, where a program has to be asked for credentials.
const LIMIT: Duration = Duration::from_secs(10);

/// Makes a client with connections of its own. It may block.
type Connect = dyn Fn() -> kube::Result<Client> + Send + Sync;

/// Shared by everything that sends requests.
#[derive(Clone)]
pub(crate) struct Connection {
    namespace: String,
    /// None for a client that was given: its connections belong to somebody else.
    connect: Option<Arc<Connect>>,
    pool: Arc<RwLock<Pool>>,
}

/// The connections that one client has made.
#[derive(Clone)]
struct Pool {
    client: Client,
    number: u64,
    since: Instant,
}

impl Connection {
    pub(crate) fn new(
        connect: impl Fn() -> kube::Result<Client> + Send + Sync + 'static,
    ) -> kube::Result<Self> {
        let client = connect()?;
        Ok(Self { connect: Some(Arc::new(connect)), ..client.into() })
    }

    pub(crate) fn default_namespace(&self) -> &str {
        &self.namespace
    }

    /// The client for a request, and what must learn of the answer. Waits while new connections are being made.
    pub(crate) async fn request(&self) -> (Client, Unanswered) {
        let Pool { client, number, .. } = self.pool.read().await.clone();
        let unanswered = Unanswered { connection: self.clone(), number, since: Instant::now() };
        (client, unanswered)
    }

    /// Abandons the pool of that number, unless that has happened or it is new. What is open in it, such as watches, goes
    /// on.
    fn abandon(&self, number: u64) {
        let (Some(connect), Ok(runtime)) = (self.connect.clone(), Handle::try_current()) else { return };
        // At once, so that the next request waits for the new ones. Whoever else holds it reads it, or replaces it.
        let held = self.pool.clone().try_write_owned();
        let pool = self.pool.clone();
        runtime.spawn(async move {
            let pool = match held {
                Ok(pool) => pool,
                Err(_) => pool.write_owned().await,
            };
            if pool.number == number && pool.since.elapsed() >= PERIOD {
                replace(pool, connect).await;
            }
        });
    }
}

async fn replace(mut pool: OwnedRwLockWriteGuard<Pool>, connect: Arc<Connect>) {
    let made = async { Ok::<_, BoxError>(spawn_blocking(move || connect()).await??) };
    match timeout(LIMIT, made).await {
        Ok(Ok(client)) => {
            *pool = Pool { client, number: pool.number + 1, since: Instant::now() };
            debug!("a request was not answered; the next ones use new connections");
        }
        Ok(Err(error)) => warn!(%error, "cannot make new connections to the API server"),
        Err(_) => warn!("cannot make new connections to the API server within {LIMIT:?}"),
    }
}

impl From<Client> for Connection {
    fn from(client: Client) -> Self {
        let namespace = client.default_namespace().to_owned();
        let pool = Pool { client, number: 0, since: Instant::now() };
        Self { namespace, connect: None, pool: Arc::new(RwLock::new(pool)) }
    }
}

/// A request that waits for its answer. If it is dropped before the answer, after some time, its pool is abandoned.
pub(crate) struct Unanswered {
    connection: Connection,
    number: u64,
    since: Instant,
}

impl Unanswered {
    /// The answer is there.
    pub(crate) fn answered(mut self) {
        self.since = Instant::now();
    }

    /// There is none, and nobody waits for it any more.
    pub(crate) fn timed_out(mut self) {
        self.connection.abandon(self.number);
        self.since = Instant::now();
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.since.elapsed() >= PATIENCE {
            self.connection.abandon(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, Response};
    use kube::client::Body;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::time::sleep;
    use tower::service_fn;

    #[tokio::test]
    async fn a_pool_is_abandoned_once_and_only_without_an_answer() {
        let made = Arc::new(AtomicU64::new(0));
        let count = made.clone();
        let connection = Connection::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            let answer =
                |_: Request<Body>| std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())));
            Ok(Client::new(service_fn(answer), "test"))
        });
        let connection = connection.expect("a client");
        // Whoever asks next waits until new connections are made, if they are.
        let made = async || {
            tokio::time::resume();
            drop(connection.request().await);
            tokio::time::pause();
            made.load(Ordering::Relaxed)
        };
        tokio::time::pause();
        connection.request().await.1.timed_out();
        assert_eq!(made().await, 1, "they are new");
        sleep(PERIOD).await;
        let ((_, early), (_, late)) = (connection.request().await, connection.request().await);
        drop(connection.request().await);
        assert_eq!(made().await, 1, "one was given up at once");
        sleep(PATIENCE).await;
        connection.request().await.1.answered();
        assert_eq!(made().await, 1, "one was answered");
        drop(early);
        assert_eq!(made().await, 2);
        sleep(PERIOD).await;
        drop(late);
        assert_eq!(made().await, 2, "it was of the pool that is abandoned");
        connection.request().await.1.timed_out();
        assert_eq!(made().await, 3);
    }
}
