//! The runtime against a real API server: one control plane for all tests, and a namespace for each.

mod access;
mod bad_input;
mod children;
mod failures;
mod harness;
mod lifecycle;
mod queue;
mod reports;
mod serving;
mod statuses;
mod stores;
