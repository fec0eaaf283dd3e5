//! Sources and what is said of them.

use super::*;

const PATH: &str = "api/src/v1/iris.rs";

fn sources(texts: &[(&str, &str)]) -> Sources {
    let file = |(path, text): &(&str, &str)| (RelPath::new(*path).expect("a path"), (*text).to_owned());
    Sources::read(&texts.iter().map(file).collect::<Vec<_>>()).expect("sources")
}

/// What is said of a field of a struct, and the hint.
fn of_field(field: &str) -> Vec<(String, String)> {
    let text = format!("#[derive(Clone, KubeSchema)]\nstruct Spec {{\n    {field}\n}}\n");
    let problems = sources(&[(PATH, &text)]).ignored();
    problems.into_iter().map(|problem| (problem.message, problem.hints.join("\n"))).collect()
}

/// Fields with an attribute that has no effect: the column, what is said and what to write.
const IGNORED: &str = r#"
#[schemars(length(max = 3))] a: BTreeMap<String, String>, => 16 => `length` on `Spec.a` has no effect on a value of this type => write `#[schemars(extend("minProperties" = …
#[schemars(length(max = 3))] a: i32, => 16 => `length` on `Spec.a` has no effect on a value of this type => write `range(
#[schemars(range(max = 3))] a: Option<String>, => 16 => `range` on `Spec.a` has no effect on a value of this type => write `length(
#[schemars(range(max = 3))] a: Vec<i32>, => 16 => `range` on `Spec.a` has no effect on a value of this type => write `length(
#[schemars(inner(range(max = 3)))] a: Vec<String>, => 22 => `range` on `Spec.a` has no effect on a value of this type => write `length(
#[schemars(inner(length(max = 3)))] a: BTreeMap<String, String>, => 16 => `inner` on `Spec.a` has no effect on a value of this type => write `#[schemars(transform = rules::values(
#[schemars(pattern("^a"))] a: Box<IntOrString>, => 16 => `pattern` on `Spec.a` has no effect on a value of this type => write a rule
#[schemars(length(min = 1), pattern("^a"))] a: [String; 3], => 33 => `pattern` on `Spec.a` has no effect on a value of this type => write `inner(
#[schemars(regex(pattern = "^a"))] a: bool, => 16 => `regex` on `Spec.a` has no effect on a value of this type => take it away
#[schemars(extend("maxLenght" = 3))] a: String, => 23 => `maxLenght` is no keyword of a definition and is left out => did you mean `maxLength`?
#[schemars(extend("title" = {"a": 1}, "nonsense" = [1, 2]))] a: String, => 43 => `nonsense` is no keyword of a definition and is left out => definitions have
#[schemars(extend("uniqueItems" = true))] a: Vec<i32>, => 23 => `uniqueItems` is not allowed in definitions and is left out => write `#[x_kube(merge_strategy = ListMerge::Set)]`
#[x_kube(merge_strategy = StructMerge::Atomic)] a: Part, => 14 => `StructMerge` on `Spec.a` has no effect: kube-derive writes a key that does not exist => write `#[schemars(extend(
#[serde(flatten)] #[x_kube(validation = "self.a > 0")] a: Part, => 32 => `x_kube` on the flattened `Spec.a` lands on another field => write the attribute on the struct
#[schemars(transform = rules::values(json!({ "maxLength": 5 })))] a: Option<String>, => 16 => `transform` on `Spec.a` has no effect on a value of this type => it is for lists
#[schemars(schema_with = "f")] a: Option<String>, => 16 => `schema_with` makes `Spec.a` required, though it is an `Option` => add `#[serde(default)]`
"#;

#[test]
fn what_has_no_effect_is_refused() {
    for line in IGNORED.trim().lines() {
        let [field, column, what, hint] = line.split(" => ").collect::<Vec<_>>()[..] else {
            panic!("four parts in {line}");
        };
        let said = of_field(field);
        assert_eq!(said.len(), 1, "{line}: {said:?}");
        assert_eq!(said[0].0, format!("`{PATH}:3:{column}`: {what}"), "{line}");
        assert!(said[0].1.starts_with(hint), "{line}: {said:?}");
    }
}

