//! `examples/iris` is, byte for byte, what the README's commands write. `BLESS=1 cargo test --test golden` renews it.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Sandbox, copy, tree};

#[test]
fn the_example_is_what_the_readme_says() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/iris");
    let sandbox = Sandbox::with_iris();
    let expected = tree(sandbox.path());
    if std::env::var_os("BLESS").is_some() {
        let _ = fs::remove_dir_all(&example);
        for path in expected.keys() {
            copy(sandbox.path(), &example, path);
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
