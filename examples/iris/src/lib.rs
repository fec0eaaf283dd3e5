//! The iris operator: controllers that make the cluster look as its custom resources say.
//!
//! [`controller`] holds one reconciler per kind and is where you work; [`manager`] is what they run in: watches,
//! queue, leader election, metrics, health and shutdown.

pub mod controller;
pub mod manager;
