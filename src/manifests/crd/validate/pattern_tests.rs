//! Which patterns are taken, as the package regexp of Go takes them.

use super::Pattern;

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
        assert_eq!(Pattern::parse(pattern).expect(pattern).is_found(text), Some(found), "{pattern} {text}");
    }
    assert_eq!(Pattern::parse(r"^\pL$").expect("a pattern").is_found("a"), None, "left to the API server");
}
