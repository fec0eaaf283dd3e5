//! `iris-scaffold completion SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Context;
use crate::cli::Cli;

/// Prints the completion script of `shell`.
pub(super) fn run(context: &Context, shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "iris-scaffold", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash {
        // clap_complete 4.6 writes a hyphen in the program's name in one way where it sets a state and in another where
        // it asks for it, so that no subcommand would be completed.
        script = script.replace("iris__subcmd__scaffold", "iris__scaffold");
    }
    context.console.data(script.trim_end());
}
