//! The options of the templates: flags of `create api` that belong to one template or several.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::{ALL, KindTemplate, Options};
use crate::Problem;

/// An option of a template.
#[derive(Debug)]
pub struct TemplateOption {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// What its value is called in the help.
    pub value_name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Its key in PROJECT.
    pub key: &'static str,
    /// What is wrong with a value.
    pub check: fn(&str) -> Option<Problem>,
}

/// The options that were given, whichever template they belong to.
#[derive(Clone, Debug, Default)]
pub struct GivenOptions(Vec<(&'static TemplateOption, String)>);

impl GivenOptions {
    /// What is wrong with them.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.0.iter().filter_map(|(option, value)| (option.check)(value)).collect()
    }

    /// Those of a template, by their keys.
    #[must_use]
    pub fn of(&self, template: &dyn KindTemplate) -> Options {
        let own = template.options().iter();
        own.filter_map(|option| Some((option.key.to_owned(), self.value(option.flag)?.to_owned()))).collect()
    }

    /// Those that a template does not have, with one that does.
    #[must_use]
    pub fn beyond(&self, template: &dyn KindTemplate) -> Vec<(&'static str, &'static dyn KindTemplate)> {
        let flags = self.0.iter().map(|(option, _)| option.flag).filter(|flag| !has(template, flag));
        flags.filter_map(|flag| Some((flag, owners(flag).next()?))).collect()
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.0.iter().find(|(option, _)| option.flag == flag).map(|(_, value)| value.as_str())
    }
}

fn has(template: &dyn KindTemplate, flag: &str) -> bool {
    template.options().iter().any(|option| option.flag == flag)
}

/// The templates that have an option.
fn owners(flag: &str) -> impl Iterator<Item = &'static dyn KindTemplate> {
    ALL.iter().copied().filter(move |template| has(*template, flag))
}

/// Every option once, whose it may be.
fn all() -> Vec<&'static TemplateOption> {
    let mut all: Vec<&TemplateOption> = Vec::new();
    for option in ALL.iter().flat_map(|template| template.options()) {
        if !all.iter().any(|known| known.flag == option.flag) {
            all.push(option);
        }
    }
    all
}

impl Args for GivenOptions {
    fn augment_args(command: Command) -> Command {
        all().into_iter().fold(command, |command, option| {
            let names: Vec<_> =
                owners(option.flag).map(|template| format!("`--template {}`", template.name())).collect();
            let heading = format!("Options of {}", names.join(" and "));
            let arg = Arg::new(option.flag).long(option.flag).value_name(option.value_name);
            command.arg(arg.help(option.help).help_heading(heading))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GivenOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |option: &'static TemplateOption| {
            Some((option, matches.get_one::<String>(option.flag)?.to_owned()))
        };
        Ok(Self(all().into_iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
