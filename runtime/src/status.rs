//! The status of the object: the one way in which it is written.

use kube::api::{Patch, PatchParams};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::debug;

use crate::context::{Context, failed};
use crate::errors::{ApplyError, TerminalError};
use crate::events::fingerprint;
use crate::object::{Object, ObjectKey, version};
use crate::rest;

impl<K: Object> Context<K> {
    /// Makes `status` that of the object, if it differs; whether it did. Conditions and other fields that others have
    /// written stay; what was written here before and is not in `status` goes. It does not call for another reconcile of
    /// this controller; others hear of it.
    ///
    /// # Errors
    /// When the API server refuses or does not answer.
    pub async fn patch_status(&self, status: impl Serialize) -> Result<bool, ApplyError> {
        let status = serde_json::to_value(status).map_err(TerminalError::new)?;
        self.patch_status_as(&self.shared.field_manager, status).await
    }

    pub(crate) async fn patch_status_as(&self, manager: &str, status: Value) -> Result<bool, ApplyError> {
        let (store, key) = (&self.shared.store, ObjectKey::of(&*self.object));
        let desired = json!({ "status": status });
        let fingerprint = fingerprint(&[&desired.to_string()]);
        let uid = &self.object.meta().uid;
        let latest = store.get(&key).filter(|latest| latest.meta().uid == *uid);
        let latest = latest.unwrap_or_else(|| self.object.clone());
        if store.fulfils(&latest, manager, true, &desired, fingerprint) {
            return Ok(false);
        }
        let params = PatchParams::apply(manager).force();
        let send = async |version: Option<&str>| {
            let mut body = desired.clone();
            body["apiVersion"] = json!(K::api_version(store.dynamic_type()));
            body["kind"] = json!(K::kind(store.dynamic_type()));
            body["metadata"] = json!({ "name": key.name, "uid": uid });
            if let Some(version) = version {
                body["metadata"]["resourceVersion"] = json!(version);
            }
            let (client, dynamic_type) = (&self.shared.client, store.dynamic_type());
            rest::patch::<K>(client, dynamic_type, &key, Some("status"), &params, &Patch::Apply(body)).await
        };
        let mut writing = self.shared.echoes.write(&key);
        let known = latest.meta().resource_version.as_deref();
        // Of this very version: then nothing else has changed, and the change calls for no reconcile.
        let (mut answer, mut is_all) = (send(known).await, true);
        if matches!(&answer, Err(kube::Error::Api(status)) if status.is_conflict()) {
            (answer, is_all) = (send(None).await, false);
        }
        match answer {
            Ok(patched) => {
                if is_all && patched.meta().resource_version.as_deref() != known {
                    writing.made(version(patched.meta()));
                }
                store.mutation(patched, Some((manager, true, fingerprint)));
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                debug!("the object was deleted meanwhile");
                Ok(false)
            }
            Err(error) => Err(failed::<K>("update the status of", store.dynamic_type(), error)),
        }
    }
}
