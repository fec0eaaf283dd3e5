//! Which patterns are taken, as the package regexp of Go takes them.

use super::Pattern;
use crate::limits::{Budget, DEPTH, Spent, with_stack};

fn is_found(pattern: &str, text: &str, steps: u64) -> Result<Option<bool>, Spent> {
    Pattern::parse(pattern).expect(pattern).is_found(text, &Budget::of(steps))
}

#[test]
fn reads_what_go_reads() {
    for text in [
        "",
        "^a$",
        "^{a}$",
        "a{",
        "a{,3}",
        "a{1,2",
        "[]a]",
        "[^]a]",
        "[a-]",
        "[-a]",
        r"[\d-z]",
        "[a&&b]",
        "[[]",
        "[[:alpha:]_]",
        r"\Qa.b\E+",
        r"\pL",
        r"\p{Greek}+",
        r"\P{Lu}",
        r"(?i)abc",
        "(?i:a)b",
        "(?P<n>a)",
        "(?<n>a)",
        r"\x41",
        r"\x{1F600}",
        r"\011",
        r"\0",
        r"\.\/\-\_\<",
        "a*?",
        "a{2}?",
        "(a*)*",
        "a||b",
        "()",
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z])*$",
        "a{1000}",
        "(a{10}){100}",
        "((a{1000}){0}){1000}",
        "((a{2}){0,}){500}",
        "((a+)+)+",
        r"[\]]",
        "(?-s).",
        "(?)",
    ] {
        assert!(Pattern::parse(text).is_ok(), "{text}: {:?}", Pattern::parse(text).err());
    }
}

#[test]
fn refuses_what_go_refuses() {
    for text in [
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        r"(a)\1",
        "(",
        ")",
        "a)",
        "[a",
        "[z-a]",
        "*a",
        "a**",
        "a+*",
        "a{2}{3}",
        "a{1001}",
        "(a{100}){11}",
        "a{3,1}",
        r"\",
        r"\Z",
        r"\u0041",
        r"\e",
        r"\C",
        "[[:word]:]x:]",
        "[[:nope:]]",
        r"\p{lower}",
        "(?z)",
        "(?-)",
        r"\xZZ",
        "(?P<a-b>c)",
        r"[a-\d]",
        "|*",
    ] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn finds_what_it_should() {
    let dns = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    for (pattern, text, found) in [
        ("^a$", "a", true),
        ("^a$", "ab", false),
        ("b", "abc", true),
        ("^[a-z]+$", "", false),
        ("^[a-z]*$", "", true),
        ("^(a|bc){2}$", "abc", true),
        ("^(a|bc){2}$", "abca", false),
        ("^(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false),
        ("^a{2,}$", "a", false),
        ("(?i)^ABC$", "abC", true),
        (r"^\d{3}-\w+$", "123-a_1", true),
        (r"^[^\s]+$", "a b", false),
        (r"^\S+$", "ab", true),
        (r"\bfoo\b", "a foo b", true),
        (r"\bfoo\b", "afoo", false),
        ("^.$", "\n", false),
        ("(?s)^.$", "\n", true),
        ("(?m)^b$", "a\nb", true),
        (r"^[\W]$", "-", true),
        ("^[[:^digit:]]$", "1", false),
        (dns, "a-b.c", true),
        (dns, "-b", false),
        (dns, "A", false),
    ] {
        assert_eq!(is_found(pattern, text, 10_000), Ok(Some(found)), "{pattern} {text}");
    }
    assert_eq!(is_found(r"^\pL$", "a", 100), Ok(None), "left to the API server");
}

/// Everything that nests or repeats: what stands before, in and after it.
const NESTS: [(&str, &str, &str); 14] = [
    ("(", "a", ")"),
    ("(?:", "a", ")"),
    ("(?:", "a*$", "|a)*"),
    ("(?:a|", "b", ")"),
    ("(?P<n>", "a", ")"),
    ("(?i:", "a", ")"),
    ("(", "a", ")*"),
    ("(", "a", ")+"),
    ("(", "a", ")?"),
    ("(?:", "a", "){1}"),
    ("(?:", "a", "){0,1}"),
    ("(?:", "", "|)*"),
    ("(?:^", "", "$)*"),
    ("(?m:\\b", "a", "\\B)"),
];

#[test]
fn nests_of_every_kind_end() {
    with_stack(|| {
        for (before, middle, after) in NESTS {
            for depth in [10, DEPTH - 1, DEPTH + 1, 20_000] {
                let text = format!("{}{middle}{}", before.repeat(depth), after.repeat(depth));
                match Pattern::parse(&text) {
                    Ok(pattern) => {
                        assert!(depth < DEPTH, "{before}");
                        let work = Budget::of(1_000_000);
                        assert!(pattern.is_found(&"a".repeat(100), &work).is_ok(), "{before}");
                    }
                    Err(why) => {
                        assert!(depth > DEPTH && why.contains("nested more than 250"), "{before}: {why}");
                    }
                }
            }
        }
    });
}

#[test]
fn long_patterns_take_time_in_proportion() {
    for part in [
        "a",
        "(a)",
        "(?:a|b)*",
        "a*",
        "a{1}",
        "{",
        "{1,",
        "[a-z]",
        "[",
        "[[:alpha:]]",
        "[[:",
        "a|",
        "|",
        r"\d",
        r"\Qa\E",
        r"\Q",
        r"\pL",
        r"\p{",
        r"\x41",
        r"\x{",
        "(?i)",
        "(?i:a)",
        "(?P<n>a)",
        "(?P<",
        "(?",
        "^",
        "$",
        r"\b",
        ")",
        r"\",
        "[^",
        "[:",
        "é",
    ] {
        if let Ok(pattern) = Pattern::parse(&part.repeat(100_000)) {
            // Found, not found, or too much to look at: it ends.
            let _ = pattern.is_found("aaab", &Budget::of(10_000_000));
        }
    }
    assert!(Pattern::parse(&format!("[{}a]", "[:".repeat(100_000))).is_ok());
    assert!(
        Pattern::parse(&format!("(?:{}){{1000}}", "a".repeat(10_000))).is_err(),
        "ten million instructions"
    );
}

#[test]
fn repetitions_in_repetitions_take_few_steps() {
    let nested = format!("^{}a*$|b{}$", "(?:".repeat(60), ")*".repeat(60));
    assert_eq!(is_found(&nested, &"a".repeat(200), 1_000_000), Ok(Some(true)));
    assert_eq!(is_found("^(a|aa)+$", &format!("{}b", "a".repeat(5_000)), 1_000_000), Ok(Some(false)));
    assert_eq!(
        is_found("(?:a{100}){10}", &"a".repeat(999), 100_000),
        Err(Spent),
        "and too many are not taken"
    );
}
