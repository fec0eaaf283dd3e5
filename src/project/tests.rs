//! Tests of reading, writing and changing a project.

use super::{Added, Project};
use crate::resource::{Options, Resource, Template, plural};
use crate::{Error, Result};

const ARTICLE: &str = "\
cliVersion: 0.1.0
domain: myardyas.club
layout:
- rust.iris-scaffold.io/v1
projectName: iris
resources:
- api:
    crdVersion: v1
    namespaced: true
  controller: true
  domain: myardyas.club
  group: test
  kind: Iris
  path: iris_api::v1alpha1
  version: v1alpha1
version: \"3\"
";

fn resource(group: &str, version: &str, kind: &str) -> Resource {
    Resource {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        plural: plural::plural(kind),
        domain: "myardyas.club".into(),
        namespaced: true,
        core: false,
        external: false,
        storage: false,
        has_api: true,
        controllers: vec![kind.to_lowercase()],
    }
}

fn article() -> Project {
    let mut project = Project::new("myardyas.club", "iris");
    project.add(resource("test", "v1alpha1", "Iris"), false).expect("fits");
    project
}

/// The line and message of the mistake in `text`.
fn mistake(text: &str) -> (usize, String) {
    match Project::parse(text) {
        Err(Error::ProjectFile { line, message, .. }) => (line, message),
        other => panic!("{other:?}"),
    }
}

fn refusal(result: Result<Added>) -> String {
    match result {
        Err(Error::Refused(problem)) => {
            assert!(!problem.hints.is_empty(), "{problem:?}");
            problem.message
        }
        other => panic!("{other:?}"),
    }
}

