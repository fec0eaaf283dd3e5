//! The command line as a user meets it: messages, exit statuses, and that a refusal changes nothing.

mod common;

use common::{Sandbox, sha256, tree};

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
fn what_to_do_next_begins_with_the_way_there() {
    let sandbox = Sandbox::new("work");
    let next = |args: &[&str]| {
        let out = sandbox.run(args).success();
        out.stderr.split_once("Next:\n").map(|(_, next)| next.to_owned()).unwrap_or_default()
    };
    let create = "  iris-scaffold create api --group app --version v1alpha1 --kind Widget\n";
    assert_eq!(next(&["init", "--domain=a.b", "one"]), format!("  cd one\n{create}"));
    assert_eq!(next(&["-C", "a 2", "init", "--domain=a.b", "two"]), format!("  cd 'a 2/two'\n{create}"));
    // One paste of all lines works: the last one stays in the foreground.
    let build =
        "  cargo build\n  make install\n  kubectl apply -f config/samples/app_v1_widget.yaml\n  make run\n";
    let api = ["create", "api", "--group=app", "--version=v1", "--kind=Widget"];
    assert_eq!(next(&[&["-C", "one/src/controller"], &api[..]].concat()), format!("  cd one\n{build}"));
    let out = sandbox.run(&[&["-C", "one", "--format=json"], &api[..]].concat()).success();
    assert!(out.stdout.contains("\"next\": [\n    \"cd one\",\n"), "{}", out.stdout);
    assert_eq!(
        next(&["-C", "one", "create", "api", "--dry-run", "--group=app", "--version=v1", "--kind=A"]),
        ""
    );
}

