//! What an image is built from: the files that `.dockerignore` lets through, and the lines of the Dockerfile.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cluster::run;
use super::{copy, tree};

/// The Dockerfile's instructions, each on one line.
pub fn instructions(project: &Path) -> Vec<String> {
    let text = fs::read_to_string(project.join("Dockerfile")).expect("the Dockerfile");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let text = lines.join("\n").replace("\\\n", " ");
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// Copies what `.dockerignore` lets through.
fn context(project: &Path, to: &Path) {
    let rules = fs::read_to_string(project.join(".dockerignore")).expect("the rules");
    let rules: Vec<&str> = rules.lines().filter(|line| !line.starts_with('#')).collect();
    for path in tree(project).keys().filter(|path| !path.ends_with('/')) {
        // The last rule about a file or a folder that it is in decides.
        let ignored = rules.iter().fold(false, |ignored, rule| {
            let (lets_through, pattern) =
                rule.strip_prefix('!').map_or((false, *rule), |pattern| (true, pattern));
            let matches = match pattern.strip_prefix("**/") {
                Some(name) => path.split('/').any(|part| part == name),
                None if pattern == "*" => true,
                None => {
                    path.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                }
            };
            assert!(pattern == "*" || !pattern.trim_start_matches("**/").contains(['*', '?', '[']), "{rule}");
            if matches { !lets_through } else { ignored }
        });
        if !ignored {
            copy(project, to, path);
        }
    }
}

/// Does in a folder beside the project what the Dockerfile does up to the dependencies' build, and then asks cargo what it
/// would build. An error is cargo's.
pub fn prepare(project: &Path) -> Result<String, String> {
    let folder = tempfile::Builder::new().tempdir_in(project.parent().expect("a parent")).expect("a folder");
    let image = folder.path();
    context(project, image);
    let instructions = instructions(project);
    let arguments = |name: &str| {
        let found = instructions.iter().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map(str::to_owned).collect::<Vec<_>>()
    };
    for arguments in arguments("COPY").iter().filter(|arguments| !arguments.starts_with("--from=")) {
        let (sources, _) = arguments.rsplit_once(' ').expect("a target");
        for source in sources.split(' ') {
            assert!(image.join(source).exists(), "COPY {arguments}: no `{source}`");
        }
    }
    let empties =
        arguments("RUN").into_iter().find(|command| command.starts_with("find ")).expect("the first stage");
    let mut shell = Command::new("sh");
    shell.args(["-ec", &empties]).current_dir(image);
    run(shell, "").expect("the sources are emptied");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--offline", "--format-version=1"]).current_dir(image);
    run(cargo, "")
}
