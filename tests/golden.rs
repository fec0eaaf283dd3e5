//! `examples/iris` is, byte for byte, what the README's commands write. `BLESS=1 cargo test --test golden` renews it.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Sandbox, tree};

#[test]
fn the_example_is_what_the_readme_says() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/iris");
    let sandbox = Sandbox::with_iris();
    let expected = tree(sandbox.path());
    if std::env::var_os("BLESS").is_some() {
        let _ = fs::remove_dir_all(&example);
        for (path, content) in &expected {
            let target = example.join(path);
            if path.ends_with('/') {
                fs::create_dir_all(&target).expect("a folder");
            } else {
                fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
                fs::copy(sandbox.path().join(path), &target)
                    .unwrap_or_else(|_| panic!("{path}: {} bytes", content.len()));
            }
        }
    }
    // What cargo and make leave there is nobody's.
    let ours = |path: &str| !["target/", "bin/", "dist/"].iter().any(|folder| path.starts_with(folder));
    let found: BTreeMap<_, _> = tree(&example).into_iter().filter(|(path, _)| ours(path)).collect();
    let differing: Vec<_> = expected
        .keys()
        .chain(found.keys())
        .filter(|path| expected.get(*path) != found.get(*path))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(differing.is_empty(), "renew the example with `make golden`: {differing:#?}");
}
