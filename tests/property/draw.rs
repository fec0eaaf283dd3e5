//! Command lines as users, careless users and enemies write them.

use std::fmt;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// Commands that are run one after the other in one directory.
#[derive(Clone)]
pub struct Session {
    pub commands: Vec<Vec<String>>,
}

impl fmt::Debug for Session {
    /// As one would type it in bash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@".contains(c);
        for command in &self.commands {
            f.write_str("iris-scaffold")?;
            for word in command {
                if !word.is_empty() && word.chars().all(plain) {
                    write!(f, " {word}")?;
                } else {
                    write!(f, " $'{}'", word.escape_debug())?;
                }
            }
            f.write_str("\n")?;
        }
        Ok(())
    }
}

/// Any `init`, then an ordinary kind.
pub fn starts() -> BoxedStrategy<Session> {
    let kind = ["create", "api", "--group=app", "--version=v1", "--kind=Widget"].map(str::to_owned);
    init().prop_map(move |init| Session { commands: vec![init, kind.to_vec()] }).boxed()
}

/// An ordinary `init`, then up to three of any `create api`.
pub fn sessions() -> BoxedStrategy<Session> {
    let flags = (flag("multigroup", boolean(), 0.6), flag("namespaced", boolean(), 0.3));
    let init = flags.prop_map(|flags| command(&["init", "--domain=example.com"], [flags.0, flags.1]));
    (init, vec(create_api(), 1..=3))
        .prop_map(|(init, apis)| Session { commands: [vec![init], apis].concat() })
        .boxed()
}

fn init() -> BoxedStrategy<Vec<String>> {
    (
        flag("domain", value(DOMAINS, &long_domains()), 0.97),
        flag("project-name", value(PROJECTS, &lengths(&[27, 28, 29, 63])), 0.7),
        flag("owner", value(OWNERS, &lengths(&[200, 201])), 0.3),
        flag("license", value(&["apache2", "mit", "none"], &[]), 0.3),
        flag("multigroup", boolean(), 0.3),
        flag("namespaced", boolean(), 0.3),
        flag("repo", value(&["example.com/iris"], &[]), 0.1),
    )
        .prop_map(|(a, b, c, d, e, f, g)| command(&["init"], [a, b, c, d, e, f, g]))
        .boxed()
}

fn create_api() -> BoxedStrategy<Vec<String>> {
    let what = (
        flag("group", value(GROUPS, &long_domains()), 0.98),
        flag("version", value(VERSIONS, &lengths(&[63, 64])), 0.98),
        flag("kind", value(KINDS, &kinds_of_lengths()), 0.98),
        flag("plural", value(PLURALS, &lengths(&[62, 63, 64])), 0.2),
        flag("namespaced", boolean(), 0.2),
        flag("resource", boolean(), 0.2),
        flag("controller", boolean(), 0.2),
    );
    let how = (
        flag("controller-name", value(CONTROLLERS, &lengths(&[52, 53, 63, 64])), 0.2),
        flag("template", value(&["replicas", "blank"], &[]), 0.3),
        flag("image", value(IMAGES, &lengths(&[253, 254, 400])), 0.2),
        flag("image-container-command", value(COMMANDS, &lengths(&[1024, 1025])), 0.2),
        flag("image-container-port", value(NUMBERS, &[]), 0.2),
        flag("run-as-user", value(NUMBERS, &[]), 0.2),
        flag("external-api-domain", value(DOMAINS, &long_domains()), 0.1),
        flag("external-api-path", value(&["example.com/x"], &[]), 0.05),
        weighted(0.1, Just("--force".to_owned())),
    );
    (what, how)
        .prop_map(|(w, h)| {
            let words = [w.0, w.1, w.2, w.3, w.4, w.5, w.6, h.0, h.1, h.2, h.3, h.4, h.5, h.6, h.7, h.8];
            command(&["create", "api"], words)
        })
        .boxed()
}

fn command<const N: usize>(start: &[&str], flags: [Option<String>; N]) -> Vec<String> {
    start.iter().map(|&word| word.to_owned()).chain(flags.into_iter().flatten()).collect()
}

