//! Leader election: of several replicas only the one that holds a Lease works.
//!
//! It follows client-go. Whether another holder's claim has run out is judged by when this process saw the Lease change
//! last, on its own steady clock: clocks of different machines are never compared.

use super::queue::jitter;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// A claim that was not renewed for this time has run out.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A leader that could not renew its claim for this time stops leading: well before others may begin.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Time between two attempts.
const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// One replica's part in the election.
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: Arc<str>,
    /// The Lease as it was when it changed last, and when this process saw that.
    observed: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// A candidate of this identity, which no other replica may have.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str, identity: Arc<str>) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity,
            observed: None,
        }
    }

    /// Waits until this replica leads.
    pub async fn acquire(&mut self) {
        let mut standing_by = false;
        while !self.attempt_in(RENEW_DEADLINE).await {
            if let Some(holder) = self.holder().filter(|_| !standing_by) {
                tracing::info!(lease = self.name, holder, "standing by");
                standing_by = true;
            }
            sleep(jitter(RETRY_PERIOD)).await;
        }
        tracing::info!(lease = self.name, identity = %self.identity, "leading");
    }

    /// Renews the claim for as long as that works. Returns when this replica must no longer act as the leader.
    pub async fn keep(&mut self) {
        let mut renewed = Instant::now();
        loop {
            sleep(RETRY_PERIOD).await;
            let Some(left) = RENEW_DEADLINE.checked_sub(renewed.elapsed()) else {
                return;
            };
            if self.attempt_in(left).await {
                renewed = Instant::now();
            } else if self.holder().is_some_and(|holder| holder != &*self.identity) {
                return;
            }
        }
    }

    /// Gives the claim up, so that another replica need not wait for it to run out.
    pub async fn release(&mut self) {
        let release = async {
            let Some(mut lease) = self.api.get_opt(&self.name).await? else {
                return Ok(());
            };
            let mut spec = spec_of(&lease);
            if spec.holder_identity.as_deref() != Some(&*self.identity) {
                return Ok(());
            }
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
            spec.renew_time = Some(MicroTime(Timestamp::now()));
            lease.spec = spec.into();
            self.api
                .replace(&self.name, &PostParams::default(), &lease)
                .await
                .map(|_| ())
        };
        match timeout(RETRY_PERIOD, release).await {
            Ok(Ok(())) => tracing::info!(lease = self.name, "released the lease"),
            Ok(Err(error)) => tracing::warn!(error = %super::chain(&error), "could not release the lease"),
            Err(_) => tracing::warn!(error = "no answer in time", "could not release the lease"),
        }
    }

    fn holder(&self) -> Option<&str> {
        let (spec, _) = self.observed.as_ref()?;
        spec.holder_identity
            .as_deref()
            .filter(|holder| !holder.is_empty())
    }

    async fn attempt_in(&mut self, time: Duration) -> bool {
        match timeout(time, self.attempt()).await {
            Ok(Ok(leads)) => leads,
            Ok(Err(kube::Error::Api(status))) if status.is_conflict() || status.is_already_exists() => false,
            Ok(Err(error)) => {
                tracing::warn!(lease = self.name, error = %super::chain(&error), "could not use the lease");
                false
            }
            Err(_) => false,
        }
    }

    /// Takes or renews the Lease if it is free, has run out or is ours. The resource version in what is sent makes sure
    /// that nobody else did meanwhile.
    async fn attempt(&mut self) -> Result<bool, kube::Error> {
        let params = PostParams::default();
        let now = MicroTime(Timestamp::now());
        let mut claim = LeaseSpec {
            holder_identity: Some(self.identity.to_string()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(0),
            ..LeaseSpec::default()
        };
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            let metadata = ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            };
            let lease = Lease {
                metadata,
                spec: claim.into(),
            };
            let created = self.api.create(&params, &lease).await?;
            self.observe(spec_of(&created));
            return Ok(true);
        };
        let spec = spec_of(&lease);
        self.observe(spec.clone());
        let is_ours = self.holder() == Some(&*self.identity);
        let has_run_out = self
            .observed
            .as_ref()
            .is_none_or(|(_, since)| since.elapsed() >= LEASE_DURATION);
        if self.holder().is_some() && !is_ours && !has_run_out {
            return Ok(false);
        }
        let transitions = spec.lease_transitions.unwrap_or(0);
        if is_ours {
            claim.acquire_time = spec.acquire_time;
            claim.lease_transitions = Some(transitions);
        } else {
            claim.lease_transitions = Some(transitions.saturating_add(1));
        }
        lease.spec = claim.into();
        let replaced = self.api.replace(&self.name, &params, &lease).await?;
        self.observe(spec_of(&replaced));
        Ok(true)
    }

    fn observe(&mut self, spec: LeaseSpec) {
        if self.observed.as_ref().is_none_or(|(known, _)| *known != spec) {
            self.observed = Some((spec, Instant::now()));
        }
    }
}

fn spec_of(lease: &Lease) -> LeaseSpec {
    let spec: Option<&LeaseSpec> = (&lease.spec).into();
    spec.cloned().unwrap_or_default()
}
