//! The status of the object: the one way in which it is written.

use kube::api::{Patch, PatchParams};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::debug;

use crate::context::{Context, conditions_of, failed};
use crate::errors::{ApplyError, Stale, TerminalError};
use crate::events::fingerprint;
use crate::object::{Object, ObjectKey, version};
use crate::rest;

/// How often in a row somebody else may be faster before a write is given up.
const ATTEMPTS: u32 = 5;

impl<K: Object> Context<K> {
    /// Makes `status` that of the object, if it differs; whether it did. Conditions and other fields that others have
    /// written stay; what was written here before and is not in `status` goes. It does not call for another reconcile of
    /// this controller; others hear of it.
    ///
    /// # Errors
    /// [`Stale`] when the object's spec has changed meanwhile; or when the API server refuses or does not answer.
    pub async fn patch_status(&self, status: impl Serialize) -> Result<bool, ApplyError> {
        let status = serde_json::to_value(status).map_err(TerminalError::new)?;
        self.patch_status_as(&self.shared.field_manager, status).await
    }

    pub(crate) async fn patch_status_as(&self, manager: &str, mut status: Value) -> Result<bool, ApplyError> {
        let (client, store, key) = (&self.shared.client, &self.shared.store, ObjectKey::of(&*self.object));
        let dynamic_type = store.dynamic_type();
        let uid = &self.object.meta().uid;
        let latest = store.get(&key).filter(|latest| latest.meta().uid == *uid);
        let mut latest = latest.unwrap_or_else(|| self.object.clone());
        let (mut writing, mut attempts) = (None, 0);
        loop {
            let desired = json!({ "status": status });
            let fingerprint = fingerprint(&[&desired.to_string()]);
            if store.fulfils(&latest, manager, true, &desired, fingerprint) {
                return Ok(false);
            }
            let writing = writing.get_or_insert_with(|| self.shared.echoes.write(&key));
            // Of this very version: then nothing else has changed, and the change calls for no reconcile.
            let known = latest.meta().resource_version.as_deref();
            let mut body = desired;
            body["apiVersion"] = json!(K::api_version(dynamic_type));
            body["kind"] = json!(K::kind(dynamic_type));
            body["metadata"] = json!({ "name": key.name, "uid": uid, "resourceVersion": known });
            let (params, patch) = (PatchParams::apply(manager).force(), Patch::Apply(body));
            attempts += 1;
            match rest::patch::<K>(client, dynamic_type, &key, Some("status"), &params, &patch).await {
                Ok(patched) => {
                    if patched.meta().resource_version.as_deref() != known {
                        writing.made(version(patched.meta()));
                    }
                    store.mutation(patched, Some((manager, true, fingerprint)));
                    return Ok(true);
                }
                Err(kube::Error::Api(refusal)) if refusal.is_conflict() && attempts < ATTEMPTS => {}
                Err(kube::Error::Api(refusal)) if refusal.is_not_found() => return Ok(gone()),
                Err(error) => return Err(failed::<K>("update the status of", dynamic_type, error)),
            }
            // What was known here is old. What the status says may be, too.
            let Some(found) = self.found().await? else { return Ok(gone()) };
            latest = store.mutation(found, None);
            if latest.meta().generation != self.object.meta().generation {
                return Err(Stale.into());
            }
            keep_transition_times(&mut status, &*latest);
        }
    }
}

fn gone() -> bool {
    debug!("the object was deleted meanwhile");
    false
}

/// Gives conditions that hold as they do in `object` the transition times that they have there.
fn keep_transition_times(status: &mut Value, object: &impl Object) {
    const TIME: &str = "lastTransitionTime";
    let known = conditions_of(object);
    for condition in status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_as_known = |it: &&Value| ["type", "status"].iter().all(|field| it[field] == condition[field]);
        if let Some(known) = known.iter().find(is_as_known)
            && condition.get(TIME).is_some()
        {
            condition[TIME] = known[TIME].clone();
        }
    }
}
