//! `iris-scaffold completion SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Context;
use crate::cli::Cli;

/// Prints the completion script of `shell`.
pub(super) fn run(context: &Context, shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "iris-scaffold", &mut script);
    context.console.data(String::from_utf8_lossy(&script).trim_end());
}
