//! The command line as a user meets it: messages, exit statuses, and that a refusal changes nothing.

mod common;

use common::{Sandbox, tree};

/// Arguments of the walk-through's kind.
const IRIS: [&str; 8] = ["create", "api", "--group", "test", "--version", "v1alpha1", "--kind", "Iris"];

#[test]
fn the_two_commands_write_a_project_and_say_what_to_do_next() {
    let sandbox = Sandbox::new("iris");
    let init = sandbox.run(&["init", "--domain", "myardyas.club"]).success();
    assert!(init.stderr.contains("iris-scaffold create api --group"), "{}", init.stderr);
    assert_eq!(init.stdout, "", "stdout is for data");
    let create = sandbox.run(&IRIS).success();
    for line in
        ["Creating api/src/v1alpha1/iris.rs", "Creating config/crd/bases/test.myardyas.club_iris.yaml"]
    {
        assert!(create.stderr.contains(line), "{line} in\n{}", create.stderr);
    }
    assert!(create.stderr.contains("  cargo build"), "{}", create.stderr);
}

#[test]
fn running_a_command_again_changes_nothing() {
    let sandbox = Sandbox::with_iris();
    let before = tree(sandbox.path());
    sandbox.run(&["init", "--domain", "myardyas.club"]).success();
    sandbox.run(&IRIS).success();
    sandbox
        .run(&[
            "create-api",
            "--group=test",
            "--version=v1alpha1",
            "--kind=Iris",
            "--resource",
            "--controller=true",
        ])
        .success();
    assert_eq!(before, tree(sandbox.path()));
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let sandbox = Sandbox::new("iris");
    let out = sandbox.run(&["init", "--domain", "myardyas.club", "--dry-run", "--diff"]).success();
    assert!(out.stderr.contains("dry run: nothing was written"), "{}", out.stderr);
    assert!(out.stdout.contains("+++ b/PROJECT"), "{}", out.stdout);
    assert!(tree(sandbox.path()).is_empty());

    let json = sandbox.run(&["init", "--domain", "myardyas.club", "--dry-run", "--format", "json"]).success();
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("one JSON document");
    assert_eq!(value["dryRun"], true);
    assert_eq!(value["command"], "init");
    let changes = value["changes"].as_array().expect("changes");
    assert!(
        changes.iter().any(|change| change["path"] == "Makefile" && change["action"] == "create"),
        "{value}"
    );
}

#[test]
fn every_wrong_argument_is_reported_at_once() {
    let sandbox = Sandbox::with_project();
    let before = tree(sandbox.path());
    let out = sandbox
        .run(&["create", "api", "--group", "Test!", "--version", "1alpha", "--kind", "iris", "--plural=-x"])
        .code(2);
    for literal in ["`Test!`", "`1alpha`", "`iris`", "`-x`"] {
        assert!(out.stderr.contains(literal), "{literal} in\n{}", out.stderr);
    }
    assert!(out.stderr.contains("hint: "), "{}", out.stderr);
    assert_eq!(before, tree(sandbox.path()));
}

#[test]
fn a_missing_flag_is_named_when_nobody_can_be_asked() {
    let sandbox = Sandbox::new("iris");
    let out = sandbox.run(&["init"]).code(2);
    assert!(out.stderr.contains("error: `--domain` is missing"), "{}", out.stderr);
    let sandbox = Sandbox::with_project();
    let out = sandbox.run(&["create", "api"]).code(2);
    for flag in ["--group", "--version", "--kind"] {
        assert!(out.stderr.contains(&format!("`{flag}` is missing")), "{flag} in\n{}", out.stderr);
    }
}

