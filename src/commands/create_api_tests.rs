//! Templates, from the command line to PROJECT and back: the one for the tests, and ones that are not known.

use std::cell::OnceCell;
use std::fs;

use clap::Parser as _;
use tempfile::TempDir;

use super::super::{Context, init, manifests};
use crate::Result;
use crate::cli::{Cli, Command, Create};
use crate::console::Console;
use crate::scaffold::Journals;
use crate::templates::kinds;

const WIDGET: [&str; 5] = ["create", "api", "--group=app", "--version=v1", "--kind=Widget"];

/// Runs a command in `folder`, with its journals beside it.
fn attempt(folder: &TempDir, args: &[&str]) -> Result<()> {
    let all = [&["iris-scaffold", "-q", "--no-input"], args].concat();
    let Cli { global, command } = Cli::try_parse_from(all).expect("arguments");
    let context = Context {
        console: Console::new(&global),
        directory: folder.path().join("app"),
        global,
        lock: OnceCell::new(),
        journals: Journals::new(Some(folder.path().join("state"))),
    };
    match command {
        Command::Init(args) => init::run(&context, &args),
        Command::Create { what: Create::Api(args) } => super::run(&context, &args),
        Command::Manifests(args) => manifests::run(&context, &args),
        other => panic!("{other:?}"),
    }
}

pub(in super::super) fn run(folder: &TempDir, args: &[&str]) {
    attempt(folder, args).expect("it works");
}

fn refusal(folder: &TempDir, args: &[&str]) -> String {
    attempt(folder, args).expect_err("a refusal").to_string()
}

pub(in super::super) fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("app")).expect("a directory");
    run(&folder, &["init", "--domain=example.com", "--license=none"]);
    folder
}

pub(in super::super) fn read(folder: &TempDir, file: &str) -> String {
    fs::read_to_string(folder.path().join("app").join(file)).unwrap_or_default()
}

#[test]
fn another_template_goes_all_the_way() {
    let folder = project();
    let dummy = [&WIDGET[..], &["--template=dummy", "--dummy-size=7"]].concat();
    run(&folder, &dummy);
    for (file, part) in [
        ("PROJECT", "      options:\n        size: '7'\n      template: dummy\n"),
        ("api/src/v1/widget.rs", "doc = \"Widget has a size.\""),
        ("api/src/lib.rs", "v1::widget::Widget"),
        ("config/samples/app_v1_widget.yaml", "  size: 1\n"),
        ("config/crd/bases/app.example.com_widgets.yaml", "How large it is."),
        ("config/crd/kustomization.yaml", "- bases/app.example.com_widgets.yaml\n"),
        ("config/rbac/widget_admin_role.yaml", "widgets"),
        ("src/controller/widget.rs", "pub const SIZE: &str = \"7\";\n"),
        ("src/controller/mod.rs", "widget::start(manager);\n"),
        ("tests/widget.rs", "The controller `widget` of `Widget`"),
    ] {
        let text = read(&folder, file);
        assert!(text.contains(part), "{file}: {part}\n{text}");
    }
    assert!(!folder.path().join("app/src/controller/widget_resources.rs").exists());

    // What was said once need not be said again, and is not changed by the way.
    let before = read(&folder, "PROJECT");
    run(&folder, &WIDGET);
    for (more, message) in [
        ("--dummy-size=8", "kind `Widget` was made with other options"),
        ("--dummy-size=800", "`size` is not a number up to 255"),
        ("--image=x", "`--image` belongs to `--template replicas`"),
        ("--template=blank", "kind `Widget` was made from another template"),
        ("--template=replicas", "kind `Widget` was made from another template"),
        ("--resource=false --template=dummy", "`--template dummy` needs types of this project"),
    ] {
        let more: Vec<_> = more.split(' ').collect();
        assert_eq!(refusal(&folder, &[&WIDGET[..], &more].concat()), message);
    }
    assert_eq!(read(&folder, "PROJECT"), before);
    run(&folder, &[&WIDGET[..], &["--dummy-size=8", "--force"]].concat());
    assert!(read(&folder, "PROJECT").contains("size: '8'\n"));
    assert!(read(&folder, "src/controller/widget.rs").contains("\"8\""));

    // Saying something for the first time changes it, too.
    let folder = project();
    run(&folder, &[&WIDGET[..], &["--template=dummy"]].concat());
    let message = refusal(&folder, &dummy);
    assert_eq!(message, "kind `Widget` was made with other options");
}

