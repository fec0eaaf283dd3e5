//! Where a story is told once: a namespace, an operator that watches it, and a proxy between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{self, Discovery, Scope};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::snapshot::Snapshot;
use super::{Environment, Story};
use crate::{AuditEvent, ControlPlane, Operator, Proxy, ensure, within};

/// How long the operator may take to bring about what a step asks for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the environment acts.
const ACT: Duration = Duration::from_millis(100);
/// Differences that are named.
const DIFFERENCES: usize = 8;

/// A type of objects, and whether they are in namespaces.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kind {
    resource: ApiResource,
    is_namespaced: bool,
}

/// A namespace in which a story is told once.
pub(super) struct Stage<'a> {
    control_plane: &'a ControlPlane,
    story: &'a Story,
    pub(super) proxy: Proxy,
    /// The namespace is called so, and the operator in the API server's records.
    name: String,
    subject: Kind,
    /// The version of the cluster before it began: what has an older one is no part of the story.
    since: u128,
    acting: Option<JoinHandle<()>>,
}

impl<'a> Stage<'a> {
    pub(super) async fn new(
        control_plane: &'a ControlPlane,
        story: &'a Story,
        name: String,
    ) -> Result<Self, String> {
        let client = control_plane.client();
        control_plane.create_namespace(&name).await;
        for object in &story.given {
            control_plane.apply_within(&name, object).await;
        }
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let listed = namespaces.list_metadata(&ListParams::default().limit(1)).await.map_err(text)?;
        let since = version(listed.metadata.resource_version.as_deref());
        let types = story.steps[0].types.clone().ok_or("the object has no `apiVersion` and `kind`")?;
        let kind = GroupVersionKind::try_from(types).map_err(text)?;
        let (resource, capabilities) = discovery::pinned_kind(&client, &kind).await.map_err(text)?;
        let subject = Kind { resource, is_namespaced: capabilities.scope == Scope::Namespaced };
        let acting = story.environment.clone().map(|environment| {
            let (client, namespace) = (client.clone(), name.clone());
            tokio::spawn(act(environment, client, namespace))
        });
        let proxy = Proxy::start(control_plane, &name).await;
        Ok(Self { control_plane, story, proxy, name, subject, since, acting })
    }

    pub(super) fn is_namespaced(&self) -> bool {
        self.subject.is_namespaced
    }

    /// Starts the operator behind the proxy, without waiting for it.
    pub(super) fn launch(&self) -> Operator {
        let scope = format!("--watch-namespace={}", self.name);
        let mut args: Vec<&str> = self.story.args.iter().map(String::as_str).collect();
        if self.is_namespaced() {
            args.push(&scope);
        }
        Operator::launch(self.control_plane, &self.proxy.kubeconfig(self.control_plane), &args)
    }

    /// Starts the operator behind the proxy, and waits until it is ready.
    pub(super) async fn operator(&self) -> Operator {
        let mut operator = self.launch();
        operator.ready().await;
        operator
    }

    fn api(&self, kind: &Kind) -> Api<DynamicObject> {
        let client = self.control_plane.client();
        // What an object of the cluster owns may be in any namespace.
        if kind.is_namespaced && self.is_namespaced() {
            Api::namespaced_with(client, &self.name, &kind.resource)
        } else {
            Api::all_with(client, &kind.resource)
        }
    }

    fn subject_name(&self) -> String {
        self.story.steps[0].name_any()
    }

    /// The object of the story, if it is there.
    pub(super) async fn subject(&self) -> Result<Option<DynamicObject>, String> {
        self.api(&self.subject).get_opt(&self.subject_name()).await.map_err(text)
    }

    /// Makes the object what a step says, as its user.
    pub(super) async fn write(&self, step: usize) -> Result<(), String> {
        let mut object = self.story.steps[step].clone();
        object.metadata.namespace = self.is_namespaced().then(|| self.name.clone());
        let params = PatchParams::apply("user").force();
        let name = self.subject_name();
        let written = self.api(&self.subject).patch(&name, &params, &Patch::Apply(&object)).await;
        written.map(drop).map_err(|error| format!("step {}: {error}", step + 1))
    }