#[test]
fn what_has_an_effect_is_not() {
    for field in [
        "#[schemars(length(max = 3), pattern(\"^a\"))] a: Option<String>,",
        "#[schemars(length(max = 3), inner(length(max = 3), pattern(\"^a\")))] a: Vec<String>,",
        "#[schemars(inner(inner(range(max = 3))))] a: Vec<Vec<i32>>,",
        "#[schemars(range(min = 1), extend(\"multipleOf\" = 5, \"x-kubernetes-validations\" = [{\"rule\": \"true\"}]))] a: i32,",
        "#[schemars(length(max = 3), range(max = 3))] a: Mine,",
        "#[schemars(pattern(\"^a\"), with = \"String\")] a: IntOrString,",
        "#[schemars(pattern(\"^a\"), extend(\"type\" = \"string\"))] a: BTreeMap<String, String>,",
        "#[serde(default)] #[schemars(schema_with = \"f\")] a: Option<String>,",
        "#[schemars(required, schema_with = \"f\")] a: Option<String>,",
        "#[schemars(schema_with = \"f\")] a: String,",
        "#[serde(flatten)] a: Part,",
        "#[x_kube(merge_strategy = ListMerge::Map(vec![\"name\".into()]))] a: Vec<Part>,",
        "#[schemars(transform = rules::values(json!({ \"multipleOf\": 5 })), title = \"length\")] a: Vec<i32>,",
    ] {
        assert_eq!(of_field(field), [], "{field}");
    }
    let other = sources(&[(PATH, "#[derive(Clone)]\nstruct Spec { #[schemars(range(max = 3))] a: String }")]);
    assert_eq!(other.ignored(), [], "no schema comes of it");
}

#[test]
fn kinds_and_variants_have_attributes_too() {
    let text = "#[derive(JsonSchema)]\n#[schemars(extend(\"patern\" = 1))]\nenum E {\n    A {\n        #[schemars(range(max = 1))] a: \
                String },\n}\n#[derive(CustomResource, KubeSchema)]\n#[kube(kind = \"A\", scale(a = \"b\"))]\nstruct S {}\n";
    let said: Vec<_> =
        sources(&[(PATH, text)]).ignored().into_iter().map(|problem| problem.message).collect();
    assert_eq!(
        said,
        [
            "`api/src/v1/iris.rs:2:19`: `patern` is no keyword of a definition and is left out",
            "`api/src/v1/iris.rs:5:20`: `range` on `E::A.a` has no effect on a value of this type",
            "`api/src/v1/iris.rs:8:20`: `scale` of `S` is left out without a `status`",
        ]
    );
    let with_status = text.replace("scale(", "status = \"T\", scale(");
    assert_eq!(sources(&[(PATH, &with_status)]).ignored().len(), 2);
}

#[test]
fn problems_are_shown_where_the_field_is() {
    let spec = "#[derive(CustomResource)]\n#[kube(group = \"g\", version = \"v1\", kind = \"Iris\", status = \"Status\")]\n\
                #[serde(rename_all = \"camelCase\")]\nstruct IrisSpec {\n    deployment_name: String,\n    parts: \
                Option<Vec<Part>>,\n    #[serde(flatten)]\n    more: BTreeMap<String, More>,\n    source: Source,\n}\n\
                struct Status {\n    ready: bool,\n}\nenum Source {\n    #[serde(rename = \"git\")]\n    Git(Part),\n}\n";
    let parts = "struct Part {\n    #[serde(rename = \"type\")]\n    kind: String,\n}\nstruct More {\n    extra: i32,\n}\n\
                 struct Status { ready: i32 }\n";
    let sources = sources(&[("api/src/a.rs", parts), (PATH, spec)]);
    for (place, expected) in [
        ("Iris v1 .spec.deploymentName", "`api/src/v1/iris.rs:5:5`: "),
        ("Iris v1 .spec.parts[].type", "`api/src/a.rs:3:5`: "),
        ("Iris v1 .spec.extra", "`api/src/a.rs:6:5`: "),
        ("Iris v1 .spec.source.git.type", "`api/src/a.rs:3:5`: "),
        ("Iris v1 .spec.source.git", "`api/src/v1/iris.rs:16:5`: "),
        ("Iris v1 .spec", "`api/src/v1/iris.rs:4:8`: "),
        ("Iris v1 .spec.deploymentName.unknown", "`api/src/v1/iris.rs:5:5`: "),
        ("Iris v1 .status.ready", "`api/src/v1/iris.rs:12:5`: "),
        ("Iris v1", "`api/src/v1/iris.rs:4:8`: "),
        ("Iris v2 .spec.deploymentName", ""),
        ("Other v1 .spec", ""),
        ("Iris", ""),
    ] {
        let message = format!("`{place}`: what is wrong");
        let checked = Err::<(), _>(Error::Definitions(vec![Problem::new(message.clone())]));
        let said = sources.check(checked).expect_err(place).to_string();
        assert_eq!(said, format!("{expected}{message}"));
    }
}
