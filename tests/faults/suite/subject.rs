//! What the tests are about: the kind, and how one of its objects asks for a Deployment.

// Of the package that this is put into.
pub use api_crate::v1alpha1::iris::{Iris as Object, IrisSpec as Spec};

/// The kind, in paths of requests.
pub const PLURAL: &str = "iris";

/// An object that asks for a Deployment.
pub fn object(name: &str, deployment: &str, replicas: i32) -> Object {
    Object::new(name, Spec { deployment_name: deployment.to_owned(), replicas: Some(replicas) })
}