#[test]
fn hostile_names_give_a_clear_error_and_change_nothing() {
    let hostile = [
        "",
        " ",
        "-",
        "--",
        "-x",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a..b",
        ".a",
        "a.",
        "a-",
        "Ünï",
        "日本",
        "a b",
        "a\nb",
        "a\tb",
        "\u{1b}[31m",
        "$(id)",
        "`id`",
        "a;b",
        "a|b",
        "a&b",
        "'",
        "\"",
        "{{ x }}",
        "{% x %}",
        "%s",
        "*",
        "~",
        "A",
        "UPPER",
    ];
    let long = "a".repeat(300);
    let sandbox = Sandbox::with_project();
    let before = tree(sandbox.path());
    for value in hostile.into_iter().chain([long.as_str()]) {
        for flag in ["group", "version", "plural", "controller-name", "image-container-port", "run-as-user"] {
            let mut args: Vec<String> =
                ["create", "api", "--group=g", "--version=v1", "--kind=Thing"].map(String::from).to_vec();
            args.retain(|arg| !arg.starts_with(&format!("--{flag}=")));
            args.push(format!("--{flag}={value}"));
            let out = sandbox.run(&args).code(2);
            assert!(out.stderr.starts_with("error: "), "{flag} {value:?}: {}", out.stderr);
            assert!(!out.stderr.contains("panicked"), "{flag} {value:?}: {}", out.stderr);
            assert!(!out.stderr.contains('\u{1b}'), "{flag} {value:?} reaches the terminal raw");
            assert!(out.stderr.len() < 2000, "{flag} {value:?}: too long an error\n{}", out.stderr);
        }
        if !matches!(value, "A" | "UPPER") {
            let out = sandbox
                .run(&["create", "api", "--group=g", "--version=v1", &format!("--kind={value}")])
                .code(2);
            assert!(out.stderr.starts_with("error: "), "kind {value:?}: {}", out.stderr);
        }
        assert_eq!(before, tree(sandbox.path()), "{value:?}");
    }
    for value in hostile.into_iter().chain([long.as_str()]) {
        let sandbox = Sandbox::new("iris");
        if !value.is_empty() {
            sandbox.run(&["init", "--domain=example.com", &format!("--project-name={value}")]).code(2);
        }
        sandbox.run(&["init", &format!("--domain={value}")]).code(2);
        assert!(tree(sandbox.path()).is_empty(), "{value:?}");
    }
}

#[test]
fn outside_a_project_the_error_names_the_way_in() {
    let sandbox = Sandbox::new("empty");
    let out = sandbox.run(&IRIS).code(1);
    assert!(out.stderr.contains("error: no `PROJECT` file in"), "{}", out.stderr);
    assert!(out.stderr.contains("hint: run `iris-scaffold init --domain DOMAIN`"), "{}", out.stderr);
    let out = sandbox
        .run(&["-C", "/nowhere/at/all", "create", "api", "--group=g", "--version=v1", "--kind=K"])
        .code(1);
    assert!(out.stderr.starts_with("error: "), "{}", out.stderr);
}

#[test]
fn broken_project_files_are_reported_with_their_line() {
    for (text, expected) in [
        ("", "PROJECT"),
        ("domain: [", "PROJECT"),
        ("\u{0}\u{1}\u{2}", "PROJECT"),
        ("version: \"4\"\ndomain: example.com\n", "4"),
        (
            "version: \"3\"\ndomain: example.com\nprojectName: ../../etc\nlayout:\n- rust.iris-scaffold.io/v1\n",
            "../../etc",
        ),
        (
            "version: \"3\"\ndomain: example.com\nprojectName: iris\nlayout:\n- go.kubebuilder.io/v4\n",
            "go.kubebuilder.io/v4",
        ),
    ] {
        let sandbox = Sandbox::with_project();
        sandbox.write("PROJECT", text);
        let before = tree(sandbox.path());
        let out = sandbox.run(&IRIS).code(1);
        assert!(out.stderr.contains(expected), "{text:?}: {}", out.stderr);
        assert_eq!(before, tree(sandbox.path()), "{text:?}");
    }
}

#[test]
fn work_that_is_not_ours_is_never_overwritten_unasked() {
    let sandbox = Sandbox::new("iris");
    sandbox.write("Makefile", "mine\n");
    let before = tree(sandbox.path());
    let out = sandbox.run(&["init", "--domain", "myardyas.club"]).code(1);
    assert!(out.stderr.contains("`Makefile`"), "{}", out.stderr);
    assert_eq!(before, tree(sandbox.path()));

    sandbox.run(&["init", "--domain", "myardyas.club", "--on-conflict", "keep"]).success();
    assert_eq!(sandbox.read("Makefile"), "mine\n");
    sandbox.run(&["init", "--domain", "myardyas.club"]).success();
    assert_eq!(sandbox.read("Makefile"), "mine\n", "a file kept once is the user's");

    // A list that the tool owns was edited.
    let list = sandbox.read("src/controller/mod.rs");
    sandbox.write("src/controller/mod.rs", &format!("{list}// mine\n"));
    let before = tree(sandbox.path());
    let out = sandbox.run(&IRIS).code(1);
    assert!(out.stderr.contains("`src/controller/mod.rs`"), "{}", out.stderr);
    assert_eq!(before, tree(sandbox.path()));
}

