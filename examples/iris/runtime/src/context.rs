//! What a reconcile works with: helpers that write children, status and finalizers safely, on behalf of one object.

use std::sync::{Arc, OnceLock};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Client;
use kube::runtime::events::EventType;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::conditions::Conditions;
use crate::contention::Found;
use crate::echo::Echoes;
use crate::environment::Environment;
use crate::errors::{ApplyError, Stale};
use crate::events::{Recorder, Regarding};
use crate::leader::Fence;
use crate::object::{Object, ObjectKey};
use crate::rest;
use crate::steps::Steps;
use crate::store::Store;

/// What the reconciles of one controller share.
pub(crate) struct Shared<K: Object> {
    pub(crate) client: Client,
    pub(crate) recorder: Recorder,
    /// Who owns the fields that this controller writes.
    pub(crate) field_manager: String,
    pub(crate) fence: Fence,
    pub(crate) store: Store<K>,
    pub(crate) echoes: Arc<Echoes>,
    pub(crate) environment: Environment,
}

/// One reconcile of one object, and what it may do.
///
/// Nothing is written on the word of an old copy: before the first write of a child the API server is asked whether the
/// object is still what is known here, and a status is written to the version that is known and to no other. Where the object
/// has changed, the helpers fail with [`Stale`], and the reconcile is called again in a moment.
pub struct Context<K: Object> {
    pub(crate) object: Arc<K>,
    pub(crate) shared: Arc<Shared<K>>,
    is_current: OnceCell<bool>,
    /// The conditions of the object's status, whatever fields they have.
    conditions: OnceLock<Vec<Value>>,
    /// The children that are not left as they are desired.
    pub(crate) contended: Mutex<Found>,
}

impl<K: Object> Context<K> {
    pub(crate) fn new(object: Arc<K>, shared: Arc<Shared<K>>) -> Self {
        Self {
            object,
            shared,
            is_current: OnceCell::new(),
            conditions: OnceLock::new(),
            contended: Mutex::default(),
        }
    }

    /// The connection to the API server. It writes only while this process leads.
    #[must_use]
    pub fn client(&self) -> Client {
        self.shared.client.clone()
    }

    /// The object that is reconciled.
    #[must_use]
    pub fn object(&self) -> &Arc<K> {
        &self.object
    }

    /// The conditions that the object's status has, to set some of.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        let known = Value::Array(self.known_conditions().to_vec());
        let known: Vec<Condition> = serde_json::from_value(known).unwrap_or_default();
        Conditions::new(known, self.object.meta().generation).at(self.shared.environment.clone())
    }

    /// The conditions as the API server has them: the object is looked through once for each reconcile.
    pub(crate) fn known_conditions(&self) -> &[Value] {
        self.conditions.get_or_init(|| conditions_of(&*self.object))
    }

    /// Steps that are taken one after the other, each when those before it are ready.
    #[must_use]
    pub fn steps(&self) -> Steps {
        Steps::new(self.conditions())
    }

    /// Tells people what happened to the object, and to which other one. The same event is published once, also after a
    /// restart: what tells it from others of the same reason is the generation of the other object.
    pub fn event<R: Object<DynamicType = ()>>(
        &self,
        type_: EventType,
        reason: &str,
        note: impl Into<String>,
        related: &R,
    ) {
        let metadata = related.meta();
        let uid = metadata.uid.as_deref().unwrap_or_default();
        let fact = format!("{uid}/{}", metadata.generation.unwrap_or_default());
        let related = Regarding::new::<R>(metadata, &());
        self.publish(Some(related), type_, reason, note.into(), &fact);
    }

    /// Tells people that something is wrong with the object. The same note is published once, however often it is said.
    pub fn warn(&self, reason: &str, note: impl Into<String>) {
        let note = note.into();
        let fact = note.clone();
        self.publish(None, EventType::Warning, reason, note, &fact);
    }

    pub(crate) fn publish(
        &self,
        related: Option<Regarding>,
        type_: EventType,
        reason: &str,
        note: String,
        fact: &str,
    ) {
        let regarding = Regarding::new::<K>(self.object.meta(), self.shared.store.dynamic_type());
        self.shared.recorder.publish(regarding, related, type_, reason, note, fact);
    }

    /// Whether this process may write: cleaning up outside the cluster must not begin when it may not.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        !self.shared.fence.time_left().is_zero()
    }

    /// Fails unless the cluster has the object as it is known here: the same one, and of the same generation. It is asked
    /// once for each reconcile. Writes that go past [`Context::apply`], such as those outside the object's namespace,
    /// should not begin without.
    ///
    /// # Errors
    /// [`Stale`] when it has not; or when the API server refuses or does not answer.
    pub async fn ensure_current(&self) -> Result<(), ApplyError> {
        let is_current = self.is_current.get_or_try_init(|| async {
            let found = self.found().await?;
            Ok::<_, ApplyError>(found.is_some_and(|it| it.meta().generation == self.object.meta().generation))
        });
        if *is_current.await? { Ok(()) } else { Err(Stale.into()) }
    }

    /// The object as the cluster has it now, unless it is gone or another one has its name.
    pub(crate) async fn found(&self) -> Result<Option<K>, ApplyError> {
        let (dynamic_type, key) = (self.shared.store.dynamic_type(), ObjectKey::of(&*self.object));
        let found = rest::get_opt::<K>(&self.shared.client, dynamic_type, &key).await;
        let found = found.map_err(|error| failed::<K>("get", dynamic_type, error))?;
        Ok(found.filter(|found| found.meta().uid == self.object.meta().uid))
    }
}

/// The conditions of the object's status, whatever fields they have.
pub(crate) fn conditions_of(object: &impl Object) -> Vec<Value> {
    let object = serde_json::to_value(object).unwrap_or_default();
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.cloned().unwrap_or_default()
}

pub(crate) fn failed<K: Object>(
    verb: &'static str,
    dynamic_type: &K::DynamicType,
    error: kube::Error,
) -> ApplyError {
    ApplyError::Api { verb, kind: K::kind(dynamic_type).into_owned(), source: Box::new(error) }
}
