//! What the check says of the columns of a list. `tests/columns.rs` holds the list to a real API server.

use serde_json::{Value, json};

use crate::manifests::crd::validate;

/// What is said of a definition with this column: notes, or the problems with their hints.
fn said(kind: &str, path: &str) -> Result<Vec<String>, String> {
    let text = include_str!("../../../../tests/data/columns/definition.json");
    let mut crd: Value = serde_json::from_str(text).expect("JSON");
    crd["spec"]["versions"][0]["additionalPrinterColumns"] =
        json!([{ "name": "C", "type": kind, "jsonPath": path }]);
    validate(&[crd]).map_err(|error| format!("{error}\n{}", error.hints().join("\n")))
}

#[test]
fn says_of_each_path_what_becomes_of_it() {
    let lines = include_str!("../../../../tests/data/columns/paths.txt").lines();
    let mut wrong = Vec::new();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let case = line.rsplit_once(" => ").map_or(line, |(case, _)| case);
        let (sign, rest) = case.split_at(1);
        let (kind, path) = rest[1..].split_once(' ').unwrap_or((&rest[1..], ""));
        let said = said(kind, path);
        let found = match &said {
            Ok(notes) if notes.is_empty() => "+",
            Ok(notes) if notes.iter().any(|note| note.contains("is always empty")) => "0",
            Ok(_) => "~",
            Err(error) if error.contains("where no field is") => "!",
            Err(error) if error.contains("shows no column") => "?",
            Err(_) => "-",
        };
        if found != sign {
            wrong.push(format!("{found} instead of {line}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn says_why_and_what_to_write() {
    for (kind, path, expected) in [
        ("string", ".spec.mdoe", "`.spec` has no field `mdoe`\ndid you mean `mode`?"),
        ("string", ".metadata.nmae", "`.metadata` has no field `nmae`\ndid you mean `name`?"),
        (
            "string",
            ".spec.parts[?(@.nmae==\"b\")].kind",
            "`.spec.parts[]` has no field `nmae`\ndid you mean `name`?",
        ),
        ("string", ".spec.parts.name", "`.spec.parts` is a list, which has no field `name`\nchoose an item"),
        (
            "string",
            ".metadata.annotations['example.com/owner']",
            "`.metadata.annotations.example` is a text, which has no field `com/owner`\na backslash before a dot",
        ),
        ("string", ".spec.parts[?(@.name=~\"a\")]", "no filter compares with a regular expression"),
        ("string", ".spec.parts[?(@.a==1 && @.b==2)]", "one comparison, without `&&` and `||`"),
    ] {
        let said = said(kind, path).expect_err(path);
        assert!(said.contains(expected), "{path}: {said}");
    }
    for (kind, path, expected) in [
        ("integer", ".spec.mode", "a column of type `integer` shows numbers, and this is a text"),
        ("string", ".spec.list[*]", "shows one value alone"),
        ("string", ".spec.list[]", "`[]` is the first item alone"),
        ("string", ".spec.parts[?(@.port==\"443\")].name", "compares a whole number with a text"),
        (
            "string",
            ".spec.parts[?(@.kind==\"Secnd\")].name",
            "`.spec.parts[].kind` is never `Secnd`; did you mean `Second`?",
        ),
        ("string", ".spec.parts[?(@.ready)].name", "not whether it is true: that is `==true`"),
        ("string", ".spec.parts[?(@.name==b)].name", "`b` is neither in quotes nor the name of a field"),
        ("date", ".spec.day", "shows `<invalid>`"),
    ] {
        let notes = said(kind, path).expect(path).join("\n");
        assert!(notes.contains("printer column `C`") && notes.contains(expected), "{path}: {notes}");
    }
}

#[test]
fn paths_of_every_form_end() {
    for part in [
        "[",
        "]",
        "[?(",
        ")]",
        "..",
        ".",
        "['",
        "']",
        "[0]",
        "[*]",
        "[0,1]",
        ".*",
        "\\",
        "\"",
        "'",
        "{",
        "}",
        "@",
        " ",
        "1",
        "-",
        "a",
        "[?(@.a==1)]",
        "..a",
        "[?(@.a)]",
        ".spec.parts[*]",
        ".any",
        "é",
    ] {
        let _ = said("string", &format!(".{}", part.repeat(20_000)));
        let _ = said("string", &format!(".spec{}", part.repeat(200)));
    }
}
