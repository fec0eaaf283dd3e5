//! What `manifests` says when types cannot become a definition. A script stands in for `crdgen`.

mod common;

use common::stand_in::{manifests, manifests_with, program, with_cargo};
use common::{Ran, Sandbox, tree};
use serde_json::{Value, json};

/// A definition whose spec has the fields given.
fn definition(kind: &str, fields: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{}.test.myardyas.club", kind.to_lowercase()) },
        "spec": {
            "group": "test.myardyas.club",
            "names": { "kind": kind, "plural": kind.to_lowercase() },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": { "spec": { "type": "object", "properties": fields } },
                } },
            }],
        },
    })
}

#[test]
fn every_problem_is_told_and_nothing_is_written() {
    let sandbox = Sandbox::with_iris();
    let before = tree(sandbox.path());
    let iris = definition(
        "Iris",
        &json!({
            "pair": { "type": "array", "items": [{ "type": "integer" }, { "type": "string" }] },
            "ports": {
                "type": "array",
                "items": { "type": "object", "properties": { "name": { "type": "string" } } },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        }),
    );
    let fleet = definition("Fleet", &json!({ "any": { "maxLength": 5 } }));
    let ran = manifests(&sandbox, &format!("cat <<'END'\n{iris}\n{fleet}\nEND")).code(1);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr,
        "error: `Fleet v1alpha1 .spec.any`: a value without a type\n\
         error: `api/src/v1alpha1/iris.rs:35:12`: `Iris v1alpha1 .spec.pair`: a tuple, which no definition can describe\n\
         error: `api/src/v1alpha1/iris.rs:35:12`: `Iris v1alpha1 .spec.ports[].name`: the key of a list, but it may be absent\n\
         \n\
         hint: for a value of any shape, keep `serde_json::Value` and add \
         `#[schemars(extend(\"x-kubernetes-preserve-unknown-fields\" = true))]`\n\
         hint: write a struct with named fields in place of a tuple\n\
         hint: make it required (`String` in place of `Option<String>`) or give it a default: \
         `#[serde(default = \"…\")]`\n\
         hint: nothing was written\n"
    );
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn a_panic_of_kube_derive_is_explained() {
    let sandbox = Sandbox::with_iris();
    let before = tree(sandbox.path());
    let crdgen = r#"cat >&2 <<'END'
warning: something before

thread 'main' (7) panicked at /cargo/kube-core-5.0.0/src/schema.rs:482:29:
Enum variant set [String("nothing")] has type Single(String) but was already defined as Some(Single(Object)). The instance type must be equal for all subschema variants.
stack backtrace:
   2: kube_core::schema::hoist_subschema_enum_values
  10: crd
             at ./api/src/v1alpha1/iris.rs:12:10
  11: crds
             at ./api/src/lib.rs:14:9
END
exit 101"#;
    let ran = manifests(&sandbox, crdgen).code(1);
    assert_eq!(
        ran.stderr,
        "warning: something before\n\
         error: kube-derive panicked on the type at `api/src/v1alpha1/iris.rs:12`: an enum has variants with data and \
         variants without\n\
         \x20 Enum variant set [String(\"nothing\")] has type Single(String) but was already defined as \
         Some(Single(Object)). The instance type must be equal for all subschema variants.\n\
         \n\
         hint: give every variant data (`Nothing {}` in place of `Nothing`), or none\n\
         hint: nothing was written\n"
    );
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn what_does_not_compile_is_left_to_cargo() {
    let sandbox = Sandbox::with_iris();
    let folder = tempfile::tempdir().expect("a folder");
    let cargo = program(folder.path(), "cargo", "echo 'error[E0412]: cannot find type' >&2; exit 101");
    let ran = with_cargo(&sandbox, &cargo, &[]).code(1);
    assert!(ran.stderr.starts_with("error[E0412]: cannot find type\nerror: `cargo build "), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: mend what cargo reports above"), "{}", ran.stderr);
}

#[test]
fn what_crdgen_prints_must_be_definitions() {
    let sandbox = Sandbox::with_iris();
    let before = tree(sandbox.path());
    for (crdgen, what) in [
        ("echo garbage", "did not print definitions as JSON: expected value at line 1 column 1"),
        ("printf '\\377\\376'", "did not print definitions as JSON: expected value"),
        ("echo '{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}'", "did not print definitions as JSON: "),
        ("echo no >&2; exit 3", "`crdgen` failed with exit status: 3"),
        ("kill -9 $$", "`crdgen` failed with signal: 9"),
    ] {
        let ran = manifests(&sandbox, crdgen).code(1);
        assert!(ran.stderr.contains("error: ") && ran.stderr.contains(what), "{crdgen}: {}", ran.stderr);
        assert_eq!(tree(sandbox.path()), before, "{crdgen}");
    }
}

/// Shell commands that print definitions.
fn print(definitions: &[&Value]) -> String {
    let lines: Vec<String> = definitions.iter().map(ToString::to_string).collect();
    format!("cat <<'END'\n{}\nEND", lines.join("\n"))
}

/// The definition that the project has.
fn iris(sandbox: &Sandbox) -> Value {
    serde_yaml::from_str(&sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml")).expect("YAML")
}

#[test]
fn what_project_has_must_be_printed() {
    let sandbox = Sandbox::with_iris();
    let before = tree(sandbox.path());
    let mut other = iris(&sandbox);
    other["spec"]["versions"][0]["name"] = json!("v2");
    for crdgen in ["true".to_owned(), print(&[&other])] {
        let ran = manifests(&sandbox, &crdgen).code(1);
        let what = "no type gives `Iris` v1alpha1 of group `test.myardyas.club`, which `PROJECT` has";
        assert!(ran.stderr.starts_with(&format!("error: {what}\n")), "{}", ran.stderr);
        assert_eq!(tree(sandbox.path()), before);
    }
}

#[test]
fn descriptions_are_cut_before_the_size_is_checked() {
    let sandbox = Sandbox::with_iris();
    let mut large = iris(&sandbox);
    large["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = json!("a ".repeat(800_000));
    let crdgen = "cat large.json";
    sandbox.write("large.json", &large.to_string());
    let ran = manifests_with(&sandbox, crdgen, &["--crds-only"]).code(1);
    assert!(
        ran.stderr.contains("etcd takes 1572864") && ran.stderr.contains("--max-desc-len 0"),
        "{}",
        ran.stderr
    );
    manifests_with(&sandbox, crdgen, &["--crds-only", "--max-desc-len=0"]).success();
}

#[test]
fn pages_about_the_api_take_the_place_of_nothing_else() {
    let sandbox = Sandbox::with_iris();
    let crdgen = print(&[&iris(&sandbox)]);
    let page = "docs/api/test.myardyas.club_iris.md";
    let before = tree(sandbox.path());
    for (folder, told) in
        [("../docs", "has a `.` or `..` component"), ("/docs", "empty component"), (".git", "git")]
    {
        let ran = manifests_with(&sandbox, &crdgen, &["--docs", folder]).code(1);
        assert!(ran.stderr.starts_with("error: path `") && ran.stderr.contains(told), "{}", ran.stderr);
    }
    for other in ["--stdout", "--rbac-only"] {
        manifests_with(&sandbox, &crdgen, &["--docs=docs/api", other]).code(2);
    }
    let ran = manifests_with(&sandbox, &crdgen, &["--docs=docs/api", "--check"]).code(1);
    assert!(ran.stdout.contains("+### `spec`"), "{}", ran.stdout);
    assert_eq!(tree(sandbox.path()), before);

    // However short the definition's descriptions are.
    manifests_with(&sandbox, &crdgen, &["--docs=./docs/api/", "--max-desc-len=0"]).success();
    let text = sandbox.read(page);
    let described = "\n- **`deploymentName`**: string, required, ";
    assert!(text.contains("kind: Iris\nmetadata:\n") && text.contains(described), "{text}");
    assert!(text.contains("\n\n  Name of the Deployment"), "{text}");
    manifests_with(&sandbox, &crdgen, &["--docs=docs/api", "--max-desc-len=0", "--check"]).success();

    let own = "# Mine\n";
    sandbox.write(page, own);
    let ran = manifests_with(&sandbox, &crdgen, &["--docs=docs/api"]).code(1);
    let told = format!("error: `{page}` was not written by `manifests --docs`\n");
    assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    assert_eq!(sandbox.read(page), own);

    let gone = "docs/api/test.myardyas.club_gone.md";
    sandbox.write(gone, &text);
    sandbox.write(page, &text);
    let ran = manifests_with(&sandbox, &crdgen, &["--docs=docs/api"]).success();
    assert!(ran.stderr.contains(&format!("no type gives `{gone}`: delete it")), "{}", ran.stderr);
}

#[test]
fn a_kind_that_is_gone_is_a_breaking_change_and_a_new_one_is_not() {
    let sandbox = Sandbox::with_iris();
    let old = definition("Old", &json!({}));
    sandbox.write("config/crd/bases/test.myardyas.club_old.yaml", &old.to_string());
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message=first"]] {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(arguments);
        assert!(git.current_dir(sandbox.path()).status().expect("git").success(), "{arguments:?}");
    }
    std::fs::remove_file(sandbox.path().join("config/crd/bases/test.myardyas.club_old.yaml"))
        .expect("removed");
    let crdgen = print(&[&iris(&sandbox)]);
    let ran = manifests_with(&sandbox, &crdgen, &["--crds-only", "--against=HEAD"]).code(1);
    let what =
        "error: what worked at `HEAD` breaks:\n  `Old`: no type gives `old.test.myardyas.club` any more\n";
    assert!(ran.stderr.starts_with(what), "{}", ran.stderr);
    let both = print(&[&iris(&sandbox), &old, &definition("New", &json!({}))]);
    manifests_with(&sandbox, &both, &["--crds-only", "--against=HEAD"]).success();
}

#[test]
fn only_what_was_released_can_break_unasked() {
    let sandbox = Sandbox::with_iris();
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(arguments);
        assert!(git.current_dir(sandbox.path()).status().expect("git").success(), "{arguments:?}");
    };
    // As many fields as a kind can have that is still being written.
    let fields = |kind: &str| -> Value {
        let field = |number| (format!("field{number}"), json!({ "type": kind }));
        Value::Object((0..130).map(field).collect())
    };
    let iris = iris(&sandbox);
    let printed = |kind: &str| print(&[&iris, &definition("Draft", &fields(kind))]);
    let manifests = |kind: &str| manifests_with(&sandbox, &printed(kind), &["--crds-only"]).success().stderr;
    manifests("string");
    assert!(!manifests("integer").contains("breaking"), "there is no commit");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=first"]);
    git(&["tag", "draft"]);
    assert!(!manifests("string").contains("breaking"), "no version was released");
    git(&["tag", "v1.0.0"]);
    let said = manifests("string");
    assert_eq!(said.matches("note: breaking change since release `v1.0.0` of `Draft`").count(), 10, "{said}");
    let rest = "note: 120 more breaking changes since release `v1.0.0`; \
                `iris-scaffold manifests --check --against=v1.0.0` lists all";
    assert!(said.contains(rest), "{said}");
    let ran = manifests_with(&sandbox, &printed("string"), &["--check", "--crds-only", "--against=v1.0.0"]);
    assert!(ran.code(1).stderr.matches("the type is").count() > 100, "the error is not summed up");
}

#[test]
fn definitions_of_other_projects_are_known_to_markers() {
    let sandbox = Sandbox::with_iris();
    let (one, mut two) = (definition("One", &json!({})), definition("Two", &json!({})));
    two["spec"]["group"] = json!("other.example.com");
    sandbox.write("config/crd/external.yml", &format!("---\n{one}\n---\nkind: List\n---\n{two}\n"));
    sandbox.write(
        "src/extra.rs",
        "// +kubebuilder:rbac:groups=test.myardyas.club,resources=one,verbs=get\n\
         // +kubebuilder:rbac:groups=other.example.com,resources=two,verbs=get\n",
    );
    sandbox.run(&["manifests", "--rbac-only"]).success();
    sandbox.write("src/extra.rs", "// +kubebuilder:rbac:groups=other.example.com,resources=tow,verbs=get\n");
    let ran = sandbox.run(&["manifests", "--rbac-only"]).code(1);
    assert!(ran.stderr.contains("did you mean `two`?"), "{}", ran.stderr);
}

#[test]
fn attributes_without_effect_are_refused() {
    let sandbox = Sandbox::with_iris();
    let types = sandbox.read("api/src/v1alpha1/iris.rs");
    let line = types.lines().position(|line| line.contains("range(min = 0)")).expect("a bound") + 1;
    sandbox.write("api/src/v1alpha1/iris.rs", &types.replace("range(min = 0)", "length(min = 0)"));
    let before = tree(sandbox.path());
    let ran = manifests(&sandbox, &print(&[&iris(&sandbox)])).code(1);
    assert_eq!(
        ran.stderr,
        format!(
            "error: `api/src/v1alpha1/iris.rs:{line}:16`: `length` on `IrisSpec.replicas` has no effect on a value of \
             this type\n\nhint: write `range(min = …, max = …)` for a number\nhint: nothing was written\n"
        )
    );
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn files_that_are_not_utf8_are_named() {
    let sandbox = Sandbox::with_iris();
    let crdgen = print(&[&iris(&sandbox)]);
    for path in [
        "api/src/v1alpha1/iris.rs",
        "src/controller/iris.rs",
        "config/crd/bases/test.myardyas.club_iris.yaml",
    ] {
        let text = sandbox.read(path);
        let bytes = [text.as_bytes(), "// é".as_bytes(), b"\xff\n"].concat();
        std::fs::write(sandbox.path().join(path), bytes).expect("written");
        let before = tree(sandbox.path());
        let ran = manifests(&sandbox, &crdgen).code(1);
        let line = text.lines().count() + 1;
        let expected = format!("error: `{path}:{line}:5`: what is there is not UTF-8\n");
        assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
        assert_eq!(tree(sandbox.path()), before, "nothing is written");
        sandbox.write(path, &text);
    }
}

#[test]
fn a_check_tells_what_is_left_over_too() {
    let sandbox = Sandbox::with_iris();
    let crdgen = print(&[&iris(&sandbox)]);
    sandbox
        .write("config/crd/bases/test.myardyas.club_olds.yaml", &definition("Old", &json!({})).to_string());
    let ran = manifests_with(&sandbox, &crdgen, &["--check"]).success();
    let note = "note: no type gives `config/crd/bases/test.myardyas.club_olds.yaml`: delete it";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
}

#[test]
fn roles_that_nothing_binds_are_told() {
    let marker = "// +kubebuilder:rbac:groups=core,resources=pods,verbs=get";
    let sandbox = Sandbox::with_iris();
    let markers = format!(
        "{marker}\n{marker},roleName=other\n{marker},namespace=else\n{marker},namespace=there,roleName=mine\n"
    );
    sandbox.write("src/extra.rs", &markers);
    let ran = sandbox.run(&["manifests", "--rbac-only"]).success();
    let nothing_gives = |ran: &Ran, role: &str, told: bool| {
        let note = format!("note: nothing gives the manager the {role}: add a ");
        assert_eq!(ran.stderr.contains(&note), told, "{note}: {}", ran.stderr);
    };
    nothing_gives(&ran, "ClusterRole `manager-role`", false);
    nothing_gives(&ran, "ClusterRole `other`", true);
    nothing_gives(&ran, "Role `manager-role-else` in namespace `else`", false);
    nothing_gives(&ran, "Role `mine` in namespace `there`", true);
    for namespace in ["else", "there"] {
        let note =
            format!("note: what is in `config/rbac` for namespace `{namespace}` needs it: create it before");
        assert!(ran.stderr.contains(&note), "{}", ran.stderr);
    }
    // A binding counts where it is.
    let binding = |namespace: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
             metadata: {{ name: mine, namespace: {namespace} }}\n\
             roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: Role, name: mine }}\n\
             subjects: [{{ kind: ServiceAccount, name: controller-manager, namespace: system }}]\n"
        )
    };
    for (namespace, told) in [("elsewhere", true), ("there", false)] {
        sandbox.write("config/rbac/mine.yaml", &binding(namespace));
        let ran = sandbox.run(&["manifests", "--rbac-only"]).success();
        nothing_gives(&ran, "Role `mine` in namespace `there`", told);
    }
    let namespaced = Sandbox::new("fleet");
    namespaced.run(&["init", "--domain=example.com", "--namespaced"]).success();
    namespaced.run(&["create", "api", "--group=a", "--version=v1", "--kind=Ship"]).success();
    let ran = namespaced.run(&["manifests", "--rbac-only"]).success();
    assert!(!ran.stderr.contains("nothing gives"), "{}", ran.stderr);
    namespaced.write("src/extra.rs", &format!("{marker}\n"));
    let ran = namespaced.run(&["manifests", "--rbac-only"]).success();
    assert!(
        ran.stderr.contains("nothing gives the manager the ClusterRole `manager-role`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn sources_of_other_packages_of_the_project_are_read() {
    let sandbox = Sandbox::with_iris();
    let crdgen = print(&[&iris(&sandbox)]);
    let package = |folder: &str, source: &str| {
        std::fs::create_dir_all(sandbox.path().join(folder).join("src")).expect("a folder");
        sandbox.write(&format!("{folder}/Cargo.toml"), "[package]\nname = \"x\"\n");
        sandbox.write(&format!("{folder}/src/lib.rs"), source);
    };
    let take = |manifest: &str, folder: &str| {
        let text = sandbox.read(manifest);
        let added = format!("\n[dependencies]\nextra = {{ path = \"{folder}\" }}\n");
        sandbox.write(manifest, &text.replacen("\n[dependencies]\n", &added, 1));
    };
    package(
        "sizes",
        "#[derive(JsonSchema)]\npub struct Size {\n    #[schemars(range(min = 1))]\n    name: String,\n}\n",
    );
    package(
        "tools",
        "// +kubebuilder:rbac:groups=core,resources=secrets,verbs=get\n/* +kubebuilder:rbac:oops */\n",
    );
    // What nothing is built from says nothing.
    manifests(&sandbox, &crdgen).success();
    let before = sandbox.read("config/rbac/role.yaml");
    assert!(!before.contains("secrets"), "{before}");
    take("api/Cargo.toml", "../sizes");
    let ran = manifests(&sandbox, &crdgen).code(1);
    let message =
        "error: `sizes/src/lib.rs:3:16`: `range` on `Size.name` has no effect on a value of this type\n";
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
    package("sizes", "");
    take("Cargo.toml", "tools");
    let ran = manifests(&sandbox, &crdgen).code(1);
    let message = "error: `tools/src/lib.rs:2:4`: a marker in a block comment is not read\n";
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
    sandbox.write("tools/src/lib.rs", &sandbox.read("tools/src/lib.rs").replace("/* ", "// /* "));
    manifests(&sandbox, &crdgen).success();
    assert!(sandbox.read("config/rbac/role.yaml").contains("- secrets\n"));
}

#[test]
fn definitions_of_another_project_are_refused() {
    let sandbox = Sandbox::with_iris();
    let before = tree(sandbox.path());
    let print = |definition: &Value| format!("cat <<'END'\n{definition}\nEND");
    let ran = manifests(&sandbox, &print(&definition("Wine", &json!({})))).code(1);
    let message = "error: `crdgen` defines `wine.test.myardyas.club`, and no kind that `PROJECT` has\n\nhint: if another";
    assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
    assert_eq!(tree(sandbox.path()), before);
    // Some of the project's own, and the sources are believed.
    let both = ["Iris", "Wine"].map(|kind| print(&definition(kind, &json!({})))).join("\n");
    let ran = manifests(&sandbox, &both);
    assert!(!ran.stderr.contains("no kind that `PROJECT` has"), "{}", ran.stderr);
}

#[test]
fn five_hundred_kinds_are_written_as_one_is() {
    let sandbox = Sandbox::with_iris();
    let fields = json!({ "size": { "type": "integer", "minimum": 0 } });
    let kinds: Vec<String> =
        (0..500).map(|number| definition(&format!("Kind{number}"), &fields).to_string()).collect();
    // The project's own one is among them.
    let mut iris = definition("Iris", &fields);
    iris["spec"]["versions"][0]["subresources"] = json!({ "status": {} });
    manifests(&sandbox, &format!("cat <<'END'\n{iris}\n{}\nEND", kinds.join("\n"))).code(0);
    let bases = sandbox.path().join("config/crd/bases");
    let written = std::fs::read_dir(bases).expect("a folder").filter_map(Result::ok);
    let written: Vec<_> =
        written.filter(|file| file.file_name().to_string_lossy().contains("_kind")).collect();
    assert_eq!(written.len(), 500);
}
