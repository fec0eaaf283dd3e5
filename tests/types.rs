//! Random Rust types against a real API server: the project compiles, `manifests` takes them, and the API server accepts
//! the definitions without a warning.

mod common;

use std::fmt::Write as _;

use common::Sandbox;
use common::cluster::{Cluster, manifests};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Kinds in one project; they are compiled together.
const KINDS: usize = 24;

/// A type, and the attributes that its schema can carry.
#[derive(Clone, Debug)]
enum Type {
    Plain(&'static str, &'static [&'static str]),
    Optional(Box<Self>),
    List(Box<Self>),
    Map(Box<Self>),
    Struct(Vec<Self>),
    Enum(usize),
}

/// Types without others in them.
const PLAIN: &[Type] = &[
    Type::Plain("String", &["length(min = 1, max = 63)", "pattern(\"^[a-z]+$\")", "email"]),
    Type::Plain("i32", &["range(min = 0)", "range(min = 1, max = 5)"]),
    Type::Plain("i64", &["range(max = 10)"]),
    Type::Plain("u16", &[]),
    Type::Plain("f64", &["range(min = 0.5)"]),
    Type::Plain("bool", &[]),
    Type::Plain("k8s_openapi::apimachinery::pkg::api::resource::Quantity", &[]),
    Type::Plain("k8s_openapi::apimachinery::pkg::util::intstr::IntOrString", &[]),
    Type::Plain("k8s_openapi::apimachinery::pkg::apis::meta::v1::Time", &[]),
    Type::Plain("k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector", &[]),
    Type::Plain("k8s_openapi::api::core::v1::LocalObjectReference", &[]),
    Type::Plain("k8s_openapi::api::core::v1::Toleration", &[]),
];

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![4 => select(PLAIN), 1 => (1_usize..4).prop_map(Type::Enum)];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let inside = || inner.clone().prop_map(Box::new);
        prop_oneof![
            inside().prop_map(Type::Optional),
            inside().prop_map(Type::List),
            inside().prop_map(Type::Map),
            prop::collection::vec(inner.clone(), 1..5).prop_map(Type::Struct),
        ]
    })
}

/// The source of a kind.
struct Source {
    kind: String,
    text: String,
    types: usize,
    fields: usize,
}

impl Source {
    fn of(kind: &str, fields: &[Type]) -> String {
        let mut source = Self { kind: kind.to_owned(), text: String::new(), types: 0, fields: 0 };
        let fields = source.fields(fields);
        format!(
            "//! A random kind.\n\nuse kube::{{CustomResource, KubeSchema}};\nuse serde::{{Deserialize, Serialize}};\n\n\
             /// What is wanted.\n#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize)]\n\
             #[kube(group = \"test.example.com\", version = \"v1\", kind = \"{kind}\", plural = \"{}s\", namespaced, \
             status = \"{kind}Status\")]\n#[serde(rename_all = \"camelCase\")]\npub struct {kind}Spec {{\n{fields}}}\n\n\
             /// What is observed.\n#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize)]\n\
             pub struct {kind}Status {{}}\n{}",
            kind.to_lowercase(),
            source.text
        )
    }

    fn fields(&mut self, fields: &[Type]) -> String {
        let mut text = String::new();
        for (index, field) in fields.iter().enumerate() {
            if let Type::Plain(_, attributes) = field
                && let Some(attribute) = attributes.get(index % (attributes.len() + 1))
            {
                let _ = writeln!(text, "    #[schemars({attribute})]");
            }
            if matches!(field, Type::Optional(_)) {
                text.push_str("    #[serde(default, skip_serializing_if = \"Option::is_none\")]\n");
            }
            let name = self.name(field);
            self.fields += 1;
            let comment = format!("Field {} of {}.", self.fields, self.kind);
            let _ = writeln!(text, "    /// {comment}\n    pub field_{index}: {name},");
        }
        text
    }

    /// The type as it stands in a field.
    fn name(&mut self, of: &Type) -> String {
        const DERIVES: &str = "#[derive(schemars::JsonSchema, Clone, Debug, Deserialize, Serialize)]";
        match of {
            Type::Plain(name, _) => (*name).to_owned(),
            // An option of an option is one.
            Type::Optional(inner) => match &**inner {
                Type::Optional(_) => self.name(inner),
                inner => format!("Option<{}>", self.name(inner)),
            },
            Type::List(inner) => format!("Vec<{}>", self.name(required(inner))),
            Type::Map(inner) => {
                format!("std::collections::BTreeMap<String, {}>", self.name(required(inner)))
            }
            Type::Struct(fields) => {
                let name = self.next();
                let fields = self.fields(fields);
                let _ = write!(
                    self.text,
                    "\n/// A part.\n{DERIVES}\n#[serde(rename_all = \"camelCase\")]\npub struct {name} {{\n{fields}}}\n"
                );
                name
            }
            Type::Enum(variants) => {
                let name = self.next();
                let variants: Vec<_> = (0..*variants)
                    .map(|index| {
                        format!(
                            "    Variant{index},
"
                        )
                    })
                    .collect();
                let variants = variants.concat();
                let _ = write!(self.text, "\n/// A choice.\n{DERIVES}\npub enum {name} {{\n{variants}}}\n");
                name
            }
        }
    }

    fn next(&mut self) -> String {
        self.types += 1;
        format!("Part{}", self.types)
    }
}

/// What is in a list or a map is there.
fn required(of: &Type) -> &Type {
    if let Type::Optional(inner) = of { required(inner) } else { of }
}

#[test]
fn the_api_server_accepts_the_definitions_of_types() {
    // The same types every time: what fails can be looked at.
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(any_type(), 1..7);
    let sandbox = Sandbox::new("types");
    sandbox.run(&["init", "--domain=example.com"]).success();
    for index in 0..KINDS {
        let kind = format!("Random{index}");
        let flag = format!("--kind={kind}");
        let api = [
            "create",
            "api",
            "--group=test",
            "--version=v1",
            &flag,
            "--controller=false",
            "--template=blank",
        ];
        sandbox.run(&api).success();
        let fields = strategy.new_tree(&mut runner).expect("types").current();
        sandbox.write(&format!("api/src/v1/random{index}.rs"), &Source::of(&kind, &fields));
    }
    manifests(sandbox.path(), &[]).unwrap_or_else(|error| panic!("the types are taken:\n{error}"));
    let bases = sandbox.path().join("config/crd/bases");
    let args = ["create", "--dry-run=server", "--warnings-as-errors", "-f", &bases.to_string_lossy()];
    let said = Cluster::shared().try_kubectl(&args, "").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(said.lines().filter(|line| line.contains(" created")).count(), KINDS, "{said}");
}
