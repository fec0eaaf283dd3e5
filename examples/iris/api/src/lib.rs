//! The API of the iris operator: one module per version, one file per kind.
//!
//! Other programs can depend on this crate to read and write these objects without the operator's code.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub mod v1alpha1;

/// Every kind in every version, each as a definition of its own.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![v1alpha1::Iris::crd()]
}
