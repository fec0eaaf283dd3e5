//! Tests of what may be parsed.

use super::{Fault, check, parse};
use super::{TOKENS, parse_within};
use crate::limits::Budget;
use crate::limits::{DEPTH, with_stack};

/// What can be repeated in front of something and behind it, with what is around all.
const NESTED: [(&str, &str, &str, &str, &str); 74] = [
    ("fn f() { ", "(", "1", ")", " }"),
    ("fn f() { ", "[", "1", "]", " }"),
    ("fn f() { ", "{", "1", "}", " }"),
    ("fn f() { ", "!", "1", "", " }"),
    ("fn f() { ", "-", "1", "", " }"),
    ("fn f() { ", "&", "1", "", " }"),
    ("fn f() { ", "&mut ", "1", "", " }"),
    ("fn f() { ", "*", "1", "", " }"),
    ("fn f() { ", "#[a] &", "1", "", " }"),
    ("fn f() { ", "|| ", "1", "", " }"),
    ("fn f() { ", "|a| ", "1", "", " }"),
    ("fn f() { ", "|a, b| ", "1", "", " }"),
    ("fn f() { ", "break 'a |a, b| ", "1", "", " }"),
    ("fn f() { ", "for<'a> |a, b| ", "1", "", " }"),
    ("fn f() { ", "|a| -> u8 { ", "1", "}", " }"),
    ("fn f() { ", "return ", "1", "", " }"),
    ("fn f() { ", ".. ", "1", "", " }"),
    ("fn f() { ", "a = ", "1", "", " }"),
    ("fn f() { ", "1 + ", "1", "", " }"),
    ("fn f() { ", "1 && ", "1", "", " }"),
    ("fn f() { ", "a || b && c == d | e ^ f & g << h + i * ", "1", "", " }"),
    ("fn f() { ", "", "1", " as u8", " }"),
    ("fn f() { ", "", "a", "?", " }"),
    ("fn f() { ", "", "a", ".a", " }"),
    ("fn f() { ", "", "a", ".a()", " }"),
    ("fn f() { ", "", "a", "()", " }"),
    ("fn f() { ", "", "a", "[0]", " }"),
    ("fn f() { ", "", "{}", ".a", " }"),
    ("fn f() { ", "a::<", "a", ">", " }"),
    ("fn f() { ", "a::<u8, ", "a", ">", " }"),
    ("fn f() { ", "f(", "1", ")", " }"),
    ("fn f() { ", "if a {} else ", "{}", "", " }"),
    ("fn f() { ", "if let A = ", "b", " {}", " }"),
    ("fn f() { ", "for S{} in ", "b", " {}", " }"),
    ("fn f() { ", "match ", "b", " {}", " }"),
    ("fn f() { ", "match a { _ => ", "b", "}", " }"),
    ("fn f() { ", "match a { _ => |a, b| ", "b", "}", " }"),
    ("fn f() { ", "while ", "b", " {}", " }"),
    ("fn f() { ", "unsafe {", "1", "}", " }"),
    ("fn f() { ", "async move {", "1", "}", " }"),
    ("fn f() { ", "'a: {", "1", "}", " }"),
    ("fn f() { ", "S{a: ", "1", "}", " }"),
    ("fn f() { ", "m!(", "1", ")", " }"),
    ("fn f() { ", "#[a(", "1", ")]", " }"),
    ("fn f() { ", "let a = ", "1", "", " }"),
    ("fn f() { ", "<", "T", " as A>::b", " }"),
    ("fn f() { ", "(1, ", "1", ")", " }"),
    ("type T = ", "Vec<", "u8", ">", ";"),
    ("type T = ", "Map<u8, ", "u8", ">", ";"),
    ("type T = ", "A<-1, ", "u8", ">", ";"),
    ("type T = ", "(", "u8", ")", ";"),
    ("type T = ", "[", "u8", "; 1]", ";"),
    ("type T = ", "&'a ", "u8", "", ";"),
    ("type T = ", "*const ", "u8", "", ";"),
    ("type T = ", "fn(", "u8", ")", ";"),
    ("type T = ", "fn() -> ", "u8", "", ";"),
    ("type T = ", "dyn A<", "u8", ">", ";"),
    ("type T = ", "A + ", "A", "", ";"),
    ("type T = ", "<", "T", " as A>::b", ";"),
    ("type T = ", "A<B=", "u8", ">", ";"),
    ("type T = ", "A<B: ", "C", ">", ";"),
    ("type T = ", "A<{", "1", "}>", ";"),
    ("fn f() { let ", "(", "a", ")", " = b; }"),
    ("fn f() { let ", "&", "a", "", " = b; }"),
    ("fn f() { let ", "A(", "a", ")", " = b; }"),
    ("fn f() { let ", "a @ ", "a", "", " = b; }"),
    ("fn f() { let ", "A{a: ", "a", "}", " = b; }"),
    ("", "mod a {", "", "}", ""),
    ("", "impl A { fn a() {", "", "}}", ""),
    ("", "#[a]\n", "fn f() {}", "", ""),
    ("use ", "a::{", "a", "}", ";"),
    ("use ", "a::", "a", "", ";"),
    ("fn f<T: ", "A<", "A", ">", ">() {}"),
    ("", "/*", "", "*/", ""),
];