#[test]
fn a_missing_anchor_is_an_error_with_the_text_to_paste() {
    let sandbox = Sandbox::with_project();
    let path = "config/crd/kustomization.yaml";
    let text = sandbox.read(path);
    sandbox.write(path, &text.replace("# +kubebuilder:scaffold:crdkustomizeresource", ""));
    let before = tree(sandbox.path());
    let out = sandbox.run(&IRIS).code(1);
    assert!(out.stderr.contains("- bases/test.myardyas.club_iris.yaml"), "{}", out.stderr);
    assert!(out.stderr.contains("nothing was written"), "{}", out.stderr);
    assert_eq!(before, tree(sandbox.path()));
}

#[test]
fn windows_line_ends_and_foreign_lines_survive_an_edit() {
    let sandbox = Sandbox::with_project();
    let path = "config/samples/kustomization.yaml";
    let text = format!("# mine\r\n{}", sandbox.read(path).replace('\n', "\r\n"));
    sandbox.write(path, &text);
    sandbox.run(&IRIS).success();
    let after = sandbox.read(path);
    assert!(after.contains("- test_v1alpha1_iris.yaml\r\n"), "{after:?}");
    assert_eq!(
        after.replace("- test_v1alpha1_iris.yaml\r\n", ""),
        text.replace("resources: []\r\n", "resources:\r\n")
    );
}

#[test]
fn kubebuilders_flags_are_accepted_and_explained() {
    let sandbox = Sandbox::new("iris");
    let out = sandbox
        .run(&[
            "init",
            "--domain=myardyas.club",
            "--repo=example.com/iris",
            "--fetch-deps=false",
            "--skip-go-version-check",
        ])
        .success();
    for flag in ["--repo", "--fetch-deps", "--skip-go-version-check"] {
        assert!(out.stderr.contains(&format!("`{flag}` has no effect: ")), "{flag} in\n{}", out.stderr);
    }
    let out = sandbox.run(&[&IRIS[..], &["--make=false"]].concat()).success();
    assert!(out.stderr.contains("`--make` has no effect: "), "{}", out.stderr);
}

#[test]
fn results_are_quiet_and_machine_readable_when_asked() {
    let sandbox = Sandbox::new("iris");
    let out = sandbox.run(&["-q", "init", "--domain=myardyas.club"]).success();
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("", ""));
    let out = sandbox.run(&["version"]).success();
    assert_eq!(out.stdout, format!("iris-scaffold {}\n", env!("CARGO_PKG_VERSION")));
    let out = sandbox.run(&["version", "--format=json"]).success();
    let value: serde_json::Value = serde_json::from_str(&out.stdout).expect("JSON");
    assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
    let out =
        sandbox.run(&["create", "api", "--format=json", "--group=G", "--version=v1", "--kind=K"]).code(2);
    let value: serde_json::Value = serde_json::from_str(&out.stderr).expect("JSON");
    assert!(value["error"]["message"].as_str().expect("text").contains("`G`"), "{value}");
}

#[test]
fn completions_exist_for_every_shell() {
    let sandbox = Sandbox::new("iris");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = sandbox.run(&["completion", shell]).success();
        assert!(out.stdout.contains("iris-scaffold") && out.stdout.contains("multigroup"), "{shell}");
    }
}

#[test]
fn what_kubernetes_allows_works_also_where_rust_or_windows_reserve_the_word() {
    let sandbox = Sandbox::with_project();
    for kind in
        ["Type", "Match", "Box", "Result", "String", "Option", "Con", "Mod", "Crate", "Super", "Deployment"]
    {
        sandbox.run(&["create", "api", "--group=test", "--version=v1", &format!("--kind={kind}")]).success();
    }
    let out = sandbox.run(&["create", "api", "--group=test", "--version=v1", "--kind=Self"]).code(2);
    assert!(out.stderr.contains("`Self`"), "{}", out.stderr);
}
