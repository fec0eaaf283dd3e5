//! How the modules of the program depend on each other, and what they may name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every source of the program, by its path below `src`, without its tests.
fn sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") && !is_for_tests(&name) {
                let text = std::fs::read_to_string(&path).expect("a source");
                let below = path.strip_prefix(&root).expect("a path below `src`").to_path_buf();
                found.insert(below, program(&text));
            }
        }
    }
    assert!(found.len() > 100, "{}", found.len());
    found
}

/// Whether a source is compiled into the tests only.
fn is_for_tests(name: &str) -> bool {
    name.ends_with("tests.rs") || name == "dummy.rs"
}

/// The text without comments, without what is quoted to people, and without the module of tests at its end.
fn program(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains('`'));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The words behind each `crate::`, in braces or not.
fn used(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            used.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in list.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ if start && !c.is_whitespace() => {
                    used.push(word(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    used
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Which of the modules of `src/lib.rs` uses which.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources() {
        let module = path.iter().next().and_then(|first| Path::new(first).file_stem()).expect("a name");
        let module = module.to_string_lossy().into_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let uses = graph.entry(module.clone()).or_default();
        uses.extend(used(&text).into_iter().map(|word| match word.as_str() {
            "Error" | "Result" => "error".to_owned(),
            "Problem" => "problem".to_owned(),
            _ => word,
        }));
        uses.remove(&module);
    }
    graph
}

#[test]
fn no_module_needs_one_that_needs_it() {
    let mut graph = graph();
    let modules: BTreeSet<String> = graph.keys().cloned().collect();
    for (module, uses) in &graph {
        let strange: Vec<_> = uses.difference(&modules).collect();
        assert!(strange.is_empty(), "{module} uses {strange:?}, which is no module");
    }
    // Floor by floor, what needs nothing more is taken away; what is left goes round.
    let mut floors = Vec::new();
    while !graph.is_empty() {
        let floor: BTreeSet<String> =
            graph.iter().filter(|(_, uses)| uses.is_empty()).map(|(module, _)| module.clone()).collect();
        assert!(!floor.is_empty(), "a circle is in: {graph:?}");
        graph.retain(|module, _| !floor.contains(module));
        for uses in graph.values_mut() {
            uses.retain(|module| !floor.contains(module));
        }
        floors.push(floor);
    }
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(module)).expect("a floor");
    let order = ["problem", "path", "error", "scaffold", "project", "templates", "cli", "commands"];
    assert!(order.is_sorted_by_key(|module| floor(module)), "{floors:?}");
    assert_eq!(floor("problem"), 0, "{floors:?}");
}

/// Another template of kinds is a folder, a file and a line. So nothing but its file and that line may name one.
#[test]
fn only_its_own_file_and_the_list_name_a_template() {
    let kinds = Path::new("templates/kinds");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kinds);
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let type_name = name[..1].to_uppercase() + &name[1..];
        let names_it = |line: &&str| {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let paths = [format!("\"{name}\""), format!("kinds/{name}/")];
            words.any(|word| word == type_name) || paths.iter().any(|path| line.contains(path))
        };
        for (path, text) in sources() {
            // Kubernetes and regular expressions have such words, too.
            if path.starts_with("manifests/crd/validate") {
                continue;
            }
            if path == kinds.join(format!("{name}.rs")) {
                seen += 1;
                continue;
            }
            let lines: Vec<_> = text.lines().filter(names_it).collect();
            let expected = usize::from(path == kinds.join("mod.rs"));
            assert_eq!(lines.len(), expected, "`{name}` in {}: {lines:?}", path.display());
        }
    }
    assert!(seen >= 2, "{seen}");
}
