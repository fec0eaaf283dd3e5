//! Leader election among replicas, with the rules of Kubernetes' own components (client-go's `leaderelection`).
//!
//! The holder of a Lease renews it every few seconds. Others take it over when they have *seen no change* of it for the
//! duration it names, measured on their own clock, so that clocks need not agree. A holder that could not renew for
//! the renew deadline, which is shorter, stops before anybody else can start: a request may take half of it, so that there
//! is time for another. At the deadline its [`Fence`] closes to writes, even if the process was frozen and does not know
//! yet.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

use crate::environment::{Environment, JITTER};
use crate::metrics::Metrics;
use crate::options::Timings;
use crate::shutdown::Shutdown;
use crate::{Error, Options};

/// How long the name of an object may be (RFC 1123).
const LONGEST_NAME: usize = 253;
/// How long giving the Lease up may take.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);
const NO_ANSWER: &str = "no answer";

/// Takes part in the election.
pub(crate) struct Elector {
    leases: Api<Lease>,
    name: &'static str,
    identity: String,
    timings: Timings,
    fence: Fence,
    environment: Environment,
    metrics: Arc<Metrics>,
    /// The Lease as it was when it last changed, and when that was seen.
    observed: (LeaseSpec, Instant),
    /// Whether it was not there then.
    is_missing: bool,
    /// When this process last began to take or renew it.
    attempted: Instant,
    /// The Lease as this process has written it.
    written: Option<Lease>,
}

impl Elector {
    /// An election by the Lease `name`, whose winner may write through `fence`.
    pub(crate) fn new(
        client: Client,
        name: &'static str,
        identity: Option<String>,
        options: &Options,
        fence: Fence,
        environment: Environment,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let timings = options.timings;
        let (lease, deadline) = (timings.leader_elect_lease_duration, timings.leader_elect_renew_deadline);
        let order =
            "the lease duration must be longer than the renew deadline, and that than the retry period";
        if lease <= deadline || deadline <= timings.leader_elect_retry_period.mul_f64(JITTER) {
            return Err(Error::Setup(order.to_owned()));
        }
        let missing = "`--leader-elect` needs `--leader-election-namespace` outside a cluster";
        let namespace = options.leader_election_namespace.as_ref();
        let namespace = namespace.ok_or_else(|| Error::Setup(missing.to_owned()))?;
        if name.len() > LONGEST_NAME {
            let message = format!("the Lease `{name}` has a name of more than {LONGEST_NAME} characters");
            return Err(Error::Setup(message));
        }
        let identity = identity.unwrap_or_else(|| {
            let host = std::env::var("POD_NAME").unwrap_or_else(|_| "manager".into());
            // A process is not the one before it, even in the same pod.
            format!("{host}_{}_{}", std::process::id(), environment.now().as_microsecond())
        });
        fence.close();
        let (leases, observed) = (Api::namespaced(client, namespace), (LeaseSpec::default(), Instant::now()));
        let (is_missing, attempted, written) = (false, Instant::now(), None);
        Ok(Self {
            leases,
            name,
            identity,
            timings,
            fence,
            environment,
            metrics,
            observed,
            is_missing,
            attempted,
            written,
        })
    }

    /// Waits until this process leads; `false` when it should stop before that.
    pub(crate) async fn acquire(&mut self, shutdown: Shutdown) -> bool {
        info!(lease = self.name, identity = self.identity, "waiting to become the leader");
        let acquired = async {
            loop {
                match self.try_hold(self.timings.leader_elect_renew_deadline).await {
                    Ok(true) => return info!(lease = self.name, "became the leader"),
                    Ok(false) => {}
                    Err(reason) => warn!("cannot take the Lease, trying again: {reason}"),
                }
                sleep(self.environment.jittered(self.timings.leader_elect_retry_period)).await;
            }
        };
        tokio::select! {
            biased;
            () = acquired => return true,
            () = shutdown => {}
        }
        // It may have been taken just now, by a request whose answer nobody waits for any more.
        self.release().await;
        false
    }

