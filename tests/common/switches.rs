//! The switches of a project's `config/default/kustomization.yaml`.

use super::Sandbox;

const FILE: &str = "config/default/kustomization.yaml";

/// Turns on these switches of a project, and all others off.
pub fn turn(sandbox: &Sandbox, on: &[&str]) {
    let before = sandbox.read(FILE);
    assert!(on.iter().all(|name| before.contains(&format!("# [{name}]"))), "{on:?} are switches");
    let turned = turned(&before, on);
    sandbox.write(FILE, &turned);
}

/// A section begins with a line such as `# [METRICS] …` and ends with an empty line or another comment.
fn turned(text: &str, on: &[&str]) -> String {
    let (mut section, mut turned) = (None, String::new());
    for line in text.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        let is_entry = bare.starts_with("- ") || bare.starts_with("  ");
        if let Some(rest) = line.strip_prefix("# [") {
            section = rest.split_once(']').map(|(name, _)| name);
        } else if !is_entry {
            section = None;
        }
        match section.filter(|_| is_entry) {
            Some(name) if on.contains(&name) => turned.push_str(bare),
            Some(_) => turned.extend(["#", bare]),
            None => turned.push_str(line),
        }
        turned.push('\n');
    }
    turned
}
