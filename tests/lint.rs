//! `manifests --lint`: API conventions, held to the rules of kube-api-linter.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::Sandbox;
use common::cluster::{go_module, manifests, target_environment};
use iris_scaffold::manifests::crd::RULES;

/// The version whose rules the page names.
const LINTER: &str = "sigs.k8s.io/kube-api-linter@v0.0.0-20260716143926-092fe0c72997";

#[test]
fn the_page_names_every_rule_of_the_linter_and_those_that_are_checked_here() {
    let documented = fs::read_to_string(go_module(LINTER).join("docs/linters.md")).expect("its rules");
    // Rows such as `| [NoBools](#nobools) | Prevents usage of boolean types | False | Native, CRD |`.
    let theirs: BTreeSet<_> = documented
        .lines()
        .filter_map(|line| line.strip_prefix("| [")?.split_once(']').map(|(name, _)| name.to_lowercase()))
        .collect();
    assert!(theirs.len() > 30, "{theirs:?}");

    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/markers.md");
    let page = fs::read_to_string(page).expect("the page");
    assert!(
        page.contains(LINTER.split_once('@').expect("a version").1),
        "the page says which version it is about"
    );
    let (_, section) = page.split_once("## Conventions\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let rows: Vec<_> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, verdict)| (name.to_owned(), verdict))
        .collect();
    assert_eq!(rows.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), theirs);
    let checked =
        rows.iter().filter(|(_, verdict)| verdict.starts_with("yes")).map(|(name, _)| name.as_str());
    assert!(checked.eq(RULES), "the page says which are checked");
    assert!(rows.iter().all(|(_, verdict)| verdict.starts_with("yes") || verdict.starts_with("no: ")));
}

#[test]
fn what_a_project_has_is_said_with_its_place_and_can_be_accepted() {
    let sandbox = Sandbox::with_iris();
    sandbox
        .run(&["create", "api", "--group=test", "--version=v1", "--kind=Plain", "--template=blank"])
        .success();
    let said = manifests(sandbox.path(), &["--lint", "--check"]);
    said.unwrap_or_else(|error| panic!("what the templates have is as is usual:\n{error}"));

    let types = "api/src/v1alpha1/iris.rs";
    let before = sandbox.read(types);
    let field = "    pub deployment_name: String,\n";
    let with = |comment: &str| {
        let more = format!(
            "{field}\n{comment}    /// Whether nothing is done.\n    #[serde(default)]\n    pub paused: bool,\n"
        );
        sandbox.write(types, &before.replacen(field, &more, 1));
    };
    with("");
    let row = 1 + sandbox.read(types).lines().position(|line| line.contains("pub paused")).expect("a line");
    let expected = format!("`{types}:{row}:9`: `Iris v1alpha1 .spec.paused` is a boolean");
    let mut lint = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"));
    lint.args(["manifests", "--lint"]).current_dir(sandbox.path()).envs(target_environment());
    let found = lint.output().expect("a run");
    let notes = String::from_utf8(found.stderr).expect("UTF-8");
    assert!(found.status.success() && notes.contains(&expected) && notes.contains("(nobools)"), "{notes}");
    let refused = manifests(sandbox.path(), &["--lint", "--check"]).expect_err("it is not accepted");
    assert!(refused.contains(&expected) && refused.contains("lint:allow=RULE"), "{refused}");
    manifests(sandbox.path(), &["--check"]).expect("nobody asked");

    with("    // +iris-scaffold:lint:allow=nobools it is paused or not\n");
    manifests(sandbox.path(), &["--lint", "--check"]).expect("it is accepted");
    with("    // +iris-scaffold:lint:allow=nobool\n");
    let refused = manifests(sandbox.path(), &["--lint", "--check"]).expect_err("there is no such rule");
    assert!(refused.contains("there is no rule `nobool`; did you mean `nobools`?"), "{refused}");
}