    /// Renews until that has been impossible for too long.
    pub(crate) async fn renew(&mut self) {
        while !self.fence.time_left().is_zero() {
            // Counted from the beginning of the last attempt, as the fence is: a slow one is followed at once.
            sleep_until(self.attempted + self.timings.leader_elect_retry_period).await;
            match self.try_hold(self.fence.time_left()).await {
                Ok(false) if self.is_held_by_another() => {
                    self.fence.close();
                    return warn!("another replica took the Lease");
                }
                // Somebody wrote to the Lease at the same moment.
                Ok(_) => {}
                Err(reason) => warn!("cannot renew the Lease: {reason}"),
            }
        }
        warn!("the Lease could not be renewed in time");
    }

    /// Whether the Lease, when last seen, named another holder.
    fn is_held_by_another(&self) -> bool {
        let holder = self.observed.0.holder_identity.as_deref().unwrap_or_default();
        !holder.is_empty() && holder != self.identity
    }

    /// Takes or renews the Lease within `limit` if it is free, ours or expired. Whether it is held now.
    async fn try_hold(&mut self, limit: Duration) -> Result<bool, String> {
        self.attempted = Instant::now();
        let held = timeout(limit, self.hold()).await.map_err(|_| NO_ANSWER)??;
        if held {
            self.fence.open_until(self.attempted + self.timings.leader_elect_renew_deadline);
        }
        Ok(held)
    }

    async fn hold(&mut self) -> Result<bool, String> {
        // As a rule nobody else writes to a Lease that is held, so that it need not be read first.
        if let Some(mut lease) = self.written.take() {
            lease.spec = lease.spec.map(|spec| self.spec(spec));
            let written = self.write(lease).await;
            if let Ok(true) = written {
                return Ok(true);
            }
            self.metrics.renewed_slowly(self.name);
            written?;
        }
        let found = self.ask(self.leases.get_opt(self.name)).await?.map_err(|error| error.to_string())?;
        let is_missing = found.is_none();
        let mut lease = found.unwrap_or_default();
        // The holder of a Lease that is deleted notices only when it renews it. Until then it works.
        let spec = lease.spec.unwrap_or_else(|| self.observed.0.clone());
        if self.observed.0 != spec || is_missing && !self.is_missing {
            self.observed = (spec.clone(), Instant::now());
        }
        self.is_missing = is_missing;
        let valid = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let valid = valid.map_or(self.timings.leader_elect_lease_duration, Duration::from_secs);
        if self.is_held_by_another() && self.observed.1.elapsed() < valid {
            return Ok(false);
        }
        lease.spec = Some(self.spec(spec));
        lease.metadata.name = Some(self.name.to_owned());
        self.write(lease).await
    }

