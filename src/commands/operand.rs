//! What the replicas template runs, from the flags.

use crate::Problem;
use crate::cli::OperandArgs;
use crate::resource::validate;
use crate::templates::Operand;

/// Whether any of the flags was given.
pub(super) fn given(args: &OperandArgs) -> bool {
    let OperandArgs { image, image_container_command, image_container_port, run_as_user } = args;
    [image, image_container_command, image_container_port, run_as_user].into_iter().any(Option::is_some)
}

/// The operand of a kind, which may have one already; what is wrong with the flags goes to `problems`.
pub(super) fn resolve(
    kind: &str,
    known: Option<Operand>,
    args: &OperandArgs,
    problems: &mut Vec<Problem>,
) -> Operand {
    let mut operand = match &args.image {
        Some(image) => {
            problems.extend(validate::image(image));
            Operand::of_image(image.clone())
        }
        None => known.unwrap_or_else(|| Operand::of_kind(kind)),
    };
    if let Some(command) = &args.image_container_command {
        operand.command = command.split(',').map(str::to_owned).collect();
        problems.extend(operand.command.iter().find_map(|word| validate::command_word(word)));
    }
    if let Some(port) = &args.image_container_port {
        operand.port = keep(validate::port(port), problems);
    }
    if let Some(user) = &args.run_as_user {
        operand.run_as_user = keep(validate::user(user), problems);
    }
    operand
}

fn keep<T: Default>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> T {
    value.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}
