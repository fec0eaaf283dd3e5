//! Rust sources, and the markers in them, that are nested, repeated or long beyond reason.

use super::{Tree, numbered, stand};

/// Sources that are read for markers, parsed, or rendered again.
const FILES: [&str; 3] = ["api/src/v1alpha1/iris.rs", "src/controller/iris.rs", "src/controller/mod.rs"];

/// So deep that whatever calls itself at each level runs out of any stack.
const DEEP: usize = 20_000;

fn around(before: &str, inner: &str, after: &str) -> String {
    format!("{}{inner}{}", before.repeat(DEEP), after.repeat(DEEP))
}

fn expression(text: &str) -> String {
    format!("\nfn deep() {{ let _ = {text}; }}\n")
}

fn kind(text: &str) -> String {
    format!("\ntype Deep = {text};\n")
}

fn nested() -> Vec<(&'static str, String)> {
    vec![
        ("parentheses", expression(&around("(", "1", ")"))),
        ("parentheses that do not end", expression(&"(".repeat(200_000))),
        ("brackets", expression(&around("[", "1", "]"))),
        ("blocks", expression(&around("{", "1", "}"))),
        ("negations", expression(&around("!", "true", ""))),
        ("minuses", expression(&around("- ", "1", ""))),
        ("references", expression(&around("& ", "1", ""))),
        ("closures", expression(&around("|| ", "1", ""))),
        ("returns", expression(&around("return ", "1", ""))),
        ("sums", expression(&around("1 + ", "1", ""))),
        ("assignments", expression(&around("a = ", "1", ""))),
        ("ranges of ranges", expression(&around("(1..", "2", ")"))),
        ("casts", expression(&around("", "1", " as u8"))),
        ("calls", expression(&around("", "a", ".b()"))),
        ("questions", expression(&around("", "a", "?"))),
        ("indices", expression(&around("a[", "1", "]"))),
        ("conditions", expression(&around("if true { 1 } else ", "{ 1 }", ""))),
        ("matches", expression(&around("match a { _ => ", "1", " }"))),
        ("loops in loops", expression(&around("loop { ", "", " }"))),
        ("macros", expression(&around("a!(", "1", ")"))),
        ("patterns", expression(&format!("match a {{ {} => 1 }}", around("&", "_", "")))),
        ("tuples of patterns", expression(&format!("match a {{ {} => 1 }}", around("(", "_", ",)")))),
        ("pointers", kind(&around("&'static ", "u8", ""))),
        ("boxes", kind(&around("Box<", "u8", ">"))),
        ("functions that give functions", kind(&around("fn() -> ", "u8", ""))),
        ("slices", kind(&around("[", "u8", "]"))),
        ("bounds", kind(&around("dyn Fn() -> Box<", "u8", ">"))),
        ("modules", around("mod a { ", "", " }")),
        ("functions", around("fn a() { ", "", " }")),
        ("imports", format!("\nuse {}b;\n", "a::".repeat(DEEP))),
        ("groups of imports", format!("\nuse {};\n", around("a::{", "b", "}"))),
        ("attributes", format!("\n#[serde({})]\nstruct Deep;\n", around("(", "a", ")"))),
        ("conditions on attributes", format!("\n#{}\nstruct Deep;\n", around("[cfg_attr(a, ", "b", ")]"))),
        ("generics", format!("\nstruct Deep<{}>(u8);\n", "A: B, ".repeat(DEEP))),
        ("comments in comments", around("/*", "", "*/")),
        ("comments that do not end", "/*".repeat(200_000)),
        ("visibility", format!("\npub(in {}a) struct Deep;\n", "a::".repeat(DEEP))),
    ]
}

fn long() -> Vec<(&'static str, String)> {
    let marker = "// +kubebuilder:rbac:groups=test,resources=iris,verbs=get\n";
    let different =
        |number| format!("// +kubebuilder:rbac:groups=g{number}.io,resources=r{number},verbs=get\n");
    vec![
        (
            "250,000 markers",
            format!("\n{}", "// +kubebuilder:rbac:groups=a,resources=b,verbs=get\n".repeat(250_000)),
        ),
        ("30,000 markers that differ", format!("\n{}", numbered(30_000, different))),
        (
            "a marker with a group of 20 MB",
            format!("\n// +kubebuilder:rbac:groups={},resources=b,verbs=get\n", "g".repeat(20 << 20)),
        ),
        (
            "a marker with a group of 15 MB",
            format!("\n// +kubebuilder:rbac:groups={},resources=b,verbs=get\n", "g".repeat(15 << 20)),
        ),
        (
            "a marker with 500,000 verbs",
            format!("\n// +kubebuilder:rbac:groups=core,resources=pods,verbs={}\n", "get;".repeat(500_000)),
        ),
        ("a marker with 500,000 fields", format!("\n// +kubebuilder:rbac:{}\n", "groups=a,".repeat(500_000))),
        (
            "markers with control characters",
            format!("\n{}", marker.replace("iris", "\u{1b}]0;pwned\u{7}\u{202e}")),
        ),
        ("markers with quotes that do not end", format!("\n{}", marker.replace("iris", "\"\\n`{\u{9b}31m"))),
        ("markers with carriage returns", format!("\n{}", marker.replace("iris", "a\rhint: pwned\r"))),
        ("a raw string that does not end", format!("\nconst A: &str = r{}\"", "#".repeat(100_000))),
        ("a string of 15 MB", format!("\nconst A: &str = \"{}\";\n", "a".repeat(15 << 20))),
        ("a description of 15 MB", format!("\n/// {}\nstruct A;\n", "a".repeat(15 << 20))),
        ("200,000 fields", format!("\nstruct A {{ {} }}\n", numbered(200_000, |n| format!("a{n}: u8,")))),
        ("200,000 types", numbered(200_000, |n| format!("struct A{n};\n"))),
        ("200,000 quotes", format!("\nconst A: char = {};\n", "'".repeat(200_000))),
        (
            "control characters",
            "\nconst A: &str = \"\u{1b}]0;pwned\u{7}\u{0}\u{202e}\";\n\u{1b}[2J\n".to_owned(),
        ),
    ]
}

pub(super) fn trees() -> Vec<Tree> {
    let mut trees = Vec::new();
    for (number, (what, text)) in nested().into_iter().enumerate() {
        let file = FILES[if number % 4 == 3 { 2 } else { 0 }];
        let plant = move |world: &mut super::World| world.append(file, &text);
        trees.push(Tree::new(format!("{file} with nested {what}"), plant).every(5));
    }
    for (number, (what, text)) in long().into_iter().enumerate() {
        let file = FILES[number % 2];
        let plant = move |world: &mut super::World| world.append(file, &text);
        trees.push(Tree::new(format!("{file} with {what}"), plant).every(4));
    }
    trees
}

#[test]
fn corpus_sources_beyond_reason() {
    stand(&trees());
}
