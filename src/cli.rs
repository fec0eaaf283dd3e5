//! The command line, as clap structs and nothing else.
//!
//! Help, completions and `docs/cli.md` all come from here. Values are strings as typed; the commands check them, all
//! at once, so that one run reports every mistake.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::project::License;
use crate::templates::kinds::{self, GivenOptions, KindTemplate};

/// Scaffold complete Kubernetes operators in Rust
///
/// Start with `iris-scaffold init --domain example.com` in an empty directory, then add a kind with
/// `iris-scaffold create api --group app --version v1alpha1 --kind Widget`. The result builds with `cargo build` and
/// works on a real cluster.
#[derive(Debug, Parser)]
#[command(name = "iris-scaffold", version, propagate_version = false, max_term_width = 100)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Show which files would be written, and write nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Show what would be written as a unified diff, and write nothing
    #[arg(long, global = true)]
    pub diff: bool,
    /// What to do with files whose content differs [default: ask on a terminal, else abort]
    #[arg(long, value_name = "POLICY", global = true)]
    pub on_conflict: Option<ConflictPolicy>,
    /// Never ask a question
    #[arg(long, global = true)]
    pub no_input: bool,
    /// How to print results and errors
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub format: Format,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Color,
    /// Print errors only, and what cargo warns of
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more: files that stay as they are, too
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What to do with a file that holds something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConflictPolicy {
    /// Leave it as it is
    Keep,
    /// Replace it
    Overwrite,
    /// Stop and write nothing
    Abort,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a project: a workspace that builds, with its manager, manifests and tests
    Init(InitArgs),
    /// Add something to the project
    Create {
        /// What to add.
        #[command(subcommand)]
        what: Create,
    },
    /// Same as `create api`
    #[command(name = "create-api", hide = true)]
    CreateApi(CreateApiArgs),
    /// Write the CRDs and roles that the project's types and markers declare
    ///
    /// Cargo's progress is shown while it compiles the types: its lines and, on a terminal, its bar; with `--format json` on
    /// a terminal only.
    ///
    /// Without `--rbac-only` this compiles the project and runs its `crdgen`, with `--check`, `--stdout`, `--dry-run` and
    /// `--diff` too: do that only in a project whose code you would run. It is the one command that runs anything of the
    /// project.
    Manifests(ManifestsArgs),
    /// Print a shell's completion script
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the version
    Version,
}

/// What `create` adds.
#[derive(Debug, Subcommand)]
pub enum Create {
    /// Add a kind with its controller, or a controller for a kind that exists elsewhere
    Api(CreateApiArgs),
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to put the project [default: the current directory]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Domain of the project's API groups, such as `example.com`
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Name of the project, a prefix of its objects [default: the directory's name]
    #[arg(long, value_name = "NAME")]
    pub project_name: Option<String>,
    /// Copyright owner named in the licence header
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,
    /// Licence of the project
    #[arg(long, value_name = "LICENSE", default_value = "apache2")]
    pub license: License,
    /// Text file to use as the licence header instead
    #[arg(long, value_name = "FILE")]
    pub license_file: Option<PathBuf>,
    /// Organise types and controllers by API group
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub multigroup: bool,
    /// Deploy into one namespace: Roles instead of `ClusterRoles`, and only that namespace is watched
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub namespaced: bool,
    /// kubebuilder's flags that mean nothing for a Rust project.
    #[command(flatten)]
    pub foreign: ForeignInit,
}

/// kubebuilder's `init` flags without an effect here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accepted for kubebuilder's sake, without effect")]
pub struct ForeignInit {
    /// Go module path
    #[arg(long, value_name = "PATH")]
    pub repo: Option<String>,
    /// Download dependencies
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub fetch_deps: Option<bool>,
    /// Skip the check of Go's version
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub skip_go_version_check: Option<bool>,
    /// Plugins, such as `go/v4`
    #[arg(long, value_name = "NAMES")]
    pub plugins: Option<String>,
    /// Version of the schema of PROJECT
    #[arg(long, value_name = "VERSION")]
    pub project_version: Option<String>,
}

/// Arguments of `create api`.
#[derive(Debug, Args)]
pub struct CreateApiArgs {
    /// API group without the domain, such as `app`
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// API version, such as `v1alpha1`
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Kind in `UpperCamelCase`, such as `Widget`
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Plural of the kind, in lower case [default: by kubebuilder's rules]
    #[arg(long, value_name = "PLURAL")]
    pub plural: Option<String>,
    /// Whether objects live in a namespace; `--namespaced=false` makes the kind cluster-scoped [default: as the kind's
    /// other versions, else true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub namespaced: Option<bool>,
    /// Whether to generate types; `--resource=false` with a kind of Kubernetes or of another project
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub resource: bool,
    /// Whether to generate a controller
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub controller: bool,
    /// Name of the controller; a second name gives a kind a second controller
    #[arg(long, value_name = "NAME")]
    pub controller_name: Option<String>,
    /// What the types and the controller do
    #[arg(long, value_name = "TEMPLATE", value_parser = kinds::parser(), help = kinds::help())]
    pub template: Option<&'static dyn KindTemplate>,
    /// Domain of another project's group, such as `io` for `cert-manager.io`
    #[arg(long, value_name = "DOMAIN")]
    pub external_api_domain: Option<String>,
    /// Replace files that exist, and add the kind even when PROJECT has it
    #[arg(long)]
    pub force: bool,
    /// The options of the templates.
    #[command(flatten)]
    pub options: GivenOptions,
    /// kubebuilder's flags that mean nothing for a Rust project.
    #[command(flatten)]
    pub foreign: ForeignApi,
}

/// kubebuilder's `create api` flags without an effect here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accepted for kubebuilder's sake, without effect")]
pub struct ForeignApi {
    /// Run `make generate` afterwards
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub make: Option<bool>,
    /// Run `make manifests` afterwards
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub manifests: Option<bool>,
    /// Go import path of an external type
    #[arg(long, value_name = "PATH")]
    pub external_api_path: Option<String>,
    /// Go module of an external type
    #[arg(long, value_name = "MODULE")]
    pub external_api_module: Option<String>,
    /// Plugins, such as `deploy-image`
    #[arg(long, value_name = "NAMES")]
    pub plugins: Option<String>,
}

/// Arguments of `manifests`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct ManifestsArgs {
    /// Fail with a diff and exit status 1 when a manifest is not current, and write nothing
    #[arg(long)]
    pub check: bool,
    /// Print the manifests, and write nothing
    #[arg(long, conflicts_with = "check")]
    pub stdout: bool,
    /// Leave the roles alone
    #[arg(long)]
    pub crds_only: bool,
    /// Leave the CRDs alone, and compile nothing
    #[arg(long, conflicts_with = "crds_only")]
    pub rbac_only: bool,
    /// Cut the descriptions in CRDs to N characters, at the end of a sentence; 0 removes them
    #[arg(long, value_name = "N", conflicts_with = "rbac_only")]
    pub max_desc_len: Option<usize>,
    /// Also report violations of API conventions; with `--check`, fail on them. A comment such as
    /// `// +iris-scaffold:lint:allow=nobools` above a field accepts one
    #[arg(long, conflicts_with = "rbac_only")]
    pub lint: bool,
    /// Also write a reference of the API for its users into this folder of the project: a page of Markdown for each kind
    #[arg(long, value_name = "DIR", conflicts_with_all = ["rbac_only", "stdout"])]
    pub docs: Option<String>,
    /// Fail when the CRDs would break what worked at this commit of the project
    #[arg(long, value_name = "COMMIT", conflicts_with = "rbac_only")]
    pub against: Option<String>,
}
