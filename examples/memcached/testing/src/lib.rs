//! Tests Kubernetes operators against a real API server: a control plane of etcd and kube-apiserver, the operator as a
//! process of its own, a proxy that injects faults between the two, the audit log, the permissions of the operator's
//! service account, and the [`Story`] of an object that is told under faults. Who knows controller-runtime's envtest is at home.
//!
//! A whole test, in `tests/` of an operator that gives each Namespace a `ConfigMap`:
//!
//! ```no_run
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube::Api;
//! use operator_testing::{ControlPlane, Fault, Operator, Proxy, ensure, eventually, project};
//!
//! # /* So that it is compiled:
//! #[tokio::test]
//! # */
//! async fn a_namespace_gets_its_name_in_the_end() {
//!     let control_plane = ControlPlane::start(project!()).await;
//!     let proxy = Proxy::start(&control_plane, "names").await;
//!     // The API server fails whenever a ConfigMap is written.
//!     proxy.inject(|request| {
//!         if request.writes_to("configmaps") { Fault::status(500) } else { Fault::None }
//!     });
//!     let mut operator = Operator::launch(&control_plane, &proxy.kubeconfig(&control_plane), &[]);
//!     operator.ready().await;
//!
//!     control_plane.create_namespace("one").await;
//!     eventually("a failure is counted", async || {
//!         let failures = operator.metric("controller_runtime_reconcile_errors_total").await;
//!         ensure(failures > 0.0, &failures)
//!     })
//!     .await;
//!     proxy.heal();
//!     let config_maps: Api<ConfigMap> = Api::namespaced(control_plane.client(), "one");
//!     eventually("the ConfigMap is there", async || {
//!         config_maps.get("name").await.map_err(|error| error.to_string())
//!     })
//!     .await;
//!     let log = control_plane.audit_log();
//!     let made = log.iter().filter(|event| event.resource == "configmaps" && event.created());
//!     assert_eq!(made.filter(|event| event.namespace == "one").count(), 1, "made once");
//!     operator.stop().await;
//! }
//! # fn main() {}
//! ```
//!
//! [`project!`] says where the tested operator's program and manifests are, which is all that is known of it; its kinds
//! are read from its `CustomResourceDefinition`s. The directory of the programs `etcd` and `kube-apiserver` is named in
//! `KUBEBUILDER_ASSETS`. The operator is expected to take kubebuilder's flags, and to serve controller-runtime's
//! metrics.
//!
//! Tests fail by panics, and so do most functions here: what they could return instead, no test could go on with.

mod audit;
mod control_plane;
mod credentials;
mod fault;
mod http;
mod kustomize;
mod operator;
mod permissions;
mod port;
mod process;
mod project;
mod proxy;
mod request;
mod service_account;
#[cfg(feature = "sim")]
pub mod sim;
mod story;
mod wait;

pub use audit::AuditEvent;
pub use control_plane::ControlPlane;
pub use fault::{Cut, Fault};
pub use http::get as http_get;
pub use operator::Operator;
pub use permissions::Permissions;
pub use port::free_port;
pub use project::Project;
pub use proxy::Proxy;
pub use request::Request;
pub use service_account::ServiceAccount;
#[cfg(feature = "sim")]
pub use sim::{Record, Replica, SimFault, Simulation};
pub use story::{FaultCase, Story};
pub use wait::{ensure, eventually, within};
