//! Requests about one object, whatever its type and scope.

use kube::Client;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams};
use kube::core::Request;
use serde::Serialize;

use crate::object::{Object, ObjectKey};

fn request<K: Object>(dynamic_type: &K::DynamicType, key: &ObjectKey) -> Request {
    let namespace = (!key.namespace.is_empty()).then_some(key.namespace.as_str());
    Request::new(K::url_path(dynamic_type, namespace))
}

/// The object as the API server has it, if it does.
pub(crate) async fn get_opt<K: Object>(
    client: &Client,
    dynamic_type: &K::DynamicType,
    key: &ObjectKey,
) -> kube::Result<Option<K>> {
    let (request, params) = (request::<K>(dynamic_type, key), GetParams::default());
    let request = if K::metadata_api() {
        request.get_metadata(&key.name, &params)
    } else {
        request.get(&key.name, &params)
    };
    match client.request(request.map_err(kube::Error::BuildRequest)?).await {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What there is after `patch` of the object, or of a subresource of it.
pub(crate) async fn patch<K: Object>(
    client: &Client,
    dynamic_type: &K::DynamicType,
    key: &ObjectKey,
    subresource: Option<&str>,
    params: &PatchParams,
    patch: &Patch<impl Serialize + std::fmt::Debug + Sync>,
) -> kube::Result<K> {
    let request = request::<K>(dynamic_type, key);
    let request = match subresource {
        None => request.patch(&key.name, params, patch),
        Some(subresource) => request.patch_subresource(subresource, &key.name, params, patch),
    };
    client.request(request.map_err(kube::Error::BuildRequest)?).await
}

/// Deletes the object, or asks its finalizers to.
pub(crate) async fn delete<K: Object>(
    client: &Client,
    dynamic_type: &K::DynamicType,
    key: &ObjectKey,
    params: &DeleteParams,
) -> kube::Result<()> {
    let request =
        request::<K>(dynamic_type, key).delete(&key.name, params).map_err(kube::Error::BuildRequest)?;
    client.request_status::<K>(request).await.map(drop)
}
