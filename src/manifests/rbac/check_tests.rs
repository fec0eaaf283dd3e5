//! What markers say that is not there, has no effect, or less than it seems.

use super::*;

const STRANGE: &str = r#"
groups=app,resources=deployments,verbs=get => neither Kubernetes nor this project has a group `app` => did you mean `apps`?
groups=monitoring.coreos.com,resources=servicemonitors,verbs=get => neither Kubernetes nor this project has a group `monitoring.coreos.com` => if another project has it, say so: `// +iris-scaffold:rbac:externalGroups=monitoring.coreos.com`
groups="apps;batch",resources=jobs,verbs=get => neither Kubernetes nor this project has a group `apps;batch` => a word in quotes is one group: write `groups=apps;batch`
groups=apps/v1,resources=deployments,verbs=get => neither Kubernetes nor this project has a group `apps/v1` => a group is named without a version: `apps`
groups=v1,resources=pods,verbs=get => neither Kubernetes nor this project has a group `v1` => the core group is `core`
groups=apps,resources=deployment,verbs=get => no resource `deployment` in group `apps` => did you mean `deployments`?
groups="",resources=deployments,verbs=get => no resource `deployments` in group `core` => it is in group `apps`
groups=core,resources=deployments,verbs=get => no resource `deployments` in group `core` => it is in group `apps`
groups=apps,resources=deployments/state,verbs=get => no resource `deployments/state` in group `apps` => did you mean `deployments/scale`?
groups=apps,resources=deployments/nothing,verbs=get => no resource `deployments/nothing` in group `apps` => `deployments` has `deployments/scale`, `deployments/status`, `deployments/finalizers`
groups=apps,resources=deployments,verbs=get;lst => `deployments` have no verb `lst` => did you mean `list`?
groups=apps,resources=deployments/status,verbs=get;list => `deployments/status` have no verb `list` => they have `get`, `patch`, `update`
groups=core,resources=pods,verbs=impersonate => `pods` have no verb `impersonate` => they have `create`, `delete`, `deletecollection`, `get`, `list`, `patch`, `update`, `watch`
groups=example.com,resources=widget,verbs=get => no resource `widget` in group `example.com` => did you mean `widgets`?
groups=example.com,resources=widgets/scale,verbs=get => no resource `widgets/scale` in group `example.com` => did you mean `widgets/status`?
urls=/metrics,verbs=deletecollection => paths have no verb `deletecollection` => they are `get`, `head`, `post`, `put`, `patch`, `delete`, `options`
"#;

/// Markers that name only what exists.
const FAMILIAR: &str = r#"
groups=apps,resources=deployments;deployments/scale;deployments/finalizers,verbs=get;list;update
groups=apps;batch,resources=jobs;statefulsets,verbs=*
groups="",resources=pods;pods/log;pods/exec,verbs=get;create
groups=core,resources=serviceaccounts;users;groups,verbs=impersonate
groups=authentication.k8s.io,resources=userextras/scopes,verbs=impersonate
groups=rbac.authorization.k8s.io,resources=roles;clusterroles,verbs=bind;escalate
groups=certificates.k8s.io,resources=signers,resourceNames=example.com/*,verbs=approve
groups=*,resources=whatever,verbs=anything
groups=apps,resources=*;*/scale,verbs=get
groups=example.com,resources=widgets;widgets/status;widgets/finalizers,verbs=get;patch
groups=cert-manager.io,resources=whatever,verbs=anything
urls=/metrics,verbs=get
"#;

#[test]
fn what_markers_name_exists() {
    let widget = serde_json::json!({ "spec": {
        "group": "example.com",
        "names": { "plural": "widgets" },
        "versions": [{ "subresources": { "status": {} } }],
    }});
    let check_one = |line: &str| {
        let text = format!(
            "// +iris-scaffold:rbac:externalGroups=cert-manager.io\nfn f() {{\n    // +kubebuilder:rbac:{line}\n}}\n"
        );
        let mut known = Known::kubernetes();
        known.add_definition(&widget);
        check(&[(RelPath::new("src/controller/iris.rs")?, text)], known)
    };
    for line in FAMILIAR.trim().lines() {
        check_one(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    for line in STRANGE.trim().lines() {
        let mut parts = line.split(" => ");
        let (marker, message, hint) = (parts.next(), parts.next(), parts.next());
        let error = check_one(marker.expect("a marker")).expect_err(line);
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("`src/controller/iris.rs:3:"), "{text}");
        assert!(first.ends_with(message.expect("a message")), "{text}");
        assert_eq!(error.hints().first().map(String::as_str), hint, "{line}");
    }
    let text = check_one("groups=apps,resources=deployment,verbs=get").expect_err("a typo").to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[3].find('^'), lines[2].find("deployment,"), "{text}");
}