#[test]
fn whatever_is_nested_gets_an_answer() {
    for depth in [10, 127, 251, 20_000] {
        for (before, open, middle, close, after) in NESTED {
            let text = format!("{before}{}{middle}{}{after}", open.repeat(depth), close.repeat(depth));
            with_stack(|| {
                let parsed = parse(&text).map(|file| {
                    struct All;
                    impl syn::visit::Visit<'_> for All {}
                    syn::visit::Visit::visit_file(&mut All, &file);
                });
                let refused = parsed.is_err_and(|fault| fault.limit);
                assert!(depth > 10 || !refused, "{open}");
                let brackets = open.matches(['(', '[', '{']).count() > open.matches([')', ']', '}']).count();
                let in_macro = open.starts_with("/*");
                assert!(depth <= DEPTH || !brackets || refused || in_macro || open.contains("{}"), "{open}");
            });
        }
    }
}

#[test]
fn whatever_is_repeated_gets_an_answer() {
    for part in [
        "/*",
        "*/",
        "/* ",
        "r#\"a\" ",
        "r##\"\"# ",
        "\"",
        "'",
        "'a ",
        "b\"",
        "c\"\\",
        "r#",
        "#",
        "//\n",
        "(",
        ")",
        "<",
        ">",
        "[",
        "}",
        "|",
        "||",
        "!",
        "&",
        "a ",
        "1",
        "1.",
        ".0",
        "\\",
        "$",
        "@ ",
        "é",
        "\u{200e}",
        "fn ",
        "if ",
        "a<b ",
        "a::<",
        "=>",
        "->",
        ";",
        ",",
        "#[a]",
        "mod a;",
        "fn f() {} ",
        "m!{} ",
        "/// a\n",
        "//! a\n",
        "{} ",
    ] {
        with_stack(|| {
            let begin = std::time::Instant::now();
            let _ = parse(&part.repeat(100_000));
            let _ = parse(&format!("fn f() {{ {} }}", part.repeat(20_000)));
            assert!(begin.elapsed().as_secs() < 60, "{part}");
        });
    }
}

#[test]
fn the_line_is_named() {
    let limit = |text: &str| match check(text, &Budget::of(TOKENS)) {
        Err(Fault { line, message, limit: true }) => (line, message),
        other => panic!("{other:?}"),
    };
    let deep = format!("fn f() {{\n    {}\n}}", "(".repeat(300));
    assert_eq!(limit(&deep), (2, "brackets nested deeper than 250".to_owned()));
    let long = format!("\n\n{}", "!".repeat(100_000));
    assert_eq!(limit(&long), (3, "nested too deep, or too long without a separator".to_owned()));
    let open = check("fn f() {}\n/* /* */", &Budget::of(TOKENS)).expect_err("no end");
    assert_eq!((open.line, open.limit), (2, false));
}

#[test]
fn what_is_long_but_flat_is_read() {
    let many = |text: &str| text.repeat(20_000);
    let arms = |arm: &str| format!("fn f() {{ match a {{ {} _ => {{}} }} }}", arm.repeat(3_000));
    for text in [
        format!("{}fn f() {{}}", many("/// A line, (or [two] of {it.\n")),
        format!("const A: [u8; 1] = [{}];", many("1, 'a', -3, \"(\", ")),
        format!("const A: &[A] = &[{}];", many("A { a: 1, b: &[1, 2] }, ")),
        format!("fn f() {{ {} }}", many("let a = b < c && d > e; f(&a)?; if a < b { c() } else { d() } ")),
        format!("fn f() {{ {} }}", many("m! { a => b, c } ")),
        format!(
            "mod a {{ {} }}",
            many("#[derive(A)] pub struct S<'a, T: A<B>> { pub a: Vec<T> } impl<T> A for S<T> {} ")
        ),
        format!("enum E {{ {} }}", many("A(Vec<u8>), B { a: &'static str }, C, ")),
        format!("m! {{ {} }}", "a <b [c] > (d) ".repeat(500)),
        arms("A::B | c::D::E(_) => 1,"),
        arms("A { b } if c < d => {}"),
        arms("(A, B) => {}"),
        format!("fn f() {{ match a {{ {} Z => 1 }} }}", "a::B::C | ".repeat(800)),
        format!("fn f() {{ a{}; }}", ".b(|x| x.c(&d)?)".repeat(2_000)),
        format!("fn f() {{ a{} }}", " + b".repeat(2_000)),
        format!("fn f() {{ if a {{}} {} }}", "else if b == c {} ".repeat(700)),
        "#!/bin/sh\nfn f() { let a = 'a'; let b = b'\\''; 'l: loop { r#type(r##\"\"#\"##) } }".to_owned(),
    ] {
        assert_eq!(check(&text, &Budget::of(TOKENS)), Ok(()), "{}", &text[..text.len().min(80)]);
    }
}

#[test]
fn what_is_flat_has_an_end_too() {
    let flat = format!("fn f() {{ {} }}", "1;".repeat(1_100_000));
    let fault = parse(&flat).err().expect("too many tokens");
    assert!(fault.limit && fault.message == "more than 2000000 tokens in all sources", "{fault:?}");
    // Several files share what there is.
    let tokens = Budget::of(100);
    let short = format!("fn f() {{ {} }}", "1;".repeat(20));
    assert!(parse_within(&short, &tokens).is_ok() && parse_within(&short, &tokens).is_ok());
    assert!(parse_within(&short, &tokens).is_err_and(|fault| fault.limit));
}
