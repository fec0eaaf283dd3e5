//! Which template `create api` uses, and with which options.

use crate::cli::CreateApiArgs;
use crate::project::Project;
use crate::resource::Resource;
use crate::templates::kinds::{self, Chosen, KindTemplate, Options};
use crate::{Problem, Result};

/// The choice, and what the kind was made from before.
pub(super) struct Choice {
    /// What the command makes the kind from.
    pub(super) made: Chosen,
    /// What an earlier one made it from, as far as PROJECT says.
    pub(super) before: Option<Chosen>,
}

/// The choice for a kind that may be there already. What is wrong with the arguments goes to `problems`; the result
/// means nothing when there is any.
///
/// # Errors
/// As [`kinds::of`].
pub(super) fn resolve(
    project: &Project,
    resource: &Resource,
    args: &CreateApiArgs,
    problems: &mut Vec<Problem>,
) -> Result<Choice> {
    problems.extend(args.options.problems());
    let known = project.find(resource);
    let mut before = known.map_or(Ok(None), |known| kinds::of(project, known))?;
    let has_controller = known.is_some_and(|known| !known.controllers.is_empty());
    // A further version of a kind is made as the others were.
    let mut others = project.versions(resource).filter(|other| other.has_api && known.is_none());
    let other =
        others.next().map_or(Ok(None), |other| kinds::of(project, other))?.map(|other| other.template);
    let template = template(before.as_ref(), other, has_controller, args, problems);
    if let Some(before) = &mut before {
        // As they would be today. Types alone have none.
        let known = Some(&before.options).filter(|options| !options.is_empty());
        before.options = before.template.settle(&resource.kind, known, &Options::new());
    }
    let known = before.as_ref().filter(|before| before.template.name() == template.name());
    let known = known.map(|known| &known.options);
    let options = template.settle(&resource.kind, known, &args.options.of(template));
    Ok(Choice { made: Chosen { template, options }, before })
}

/// The template: that of the kind, or of its `other` version, unless the arguments name another or there is nothing that it could be used for.
fn template(
    before: Option<&Chosen>,
    other: Option<&'static dyn KindTemplate>,
    has_controller: bool,
    args: &CreateApiArgs,
    problems: &mut Vec<Problem>,
) -> &'static dyn KindTemplate {
    let before = before.map(|before| before.template).or_else(|| has_controller.then(kinds::bare));
    let default = if args.resource { before.or(other).unwrap_or_else(kinds::first) } else { kinds::bare() };
    let template = args.template.unwrap_or(default);
    let mut refuse = |message: String, hint: String| problems.push(Problem::new(message).hint(hint));
    for (flag, owner) in args.options.beyond(template) {
        refuse(
            format!("`--{flag}` belongs to `--template {}`", owner.name()),
            "leave it out, or use that template".into(),
        );
    }
    let name = template.name();
    if template.needs_types() && !args.resource {
        let bare = kinds::bare().name();
        refuse(
            format!("`--template {name}` needs types of this project"),
            format!("leave out `--resource=false`, or use `--template {bare}`"),
        );
    }
    if template.needs_types() && has_controller && before.is_some_and(|before| !before.needs_types()) {
        refuse(
            "the kind has a controller of its own already".into(),
            format!("leave out `--template {name}`"),
        );
    }
    template
}

impl Choice {
    /// What of a kind that is there the arguments would change, unless they say `--force`.
    pub(super) fn changes(
        &self,
        project: &Project,
        resource: &Resource,
        args: &CreateApiArgs,
    ) -> Option<Problem> {
        let known = project.find(resource)?;
        let kind = &resource.kind;
        let has_one = !known.controllers.is_empty();
        if has_one && !args.controller {
            let problem = Problem::new(format!(
                "kind `{kind}` has a controller, which `--controller=false` does not remove"
            ));
            return Some(problem.hint("leave the flag out"));
        }
        if !args.resource || !known.has_api {
            return None;
        }
        let before = self.before.as_ref().map(|before| before.template);
        let before = before.or_else(|| has_one.then(kinds::bare));
        // Types alone can be written anew.
        if before.is_some_and(|before| before.name() != self.made.template.name()) && (has_one || !args.force)
        {
            let problem = Problem::new(format!("kind `{kind}` was made from another template"));
            return Some(
                problem.hint("take back the command that added it, with git, or choose another `--kind`"),
            );
        }
        let differs = self.before.as_ref().is_some_and(|before| before.options != self.made.options);
        (has_one && differs && !args.force).then(|| self.made.template.differs(kind))
    }
}
