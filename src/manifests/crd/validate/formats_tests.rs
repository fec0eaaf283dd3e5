//! Formats, each with texts that have it and texts that have not, by the functions of kube-openapi's `strfmt`.
//! `tests/definitions.rs` asks a real API server the same.

use super::may_have;
use crate::limits::Budget;

#[test]
fn formats_are_those_of_the_api_server() {
    for line in
        include_str!("../../../../tests/data/formats.txt").lines().filter(|line| !line.starts_with('#'))
    {
        let (sign, rest) = line.split_at(1);
        let (format, text) = rest.trim_start().split_once(' ').expect("a format and a text");
        let text: String = serde_json::from_str(text).expect("JSON");
        assert_eq!(may_have(&text, format, &Budget::of(100_000)), Ok(sign == "+"), "{line}");
    }
}

#[test]
fn what_is_hard_to_tell_is_left_to_the_api_server() {
    for (format, text) in
        [("hostname", "-"), ("email", "a@"), ("mac", "x"), ("isbn", "1"), ("semver", "x"), ("uri", "a:%zz")]
    {
        assert_eq!(may_have(text, format, &Budget::of(100_000)), Ok(true), "{format} {text}");
    }
}