#[test]
fn a_wrong_list_of_external_groups_is_refused() {
    for wrong in ["", "=", " x", "=a,b", "={a"] {
        let text = format!("// +iris-scaffold:rbac:externalGroups{wrong}\n");
        let sources = [(RelPath::new("src/main.rs").expect("a path"), text)];
        let error = check(&sources, Known::kubernetes()).expect_err(wrong);
        assert!(error.to_string().starts_with("`src/main.rs:1:"), "{error}");
    }
}

/// Comments that look like markers, where the fault is, what it is and what to do.
const STRAY: &str = r"
// +kubebuilder:rbc:groups=a,resources=b,verbs=get => 4 => there is no marker `+kubebuilder:rbc` => did you mean `+kubebuilder:rbac`?
// +kubebuilder:rbacs:groups=a,resources=b,verbs=get => 4 => there is no marker `+kubebuilder:rbacs` => did you mean `+kubebuilder:rbac`?
/// +kubebuilder:RBAC:groups=a,resources=b,verbs=get => 5 => there is no marker `+kubebuilder:RBAC` => did you mean `+kubebuilder:rbac`?
// +kubebuiler:rbac:groups=a,resources=b,verbs=get => 4 => there is no marker `+kubebuiler` => did you mean `+kubebuilder`?
// + kubebuilder:rbac:groups=a,resources=b,verbs=get => 4 => `+kubebuilder:rbac` begins with `+` and no space => for instance
//kubebuilder:rbac:urls=/a,verbs=get => 3 => `+kubebuilder:rbac` begins with `+` and no space => for instance
// +kubebuilder:validation:Maximum=5 => 4 => `+kubebuilder:validation:Maximum` is a marker of Go and has no effect here => write the attribute
// +kubebuilder:resource:scope=Cluster => 4 => `+kubebuilder:resource:scope` is a marker of Go and has no effect here => write the attribute
// +optional => 4 => `+optional` is a marker of Go and has no effect here => write the attribute
// +k8s:immutable => 4 => `+k8s:immutable` is a marker of Go and has no effect here => write the attribute
// +listType=map => 4 => `+listType` is a marker of Go and has no effect here => write the attribute
// +kubebuilder:webhook:path=/x => 4 => `+kubebuilder:webhook` has no effect: the manifests of webhooks are not generated => write the configuration
// +iris-scaffold:rbac:externalGroup=a.b => 4 => there is no marker `+iris-scaffold:rbac:externalGroup` => did you mean `+iris-scaffold:rbac:externalGroups`?
";

#[test]
fn what_only_looks_like_a_marker_is_told() {
    for line in STRAY.trim().lines() {
        let [comment, column, message, hint] = line.split(" => ").collect::<Vec<_>>()[..] else {
            panic!("four parts in {line}");
        };
        let sources = [(RelPath::new("src/main.rs").expect("a path"), format!("\n{comment}\n"))];
        let error = check(&sources, Known::kubernetes()).expect_err(line);
        let expected = format!("`src/main.rs:2:{column}`: {message}\n");
        assert!(error.to_string().starts_with(&expected), "{error}\ninstead of\n{expected}");
        assert!(error.hints()[0].starts_with(hint), "{:?}", error.hints());
    }
}

/// Lines that are no comments of their own, what is said of them, where the fault is, and what to do.
const HIDDEN: &str = r#"
/* +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get */ => 4 => a marker in a block comment is not read => write it in a line comment: `// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get`
/** +kubebuilder:rbac:oops */ => 5 => a marker in a block comment is not read => write it in a line comment: `// +kubebuilder:rbac:oops`
/* * +iris-scaffold:rbac:externalGroups=a.b */ => 6 => a marker in a block comment is not read => write it in a line comment: `// +iris-scaffold:rbac:externalGroups=a.b`
/* +kubebuilder:validation:Maximum=5 */ => 4 => `+kubebuilder:validation:Maximum` is a marker of Go and has no effect here => write the attribute
/* +kubebuilder:rbc:groups=a */ => 4 => there is no marker `+kubebuilder:rbc` => did you mean `+kubebuilder:rbac`?
#[doc = "+kubebuilder:rbac:urls=/a,verbs=get"] => 10 => a marker in `#[doc = …]` is not read => write it in a line comment: `// +kubebuilder:rbac:urls=/a,verbs=get`
#![doc = r"+optional"] => 12 => `+optional` is a marker of Go and has no effect here => write the attribute
"#;