/// `--name=value`, in the given share of cases.
fn flag(name: &'static str, value: BoxedStrategy<String>, share: f64) -> BoxedStrategy<Option<String>> {
    let word = move |value: String| {
        // Bare, as in `--force`.
        if value == BARE { format!("--{name}") } else { format!("--{name}={value}") }
    };
    weighted(share, value.prop_map(word)).boxed()
}

const BARE: &str = "\u{1}bare";

fn boolean() -> BoxedStrategy<String> {
    let odd = ["", "yes", "1", "TRUE"].map(str::to_owned).to_vec();
    prop_oneof![
        20 => select(vec!["true", "false", BARE]).prop_map(str::to_owned),
        1 => select(odd),
    ]
    .boxed()
}

/// Mostly one that fits; at times one at the edge, one that fits nowhere, or noise.
fn value(usual: &[&str], edges: &[String]) -> BoxedStrategy<String> {
    let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let edges = if edges.is_empty() { own(&usual[..1]) } else { edges.to_vec() };
    let noise = vec(any::<char>().prop_filter("not in an argument", |&c| c != '\0'), 0..8);
    // Printing them raw is clap's doing, for flags whose values it knows.
    let noise = noise.prop_map(|letters| letters.into_iter().filter(|c| !c.is_control()).collect::<String>());
    prop_oneof![60 => select(own(usual)), 3 => select(edges), 2 => select(own(ODD)), 1 => noise].boxed()
}

fn lengths(lengths: &[usize]) -> Vec<String> {
    lengths.iter().map(|&length| "a".repeat(length)).collect()
}

fn kinds_of_lengths() -> Vec<String> {
    [53, 58, 59, 60, 63, 64].iter().map(|&length| format!("A{}", "b".repeat(length - 1))).collect()
}

/// Names of the longest parts and the longest sums that Kubernetes takes, and just above.
fn long_domains() -> Vec<String> {
    let of_length = |length: usize| {
        let mut text = "a".repeat(length);
        (60..length.saturating_sub(1)).step_by(61).for_each(|dot| text.replace_range(dot..=dot, "."));
        text
    };
    let mut all = lengths(&[63, 64]);
    all.extend([100, 180, 200, 230, 253, 254].map(of_length));
    all
}

const DOMAINS: &[&str] = &[
    "example.com",
    "myardyas.club",
    "example.org",
    "a",
    "io",
    "x-y.example",
    "1.5",
    "0x1f.io",
    "null",
    "1e3",
    "test",
    "k8s.io",
    "type.match",
    "a.b.c.d.e",
];

const PROJECTS: &[&str] = &[
    "iris",
    "a",
    "my-operator",
    "null",
    "true",
    "yes",
    "off",
    "n",
    "kube",
    "serde",
    "serde-json",
    "tokio",
    "std",
    "core",
    "test",
    "tests",
    "build",
    "api",
    "iris-api",
    "crdgen",
    "type",
    "self",
    "super",
    "con",
    "nul",
    "system",
    "x--y",
    "manager",
    "operator",
    "operator-kube",
    "proc-macro",
    "e1",
    "deps",
];

const OWNERS: &[&str] = &[
    "Example Corp",
    "Müller & Söhne",
    "*/ //",
    "{{ owner }}",
    "{% x %}",
    "\"'",
    "null",
    "# x",
    "r#\"",
    "日本",
    "\\",
    "$(id)",
    "<script>",
];

const GROUPS: &[&str] = &[
    "app",
    "test",
    "apps",
    "core",
    "batch",
    "a.b",
    "a-b",
    "cert-manager",
    "networking",
    "1",
    "1a",
    "1e3",
    "0x1f",
    "1.5",
    "null",
    "true",
    "on",
    "type",
    "mod",
    "self",
    "crate",
    "con",
    "api",
    "manager",
    "std",
    "kube",
    "main",
    "lib",
    "x--y",
];

