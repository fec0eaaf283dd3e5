//! `iris-scaffold` writes complete Kubernetes operators in Rust.
//!
//! A command turns its arguments into a model ([`project`], [`resource`]), the model into texts ([`templates`],
//! [`manifests`]), and the texts into a [`scaffold::Plan`] without touching the disk; [`scaffold`] alone shows a plan
//! or writes it, all or nothing. `docs/architecture.md` has the map and the invariants.

pub mod cli;
pub mod commands;
pub mod console;
pub mod error;
pub mod manifests;
mod nearest;
pub mod project;
pub mod resource;
pub mod scaffold;
pub mod templates;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

pub use error::{Error, Problem, Result};

/// Runs the program with `args` (the first one is its own name) and reports what went wrong, if anything.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match cli::Cli::try_parse_from(args) {
        Ok(cli) => commands::dispatch(cli),
        Err(mut error) => {
            let invalid = error.get(ContextKind::InvalidArg);
            if matches!(invalid, Some(ContextValue::String(word)) if word == "true" || word == "false") {
                let tip = "a flag and its `true` or `false` are one word, as in `--controller=false`";
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
            }
            // Help and version come as "errors" too; clap knows which stream and status each one wants. A reader that
            // has gone away is no reason to fail.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}