/// The lines below the header.
fn body(text: &str) -> String {
    text.lines().skip_while(|line| line.starts_with('#')).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn writes_the_article_as_kubebuilder_does() {
    let project = article();
    assert_eq!(body(&project.render()), ARTICLE);
    let again = Project::parse(&project.render()).expect("parses");
    assert_eq!(again.resources, project.resources);
    assert!(again.resources[0].storage);
    assert_eq!(again.render(), project.render());
}

#[test]
fn keeps_what_it_does_not_know() {
    let text = "\
bogus: 1
domain: a.example
layout: [rust.iris-scaffold.io/v1]
plugins:
  other.example/v1: {x: [1, 2]}
projectName: p
resources:
- api: {crdVersion: v1, ssa: true, namespaced: true}
  controllers:
  - name: one
    note: mine
  domain: a.example
  group: g
  kind: Widget
  version: v1
  webhooks: {webhookVersion: v1, defaulting: true}
version: \"3\"
";
    let mut project = Project::parse(text).expect("parses");
    let mut second = resource("g", "v1", "Widget");
    second.controllers = vec!["two".into()];
    second.domain = "a.example".into();
    assert_eq!(project.add(second, false).expect("fits"), Added::Extended);
    let text = project.render();
    for kept in [
        "bogus: 1\n",
        "ssa: true\n",
        "note: mine\n",
        "name: two\n",
        "defaulting: true\n",
        "other.example/v1:\n",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert_eq!(Project::parse(&text).expect("parses").render(), text);
}

#[test]
fn every_kind_of_entry_survives() {
    let mut project = Project::new("example.com", "app");
    project.multigroup = true;
    project.repo = Some("https://example.com/app".into());
    let own =
        |group, version, kind| Resource { domain: "example.com".into(), ..resource(group, version, kind) };
    let cluster = Resource { namespaced: false, plural: "goats".into(), ..own("farm", "v1", "Sheep") };
    let second = Resource { controllers: vec![], ..own("crew", "v1beta1", "Captain") };
    let core = Resource {
        domain: String::new(),
        core: true,
        has_api: false,
        plural: "deployments".into(),
        ..own("apps", "v1", "Deployment")
    };
    let external = Resource {
        domain: "io".into(),
        external: true,
        has_api: false,
        namespaced: false,
        ..own("cert-manager", "v1", "ClusterIssuer")
    };
    for new in [own("crew", "v1", "Captain"), second, cluster, core, external] {
        assert_eq!(project.add(new, false).expect("fits"), Added::New);
    }
    let options = [("containerCommand", "a,-b"), ("containerPort", "80"), ("image", "x:1")];
    let options: Options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let template = |name: &str, options| Template { name: Some(name.to_owned()), options };
    let (one, other) = (template("one", options), template("other", Options::new()));
    for (at, template) in [(0, &other), (3, &other), (0, &one)] {
        project.remember(&project.resources[at].clone(), template);
    }
    let again = Project::parse(&project.render()).expect("parses");
    assert_eq!(again.resources, project.resources, "{}", project.render());
    assert_eq!(again.render(), project.render());
    let remembered = |at: usize| again.template(&again.resources[at]).expect("a form");
    assert_eq!((remembered(0), remembered(1), remembered(3)), (Some(one), None, Some(other)));
    assert_eq!(again.resources.iter().filter(|resource| resource.storage).count(), 2);
    assert_eq!(again.storage_version(&again.resources[1]), "v1");
    assert!(project.render().contains("path: k8s_openapi::api::apps::v1\n"));
}

#[test]
fn mistakes_have_their_line() {
    let changed = |from: &str, to: &str| mistake(&ARTICLE.replace(from, to));
    for (found, line, part) in [
        (mistake(""), 1, "empty"),
        (mistake(" \n\n"), 1, "empty"),
        (mistake("a: \u{0}\n"), 1, "not text"),
        (mistake("- a\n"), 1, "expected keys"),
        (mistake("just text"), 1, "expected keys"),
        (mistake("a: b: c\n"), 1, "not valid YAML"),
        (mistake(&ARTICLE[..ARTICLE.len() - 13]), 15, "cut short"),
        (changed("version: \"3\"", "version: 3"), 16, "quotes"),
        (changed("version: \"3\"", "version: \"4\""), 16, "use a newer one"),
        (changed("version: \"3\"", "version: \"2\""), 16, "only version"),
        (changed("rust.iris-scaffold.io/v1", "go.kubebuilder.io/v4"), 4, "kubebuilder"),
        (changed("rust.iris-scaffold.io/v1", "rust.iris-scaffold.io/v2"), 4, "newer"),
        (changed("domain: myardyas.club\nlayout", "domain: Bad_\nlayout"), 2, "domain"),
        (changed("projectName: iris", "projectName: [iris]"), 5, "is a list"),
        (changed("projectName: iris\n", ""), 1, "`projectName` is missing"),
        (changed("kind: Iris", "kind: iris"), 13, "kind"),
        (changed("  kind: Iris\n", ""), 7, "`kind` is missing"),
        (changed("version: v1alpha1", "version: 1alpha"), 15, "version"),
        (changed("group: test", "group: ../x"), 12, "group"),
        (changed("controller: true", "controller: 1"), 10, "`true` or `false`"),
        (changed("iris_api::v1alpha1", "a b::v1"), 14, "library"),
        (changed("  controller: true", "  controller: true\n  core: true"), 8, "served elsewhere"),
    ] {
        assert!(found.0 == line && found.1.contains(part), "wanted line {line} with {part}: {found:?}");
    }
}

/// [`ARTICLE`] with an entry of the plugin that has these lines.
fn with_plugin(lines: &str) -> String {
    let entry = "    - domain: myardyas.club\n      group: test\n      kind: Iris\n      version: v1alpha1\n";
    let plugin = format!("plugins:\n  deploy-image.iris-scaffold.io/v1:\n    resources:\n{entry}{lines}");
    ARTICLE.replace("projectName", &format!("{plugin}projectName"))
}

#[test]
fn what_older_versions_remembered_has_no_name() {
    let read = |lines: &str| {
        let project = Project::parse(&with_plugin(lines)).expect("parses");
        project.template(&project.resources[0]).expect("a form")
    };
    let image: Options = [("image".to_owned(), "x:1".to_owned())].into();
    assert_eq!(
        read("      options: {image: \"x:1\"}\n"),
        Some(Template { name: None, options: image.clone() })
    );
    assert_eq!(read("      options: {}\n"), None);
    assert_eq!(read(""), None);
    let named = "      options: {image: \"x:1\"}\n      template: other\n";
    assert_eq!(read(named), Some(Template { name: Some("other".into()), options: image }));
}

#[test]
fn a_mistake_in_a_template_has_its_line_where_it_matters() {
    let project = Project::parse(&with_plugin("      options:\n        image: x:1\n        port: 80\n"));
    let project = project.expect("nobody asked for it");
    let Err(Error::ProjectFile { line, message, .. }) = project.template(&project.resources[0]) else {
        panic!("no mistake");
    };
    assert_eq!((line, message.contains("`port` has to be a text")), (14, true), "{message}");
    let Error::ProjectFile { line, snippet, .. } =
        project.template_mistake(&project.resources[0], Some("image"), "no image")
    else {
        panic!("no mistake");
    };
    assert_eq!((line, snippet.starts_with("  13 |         image: x:1\n")), (13, true), "{snippet}");
    assert_eq!(mistake(&with_plugin("      template: [x]\n")).0, 12);
}

#[test]
fn snippets_show_the_line() {
    let Err(Error::ProjectFile { snippet, .. }) =
        Project::parse(&ARTICLE.replace("kind: Iris", "kind: iris"))
    else {
        panic!("no mistake");
    };
    assert_eq!(snippet, "  13 |   kind: iris\n     |   ^^^^^^^^^^");
}

#[test]
fn no_text_makes_it_panic() {
    for end in 0..ARTICLE.len() {
        assert!(Project::parse(&ARTICLE[..end]).is_err() || end >= ARTICLE.len() - 1, "{end}");
        let broken = format!("{}\u{1f600}{}", &ARTICLE[..end], &ARTICLE[end..]);
        let _ = Project::parse(&broken);
        let _ = Project::parse(&ARTICLE[end..]);
    }
    for text in [
        "*a",
        "&a [*a]",
        "? [a]\n: b",
        "!!binary x",
        "a: !t b",
        "---\na: 1\n---\nb: 2\n",
        "{",
        "version: !x \"3\"",
    ] {
        assert!(Project::parse(text).is_err(), "{text}");
    }
}

#[test]
fn names_that_are_too_long_together_are_mistakes() {
    let label = "a".repeat(60);
    let domain = [label.as_str(); 4].join(".");
    let text = ARTICLE.replace("domain: myardyas.club\nlayout", &format!("domain: {domain}.aaaa\nlayout"));
    assert!(Project::parse(&text).is_ok());
    let text = text.replace("projectName: iris", "projectName: iris2");
    let (line, message) = mistake(&text);
    assert_eq!(line, 2);
    assert!(message.starts_with("the Lease `iris2.aaaa") && message.contains("254 characters"), "{message}");

    let text = ARTICLE.replace("  domain: myardyas.club", &format!("  domain: {domain}.aaaa"));
    let (line, message) = mistake(&text);
    assert_eq!(line, 7);
    assert!(message.starts_with("the CustomResourceDefinition `iris.test.aaaa"), "{message}");
}

#[test]
fn the_same_again_changes_nothing() {
    let mut project = article();
    let before = project.clone();
    assert_eq!(project.add(resource("test", "v1alpha1", "Iris"), false).expect("fits"), Added::Already);
    assert_eq!(project, before);
}

#[test]
fn other_settings_need_force() {
    let mut project = article();
    let cluster = Resource { namespaced: false, ..resource("test", "v1alpha1", "Iris") };
    assert!(refusal(project.add(cluster.clone(), false)).contains("is namespaced"));
    let plural = Resource { plural: "irises".into(), ..resource("test", "v1alpha1", "Iris") };
    assert!(refusal(project.add(plural, false)).contains("plural `iris`"));
    assert_eq!(project.add(cluster, true).expect("forced"), Added::Extended);
    assert!(!project.resources[0].namespaced);
}

#[test]
fn what_would_meet_is_refused() {
    let mut project = article();
    let mut refuse = |new: Resource, part: &str| {
        let message = refusal(project.add(new, false));
        assert!(message.contains(part), "{message}");
    };
    refuse(resource("other", "v1", "Thing"), "one group");
    refuse(resource("test", "v1", "IRIS"), "only in case");
    refuse(Resource { plural: "irises".into(), ..resource("test", "v1", "Iris") }, "in the plural");
    refuse(Resource { namespaced: false, ..resource("test", "v1", "Iris") }, "all versions");
    refuse(Resource { plural: "iris".into(), ..resource("test", "v1", "Eye") }, "share the plural");
    refuse(resource("test", "v1", "IrisList"), "lists");
    refuse(resource("test", "v1alpha1", "IrisSpec"), "Rust type `IrisSpec`");
    refuse(
        Resource { controllers: vec!["iris".into()], ..resource("test", "v1", "Eye") },
        "has a controller `iris`",
    );
    refuse(
        Resource { controllers: vec!["iris-resources".into()], ..resource("test", "v1", "Eye") },
        "share a file",
    );
    refuse(Resource { core: true, has_api: false, ..resource("apps", "v1", "Deploy") }, "has no kind");
    refuse(Resource { domain: "k8s.io".into(), ..resource("test", "v1", "Eye") }, "Kubernetes' own");
    assert_eq!(project, article());
}

#[test]
fn groups_share_no_module() {
    let mut project = Project::new("myardyas.club", "iris");
    project.multigroup = true;
    project.add(resource("a-b", "v1", "One"), false).expect("fits");
    assert!(refusal(project.add(resource("a.b", "v1", "Two"), false)).contains("module `a_b`"));
    project.add(resource("c", "v1", "Two"), false).expect("fits");
    let again = resource("c", "v1", "One");
    assert_eq!(project.controller_name(&again), "c-one");
    assert!(refusal(project.add(again, false)).contains("has a controller `one`"));
}

#[test]
fn a_second_version_shares_the_controller() {
    let mut project = article();
    assert_eq!(project.add(resource("test", "v1", "Iris"), false).expect("fits"), Added::New);
    assert!(project.resources[1].controllers.is_empty() && !project.resources[1].storage);
    assert!(project.has_controller(&project.resources[1], "iris"));
    assert_eq!(project.add(resource("test", "v1", "Iris"), false).expect("fits"), Added::Already);
}

#[test]
fn types_can_come_after_the_controller() {
    let mut project = Project::new("myardyas.club", "iris");
    let alone = Resource { has_api: false, ..resource("test", "v1", "Iris") };
    assert_eq!(project.add(alone.clone(), false).expect("fits"), Added::New);
    assert!(!project.resources[0].storage);
    assert_eq!(project.add(resource("test", "v1", "Iris"), false).expect("fits"), Added::Extended);
    assert!(project.resources[0].storage && project.resources[0].has_api);
    assert_eq!(project.add(alone, false).expect("fits"), Added::Already);
}
