//! Cleaning up, before an object is gone, what the garbage collector does not know.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::context::{Context, failed};
use crate::errors::{ApplyError, BoxError, Stale};
use crate::object::{Object, ObjectKey};
use crate::rest;

impl<K: Object> Context<K> {
    /// Sees to it that the object is not gone before `clean_up` has succeeded, by the finalizer `name`, such as
    /// `example.com/bucket`. Whether the object is on its way out, so that nothing is left to do. Needs the right to patch
    /// the kind.
    ///
    /// `clean_up` may be called more than once, and be ended at any moment, for instance when the lead is lost: it has to
    /// be idempotent. It does not begin when this process does not lead any more.
    ///
    /// # Errors
    /// Those of `clean_up`, and when the API server refuses or does not answer.
    pub async fn finalizer<E: Into<BoxError>>(
        &self,
        name: &str,
        clean_up: impl AsyncFnOnce() -> Result<(), E>,
    ) -> Result<bool, BoxError> {
        let metadata = self.object.meta();
        let mut finalizers = metadata.finalizers.clone().unwrap_or_default();
        let is_there = finalizers.iter().any(|other| other == name);
        if metadata.deletion_timestamp.is_none() {
            if !is_there {
                self.ensure_current().await?;
                finalizers.push(name.to_owned());
                self.set_finalizers(&finalizers).await?;
            }
            return Ok(false);
        }
        if is_there {
            if !self.is_leading() {
                return Err(Stale.into());
            }
            clean_up().await.map_err(Into::into)?;
            finalizers.retain(|other| other != name);
            self.set_finalizers(&finalizers).await?;
        }
        Ok(true)
    }

    /// Replaces the finalizers of the object, if it is as it is known here.
    async fn set_finalizers(&self, finalizers: &[String]) -> Result<(), ApplyError> {
        let (metadata, dynamic_type) = (self.object.meta(), self.shared.store.dynamic_type());
        let is_leaving = metadata.deletion_timestamp.is_some();
        let patch =
            json!({ "metadata": { "resourceVersion": metadata.resource_version, "finalizers": finalizers } });
        let (key, params) = (ObjectKey::of(&*self.object), PatchParams::default());
        let client = &self.shared.client;
        match rest::patch::<K>(client, dynamic_type, &key, None, &params, &Patch::Merge(patch)).await {
            Ok(_) => Ok(()),
            // It is gone, which is what the last finalizer waits for; who would begin with it hears of that soon.
            Err(kube::Error::Api(status)) if status.is_not_found() && is_leaving => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {
                Err(Stale.into())
            }
            Err(error) => Err(failed::<K>("edit the finalizers of", dynamic_type, error)),
        }
    }
}
