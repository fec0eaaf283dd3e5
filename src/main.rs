//! The `iris-scaffold` program: the exit status, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    iris_scaffold::run(std::env::args_os())
}
