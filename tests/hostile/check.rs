//! What is promised of every run, whatever the tree holds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::commands::{Line, Prints};
use super::run::Ended;
use super::world::{Print, Snapshot, World};

/// Most bytes of what a failed command may say.
const LONGEST: usize = 20_000;
/// Most bytes of what cargo, or what it built, says and is passed on.
const PASSED_ON: usize = 1 << 20;

/// All that is wrong with a run.
pub fn faults(world: &World, line: &Line, ended: &Ended, before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut faults = Vec::new();
    end(ended, &mut faults);
    if faults.is_empty() {
        said(line, ended, &mut faults);
    }
    if line.prints == Prints::TextOnATerminal {
        shown(&ended.stdout, &mut faults);
    }
    around(line, before, after, &mut faults);
    project(world, line, ended, before, after, &mut faults);
    faults
}

/// It ends in time, by itself and alone.
fn end(ended: &Ended, faults: &mut Vec<String>) {
    if ended.waited {
        faults.push("waits for ever".to_owned());
    } else if !matches!(ended.status, Some(0..=2)) {
        let cause = match ended.signal {
            Some(24) => "takes more than 10 seconds of work".to_owned(),
            Some(25) => "writes too large a file".to_owned(),
            Some(signal) => format!("is ended by signal {signal}"),
            None => format!("exits with {:?}", ended.status),
        };
        let last = text(ended).lines().last().unwrap_or_default().to_owned();
        faults.push(format!("{cause}: {}", short(&last)));
    }
    if !ended.left.is_empty() {
        faults.push(format!("leaves processes behind: {}", ended.left.join(", ")));
    }
    let text = text(ended);
    if let Some(panic) = text.lines().find(|line| line.contains("panicked at")) {
        faults.push(format!("panics: {}", short(panic)));
    }
}

/// It says what went wrong, once and clearly, or that nothing did.
fn said(line: &Line, ended: &Ended, faults: &mut Vec<String>) {
    let text = text(ended);
    let failed = ended.status != Some(0);
    if line.prints == Prints::Json {
        let stdout = String::from_utf8_lossy(&ended.stdout);
        let is_script = line.words[0] == "completion";
        let is_one = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        if !failed && !is_script && !is_one(&stdout) {
            faults.push(format!("prints no JSON: {}", short(&stdout)));
        }
        let errors = String::from_utf8_lossy(&ended.stderr);
        let error = errors.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let messages =
            error.filter(|value| value["error"]["message"].as_str().is_some_and(|it| !it.is_empty()));
        if messages.count() != usize::from(failed) {
            faults.push(format!("exits with {:?} and prints as its error: {}", ended.status, short(&errors)));
        }
    } else {
        let errors = text.lines().filter(|line| line.starts_with("error: ")).count();
        if (errors > 0) != failed {
            faults.push(format!("exits with {:?} and prints {errors} errors", ended.status));
        }
    }
    let longest = LONGEST + if line.compiles { PASSED_ON } else { 0 };
    if failed && ended.stderr.len() > longest {
        faults.push(format!("prints an error of {} bytes: {}", ended.stderr.len(), short(&text)));
    }
    if let Some(forged) = text.lines().find(|line| {
        ["hint: ", "error: ", "note: "].iter().any(|word| line.strip_prefix(word).is_some_and(is_forged))
    }) {
        faults.push(format!("prints a line that the tree wrote: {}", short(forged)));
    }
}

/// Whether a line's text is one that names in trees end with after a line break.
fn is_forged(text: &str) -> bool {
    text.starts_with("pwned")
}

/// What a terminal was given is text and nothing else.
fn shown(bytes: &[u8], faults: &mut Vec<String>) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.push("prints to a terminal what is not UTF-8".to_owned());
        return;
    };
    let text = text.replace("\r\n", "\n");
    let is_raw = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(line) = text.lines().find(|line| line.chars().any(is_raw)) {
        let raw = line.chars().find(|&c| is_raw(c)).unwrap_or_default();
        faults.push(format!("prints {} to a terminal: {}", raw.escape_unicode(), short(line)));
    }
}

/// Nothing but the project changes, and nothing of the project is run.
fn around(line: &Line, before: &Snapshot, after: &Snapshot, faults: &mut Vec<String>) {
    for (path, old, new) in differences(before, after) {
        let shown = path.display();
        let top = path.iter().next().and_then(|top| top.to_str()).unwrap_or_default();
        match top {
            "iris" => {}
            "marks" => {
                let mark = path.file_name().filter(|_| path.components().count() > 1);
                faults.extend(mark.map(|mark| format!("runs the project's `{}`", mark.display())));
            }
            // Where a journal may be while a command writes; nothing stays.
            "home" | "tmp" if !line.reads => {
                let was = |print: Option<&Print>| print.is_some_and(|print| !print.is_folder());
                let same = old.zip(new).is_some_and(|(old, new)| old.holds_the_same(new));
                if (was(old) || was(new)) && !same {
                    faults.push(format!("leaves `{shown}` behind"));
                }
            }
            _ => faults.push(format!("changes `{shown}`, which is outside")),
        }
    }
}