    /// Whether the Lease is there as this process wants it; not if somebody else has written it since it was read.
    async fn write(&mut self, lease: Lease) -> Result<bool, String> {
        // The resource version makes sure that of several who try only one succeeds.
        let is_there = lease.metadata.resource_version.is_some();
        let params = PostParams::default();
        let written = if is_there {
            self.ask(self.leases.replace(self.name, &params, &lease)).await?
        } else {
            self.ask(self.leases.create(&params, &lease)).await?
        };
        match written {
            Ok(lease) => {
                self.observed = (lease.spec.clone().unwrap_or_default(), Instant::now());
                self.written = Some(lease);
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 || is_there && status.code == 404 => {
                Ok(false)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits for an answer, but not so long that no other attempt fits into the renew deadline.
    async fn ask<T>(&self, request: impl Future<Output = T>) -> Result<T, String> {
        let limit = self.timings.leader_elect_renew_deadline / 2;
        timeout(limit, request).await.map_err(|_| NO_ANSWER.to_owned())
    }

    /// The Lease held by this process.
    fn spec(&self, previous: LeaseSpec) -> LeaseSpec {
        let is_ours = previous.holder_identity.as_ref() == Some(&self.identity);
        let now = MicroTime(self.environment.now());
        let seconds = self.timings.leader_elect_lease_duration.as_millis().div_ceil(1000);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(seconds).ok(),
            acquire_time: previous.acquire_time.filter(|_| is_ours).or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: previous.lease_transitions.map(|n| n + i32::from(!is_ours)).or(Some(0)),
            ..LeaseSpec::default()
        }
    }

    /// Gives the Lease up, so that another replica need not wait for it to expire. Reconciles that still run may not
    /// write any more.
    pub(crate) async fn release(&self) {
        self.fence.close();
        match timeout(RELEASE_LIMIT, self.clear()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "cannot release the Lease"),
            Err(_) => warn!("no answer to the release of the Lease"),
        }
    }

    async fn clear(&self) -> kube::Result<()> {
        let Some(mut lease) = self.leases.get_opt(self.name).await? else { return Ok(()) };
        if let Some(spec) = &mut lease.spec
            && spec.holder_identity.as_ref() == Some(&self.identity)
        {
            (spec.holder_identity, spec.lease_duration_seconds) = (None, Some(1));
            self.leases.replace(self.name, &PostParams::default(), &lease).await?;
            info!("released the Lease");
        }
        Ok(())
    }
}

/// What separates a process that does not lead from the API server. Open unless there is an election.
#[derive(Clone, Default)]
pub(crate) struct Fence(Arc<watch::Sender<Option<Instant>>>);

impl Fence {
    /// Closes it until this process leads, if it ever does.
    fn close(&self) {
        self.open_until(Instant::now());
    }

    pub(crate) fn open_until(&self, end: Instant) {
        self.0.send_replace(Some(end));
    }

    /// How long writes may pass if nothing changes.
    pub(crate) fn time_left(&self) -> Duration {
        let end = *self.0.borrow();
        end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }

    /// Resolves when it is closed, or at once if it is.
    pub(crate) async fn closed(&self) {
        let mut changes = self.0.subscribe();
        let mut next = pin!(async {
            while !self.time_left().is_zero() {
                let _ = timeout(self.time_left(), changes.changed()).await;
            }
        });
        poll_fn(|context| {
            // The clock is asked each time: after the process was frozen, timers fire too late.
            if self.time_left().is_zero() { Poll::Ready(()) } else { next.as_mut().poll(context) }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Method, Request, Response};
    use futures::FutureExt as _;
    use futures::future::pending;
    use k8s_openapi::jiff::Timestamp;
    use kube::client::Body;
    use parking_lot::Mutex;
    use serde_json::json;
    use tower::service_fn;

    type Server = Arc<Mutex<Lease>>;

    /// An election by the one Lease that an API server has.
    fn election(holder: &str) -> (Elector, Server) {
        slow_election(holder, Duration::from_millis(20))
    }

    /// One in which writes take so long.
    fn slow_election(holder: &str, latency: Duration) -> (Elector, Server) {
        let spec = json!({ "holderIdentity": holder, "leaseDurationSeconds": 1, "leaseTransitions": 4,
            "renewTime": "1970-01-01T00:00:00.000000Z" });
        let lease = json!({ "metadata": { "name": "test", "resourceVersion": "1" }, "spec": spec });
        let server = Arc::new(Mutex::new(serde_json::from_value(lease).expect("a Lease")));
        let lease: Server = server.clone();
        let answer = service_fn(move |request: Request<Body>| {
            let lease = lease.clone();
            async move {
                if *request.method() == Method::PUT {
                    let body = request.into_body().collect_bytes().await?;
                    let mut written: Lease = serde_json::from_slice(&body).expect("a Lease");
                    if written.metadata.resource_version != lease.lock().metadata.resource_version {
                        let status = json!({ "code": 409, "message": "", "reason": "Conflict" }).to_string();
                        let conflict = Response::builder().status(409).body(Body::from(status.into_bytes()));
                        return Ok(conflict.expect("an answer"));
                    }
                    changed(&mut written);
                    *lease.lock() = written;
                    sleep(latency).await;
                }
                let body = serde_json::to_vec(&*lease.lock()).expect("JSON");
                Ok::<_, kube::Error>(Response::new(Body::from(body)))
            }
        });
        let options = Options::for_tests(["--leader-election-namespace=test"]);
        let client = Client::new(answer, "test");
        let elector = Elector::new(
            client,
            "test",
            None,
            &options,
            Fence::default(),
            Environment::default(),
            Arc::default(),
        )
        .expect("an election");
        (elector, server)
    }

    fn changed(lease: &mut Lease) {
        let version = lease.metadata.resource_version.get_or_insert_default();
        *version = (version.parse::<u64>().expect("a number") + 1).to_string();
    }

    async fn tries(elector: &mut Elector) -> bool {
        elector.try_hold(Duration::from_secs(5)).await.expect("an answer")
    }

    #[tokio::test]
    async fn a_lease_is_taken_when_no_change_was_seen_for_its_duration() {
        let (mut elector, server) = election("other");
        // Whatever the other one's clock says.
        assert!(!tries(&mut elector).await);
        sleep(Duration::from_millis(600)).await;
        let renewed = Some(MicroTime(Timestamp::UNIX_EPOCH + Duration::from_secs(1)));
        server.lock().spec.as_mut().expect("a spec").renew_time = renewed;
        assert!(!tries(&mut elector).await);
        sleep(Duration::from_millis(600)).await;
        assert!(!tries(&mut elector).await, "it was renewed");
        assert!(elector.fence.time_left().is_zero());
        sleep(Duration::from_millis(600)).await;
        assert!(tries(&mut elector).await);
        assert!(!elector.fence.time_left().is_zero());
        assert_eq!(elector.observed.0.lease_transitions, Some(5));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_slow_answers_keeps_the_lead() {
        let (mut elector, _server) = slow_election("", Duration::from_millis(4500));
        assert!(elector.acquire(pending().boxed().shared()).await);
        let lost = timeout(Duration::from_secs(120), elector.renew()).await;
        assert!(lost.is_err(), "a write takes less than half of the renew deadline, {:?}", elector.timings);
        let (mut elector, _server) = slow_election("", Duration::from_millis(5500));
        assert!(elector.try_hold(Duration::from_secs(10)).await.is_err());
    }

    #[tokio::test]
    async fn after_a_theft_nothing_is_written() {
        let (mut elector, server) = election("");
        elector.timings.leader_elect_retry_period = Duration::from_millis(10);
        assert!(tries(&mut elector).await, "it is free");
        let thief = Some("thief".to_owned());
        server.lock().spec.as_mut().expect("a spec").holder_identity = thief;
        changed(&mut server.lock());
        timeout(Duration::from_secs(5), elector.renew()).await.expect("an end");
        assert!(elector.fence.time_left().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_while_taking_the_lease_gives_it_up() {
        let (mut elector, server) = election("");
        let holder = move || server.lock().spec.clone().expect("a spec").holder_identity;
        let seen = holder.clone();
        let taken = async move {
            while seen().is_none_or(|holder| holder.is_empty()) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        assert!(!elector.acquire(taken.boxed().shared()).await);
        assert_eq!(holder(), None);
        assert!(elector.fence.time_left().is_zero());
    }

    #[tokio::test]
    async fn after_the_release_nothing_is_written() {
        let (mut elector, server) = election("");
        assert!(tries(&mut elector).await, "it is free");
        let fence = elector.fence.clone();
        elector.release().await;
        assert!(fence.time_left().is_zero());
        let spec = server.lock().spec.clone().expect("a spec");
        assert_eq!((spec.holder_identity, spec.lease_duration_seconds), (None, Some(1)));
    }
}