#[test]
fn every_template_is_remembered() {
    for template in kinds::ALL {
        let folder = project();
        let choice = format!("--template={}", template.name());
        // Types alone, too, and what comes later goes on with what they were made from.
        run(&folder, &[&WIDGET[..], &[&choice, "--controller=false"]].concat());
        let remembered = format!("      template: {}\n", template.name());
        assert!(read(&folder, "PROJECT").contains(&remembered), "{}", read(&folder, "PROJECT"));
        let types = read(&folder, "api/src/v1/widget.rs");
        run(&folder, &WIDGET);
        let at_once = project();
        run(&at_once, &[&WIDGET[..], &[&choice]].concat());
        for file in ["PROJECT", "src/controller/widget.rs", "src/controller/widget_resources.rs"] {
            assert_eq!(read(&folder, file), read(&at_once, file), "{file}");
        }
        assert_eq!(read(&folder, "api/src/v1/widget.rs"), types);
        assert!(read(&folder, "src/controller/mod.rs").contains("widget::start(manager);\n"));
        // A controller beside the first one is a start, and changes nothing of it.
        let first = read(&folder, "src/controller/widget.rs");
        let second = ["--resource=false", "--controller-name=second", "--force"];
        run(&folder, &[&WIDGET[..], &second].concat());
        assert_eq!(read(&folder, "src/controller/widget.rs"), first);
        assert!(read(&folder, "src/controller/second.rs").contains("async fn reconcile("));
        assert!(read(&folder, "PROJECT").contains(&remembered), "{}", read(&folder, "PROJECT"));
    }
    let folder = project();
    let pod = ["create", "api", "--group=core", "--version=v1", "--kind=Pod", "--resource=false"];
    run(&folder, &pod);
    let remembered =
        format!("    - group: core\n      kind: Pod\n      template: {}\n", kinds::bare().name());
    assert!(read(&folder, "PROJECT").contains(&remembered), "{}", read(&folder, "PROJECT"));
}

#[test]
fn a_template_that_is_not_known_is_a_mistake_where_it_matters() {
    let folder = project();
    run(&folder, &WIDGET);
    let file = folder.path().join("app/PROJECT");
    let text = read(&folder, "PROJECT");
    let gadget = ["create", "api", "--group=app", "--version=v1", "--kind=Gadget"];
    for (from, to, line, part) in [
        ("template: replicas", "template: cluster", 16, "template `cluster` is not known"),
        ("image: registry.k8s.io/pause:3.10", "image: a b", 14, "`a b`"),
        ("runAsUser: '65532'", "runAsUser: 65532", 15, "`runAsUser` has to be a text"),
    ] {
        let broken = text.replace(from, to);
        assert_ne!(broken, text, "{from}");
        fs::write(&file, &broken).expect("a file");
        // Roles have nothing to do with it.
        run(&folder, &["manifests", "--rbac-only"]);
        let message = refusal(&folder, &gadget);
        assert!(message.starts_with(&format!("`PROJECT` line {line}: ")), "{message}");
        assert!(message.contains(part) && message.contains(&format!("  {line} |")), "{message}");
        assert_eq!(read(&folder, "PROJECT"), broken);
    }
    // An older version of the tool wrote no name.
    fs::write(&file, text.replace("      template: replicas\n", "")).expect("a file");
    run(&folder, &gadget);
    assert_eq!(read(&folder, "PROJECT").matches("template: replicas\n").count(), 1);
    run(&folder, &WIDGET);
    assert_eq!(read(&folder, "PROJECT").matches("template: replicas\n").count(), 2);
    assert!(read(&folder, "src/controller/mod.rs").contains("pub mod widget_resources;\n"));
}
