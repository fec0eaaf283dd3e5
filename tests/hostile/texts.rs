//! YAML, TOML and headers that are nested, repeated or long beyond reason.

use super::{Tree, numbered, stand};

/// Files that are read as YAML, and a line that makes them worth it.
const FILES: [(&str, &str); 5] = [
    ("config/crd/bases/extra.yaml", "kind: CustomResourceDefinition\n"),
    ("config/rbac/extra.yaml", "roleRef: {}\n"),
    ("config/extra/extra.yml", "kind: CustomResourceDefinition\n"),
    ("config/crd/kustomization.yaml", ""),
    ("config/manager/manager.yaml", ""),
];

fn hostile() -> Vec<(&'static str, String)> {
    let anchors: Vec<_> = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect();
    let merges: Vec<_> = (1..40).map(|n| format!("m{n}: &m{n}\n  <<: [*m{0}, *m{0}]\n", n - 1)).collect();
    vec![
        ("lists", format!("x: {}", "[".repeat(200_000))),
        ("lists that end", format!("x: {}{}\n", "[".repeat(20_000), "]".repeat(20_000))),
        ("maps", format!("x: {}", "{a: ".repeat(200_000))),
        ("items", format!("x:\n{}a\n", "- ".repeat(200_000))),
        ("items below each other", numbered(3_000, |depth| format!("{}a:\n", " ".repeat(depth)))),
        ("keys of keys", format!("{}a\n", "? ".repeat(100_000))),
        ("tags", format!("x: {}a\n", "!a ".repeat(100_000))),
        ("anchors", format!("a0: &a0 [x, x]\n{}", anchors.concat())),
        ("merges", format!("m0: &m0 {{x: y}}\n{}", merges.concat())),
        ("itself", "x: &x [*x]\n".to_owned()),
        ("documents", "---\nkind: CustomResourceDefinition\n".repeat(100_000)),
        ("directives", "%TAG !a! tag:pwned\n---\nx: !a!b c\n%YAML 9.9\n---\n".to_owned()),
        ("one long line", format!("x: {}\n", "y ".repeat(7 << 20))),
        (
            "control characters",
            "x: \u{1b}]0;pwned\u{7}\ny: \u{0}\n\u{202e}: \"\\e[2J\\nhint: pwned\"\n".to_owned(),
        ),
        ("UTF-16", "\u{feff}x: y\n".chars().flat_map(|c| ['\0', c]).collect()),
        ("a key of other kinds", "{[a]: b, {c: d}: e, 1: f, true: g, null: h}\n".to_owned()),
        (
            "numbers",
            format!(
                "x: {}\ny: 1e{}\nz: .inf\nw: 0x{}\n",
                "9".repeat(100_000),
                "9".repeat(100),
                "f".repeat(100_000)
            ),
        ),
    ]
}

pub(super) fn trees() -> Vec<Tree> {
    let mut trees = Vec::new();
    for (file, line) in FILES {
        for (what, text) in hostile() {
            let plant = move |world: &mut super::World| world.append(file, format!("{line}{text}"));
            trees.push(Tree::new(format!("{file} with {what}"), plant).every(16));
        }
    }
    for (what, text) in [
        ("tables", format!("\n[{}a]\n", "a.".repeat(100_000))),
        ("arrays", format!("\nx = {}", "[".repeat(200_000))),
        ("maps", format!("\nx = {}", "{a=".repeat(200_000))),
        ("control characters", "\n\"\\u001b]0;pwned\\u0007\" = \"\\u001b[2J\u{1b}[2J\"\n".to_owned()),
    ] {
        for file in ["Cargo.toml", "api/Cargo.toml"] {
            let text = text.clone();
            let plant = move |world: &mut super::World| world.append(file, &text);
            trees.push(Tree::new(format!("{file} with {what}"), plant).every(6));
        }
    }
    for (what, text) in [
        ("20 MB", "x".repeat(20 << 20)),
        ("code", "*/ fn pwned() {} /*\n".to_owned()),
        ("control characters", "\u{1b}]0;pwned\u{7}\u{202e}\n".to_owned()),
        ("a carriage return", "a\rfn pwned() {}\n".to_owned()),
        ("a million lines", "a\n".repeat(1_000_000)),
    ] {
        for file in ["LICENSE", "hack/boilerplate.rs.txt"] {
            let text = text.clone();
            let plant = move |world: &mut super::World| world.write(file, &text);
            trees.push(Tree::new(format!("{file} of {what}"), plant).every(4));
        }
    }
    trees
}

#[test]
fn corpus_yaml_and_toml_beyond_reason() {
    stand(&trees());
}
