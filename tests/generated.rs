//! Generated projects are built, linted and tested as their owners would.

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::cluster::{self, manifests, run, target_environment};
use common::{Sandbox, tree};
use serde_json::{Value, json};

/// Projects share a target folder, and in it the names of programs: only one may be built and run at a time.
fn alone() -> MutexGuard<'static, ()> {
    static BUILDS: Mutex<()> = Mutex::new(());
    BUILDS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cargo(folder: &Path, args: &[&str]) {
    let mut cargo = cluster::cargo(folder);
    // The tests mostly wait.
    cargo.args(args).env("RUST_TEST_THREADS", "8").env_remove("WATCH_NAMESPACE");
    run(cargo, "").unwrap_or_else(|error| panic!("cargo {args:?} in {}:\n{error}", folder.display()));
}

/// Lints with warnings denied as `make lint` does, and compares the manifests with what `manifests` makes of the sources.
fn check(sandbox: &Sandbox) {
    let clippy = [
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    cargo(sandbox.path(), &["fmt", "--all", "--check"]);
    cargo(sandbox.path(), &clippy);
    manifests(sandbox.path(), &["--check"])
        .unwrap_or_else(|error| panic!("the manifests are not what the sources say:\n{error}"));
}

fn create(sandbox: &Sandbox, apis: &[&str]) {
    for api in apis {
        let args: Vec<&str> = ["create", "api"].into_iter().chain(api.split_whitespace()).collect();
        sandbox.run(&args).success();
    }
}

#[test]
fn the_walk_through_builds_lints_and_passes_its_tests() {
    let _alone = alone();
    let sandbox = Sandbox::with_iris();
    check(&sandbox);
    cargo(sandbox.path(), &["test", "--quiet", "--locked", "--workspace"]);

    let (permitted, _) = permissions(&sandbox);
    assert!(!permitted.contains("allowed, but not used here"), "{permitted}");
    for (verb, resource) in [
        ("create", "deployments"),
        ("delete", "deployments"),
        ("get", "deployments"),
        ("patch", "iris/status"),
    ] {
        let roles = sandbox.read("config/rbac/role.yaml");
        sandbox.write("config/rbac/role.yaml", &without(&roles, resource, verb));
        let (seen, passed) = permissions(&sandbox);
        assert!(!passed, "{verb} {resource} was not missed");
        assert!(seen.contains(&format!("the roles do not allow to {verb} {resource} of group ")), "{seen}");
        sandbox.write("config/rbac/role.yaml", &roles);
    }
}

/// A role without a verb on a resource.
fn without(role: &str, resource: &str, verb: &str) -> String {
    let mut without: Value = serde_yaml::from_str(role).expect("a role");
    let rules = without["rules"].as_array_mut().expect("rules");
    let found = rules.iter_mut().find(|rule| rule["resources"] == json!([resource])).expect("the rule");
    found["verbs"].as_array_mut().expect("verbs").retain(|each| each != verb);
    // A rule needs a verb.
    rules.retain(|rule| rule["verbs"] != json!([]));
    serde_yaml::to_string(&without).expect("YAML")
}

/// What the test of the permissions prints, and whether it passes.
fn permissions(sandbox: &Sandbox) -> (String, bool) {
    let mut cargo = cluster::cargo(sandbox.path());
    let output = cargo.args(["test", "--quiet", "--locked", "--test=permissions"]).output().expect("a run");
    let streams = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&streams).into_owned(), output.status.success())
}

#[test]
fn several_groups_versions_and_scopes_compile() {
    let _alone = alone();
    let sandbox = Sandbox::new("fleet");
    sandbox.run(&["init", "--domain=example.com", "--multigroup", "--namespaced"]).success();
    create(&sandbox, &["--group=ship --version=v1beta1 --kind=Frigate"]);
    // Modules of people's own stay where later commands add theirs.
    for (list, before, module) in [
        ("api/src/lib.rs", "pub mod rules;", "common"),
        ("api/src/ship/mod.rs", "pub mod v1beta1;", "common"),
        ("api/src/ship/v1beta1/mod.rs", "pub mod frigate;", "common"),
        ("src/controller/mod.rs", "pub mod ship;", "common"),
    ] {
        let text = sandbox.read(list);
        sandbox.write(list, &text.replace(before, &format!("pub mod {module};\n{before}")));
        let folder = Path::new(list).parent().expect("a folder").display().to_string();
        sandbox.write(&format!("{folder}/{module}.rs"), "//! Mine.\n");
    }
    create(
        &sandbox,
        &[
            "--group=ship --version=v1 --kind=Frigate",
            "--group=crew --version=v1 --kind=Captain --template=blank",
            "--group=sea-creatures --version=v1 --kind=Kraken --namespaced=false",
            "--group=ship --version=v1 --kind=Frigate --resource=false --controller-name=frigate-backup",
            "--group=apps --version=v1 --kind=Deployment --resource=false",
            "--group=core --version=v1 --kind=Pod --resource=false",
            "--group=cert-manager --version=v1 --kind=Certificate --resource=false --external-api-domain=io",
        ],
    );
    check(&sandbox);
    let (permitted, passed) = permissions(&sandbox);
    assert!(passed, "{permitted}");
}