    /// Asks for the object to be deleted.
    pub(super) async fn delete(&self) -> Result<(), String> {
        let deleted = self.api(&self.subject).delete(&self.subject_name(), &DeleteParams::default()).await;
        deleted.map(drop).map_err(text)
    }

    /// Waits until the object is gone.
    pub(super) async fn gone(&self) -> Result<(), String> {
        within(PATIENCE, "the object is gone", async || {
            let left = self.subject().await?;
            ensure(left.is_none(), &left)
        })
        .await
    }

    /// Deletes what belongs to objects that are gone, as the garbage collector would.
    pub(super) async fn collect_garbage(&self, kinds: &[Kind]) -> Result<(), String> {
        let alive: BTreeSet<_> = self.objects(kinds).await?.iter().filter_map(ResourceExt::uid).collect();
        for kind in kinds {
            for object in self.list(kind).await? {
                let owners = object.owner_references();
                if owners.is_empty() || owners.iter().any(|owner| alive.contains(&owner.uid)) {
                    continue;
                }
                let api: Api<DynamicObject> = match &object.metadata.namespace {
                    Some(namespace) => {
                        Api::namespaced_with(self.control_plane.client(), namespace, &kind.resource)
                    }
                    None => self.api(kind),
                };
                // Somebody may have been faster.
                let _ = api.delete(&object.name_any(), &DeleteParams::default()).await;
            }
        }
        Ok(())
    }

    async fn list(&self, kind: &Kind) -> Result<Vec<DynamicObject>, String> {
        let found = self.api(kind).list(&ListParams::default()).await.map_err(text)?;
        let is_new =
            |object: &DynamicObject| version(object.metadata.resource_version.as_deref()) > self.since;
        let named = |mut object: DynamicObject| {
            object.types.get_or_insert_with(|| kube::api::TypeMeta {
                api_version: kind.resource.api_version.clone(),
                kind: kind.resource.kind.clone(),
            });
            object
        };
        Ok(found.items.into_iter().filter(is_new).map(named).collect())
    }

    /// All objects of these types.
    pub(super) async fn objects(&self, kinds: &[Kind]) -> Result<Vec<DynamicObject>, String> {
        let mut objects = Vec::new();
        for kind in kinds {
            objects.extend(self.list(kind).await?);
        }
        Ok(objects)
    }

    /// What there is.
    pub(super) async fn snapshot(&self, kinds: &[Kind]) -> Result<Snapshot, String> {
        let objects = self.objects(kinds).await?.iter().map(|object| json!(object)).collect();
        Ok(Snapshot::new(objects, &self.name, &self.story.ignored))
    }

    /// Waits until there is what is expected.
    pub(super) async fn becomes(
        &self,
        what: &str,
        kinds: &[Kind],
        expected: &Snapshot,
    ) -> Result<(), String> {
        let reached = within(PATIENCE, what, async || {
            let seen = expected.differences(&self.snapshot(kinds).await?, DIFFERENCES);
            if seen.is_empty() { Ok(()) } else { Err(format!("\n  {}", seen.join("\n  "))) }
        });
        reached.await
    }

    /// Waits until nothing has been written for a while.
    pub(super) async fn settles(&self, what: &str) -> Result<(), String> {
        let (mut count, mut since) = (self.writes().len(), tokio::time::Instant::now());
        within(PATIENCE * 2, &format!("{what}: nothing more is written"), async || {
            let now = self.writes();
            if now.len() > count {
                (count, since) = (now.len(), tokio::time::Instant::now());
            }
            ensure(since.elapsed() > self.story.quiet, &now.last().map(AuditEvent::to_string))
        })
        .await
    }

