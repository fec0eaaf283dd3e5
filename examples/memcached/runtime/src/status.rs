//! The status of the object: the one way in which it is written.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
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
    /// [`Stale`] when the object's spec has changed meanwhile, or somebody else is always faster; or when the API server
    /// refuses or does not answer.
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
            if latest.meta().generation != self.object.meta().generation {
                return Err(Stale.into());
            }
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
                Err(kube::Error::Api(refusal)) if refusal.is_conflict() => return Err(Stale.into()),
                Err(kube::Error::Api(refusal)) if refusal.is_not_found() => return Ok(gone()),
                Err(error) => return Err(failed::<K>("update the status of", dynamic_type, error)),
            }
            // What was known here is old. What the status says may be, too.
            let Some(found) = self.found().await? else { return Ok(gone()) };
            latest = store.mutation(found, None);
            set_transition_times(&mut status, &*latest, &Time(self.shared.environment.now()));
        }
    }
}

fn gone() -> bool {
    debug!("the object was deleted meanwhile");
    false
}

/// Conditions that hold as they do in `object` have held since the times that they have there; those that do not cease to
/// hold as they do there `now`.
fn set_transition_times(status: &mut Value, object: &impl Object, now: &Time) {
    const TIME: &str = "lastTransitionTime";
    let known = conditions_of(object);
    for condition in status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        let known = known.iter().find(|known| known["type"] == condition["type"]);
        let Some(known) = known.filter(|_| condition.get(TIME).is_some()) else { continue };
        condition[TIME] =
            if known["status"] == condition["status"] { known[TIME].clone() } else { json!(now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::jiff::Timestamp;
    use kube::api::DynamicObject;

    #[test]
    fn conditions_have_held_since_they_last_changed_on_the_server() {
        const BEFORE: &str = "2026-01-02T03:04:05Z";
        const OURS: &str = "2025-01-01T00:00:00Z";
        let condition = |type_: &str, status: &str, time: &str| json!({ "type": type_, "status": status, "lastTransitionTime": time });
        let object = json!({ "metadata": { "name": "one" }, "status": { "conditions":
            [condition("Same", "True", BEFORE), condition("Flipped", "False", BEFORE)] } });
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        let mut status = json!({ "conditions": [condition("Same", "True", OURS),
            condition("Flipped", "True", OURS), condition("New", "True", OURS), { "type": "Same" }] });
        let now = Time(Timestamp::UNIX_EPOCH);
        set_transition_times(&mut status, &object, &now);
        let times: Vec<_> = status["conditions"].as_array().expect("a list").iter().collect();
        let times: Vec<_> = times.iter().map(|it| it["lastTransitionTime"].as_str()).collect();
        assert_eq!(times, [Some(BEFORE), Some("1970-01-01T00:00:00Z"), Some(OURS), None]);
    }
}