#[test]
fn awkward_names_compile() {
    let _alone = alone();
    let sandbox = Sandbox::new("kube");
    sandbox.run(&["init", "--domain=example.com", "--license=none"]).success();
    let operand = "--image=memcached:1.6 --image-container-port=11211 --image-container-command=memcached,-m=64 \
                   --run-as-user=1001";
    create(&sandbox, &[&format!("--group=net --version=v1 --kind=Memcached {operand}")]);
    for kind in [
        "Type",
        "Match",
        "Box",
        "Result",
        "String",
        "Con",
        "Deployment",
        "Kind",
        "Events",
        "ObjectMeta",
        "BoxSet",
    ] {
        create(&sandbox, &[&format!("--group=net --version=v1 --kind={kind}")]);
    }
    for kind in ["Option", "ConfigSet"] {
        create(&sandbox, &[&format!("--group=net --version=v1 --kind={kind} --template=blank")]);
    }
    check(&sandbox);
}

#[test]
fn manifests_follow_the_sources() {
    let _alone = alone();
    let sandbox = Sandbox::with_iris();
    let types = sandbox.read("api/src/v1alpha1/iris.rs");
    let field = "    /// Number of replicas; 1 when not set.";
    let attribute = r#"#[serde(default, skip_serializing_if = "Option::is_none")]"#;
    let of = "Option<k8s_openapi::apimachinery::pkg::runtime::RawExtension>";
    let added = format!("    /// A field of mine.\n    {attribute}\n    pub mine: {of},\n\n{field}");
    sandbox.write("api/src/v1alpha1/iris.rs", &types.replace(field, &added));
    let controller = sandbox.read("src/controller/iris.rs");
    let marker = "// +kubebuilder:rbac:groups=core,resources=configmaps,verbs=get;list\n";
    sandbox.write("src/controller/iris.rs", &format!("{marker}{controller}"));
    let manifests = |args: &[&str]| manifests(sandbox.path(), args);
    let before = tree(sandbox.path());
    let difference = manifests(&["--check"]).expect_err("it is not current");
    assert!(
        difference.contains("+              mine:") && difference.contains("+  - configmaps"),
        "{difference}"
    );
    assert_eq!(before, tree(sandbox.path()), "a check writes nothing");
    let json = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"))
        .args(["manifests", "--check", "--format=json"])
        .current_dir(sandbox.path())
        .envs(target_environment())
        .output()
        .expect("a run");
    assert_eq!(json.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&json.stdout).expect("one JSON document");
    assert!(json["diff"].as_str().is_some_and(|diff| diff.contains("mine:")), "{json}");
    manifests(&[]).expect("manifests");
    let definition = sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml");
    let (_, mine) = definition.split_once("mine:\n").expect("the field");
    let (mine, _) = mine.split_once("replicas:\n").expect("the next field");
    assert!(mine.contains("x-kubernetes-preserve-unknown-fields: true"), "{mine}");
    assert!(sandbox.read("config/rbac/role.yaml").contains("configmaps"));
    manifests(&["--check"]).expect("it is current now");
}

#[test]
fn manifests_says_what_breaks_and_what_does_not_exist() {
    let _alone = alone();
    let sandbox = Sandbox::with_iris();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(args);
        run(
            {
                git.current_dir(sandbox.path());
                git
            },
            "",
        )
        .unwrap_or_else(|error| panic!("git {args:?}: {error}"))
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=first"]);
    let (types, controller) = ("api/src/v1alpha1/iris.rs", "src/controller/iris.rs");
    let manifests = |args: &[&str]| manifests(sandbox.path(), args);

    let marker = "// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=";
    let original = sandbox.read(controller);
    sandbox.write(
        controller,
        &original.replace(marker, "// +kubebuilder:rbac:groups=apps,resources=deployment,verbs="),
    );
    let before = tree(sandbox.path());
    let error = manifests(&["--rbac-only"]).expect_err("there is no such resource");
    assert!(error.contains("no resource `deployment` in group `apps`"), "{error}");
    assert!(error.contains("did you mean `deployments`?"), "{error}");
    assert_eq!(before, tree(sandbox.path()), "nothing is written");
    sandbox.write(controller, &original);

    let original = sandbox.read(types);
    sandbox.write(types, &original.replace("max = 63", "max = 62"));
    let broken = "`Iris` v1alpha1 `.spec.deploymentName`: `maxLength` is 62 now, it was 63";
    let error = manifests(&["--against=HEAD"]).expect_err("users have longer names");
    assert!(error.contains(broken), "{error}");
    let notes = || {
        let output = Command::new(env!("CARGO_BIN_EXE_iris-scaffold"))
            .args(["manifests", "--crds-only", "--max-desc-len=0"])
            .current_dir(sandbox.path())
            .envs(target_environment())
            .output()
            .expect("a run");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(!notes().contains("breaking"), "nothing was released yet");
    git(&["tag", "v0.1.0"]);
    assert!(notes().contains(&format!("note: breaking change since release `v0.1.0` of {broken}")));
    let crd = "config/crd/bases/test.myardyas.club_iris.yaml";
    assert!(!sandbox.read(crd).contains("description:"), "{}", sandbox.read(crd));
    sandbox.write(types, &original);

    let before = tree(sandbox.path());
    let printed = manifests(&["--stdout"]).expect("manifests");
    assert_eq!(before, tree(sandbox.path()), "nothing is written");
    git(&["checkout", "--quiet", "."]);
    assert_eq!(printed, sandbox.read(crd) + &sandbox.read("config/rbac/role.yaml"));
    let error = manifests(&["--against=no-such-thing"]).expect_err("there is no such commit");
    assert!(error.contains("there is no commit `no-such-thing`"), "{error}");

    sandbox.write(types, &format!("{original}}}"));
    let before = tree(sandbox.path());
    let error = manifests(&[]).expect_err("it does not compile");
    assert!(error.contains("unexpected closing delimiter"), "{error}");
    assert_eq!(before, tree(sandbox.path()), "nothing is written");
}
