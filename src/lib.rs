//! `iris-scaffold` writes complete Kubernetes operators in Rust.
//!
//! A command turns its arguments into a model ([`project`], [`resource`]), the model into texts ([`templates`],
//! [`manifests`]), and the texts into a [`scaffold::Plan`] without touching the disk; [`scaffold`] alone shows a plan
//! or writes it, all or nothing. `docs/architecture.md` has the map and the invariants.

pub mod cli;
pub mod commands;
pub mod console;
pub mod dependencies;
pub mod error;
pub mod limits;
pub mod manifests;
mod nearest;
pub mod path;
pub mod printable;
pub mod problem;
pub mod project;
mod read;
pub mod resource;
mod rust;
pub mod scaffold;
pub mod templates;
mod usage;
pub mod yaml;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub use error::{Error, Result};
pub use problem::Problem;

/// Runs the program with `args` (the first one is its own name) and reports what went wrong, if anything.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    // There should be none; if there is, it may be about what is in a file.
    std::panic::set_hook(Box::new(|panic| {
        console::tell(&format!("{panic}\n{}", std::backtrace::Backtrace::capture()));
    }));
    limits::with_stack(|| match cli::Cli::try_parse_from(&args) {
        Ok(cli) => commands::dispatch(cli),
        Err(error) => usage::report(error, &args),
    })
}
