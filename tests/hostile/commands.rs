//! Every command, and every mode that it has.

use std::collections::BTreeSet;
use std::fmt;

use crate::random as random_number;

/// A command line, and where and how it is run.
#[derive(Clone)]
pub struct Line {
    pub words: Vec<String>,
    /// Whether it may write nothing.
    pub reads: bool,
    pub prints: Prints,
    /// Whether it is run from elsewhere, with `-C`.
    pub from_outside: bool,
    /// Whose turn it is among variants that make no difference.
    turn: usize,
    /// Where its paths begin, below the project.
    pub root: &'static str,
    /// Whether it may run cargo, and what that built.
    pub compiles: bool,
}

impl Line {
    /// Whether `XDG_STATE_HOME` is set.
    pub fn has_state(&self) -> bool {
        self.turn.is_multiple_of(3)
    }
}

/// What a command prints, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prints {
    Text,
    TextOnATerminal,
    Json,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.from_outside { " -C iris" } else { "" };
        let to = if self.prints == Prints::TextOnATerminal { " on a terminal" } else { "" };
        write!(f, "iris-scaffold{place} {}{to}", self.words.join(" "))
    }
}

const COMMANDS: [&str; 16] = [
    "init --domain=myardyas.club",
    "init fresh --domain=example.com",
    "init other --domain=example.com --license-file=LICENSE --multigroup",
    "create api --group=test --version=v1 --kind=Widget",
    "create api --group=test --version=v1alpha1 --kind=Iris --force",
    "create api --group=test --version=v1beta1 --kind=Iris",
    "create api --group=apps --version=v1 --kind=Deployment --resource=false",
    "create api --group=cert-manager --version=v1 --kind=Certificate --resource=false --external-api-domain=io",
    "create api --group=test --version=v1 --kind=Gadget --controller=false",
    "create api --group=test --version=v1 --kind=Plain --template=blank --namespaced=false",
    "manifests",
    "manifests --rbac-only",
    "manifests --crds-only --max-desc-len=20 --docs=docs/api --lint",
    "manifests --against=HEAD",
    "completion bash",
    "version",
];

/// Modes in which nothing is written.
const READING: [&str; 8] = [
    "--dry-run",
    "--diff",
    "--dry-run --diff",
    "--dry-run --format=json",
    "--diff --format=json",
    "--dry-run --diff --on-conflict=overwrite",
    "--dry-run --verbose --on-conflict=keep -C",
    "--dry-run --diff --format=json -C",
];

/// Those that `manifests` has besides.
const SHOWING: [&str; 6] = [
    "--check",
    "--stdout",
    "--check --format=json",
    "--stdout --format=json",
    "--check --diff -C",
    "--stdout -C",
];

/// Modes in which what was planned is written.
const WRITING: [&str; 6] = [
    "",
    "--on-conflict=keep",
    "--on-conflict=overwrite",
    "--on-conflict=abort",
    "--format=json",
    "--on-conflict=overwrite --format=json -C",
];

/// The modes of a command.
pub fn modes(command: &str) -> Vec<(&'static str, bool)> {
    let is_manifests = command.starts_with("manifests");
    if !is_manifests && !command.starts_with("init") && !command.starts_with("create") {
        return READING.iter().map(|&mode| (mode, true)).collect();
    }
    let reading = READING.iter().chain(SHOWING.iter().filter(|_| is_manifests));
    let reading = reading.map(|&mode| (mode, true));
    // As often as those that read.
    let writing = WRITING.iter().cycle().take(reading.clone().count()).map(|&mode| (mode, false));
    reading.zip(writing).flat_map(|(reads, writes)| [reads, writes]).collect()
}

/// Which part, of how many, of the runs of every command in every mode in every tree is asked for, if any is:
/// `IRIS_HOSTILE` is `all`, or such as `3/10`.
pub fn part() -> Option<(usize, usize)> {
    let asked = std::env::var("IRIS_HOSTILE").ok()?;
    if asked == "all" {
        return Some((1, 1));
    }
    let part = asked.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    let (part, of) = part.expect("IRIS_HOSTILE is `all`, or a part such as `3/10`");
    assert!((1..=of).contains(&part), "of {of} parts there is no number {part}");
    Some((part, of))
}

/// The commands, each in the mode whose turn it is, or all that are in the part that is asked for.
pub fn lines(turn: usize) -> Vec<Line> {
    // Mixed, so that it does not go together with which commands are left out.
    let draw = |number: usize, from: usize| {
        let mut state = u64::try_from(turn * COMMANDS.len() + number).expect("a small number");
        usize::try_from(random_number(&mut state)).expect("a small number") % from
    };
    let part = part();
    let of = |(number, &command): (usize, &&'static str)| {
        let mut modes = modes(command);
        let chosen = part.is_none().then(|| draw(number, modes.len()));
        if part.is_some() {
            let mut met = BTreeSet::new();
            modes.retain(|mode| met.insert(*mode));
        }
        let modes =
            modes.into_iter().enumerate().filter(move |(mode, _)| chosen.is_none_or(|it| it == *mode));
        modes.map(move |(mode, (words, reads))| line(command, words, reads, turn + number + mode))
    };
    let lines: Vec<_> = COMMANDS.iter().enumerate().flat_map(of).collect();
    let Some((part, of)) = part else { return lines };
    let first = draw(0, of);
    lines
        .into_iter()
        .enumerate()
        .filter(|(index, _)| (index + first) % of == part - 1)
        .map(|(_, it)| it)
        .collect()
}

/// A random command in a random mode.
pub fn random(draw: &mut dyn FnMut(usize) -> usize) -> Line {
    let command = COMMANDS[draw(COMMANDS.len())];
    let modes = modes(command);
    let (mode, reads) = modes[draw(modes.len())];
    line(command, mode, reads, draw(6))
}

/// A command in a mode.
pub fn line(command: &'static str, mode: &str, reads: bool, turn: usize) -> Line {
    let json = mode.contains("--format=json");
    let words = command.split(' ').chain(mode.split(' ').filter(|word| !word.is_empty() && *word != "-C"));
    let is_init = command.starts_with("init ");
    Line {
        words: words.map(str::to_owned).collect(),
        reads: reads || command == "completion bash" || command == "version",
        prints: match (json, turn.is_multiple_of(2)) {
            (true, _) => Prints::Json,
            (_, true) => Prints::TextOnATerminal,
            _ => Prints::Text,
        },
        from_outside: mode.ends_with("-C"),
        turn,
        root: match command.split(' ').nth(1) {
            Some(folder @ ("fresh" | "other")) if is_init => folder,
            _ => "",
        },
        compiles: command.starts_with("manifests") && !command.contains("--rbac-only"),
    }
}