/// The project changes as the plan said, or not at all.
fn project(
    world: &World,
    line: &Line,
    ended: &Ended,
    before: &Snapshot,
    after: &Snapshot,
    faults: &mut Vec<String>,
) {
    let inside = differences(before, after).filter(|(path, ..)| path.starts_with("iris"));
    if line.reads {
        let changed: Vec<_> = inside.map(|(path, ..)| path.display().to_string()).collect();
        if !changed.is_empty() {
            faults.push(format!("writes in a reading mode: {}", few(&changed)));
        }
        return;
    }
    let planned = planned(world, line, ended);
    let (mut written, mut repository) = (BTreeSet::new(), BTreeSet::new());
    let (mut failed, mut gone, mut folders) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (path, old, new) in inside {
        // What was made in a folder and taken away, or put back, is no change.
        let is_same = old.zip(new).is_some_and(|(old, new)| old.holds_the_same(new));
        let kind = if path.starts_with("iris/.git") {
            &mut repository
        } else if is_same {
            continue;
        } else if ended.status != Some(0) {
            &mut failed
        } else if new.is_none() {
            &mut gone
        } else if !new.is_some_and(Print::is_folder) {
            &mut written
        } else if planned.iter().any(|file| file.starts_with(path)) {
            continue;
        } else {
            &mut folders
        };
        kind.insert(path.clone());
    }
    let (mut secret, mut missed) = (BTreeSet::new(), BTreeSet::new());
    if ended.status == Some(0) {
        secret.extend(written.difference(&planned).cloned());
        missed.extend(planned.difference(&written).filter(|path| !repository.contains(*path)).cloned());
    }
    for (what, paths) in [
        ("changes the repository", repository),
        ("fails and changes", failed),
        ("takes away", gone),
        ("makes folders that its plan does not show", folders),
        ("writes what its plan does not show", secret),
        ("shows in its plan what it does not write", missed),
    ] {
        let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        if !paths.is_empty() {
            faults.push(format!("{what}: {}", few(&paths)));
        }
    }
}

/// The paths that are not as they were, and what is there.
fn differences<'a>(
    before: &'a Snapshot,
    after: &'a Snapshot,
) -> impl Iterator<Item = (&'a PathBuf, Option<&'a Print>, Option<&'a Print>)> {
    let old = before.iter().map(|(path, old)| (path, Some(old), after.get(path)));
    let new = after.iter().filter(|(path, _)| !before.contains_key(*path));
    old.chain(new.map(|(path, new)| (path, None, Some(new)))).filter(|(_, old, new)| old != new)
}

/// The files that a command says it wrote, as they really are below the world's folder.
fn planned(world: &World, line: &Line, ended: &Ended) -> BTreeSet<PathBuf> {
    let stdout = String::from_utf8_lossy(&ended.stdout);
    let paths: Vec<String> = if line.prints == Prints::Json {
        let value: Value = serde_json::from_str(&stdout).unwrap_or_default();
        let changes = value["changes"].as_array().cloned().unwrap_or_default();
        let writes =
            changes.iter().filter(|change| change["action"] == "create" || change["action"] == "update");
        writes.filter_map(|change| change["path"].as_str()).map(str::to_owned).collect()
    } else {
        let text = text(ended);
        let paths = text.lines().filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("Creating ").or_else(|| line.strip_prefix("Updating "))
        });
        paths.map(str::to_owned).collect()
    };
    let root =
        if line.words[0] == "init" { world.start().join(line.root) } else { world.root().to_path_buf() };
    let real = |path: String| {
        let path = root.join(path);
        let path = path.canonicalize().unwrap_or(path);
        path.strip_prefix(world.place()).map_or_else(|_| path.clone(), Path::to_path_buf)
    };
    paths.into_iter().map(real).collect()
}

/// What was said to people.
fn text(ended: &Ended) -> String {
    String::from_utf8_lossy(if ended.stderr.is_empty() { &ended.stdout } else { &ended.stderr }).into_owned()
}

fn few(paths: &[String]) -> String {
    let more = paths.len().saturating_sub(3);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", paths.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
}

/// The beginning of a text, fit for a terminal.
fn short(text: &str) -> String {
    text.escape_debug().take(240).collect()
}