#[test]
fn a_marker_that_is_no_line_comment_is_told() {
    let sources = |text: String| [(RelPath::new("src/main.rs").expect("a path"), text)];
    for line in HIDDEN.trim().lines() {
        let [text, column, message, hint] = line.split(" => ").collect::<Vec<_>>()[..] else {
            panic!("four parts in {line}");
        };
        let error = check(&sources(format!("\n{text}\n")), Known::kubernetes()).expect_err(line);
        let expected = format!("`src/main.rs:2:{column}`: {message}\n");
        assert!(error.to_string().starts_with(&expected), "{error}\ninstead of\n{expected}");
        assert!(error.hints()[0].starts_with(hint), "{:?}", error.hints());
    }
    // What somebody has put out of effect is not wrong.
    let out = "/*\n// +kubebuilder:rbac:groups=oops,verbs=get\nfn f() {}\n// +optional\n*/\n/* + a list */";
    let notes = check(&sources(out.into()), Known::kubernetes()).expect("notes");
    assert_eq!(
        notes,
        [
            "`src/main.rs:2:1`: the marker in a block comment is not read; in a line comment of its own it would be"
        ]
    );
    let many = check(&sources(out.repeat(1_000)), Known::kubernetes()).expect("notes");
    assert_eq!((many.len(), many.last().map(String::as_str)), (21, Some("and 980 more such notes")));
}

#[test]
fn names_beside_verbs_that_have_none_are_told() {
    let said = |marker: &str| {
        let text = format!("// +kubebuilder:rbac:resourceNames=x,{marker}\n");
        check(&[(RelPath::new("src/main.rs").expect("a path"), text)], Known::kubernetes())
    };
    let pods = |verbs: &str| said(&format!("groups=core,resources=pods,verbs={verbs}"));
    let error = pods("get;deletecollection").expect_err("no request has a name");
    let place = "`src/main.rs:1:75`: `deletecollection` is never allowed by a rule with `resourceNames`";
    assert!(error.to_string().starts_with(place), "{error}");
    for (verbs, start) in [
        ("get;create", "`create` with `resourceNames` allows no POST"),
        (
            "list",
            "`list` with `resourceNames` allows only requests with the field selector `metadata.name=…`",
        ),
        ("get;watch", "`watch` with `resourceNames` allows only"),
    ] {
        let notes = pods(verbs).expect(verbs);
        assert!(
            notes.len() == 1 && notes[0].starts_with(&format!("`src/main.rs:1:1`: {start}")),
            "{notes:?}"
        );
    }
    for marker in [
        "groups=core,resources=pods,verbs=get;update;patch;delete;*",
        "groups=core,resources=pods/exec;serviceaccounts/token,verbs=create",
    ] {
        assert_eq!(said(marker).expect(marker), [] as [&str; 0], "{marker}");
    }
}

#[test]
fn a_group_of_another_project_may_have_more_kinds() {
    let mut known = Known::kubernetes();
    known.add_kind("cert-manager.io", "certificates");
    known.add_kind("apps", "deployments");
    let said = |lines: &str| {
        let sources = [(RelPath::new("src/main.rs").expect("a path"), lines.to_owned())];
        check(&sources, known.clone()).map_err(|error| error.hints().join("\n"))
    };
    let marker = "// +kubebuilder:rbac:groups=cert-manager.io,resources=issuers,verbs=get\n";
    let external = "// +iris-scaffold:rbac:externalGroups=cert-manager.io";
    let hint = format!("the group has `certificates`; if the group has more, say so: `{external}`");
    assert_eq!(said(marker), Err(hint));
    assert_eq!(said(&format!("{marker}{external}\n")), Ok(Vec::new()));
    let own = "// +kubebuilder:rbac:groups=apps,resources=deployment,verbs=get\n";
    assert_eq!(said(own), Err("did you mean `deployments`?".to_owned()));
}
