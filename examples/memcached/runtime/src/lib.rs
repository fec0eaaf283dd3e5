//! Runs Kubernetes operators on [kube]: watches that go on whatever happens, stores that all controllers share, a work
//! queue with back-off, leader election with a fence before every write, health, metrics, and helpers that write children,
//! status and finalizers safely. Who knows controller-runtime finds its parts under the same names.
//!
//! A whole operator, which keeps one `ConfigMap` for each Namespace:
//!
//! ```no_run
//! use clap::Parser;
//! use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
//! use kube::ResourceExt;
//! use operator_runtime::{Action, Context, Manager, Options, Reconciler, Result, Store};
//!
//! struct Names {
//!     config_maps: Store<ConfigMap>,
//! }
//!
//! impl Reconciler for Names {
//!     type Object = Namespace;
//!
//!     async fn reconcile(&self, namespace: &Namespace, context: &Context<Namespace>) -> Result {
//!         let mut desired = ConfigMap::default();
//!         desired.metadata.name = Some("name".to_owned());
//!         desired.metadata.namespace = Some(namespace.name_any());
//!         desired.data = Some([("name".to_owned(), namespace.name_any())].into());
//!         context.apply(&self.config_maps, desired).await?;
//!         Ok(Action::AwaitChange)
//!     }
//! }
//!
//! #[derive(Parser)]
//! struct Cli {
//!     #[command(flatten)]
//!     manager: Options,
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::result::Result<(), operator_runtime::Error> {
//!     let mut manager = Manager::new("names.example.com", Cli::parse().manager).await?;
//!     let config_maps = manager.owned();
//!     manager.controller("names").owns(&config_maps).run(Names { config_maps });
//!     manager.run().await
//! }
//! ```
//!
//! What a reconcile may do is on [`Context`], what calls for one on [`Builder`], and what is known without asking the API
//! server on [`Store`].

mod apply;
mod auth;
mod backoff;
mod bounded;
mod conditions;
mod connection;
mod contention;
mod context;
mod controller;
mod derivative;
mod echo;
mod environment;
mod errors;
mod events;
mod finalizer;
mod health;
mod informer;
mod leader;
mod managed_fields;
mod manager;
mod metrics;
mod object;
mod options;
mod pause;
mod predicate;
mod process;
mod queue;
mod reconcile;
mod requests;
mod rest;
mod scope;
mod server;
mod shutdown;
mod status;
mod steps;
mod store;
mod stores;
pub mod telemetry;
mod tls;
mod token;
mod unanswered;

pub use apply::{Applied, Operation};
pub use axum;
pub use backoff::RateLimiter;
pub use conditions::Conditions;
pub use context::Context;
pub use controller::Builder;
pub use errors::{ApplyError, BoxError, Result, Stale, TerminalError};
pub use events::Recorder;
pub use kube::runtime::events::EventType;
pub use manager::{Error, Manager, ManagerBuilder, Replicas};
pub use object::{Object, ObjectKey};
pub use options::{Options, Timings};
pub use predicate::Predicate;
pub use prometheus_client;
pub use reconcile::{Action, Reconciler};
pub use scope::Scope;
pub use shutdown::Shutdown;
pub use steps::{Readiness, Steps};
pub use store::{Change, Index, Store};
