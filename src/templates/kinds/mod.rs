//! The templates of kinds: what `--template` chooses from.
//!
//! What only one of them knows is in its file here and in its folder below `templates/kinds`. Another one is such a file,
//! such a folder, and a line in [`ALL`].

mod blank;
#[cfg(test)]
mod dummy;
mod options;
mod replicas;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{ControllerView, ProjectView, Rendered, ResourceView, filters, render};
use crate::project::Project;
use crate::resource::{Resource, Template};
use crate::scaffold::Insert;
use crate::{Problem, Result, printable};

pub use crate::resource::Options;
pub use options::{GivenOptions, TemplateOption};

/// Every template; the first one is used when the user names none.
pub static ALL: &[&dyn KindTemplate] = &[
    &replicas::Replicas,
    &blank::Blank,
    #[cfg(test)]
    &dummy::Dummy,
];

/// A template of kinds: types, a sample, a controller, tests and options.
pub trait KindTemplate: Debug + Sync {
    /// Its name on the command line and in PROJECT.
    fn name(&self) -> &'static str;

    /// What it is for, in a line of the help.
    fn help(&self) -> &'static str;

    /// Whether its controller reads fields of its types, so that it is for kinds of the project only.
    fn needs_types(&self) -> bool {
        true
    }

    /// What the user can say to it.
    fn options(&self) -> &'static [TemplateOption] {
        &[]
    }

    /// The options of a `kind` that has `known` ones, when the user gives some.
    fn settle(&self, kind: &str, known: Option<&Options>, given: &Options) -> Options {
        let _ = kind;
        let mut options = known.cloned().unwrap_or_default();
        options.extend(given.clone());
        options
    }

    /// Says that a kind has other options already.
    fn differs(&self, kind: &str) -> Problem {
        Problem::new(format!("kind `{kind}` was made with other options"))
            .hint("say `--force` to write its files anew, or edit the sources")
    }

    /// The types.
    fn types(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered;

    /// An object of the kind.
    fn sample(&self, p: &ProjectView, r: &ResourceView, path: String) -> Rendered;

    /// The definition of the types, for the stand-in kind of [`crd::builtin`](crate::manifests::crd::builtin).
    fn definition(&self, namespaced: bool) -> &'static str;

    /// The controller, and the modules beside it.
    fn controller(&self, p: &ProjectView, r: &ResourceView, c: &ControllerView, o: &Options)
    -> Vec<Rendered>;

    /// The modules beside the controller's own.
    fn modules(&self, c: &ControllerView) -> Vec<String> {
        let _ = c;
        Vec::new()
    }

    /// What the kind adds to files of the user's, apart from what every kind adds.
    ///
    /// # Errors
    /// When a path of the kind cannot be a path.
    fn insertions(&self, r: &ResourceView, o: &Options) -> Result<Vec<Insert>> {
        let _ = (r, o);
        Ok(Vec::new())
    }

    /// The test of the controller.
    fn test(&self, p: &ProjectView, r: &ResourceView, c: &ControllerView) -> Rendered;

    /// What the tests under faults are told of the kind: methods of `Story`, each with the JSON that it is given.
    fn story(&self, p: &ProjectView, r: &ResourceView) -> Vec<(&'static str, String)> {
        let _ = (p, r);
        Vec::new()
    }

    /// The types for the stand-in kind, as they are compiled into the tests.
    #[cfg(test)]
    fn compiled(&self) -> Vec<tests::Compiled>;
}

/// A template with its options, as a kind was made from it.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The template.
    pub template: &'static dyn KindTemplate,
    /// What the user said to it.
    pub options: Options,
}

impl Chosen {
    /// As PROJECT remembers it.
    #[must_use]
    pub fn remembered(&self) -> Template {
        Template { name: Some(self.template.name().to_owned()), options: self.options.clone() }
    }
}

/// The template of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn KindTemplate> {
    ALL.iter().copied().find(|template| template.name() == name)
}

/// The template when the user names none.
#[must_use]
pub fn first() -> &'static dyn KindTemplate {
    ALL[0]
}

/// An empty controller, for any kind.
#[must_use]
pub fn bare_controller(p: &ProjectView, r: &ResourceView, c: &ControllerView) -> Rendered {
    blank::bare(p, r, c)
}

/// The template for any kind, whoever defines its types.
#[must_use]
pub fn bare() -> &'static dyn KindTemplate {
    ALL.iter().copied().find(|template| !template.needs_types()).unwrap_or_else(first)
}

/// What a kind of the project was made from; nothing where PROJECT does not say.
///
/// # Errors
/// [`Error::ProjectFile`](crate::Error::ProjectFile) when it was a template that is not known here, or an option is not
/// what it has to be: options go into sources, so they are checked like flags.
pub fn of(project: &Project, resource: &Resource) -> Result<Option<Chosen>> {
    let Some(Template { name, options }) = project.template(resource)? else { return Ok(None) };
    let template = match &name {
        Some(name) => named(name).ok_or_else(|| {
            let shown = printable::value(name);
            let message = format!("template {shown} is not known to this `iris-scaffold`: use a newer one");
            project.template_mistake(resource, None, &message)
        })?,
        None => first(),
    };
    for option in template.options() {
        if let Some(problem) = options.get(option.key).and_then(|value| (option.check)(value)) {
            return Err(project.template_mistake(resource, Some(option.key), &problem.message));
        }
    }
    Ok(Some(Chosen { template, options }))
}

/// The template that something was made from; without one it is the one for any kind.
#[must_use]
pub fn made_from(made: Option<&Chosen>) -> &'static dyn KindTemplate {
    made.map_or_else(bare, |made| made.template)
}

/// What the command line says of choosing one.
#[must_use]
pub fn help() -> String {
    format!("What the types and the controller do [default: {}]", first().name())
}

/// How the command line reads a template's name.
#[must_use]
pub fn parser() -> impl TypedValueParser<Value = &'static dyn KindTemplate> {
    let values = ALL.iter().map(|template| PossibleValue::new(template.name()).help(template.help()));
    PossibleValuesParser::new(values).try_map(|name| named(&name).ok_or("no such template"))
}