const VERSIONS: &[&str] =
    &["v1", "v1alpha1", "v2beta1", "v10", "v1beta2", "v2147483648", "v99999999999999999999"];

const KINDS: &[&str] = &[
    "Widget",
    "Iris",
    "Type",
    "Match",
    "Box",
    "Result",
    "String",
    "Con",
    "Option",
    "Vec",
    "Client",
    "Api",
    "Spec",
    "Status",
    "Some",
    "None",
    "Ok",
    "Err",
    "Self",
    "Mod",
    "Crate",
    "Super",
    "Move",
    "Gen",
    "Async",
    "Nul",
    "Aux",
    "Com1",
    "Null",
    "True",
    "Yes",
    "No",
    "On",
    "Off",
    "Y",
    "N",
    "NaN",
    "Main",
    "Lib",
    "Core",
    "Std",
    "Kube",
    "Test",
    "Tests",
    "Common",
    "Manager",
    "Controller",
    "Resource",
    "Resources",
    "WidgetResources",
    "WidgetList",
    "WidgetSpec",
    "WidgetStatus",
    "WidgetResource",
    "List",
    "Kind",
    "Context",
    "Error",
    "Events",
    "Condition",
    "Deployment",
    "Pod",
    "StatefulSet",
    "Ingress",
    "Node",
    "Namespace",
    "Certificate",
    "DNSRecord",
    "IRIS",
    "WIDGET",
    "Http2",
    "X509",
    "A",
    "Permissions",
    "ControlPlane",
    "Crdgen",
    "Sheep",
    "Policy",
    "Children",
    "E1",
    "Serde",
    "Default",
    "Clone",
    "Debug",
    "Deserialize",
    "JsonSchema",
    "CustomResource",
    "Widget2",
    "Settled",
    "Operator",
    "Replicas",
];

const PLURALS: &[&str] =
    &["widgets", "irises", "null", "true", "yes", "x", "type", "con", "pods", "a-b", "widget", "iris", "e1"];

const CONTROLLERS: &[&str] = &[
    "widget",
    "widget-backup",
    "widget-resources",
    "iris",
    "iris-controller",
    "controller",
    "mod",
    "manager",
    "null",
    "true",
    "type",
    "self",
    "con",
    "main",
    "common",
    "x--y",
    "a-1",
    "permissions",
    "control-plane",
];

const IMAGES: &[&str] = &[
    "memcached:1.6",
    "localhost:5000/a/b@sha256:0123abcd",
    "store/intersystems/iris:1",
    "null",
    "1",
    "1e3",
    "true",
    "A/B",
    "a:0x1f",
];

const COMMANDS: &[&str] = &[
    "memcached,-m=64,-v",
    "sh,-c,echo \"$HOME\" 'x' \\n",
    "null,true,1,~",
    "日本",
    "#x",
    "a: b",
    "$(POD_NAME)",
    "{{ x }},{% y %}",
    "a ",
    " a",
    "*x,&y,!z",
    "\"#\"#",
    "%s",
    "`id`",
    "- a",
    "r#\"x\"#",
    "{}",
    "{x}",
];

const NUMBERS: &[&str] = &["80", "65535", "1001", "8080", "1", "2147483647", "0", "65536", "-1", "080"];

/// What fits nowhere, or only in some places.
const ODD: &[&str] = &[
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
    "-a",
    "Ünï",
    "日本",
    "ß",
    "İ",
    "ſ",
    "K",
    "a b",
    "$(id)",
    "`id`",
    "a;b",
    "a|b",
    "a&b",
    "'",
    "\"",
    "{{ x }}",
    "{% x %}",
    "{# x",
    "%s",
    "*",
    "~",
    "A",
    "UPPER",
    "a_b",
    "2nd",
    "0",
    "\u{202e}",
    "\u{feff}x",
    "a:b",
    "#",
    "true",
    "٣",
    "a\u{301}",
    "\u{1f600}",
    "a=b",
    "=",
    "self",
    "<x>",
    "a,b",
    ",",
    "!x",
    "&x",
];