#[test]
fn names_that_are_too_long_together_are_wrong_usage() {
    let label = "a".repeat(60);
    let domain = format!("{}.aaaa", [label.as_str(); 4].join("."));
    let sandbox = Sandbox::new("iris");
    let init = ["init", "--domain", &domain];
    let ran = sandbox.run(&[&init[..], &["--project-name=iris2"]].concat()).code(2);
    assert!(ran.stderr.starts_with("error: the Lease `iris2.aaa"), "{}", ran.stderr);
    for part in ["254 characters", "may be 253", "hint: choose a `--domain` of at most 247 characters"] {
        assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
    }
    assert!(tree(sandbox.path()).is_empty());
    sandbox.run(&init).success();
    assert!(sandbox.read("src/main.rs").contains(&format!("const ID: &str = \"iris.{domain}\";")));
    let before = tree(sandbox.path());
    let ran = sandbox.run(&IRIS).code(2);
    assert!(ran.stderr.starts_with("error: the CustomResourceDefinition `iris.test.aaa"), "{}", ran.stderr);
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn the_owner_is_named_in_licence_and_header() {
    let sandbox = Sandbox::new("iris");
    sandbox.run(&["init", "--domain=a.b", "--license=mit", "--owner=ACME & Söhne"]).success();
    assert!(sandbox.read("LICENSE").contains("Copyright (c) ACME & Söhne\n"));
    assert!(
        sandbox
            .read("src/main.rs")
            .starts_with("// Copyright ACME & Söhne.\n// SPDX-License-Identifier: MIT\n")
    );
}

#[test]
fn a_project_inside_another_is_pointed_out() {
    let sandbox = Sandbox::with_project();
    let out = sandbox.run(&["-C", "src", "init", "--domain=myardyas.club", "--dry-run"]).success();
    let note = format!("note: this project is inside another one, `{}`\n", sandbox.path().display());
    assert!(out.stderr.contains(&note), "{}", out.stderr);
}

#[test]
fn a_folder_that_cannot_name_a_project_gets_a_suggestion() {
    let sandbox = Sandbox::new("My_Iris (2)");
    let out = sandbox.run(&["init", "--domain=A.b", "--license-file=none.txt"]).code(2);
    for part in [
        "error: domain `A.b`",
        "error: project name `my_iris (2)`",
        "error: cannot read",
        "none.txt`: no such file",
    ] {
        assert!(out.stderr.contains(part), "{part} in\n{}", out.stderr);
    }
    assert!(out.stderr.contains("hint: try `--project-name my-iris-2`\n"), "{}", out.stderr);
    assert_eq!(tree(sandbox.path()), tree(Sandbox::new("empty").path()));
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
fn files_of_another_version_are_renewed_but_not_those_that_somebody_took_over() {
    const MARK: &str = "// Code generated by iris-scaffold from PROJECT. DO NOT EDIT.\n";
    let sandbox = Sandbox::with_iris();
    let (marked, taken_over) = ("api/src/rules.rs", "src/controller/mod.rs");
    let current = sandbox.read(marked);
    sandbox.write(marked, &format!("{MARK}//! As an earlier version wrote it.\n"));
    let kind =
        |name: &str| ["create", "api", "--group=test", "--version=v1", "--kind", name].map(str::to_owned);

    let refused = sandbox.run(&kind("Other")).code(1);
    assert!(refused.stderr.contains(marked), "an edit is a conflict: {}", refused.stderr);

    let project = sandbox.read("PROJECT");
    sandbox.write("PROJECT", &project.replace("cliVersion: ", "cliVersion: 0.0.9+"));
    let renewed = sandbox.run(&kind("Other")).success();
    assert!(renewed.stderr.contains("written by version 0.0.9+"), "{}", renewed.stderr);
    assert_eq!(sandbox.read(marked), current);

    let project = sandbox.read("PROJECT");
    sandbox.write("PROJECT", &project.replace("cliVersion: ", "cliVersion: 0.0.9+"));
    sandbox.write(taken_over, &sandbox.read(taken_over).replace(MARK, ""));
    let refused = sandbox.run(&kind("Another")).code(1);
    assert!(refused.stderr.contains(taken_over), "{}", refused.stderr);
}

#[test]
fn libraries_are_renewed_unless_somebody_changed_them_and_left_out_where_they_come_from_elsewhere() {
    const FILE: &str = "runtime/src/health.rs";
    let sandbox = Sandbox::with_iris();
    let kind =
        |name: &str| ["create", "api", "--group=test", "--version=v1", "--kind", name].map(str::to_owned);
    let from_another_version = || {
        let project = sandbox.read("PROJECT");
        sandbox.write("PROJECT", &project.replace("cliVersion: 0.1.0\n", "cliVersion: 0.0.9\n"));
    };
    let (current, sums) = (sandbox.read(FILE), sandbox.read("runtime/SHA256SUMS"));
    assert!(sums.contains(&format!("{}  src/health.rs\n", sha256(&current))), "{sums}");

    // As another version wrote it, which its sums say.
    from_another_version();
    let old = "//! As an earlier version wrote it.\n";
    sandbox.write(FILE, old);
    sandbox.write("runtime/SHA256SUMS", &sums.replace(&sha256(&current), &sha256(old)));
    sandbox.run(&kind("First")).success();
    assert_eq!((sandbox.read(FILE), sandbox.read("runtime/SHA256SUMS")), (current.clone(), sums));

    // Changed by its user, whichever version comes next.
    from_another_version();
    let changed = format!("{current}// Mine.\n");
    sandbox.write(FILE, &changed);
    let refused = sandbox.run(&kind("Second")).code(1);
    assert!(refused.stderr.contains(FILE), "{}", refused.stderr);
    let keep = [&kind("Second")[..], &["--on-conflict=keep".to_owned()]].concat();
    sandbox.run(&keep).success();
    assert_eq!(sandbox.read(FILE), changed);

    // Taken from elsewhere.
    let manifest = sandbox.read("Cargo.toml");
    let published =
        manifest.replace("operator-runtime = { path = \"runtime\" }", "operator-runtime = \"0.1\"");
    assert_ne!(manifest, published);
    sandbox.write("Cargo.toml", &published);
    std::fs::remove_dir_all(sandbox.path().join("runtime")).expect("removed");
    sandbox.run(&kind("Third")).success();
    assert!(!sandbox.path().join("runtime").exists());
}

#[test]
fn kinds_of_one_name_in_two_groups_have_images_of_their_own() {
    let sandbox = Sandbox::new("cellar");
    sandbox.run(&["init", "--domain=example.com", "--multigroup"]).success();
    for group in ["red", "sparkling-white"] {
        let image = format!("--image={group}:1");
        sandbox.run(&["create", "api", "--group", group, "--version=v1", "--kind=Wine", &image]).success();
    }
    let manager = sandbox.read("config/manager/manager.yaml");
    for (variable, image) in [("WINE_IMAGE", "red:1"), ("SPARKLING_WHITE_WINE_IMAGE", "sparkling-white:1")] {
        assert!(
            manager.contains(&format!("- name: {variable}\n          value: \"{image}\"\n")),
            "{manager}"
        );
    }
    let resources = sandbox.read("src/controller/sparkling_white/sparkling_white_wine_resources.rs");
    assert!(resources.contains("\"SPARKLING_WHITE_WINE_IMAGE\""), "{resources}");
}

#[test]
fn a_kind_changes_only_by_force() {
    let sandbox = Sandbox::with_project();
    let api = |more: &[&str]| {
        let args = ["create", "api", "--group=test", "--version=v1", "--kind=Database"];
        sandbox.run(&[&args[..], more].concat())
    };
    api(&["--image=postgres:16"]).success();
    let before = tree(sandbox.path());
    api(&[]).success();
    assert_eq!(before, tree(sandbox.path()), "what was said once need not be said again");
    for (flag, message) in [
        ("--image=postgres:17", "kind `Database` runs another image"),
        ("--template=blank", "kind `Database` was made from another template"),
        ("--controller=false", "kind `Database` has a controller"),
    ] {
        let out = api(&[flag]).code(1);
        assert!(out.stderr.contains(message), "{}", out.stderr);
        assert_eq!(before, tree(sandbox.path()));
    }
    api(&["--image=postgres:17", "--force"]).success();
    for file in ["PROJECT", "config/manager/manager.yaml", "src/controller/database_resources.rs"] {
        let text = sandbox.read(file);
        assert!(text.contains("postgres:17") && !text.contains("postgres:16"), "{file}:\n{text}");
    }
}

#[test]
fn the_group_of_another_project_is_not_said_twice() {
    let sandbox = Sandbox::with_project();
    let args =
        ["create", "api", "--group=cert-manager", "--version=v1", "--kind=Certificate", "--resource=false"];
    let out = sandbox.run(&[&args[..], &["--external-api-domain=cert-manager.io"]].concat()).code(2);
    assert!(out.stderr.contains("hint: say `--external-api-domain io`"), "{}", out.stderr);
    sandbox.run(&[&args[..], &["--external-api-domain=io"]].concat()).success();
    assert!(sandbox.read("tests/crds/cert-manager.io_certificates_v1.yaml").contains("kind: Certificate\n"));
}

#[test]
fn a_group_that_was_probably_not_meant_is_pointed_out() {
    let sandbox = Sandbox::with_project();
    let before = tree(sandbox.path());
    let out =
        sandbox.run(&["create", "api", "--group=data.myardyas.club", "--version=v1", "--kind=Row"]).code(2);
    assert_eq!(
        out.stderr,
        "error: the group would be `data.myardyas.club.myardyas.club`\n\n\
         hint: the domain is added to it: say `--group data`\n"
    );
    assert_eq!(tree(sandbox.path()), before);
    let out = sandbox.run(&["create", "api", "--group=apps", "--version=v1", "--kind=Deployment"]).success();
    let note = "note: this is a new kind of `apps.myardyas.club`; for a controller of `Deployment` of Kubernetes's own \
                `apps/v1` say `--resource=false`\n";
    assert!(out.stderr.contains(note), "{}", out.stderr);
}

#[test]
fn bash_completes_every_word() {
    let sandbox = Sandbox::new("anywhere");
    let script = sandbox.run(&["completion", "bash"]).success().stdout;
    for (words, completion) in [
        ("comp", "completion"),
        ("create ap", "api"),
        ("create api --gr", "--group"),
        ("create api --template bl", "blank"),
        ("init --license mi", "mit"),
    ] {
        let (before, word) = words.rsplit_once(' ').unwrap_or(("", words));
        let count = before.split_whitespace().count();
        let previous = before.split_whitespace().last().unwrap_or("iris-scaffold");
        let ask = format!(
            "COMP_WORDS=(iris-scaffold {words}); COMP_CWORD={}\n_iris__scaffold iris-scaffold {word} {previous}\n\
             echo \"${{COMPREPLY[@]}}\"",
            count + 1
        );
        let output = std::process::Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output();
        let output = output.expect("bash");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(stdout.trim(), completion, "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
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

    // A file that the tool owns was edited.
    let owned = sandbox.read("api/src/crdgen.rs");
    sandbox.write("api/src/crdgen.rs", &format!("{owned}// mine\n"));
    let before = tree(sandbox.path());
    let out = sandbox.run(&IRIS).code(1);
    assert!(out.stderr.contains("`api/src/crdgen.rs`"), "{}", out.stderr);
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
            "--skip-go-version-check=true",
            "--plugins=go/v4",
            "--project-version=3",
        ])
        .success();
    for flag in ["--repo", "--fetch-deps", "--skip-go-version-check", "--plugins", "--project-version"] {
        assert!(out.stderr.contains(&format!("`{flag}` has no effect: ")), "{flag} in\n{}", out.stderr);
    }
    let out = sandbox.run(&[&IRIS[..], &["--make=false", "--plugins=deploy-image"]].concat()).success();
    for flag in ["--make", "--plugins"] {
        assert!(out.stderr.contains(&format!("`{flag}` has no effect: ")), "{flag} in\n{}", out.stderr);
    }
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
fn a_wrong_command_line_is_machine_readable_too() {
    let sandbox = Sandbox::new("iris");
    for (args, message) in [
        (&["--format=json", "create", "api", "--knd=A"][..], "unexpected argument '--knd' found"),
        (
            &["init", "--format", "json", "--license=gpl"],
            "invalid value 'gpl' for '--license <LICENSE>' [possible",
        ),
        (&["completion", "--format=json"], "the following required arguments were not provided: <SHELL>"),
        (&["--format=json"], "the command is missing"),
    ] {
        let out = sandbox.run(args).code(2);
        let value: serde_json::Value = serde_json::from_str(&out.stderr).expect(&out.stderr);
        let found = value["error"]["message"].as_str().unwrap_or_default();
        assert!(found.starts_with(message), "{found}");
        assert!(value["error"]["hints"].is_array(), "{value}");
    }
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
