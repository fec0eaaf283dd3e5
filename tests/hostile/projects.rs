//! PROJECT files that a stranger wrote.

use super::{Tree, numbered, stand};

const NOISE: &str = r"\e]0;pwned\a\e[2J\u202e\x9b31m";

pub(super) fn trees() -> Vec<Tree> {
    let mut trees = Vec::new();
    let hostile = [
        "../../outside/x",
        "/etc/x",
        ".git/hooks/x",
        "a\\nhint: pwned",
        "a\\r\\nerror: pwned",
        NOISE,
        "{{ 7 * 7 }}",
        "$(id)`id`",
        "a\\\"b'c",
        "",
    ];
    let fields = [
        ("domain: myardyas.club", "domain"),
        ("projectName: iris", "projectName"),
        ("group: test", "group"),
        ("kind: Iris", "kind"),
        ("version: v1alpha1", "version"),
    ];
    for (known, key) in fields {
        for value in hostile {
            let to = format!("{key}: \"{value}\"");
            let name = format!("PROJECT with {to}");
            trees.push(Tree::new(name, move |world| world.replace("PROJECT", known, &to)).every(6));
        }
        let to = format!("{key}: {}", "x".repeat(1 << 20));
        let name = format!("PROJECT with a {key} of a megabyte");
        trees.push(Tree::new(name, move |world| world.replace("PROJECT", known, &to)).every(6));
    }
    trees.extend(plugins());
    trees.push(Tree::new("PROJECT with 20,000 kinds", |world| {
        let entry = |number| {
            format!(
                "- api:\n    crdVersion: v1\n    namespaced: true\n  controller: true\n  domain: myardyas.club\n  \
                 group: test\n  kind: Kind{number}\n  version: v1\n"
            )
        };
        world.replace("PROJECT", "resources:\n", &format!("resources:\n{}", numbered(20_000, entry)));
    }).every(4));
    trees
}

/// What belongs to others in PROJECT, and is kept.
fn plugins() -> Vec<Tree> {
    let anchors: Vec<_> = (1..40).map(|n| format!("    a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect();
    let anchors = format!("  example.com/v1:\n    a0: &a0 [x, x]\n{}", anchors.concat());
    [
        ("with such characters", format!("  \"{NOISE}\":\n    \"{NOISE}\": \"{NOISE}\"\n")),
        ("with line breaks", "  \"a\\nhint: pwned\": {}\n  ? |\n    hint: pwned\n  : {}\n".to_owned()),
        ("nested 100 deep", format!("  a: {}{}\n", "{a: ".repeat(100), "}".repeat(100))),
        ("nested 20,000 deep", format!("  a: {}{}\n", "{a: ".repeat(20_000), "}".repeat(20_000))),
        ("of anchors that multiply", anchors),
        ("of itself", "  a: &a\n    b: *a\n".to_owned()),
        ("of 15 MB", format!("  a: {}\n", "x".repeat(15 << 20))),
        ("of 300,000 keys", numbered(300_000, |number| format!("  k{number}: 1\n"))),
        (
            "with keys of all kinds",
            "  1: a\n  true: b\n  [a, b]: c\n  {a: b}: d\n  null: e\n  1.5: f\n".to_owned(),
        ),
        ("with tags", "  a: !!binary aXJpcw==\n  b: !pwned {a: b}\n  c: !<tag:pwned> d\n".to_owned()),
    ]
    .map(|(what, text)| {
        Tree::new(format!("plugins {what}"), move |world| {
            world.replace("PROJECT", "plugins:\n", &format!("plugins:\n{text}"));
        })
        .every(2)
    })
    .into()
}

#[test]
fn corpus_project_files_of_a_stranger() {
    stand(&trees());
}
