//! The commands: arguments to model, model to plan, plan to `Context::finish`.

mod cargo;
mod choice;
mod completion;
mod conversion;
mod crdgen;
mod create_api;
mod earlier;
mod faults;
mod git;
mod group;
mod init;
mod library;
mod lines;
mod manifests;
mod output;
mod packages;
mod panics;
mod place;
mod plan;
mod progress;
mod reference;
mod released;
mod target;
mod version;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::{Cli, Command, ConflictPolicy, Create, Format, Global};
use crate::console::Console;
use crate::scaffold::{self, Journals, Lock, OnConflict, PATIENCE, Plan};
use crate::{Error, Problem, Result};

/// What every command needs: where it runs and how to talk.
pub(crate) struct Context {
    /// How to talk.
    pub(crate) console: Console,
    /// The directory to act in.
    pub(crate) directory: PathBuf,
    global: Global,
    lock: OnceCell<Option<Lock>>,
    journals: Journals,
}

/// What a command does to the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It writes nothing, as this option says.
    Read(&'static str),
    /// It may write.
    Write,
}

impl Access {
    /// Whether nothing is written.
    fn reads(self) -> bool {
        matches!(self, Self::Read(_))
    }
}

/// Runs a parsed command line; the result is the exit status.
pub(crate) fn dispatch(cli: Cli) -> ExitCode {
    let console = Console::new(&cli.global);
    let context = Context {
        directory: cli.global.directory.clone().unwrap_or_else(|| PathBuf::from(".")),
        console,
        global: cli.global,
        lock: OnceCell::new(),
        journals: Journals::new(place::state()),
    };
    let result = match cli.command {
        Command::Init(args) => init::run(&context, &args),
        Command::Create { what: Create::Api(args) } | Command::CreateApi(args) => {
            create_api::run(&context, &args)
        }
        Command::Manifests(args) => manifests::run(&context, &args),
        Command::Completion { shell } => {
            completion::run(&context, shell);
            Ok(())
        }
        Command::Version => {
            version::run(&context);
            Ok(())
        }
    };
    match result {
        Ok(()) if context.console.lost_data() => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.console.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

impl Context {
    /// The value of a required flag: as given, or asked for on a terminal, or a problem that names the flag.
    pub(crate) fn require(
        &self,
        value: Option<String>,
        flag: &str,
        example: &str,
        problems: &mut Vec<Problem>,
    ) -> String {
        value
            .or_else(|| self.console.ask(&format!("{}, such as {example}", flag.trim_start_matches('-'))))
            .unwrap_or_else(|| {
                problems.push(
                    Problem::new(format!("`{flag}` is missing"))
                        .hint(format!("for example `{flag} {example}`")),
                );
                String::new()
            })
    }

    /// What the command does to the project, as far as the global options say.
    pub(crate) fn access(&self) -> Access {
        match (self.global.dry_run, self.global.diff) {
            (true, _) => Access::Read("--dry-run"),
            (_, true) => Access::Read("--diff"),
            _ => Access::Write,
        }
    }

    /// Keeps other commands out of the project at `root` until this one ends. What was killed there is finished by a
    /// command that writes; one that reads refuses.
    pub(crate) fn enter(&self, root: &Path, access: Access) -> Result<()> {
        if self.lock.get().is_none() {
            let waiting = || self.console.status("Waiting", "for another iris-scaffold in this project");
            let _ = self.lock.set(Lock::of(root, PATIENCE, waiting)?);
        }
        match access {
            Access::Read(_) => scaffold::check_whole(root, &self.journals),
            Access::Write => {
                if scaffold::recover(root, &self.journals)? {
                    self.console.note("finished what an earlier command was killed in");
                }
                Ok(())
            }
        }
    }

    /// Says that a flag taken from kubebuilder has no effect.
    pub(crate) fn without_effect(&self, given: bool, flag: &str, why: &str) {
        if given {
            self.console.note(&format!("`{flag}` has no effect: {why}"));
        }
    }

    /// Shows a plan or writes it, as the global options say.
    pub(crate) fn finish(&self, command: &str, mut plan: Plan) -> Result<()> {
        let policy = match self.global.on_conflict {
            Some(ConflictPolicy::Keep) => Some(OnConflict::Keep),
            Some(ConflictPolicy::Overwrite) => Some(OnConflict::Overwrite),
            Some(ConflictPolicy::Abort) => Some(OnConflict::Abort),
            None => None,
        };
        if self.access().reads() {
            // A dry run shows conflicts instead of failing on them, unless a policy settles them.
            if let Some(policy) = policy.filter(|policy| *policy != OnConflict::Abort) {
                scaffold::resolve(&mut plan, policy)?;
            }
            library::check(&plan)?;
        } else {
            match policy {
                Some(policy) => scaffold::resolve(&mut plan, policy)?,
                None => self.console.resolve(&mut plan)?,
            }
            library::check(&plan)?;
            let lock = self.lock.get().and_then(Option::as_ref);
            scaffold::apply(&plan, &self.journals, lock)?;
        }
        if let Some(way) = place::way(plan.root()) {
            plan.go(way);
        }
        self.report(command, &plan)
    }

    /// Writes nothing, and fails with a diff when a plan would.
    pub(crate) fn check(&self, command: &str, plan: &Plan) -> Result<()> {
        let stale: Vec<_> = plan.writes().map(|change| format!("`{}`", change.path)).collect();
        if self.global.format == Format::Json {
            self.report_json(command, plan, true, true)?;
        } else if stale.is_empty() {
            self.console.status("Current", "the files say what the sources say");
        } else {
            self.console.diff(&scaffold::unified(plan)?);
        }
        if self.global.format != Format::Json {
            for note in plan.notes() {
                self.console.note(note);
            }
        }
        if stale.is_empty() {
            return Ok(());
        }
        let problem = Problem::new(format!("not current: {}", stale.join(", ")));
        Err(Error::Refused(problem.hint(format!("run `iris-scaffold {command}` and commit the result"))))
    }

    fn report_json(&self, command: &str, plan: &Plan, dry_run: bool, diff: bool) -> Result<()> {
        let mut value = serde_json::json!({ "command": command, "dryRun": dry_run });
        if let (Some(object), Ok(serde_json::Value::Object(fields))) =
            (value.as_object_mut(), serde_json::to_value(plan))
        {
            object.extend(fields);
            if diff {
                object.insert("diff".into(), scaffold::unified(plan)?.into());
            }
        }
        self.console.json(&value);
        Ok(())
    }

    fn report(&self, command: &str, plan: &Plan) -> Result<()> {
        if self.global.format == Format::Json {
            return self.report_json(command, plan, self.access().reads(), self.global.diff);
        }
        self.console.plan(plan);
        if self.global.diff {
            self.console.diff(&scaffold::unified(plan)?);
        }
        if self.access().reads() {
            self.console.note("dry run: nothing was written");
        } else {
            self.console.next(plan.next());
        }
        Ok(())
    }
}