    /// What the operator of this telling wrote.
    pub(super) fn writes(&self) -> Vec<AuditEvent> {
        let requests = self.control_plane.audit_log();
        requests.into_iter().filter(|request| request.agent == self.name && request.writes()).collect()
    }

    /// How often the operator made and deleted objects of each type.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for write in self.writes().iter().filter(|write| !is_of_the_operator(write)) {
            let verb = match write.verb.as_str() {
                _ if write.created() => "creations",
                "delete" if write.succeeded() => "deletions",
                _ => continue,
            };
            *counts.entry(format!("{verb} of {}", write.resource)).or_default() += 1;
        }
        counts
    }

    /// How often each reason stands in the Events about the object that report no problem.
    pub(super) async fn events(&self) -> Result<BTreeMap<String, usize>, String> {
        let uid = self.subject().await?.and_then(|object| object.uid());
        let events: Api<Event> = Api::all(self.control_plane.client());
        let mut counts = BTreeMap::new();
        for event in events.list(&ListParams::default()).await.map_err(text)?.items {
            let regarding = event.regarding.and_then(|object| object.uid);
            if regarding == uid && event.type_.as_deref() == Some("Normal") {
                *counts.entry(event.reason.unwrap_or_default()).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// The types of the object and of all that the operator has written so far.
    pub(super) async fn kinds(&self) -> Result<Vec<Kind>, String> {
        let writes = self.writes();
        let written: BTreeSet<_> = writes
            .iter()
            .filter(|write| !is_of_the_operator(write))
            .map(|write| (write.group.as_str(), write.resource.split('/').next().unwrap_or_default()))
            .collect();
        let discovery = Discovery::new(self.control_plane.client()).run().await.map_err(text)?;
        let mut kinds = vec![self.subject.clone()];
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                let kind = Kind { resource, is_namespaced: capabilities.scope == Scope::Namespaced };
                let is_written =
                    written.contains(&(kind.resource.group.as_str(), kind.resource.plural.as_str()));
                let is_subject = (&kind.resource.group, &kind.resource.plural)
                    == (&self.subject.resource.group, &self.subject.resource.plural);
                // Objects outside of the namespace are not this telling's alone.
                if is_written && !is_subject && (kind.is_namespaced || !self.is_namespaced()) {
                    kinds.push(kind);
                }
            }
        }
        Ok(kinds)
    }

    /// Puts an annotation into the object at that path of the API, as somebody else; the object, if there is one.
    pub(super) async fn touch(&self, path: &str, annotation: &str, value: &str) -> Option<Value> {
        let body = json!({ "metadata": { "annotations": { annotation: value } } });
        let request = hyper::Request::patch(path).header("Content-Type", "application/merge-patch+json");
        let request = request.body(body.to_string().into_bytes()).ok()?;
        self.control_plane.client().request(request).await.ok()
    }

    /// The object at that path of the API.
    pub(super) async fn get(&self, path: &str) -> Option<Value> {
        let request = hyper::Request::get(path).body(Vec::new()).ok()?;
        self.control_plane.client().request(request).await.ok()
    }

    /// How long the operator is watched once all is as it should be.
    pub(super) fn quiet(&self) -> Duration {
        self.story.quiet
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if let Some(acting) = self.acting.take() {
            acting.abort();
        }
    }
}

async fn act(environment: Arc<Environment>, client: Client, namespace: String) {
    loop {
        environment(client.clone(), namespace.clone()).await;
        tokio::time::sleep(ACT).await;
    }
}

/// Whether it is about what an operator keeps for itself: Events and Leases.
pub(super) fn is_of_the_operator(write: &AuditEvent) -> bool {
    ["events", "leases"].contains(&write.resource.as_str()) || write.group.ends_with("authentication.k8s.io")
}

/// Versions grow; what has none is the newest.
fn version(version: Option<&str>) -> u128 {
    version.and_then(|version| version.parse().ok()).unwrap_or(u128::MAX)
}

/// For `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn text(error: impl ToString) -> String {
    error.to_string()
}
