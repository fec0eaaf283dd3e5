//! Children: made and kept as they are desired, and deleted when they are not desired any more.

use std::ops::Deref;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use serde_json::{Value, json};
use tracing::debug;

use crate::context::{Context, failed};
use crate::derivative::rewritten;
use crate::errors::{ApplyError, Stale, TerminalError};
use crate::events::fingerprint;
use crate::object::{Object, ObjectKey, controller_of};
use crate::rest;
use crate::store::{Store, is_held_alike};
use crate::unanswered::Write;

/// A version that no object has: etcd's first revision precedes everything that is in it. An apply that names it changes
/// nothing that is there, whoever made it, and creates what is not.
const NEVER: &str = "1";

/// What became of a child.
#[derive(Clone, Debug)]
pub struct Applied<C> {
    /// As it is now.
    pub object: Arc<C>,
    /// What it took.
    pub operation: Operation,
    /// As it was before, if it was changed.
    pub previous: Option<Arc<C>>,
}

/// What it took to make a child as it is desired, as controller-runtime's `OperationResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Nothing.
    Unchanged,
    /// It was created.
    Created,
    /// It was changed.
    Updated,
}

impl<C> Deref for Applied<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.object
    }
}

impl<K: Object> Context<K> {
    /// Makes `desired` so, as a child that the object controls, and takes away what was applied before and is not desired
    /// any more. What others have written into the child stays. Nothing is written if all is as it should be.
    ///
    /// The child gets the object as its owner, and its namespace unless it names one.
    ///
    /// # Errors
    /// [`ApplyError::Taken`] if there is an object of that name which the object does not control; it is left alone. When it
    /// goes, or changes hands, the reconcile is called again.
    pub fn apply<'a, C: Object>(
        &'a self,
        store: &'a Store<C>,
        desired: C,
    ) -> impl Future<Output = Result<Applied<C>, ApplyError>> + Send + 'a {
        let desired = self.desired(store, desired);
        async move { self.apply_or(store, desired?, false).await }
    }

    /// As [`Context::apply`], but an object of that name which nobody controls becomes the child.
    ///
    /// # Errors
    /// [`ApplyError::Taken`] if somebody else controls it.
    pub fn adopt<'a, C: Object>(
        &'a self,
        store: &'a Store<C>,
        desired: C,
    ) -> impl Future<Output = Result<Applied<C>, ApplyError>> + Send + 'a {
        let desired = self.desired(store, desired);
        async move { self.apply_or(store, desired?, true).await }
    }

    async fn apply_or<C: Object>(
        &self,
        store: &Store<C>,
        (key, mut desired): (ObjectKey, Value),
        adopts: bool,
    ) -> Result<Applied<C>, ApplyError> {
        let (manager, dynamic_type) = (&self.shared.field_manager, store.dynamic_type());
        let owner = self.object.meta().uid.as_deref().unwrap_or_default();
        let fingerprint = fingerprint(&[&desired.to_string()]);

        let mut found = store.get(&key).filter(|known| self.controls(known.meta()));
        // A creation finds out whether the name is free. It is not tried where a child may be there and unknown: not everything
        // is kept, a write may not have been answered, and what is somebody else's may become the child.
        let may_be_there = || {
            let of = self.shared.store.dynamic_type();
            adopts
                || !store.keeps_children(&key, &K::group(of), &K::kind(of))
                || store.is_waited_for(&key)
                || store.unanswered().has(&key)
        };
        if found.is_none() && may_be_there() {
            found = self.find(store, &key).await?;
        }
        if found.is_none() {
            if let Some(created) = self.create(store, &key, &mut desired, fingerprint).await? {
                return Ok(created);
            }
            found = self.find(store, &key).await?;
        }
        let current = found.ok_or(Stale)?;
        let is_free = controller_of(current.meta()).is_none();
        if !(self.controls(current.meta()) || (adopts && is_free)) {
            store.unanswered().take(&key, owner);
            store.wait_for(&key, current.meta(), self.shared.echoes.queue(), ObjectKey::of(&*self.object));
            // It may have changed hands before anybody waited.
            let now = self.get::<C>(dynamic_type, &key).await?;
            if now.is_none_or(|now| !is_held_alike(now.meta(), current.meta())) {
                return Err(Stale.into());
            }
            return Err(ApplyError::Taken { kind: C::kind(dynamic_type).into_owned(), key });
        }
        let is_due = store.contention().is_due(&key, owner, fingerprint);
        if !is_due && store.fulfils(&current, manager, false, &desired, fingerprint) {
            self.contends(store, &key, fingerprint);
            let (operation, previous) = made(&*current, store.unanswered().take(&key, owner));
            return Ok(Applied { object: current, operation, previous });
        }
        if store.contention().waits(&key, owner, fingerprint) {
            self.contends(store, &key, fingerprint);
            return Ok(Applied { object: current, operation: Operation::Unchanged, previous: None });
        }
        self.ensure_current().await?;
        // Another one may have taken its place, or somebody may have changed it.
        desired["metadata"]["uid"] = json!(current.meta().uid);
        desired["metadata"]["resourceVersion"] = json!(current.meta().resource_version);
        let known = current.meta().resource_version.clone();
        let change = Write::Change(current);
        let is_first = store.unanswered().begin(&key, owner, change.clone());
        let updated = self.write::<C>(dynamic_type, &key, &desired).await;
        let sent = store.unanswered().end(&key, is_first, &updated);
        let updated = match updated {
            Ok(updated) => updated,
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                debug!(%key, "the object has changed, which will be heard of");
                return Err(Stale.into());
            }
            Err(error) => return Err(failed::<C>("update", dynamic_type, error)),
        };
        let rewritten = rewritten(&desired, &updated);
        let object = store.mutation(updated, Some((manager, false, fingerprint)));
        if !rewritten.is_empty() || object.meta().resource_version != known {
            store.contention().corrected(&key, owner, fingerprint, rewritten);
            self.contends(store, &key, fingerprint);
        }
        let (operation, previous) = made(&*object, sent.or(Some(change)));
        Ok(Applied { object, operation, previous })
    }

    /// Creates a child, unless there is an object of its name.
    async fn create<C: Object>(
        &self,
        store: &Store<C>,
        key: &ObjectKey,
        desired: &mut Value,
        fingerprint: u64,
    ) -> Result<Option<Applied<C>>, ApplyError> {
        let (manager, dynamic_type) = (&self.shared.field_manager, store.dynamic_type());
        let owner = self.object.meta().uid.as_deref().unwrap_or_default();
        self.ensure_current().await?;
        desired["metadata"]["resourceVersion"] = json!(NEVER);
        let is_first = store.unanswered().begin(key, owner, Write::Creation);
        let created = self.write::<C>(dynamic_type, key, desired).await;
        store.unanswered().end(key, is_first, &created);
        // It says nothing about what is there instead.
        desired["metadata"].as_object_mut().map(|metadata| metadata.remove("resourceVersion"));
        let created = match created {
            Ok(created) => created,
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                // Should it be a child, it counts as created here: the client may have sent this twice.
                debug!(%key, %status, "there is an object of that name");
                return Ok(None);
            }
            Err(error) => return Err(failed::<C>("create", dynamic_type, error)),
        };
        let rewritten = rewritten(desired, &created);
        let object = store.mutation(created, Some((manager, false, fingerprint)));
        if !rewritten.is_empty() {
            store.contention().corrected(key, owner, fingerprint, rewritten);
            self.contends(store, key, fingerprint);
        }
        Ok(Some(Applied { object, operation: Operation::Created, previous: None }))
    }

    /// Deletes the children of the store that are not to be kept; the result is those that were.
    ///
    /// # Errors
    /// When the object is not current, or the API server refuses or does not answer.
    pub async fn prune<C: Object>(
        &self,
        store: &Store<C>,
        keep: impl Fn(&C) -> bool,
    ) -> Result<Vec<Arc<C>>, ApplyError> {
        let owner = self.object.meta().uid.as_deref().unwrap_or_default();
        let mut deleted: Vec<Arc<C>> = Vec::new();
        for child in store.owned_by(owner) {
            if keep(&child) || child.meta().deletion_timestamp.is_some() {
                continue;
            }
            self.ensure_current().await?;
            // Only this very object as it is known: it may have been replaced, or given to another owner.
            let metadata = child.meta().clone();
            let preconditions =
                Preconditions { uid: metadata.uid, resource_version: metadata.resource_version };
            let params = DeleteParams {
                preconditions: Some(preconditions),
                propagation_policy: Some(PropagationPolicy::Background),
                ..DeleteParams::default()
            };
            let (key, dynamic_type) = (ObjectKey::of(&*child), store.dynamic_type());
            let is_first = store.unanswered().begin(&key, owner, Write::Deletion(child.clone()));
            let answer = rest::delete::<C>(&self.shared.client, dynamic_type, &key, &params).await;
            store.unanswered().end(&key, is_first, &answer);
            match answer {
                Ok(()) => {}
                Err(kube::Error::Api(status)) if status.is_not_found() => {
                    store.deletion(&child);
                    continue;
                }
                Err(kube::Error::Api(status)) if status.is_conflict() => {
                    debug!(%key, "the object has changed, which will be heard of");
                    continue;
                }
                Err(error) => {
                    // The next attempt tells of them.
                    for child in deleted {
                        store.unanswered().begin(&ObjectKey::of(&*child), owner, Write::Deletion(child));
                    }
                    return Err(failed::<C>("delete", dynamic_type, error));
                }
            }
            store.deletion(&child);
            deleted.push(child);
        }
        let is_there = |child: &C| {
            store.get(&ObjectKey::of(child)).is_some_and(|known| known.meta().uid == child.meta().uid)
        };
        deleted.extend(store.unanswered().take_deleted(owner, |child| !is_there(child)));
        Ok(deleted)
    }

    /// Whether the object controls what has this metadata.
    #[must_use]
    pub fn controls(&self, metadata: &ObjectMeta) -> bool {
        let uid = self.object.meta().uid.as_ref();
        controller_of(metadata).is_some_and(|owner| Some(&owner.uid) == uid)
    }

    /// The key of a child, and what is sent for it, so that nobody holds the child itself while waiting.
    fn desired<C: Object>(
        &self,
        store: &Store<C>,
        mut desired: C,
    ) -> Result<(ObjectKey, Value), TerminalError> {
        self.own(store, desired.meta_mut())?;
        Ok((ObjectKey::of(&desired), body(&desired, store.dynamic_type())?))
    }

    /// Completes the metadata of a child.
    fn own<C: Object>(&self, store: &Store<C>, metadata: &mut ObjectMeta) -> Result<(), TerminalError> {
        let (owner, dynamic_type) = (self.object.meta(), self.shared.store.dynamic_type());
        if metadata.name.as_deref().unwrap_or_default().is_empty() {
            return Err(TerminalError::new(format!("a {} needs a name", C::kind(store.dynamic_type()))));
        }
        if !store.is_namespaced() {
            metadata.namespace = None;
        } else if metadata.namespace.is_none() {
            metadata.namespace.clone_from(&owner.namespace);
        }
        let is_elsewhere = owner.namespace.is_some() && metadata.namespace != owner.namespace;
        if is_elsewhere || (store.is_namespaced() && metadata.namespace.is_none()) {
            let (kind, of) = (C::kind(store.dynamic_type()), K::kind(dynamic_type));
            let place = metadata.namespace.as_deref().unwrap_or("no namespace");
            let message = format!(
                "a {of} cannot own a {kind} in {place}: owners are in the same namespace, or in none"
            );
            return Err(TerminalError::new(message));
        }
        let reference = OwnerReference {
            api_version: K::api_version(dynamic_type).into_owned(),
            kind: K::kind(dynamic_type).into_owned(),
            name: owner.name.clone().unwrap_or_default(),
            uid: owner.uid.clone().unwrap_or_default(),
            controller: Some(true),
            // The garbage collector deletes what is owned before the owner, if asked to wait.
            block_owner_deletion: Some(true),
        };
        let owners = metadata.owner_references.get_or_insert_default();
        owners.retain(|other| other.uid != reference.uid && other.controller != Some(true));
        owners.push(reference);
        Ok(())
    }

    /// The object of that key, whoever made it, as the API server has it.
    async fn find<C: Object>(&self, store: &Store<C>, key: &ObjectKey) -> Result<Option<Arc<C>>, ApplyError> {
        let found = self.get::<C>(store.dynamic_type(), key).await?;
        Ok(found.map(|found| store.mutation(found, None)))
    }

    async fn get<C: Object>(
        &self,
        dynamic_type: &C::DynamicType,
        key: &ObjectKey,
    ) -> Result<Option<C>, ApplyError> {
        let found = rest::get_opt::<C>(&self.shared.client, dynamic_type, key).await;
        found.map_err(|error| failed::<C>("get", dynamic_type, error))
    }

    /// Server-side apply: what others have written into the object stays.
    async fn write<C: Object>(
        &self,
        dynamic_type: &C::DynamicType,
        key: &ObjectKey,
        body: &Value,
    ) -> kube::Result<C> {
        let params = PatchParams::apply(&self.shared.field_manager).force();
        rest::patch::<C>(&self.shared.client, dynamic_type, key, None, &params, &Patch::Apply(body)).await
    }
}

/// What it took to make the object as it is now, if that was first tried by what was `sent`; and how it was before.
fn made<C: Object>(object: &C, sent: Option<Write<C>>) -> (Operation, Option<Arc<C>>) {
    match sent {
        Some(Write::Creation) => (Operation::Created, None),
        // The API server may write a value in another form, such as `1000m` as `1`: then nothing has changed.
        Some(Write::Change(before)) if before.meta().resource_version != object.meta().resource_version => {
            (Operation::Updated, Some(before))
        }
        _ => (Operation::Unchanged, None),
    }
}

/// What is sent: with its type, and without a status.
fn body<C: Object>(desired: &C, dynamic_type: &C::DynamicType) -> Result<Value, TerminalError> {
    let mut body = serde_json::to_value(desired).map_err(TerminalError::new)?;
    let Value::Object(fields) = &mut body else {
        return Err(TerminalError::new("what is desired is not an object"));
    };
    fields.remove("status");
    fields.insert("apiVersion".to_owned(), C::api_version(dynamic_type).into());
    fields.insert("kind".to_owned(), C::kind(dynamic_type).into());
    Ok(body)
}
