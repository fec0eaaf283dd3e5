//! Formats of texts, as the API server checks them: those of `strfmt` in kube-openapi, of which it knows some and
//! ignores all others.

use std::net::Ipv6Addr;

use super::pattern::Pattern;
use crate::limits::{Budget, Spent};

/// The formats that the API server knows for strings, without hyphens.
const KNOWN: [&str; 26] = [
    "bsonobjectid",
    "byte",
    "cidr",
    "creditcard",
    "date",
    "datetime",
    "duration",
    "email",
    "hexcolor",
    "hostname",
    "ipv4",
    "ipv6",
    "isbn",
    "isbn10",
    "isbn13",
    "k8slongname",
    "k8sshortname",
    "mac",
    "password",
    "rgbcolor",
    "ssn",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// A name of Kubernetes without dots.
const NAME: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/// The units of durations, each with the shortest beginning of its long name.
const UNITS: [(&[&str], &str); 8] = [
    (&["ns"], "nano"),
    (&["us", "µs"], "micro"),
    (&["ms"], "milli"),
    (&["s"], "sec"),
    (&["m"], "min"),
    (&["h", "hr"], "hour"),
    (&["d"], "day"),
    (&["w", "wk"], "week"),
];

/// Whether the API server knows a format for values of a type, which may be empty, as below `allOf` and its like.
pub(super) fn is_known(format: &str, kind: &str) -> bool {
    match kind {
        "" | "string" => KNOWN.binary_search(&format.replace('-', "").as_str()).is_ok(),
        "integer" => ["int32", "int64"].contains(&format),
        "number" => ["float", "double"].contains(&format),
        _ => false,
    }
}

/// Whether a text may have a format: false only where the API server says so as well.
pub(super) fn may_have(text: &str, format: &str, work: &Budget) -> Result<bool, Spent> {
    let matches = |pattern: &str| match Pattern::parse(pattern) {
        Ok(pattern) => pattern.is_found(text, work).map(|found| found.unwrap_or(true)),
        Err(_) => Ok(true),
    };
    Ok(match format.replace('-', "").as_str() {
        "date" => is_date(text),
        "datetime" => {
            let text = text.to_ascii_lowercase();
            let (date, time) = text.split_once('t').unwrap_or((&text, ""));
            let time = time.split('t').next().unwrap_or_default();
            is_date(date) && is_time(time, work)?
        }
        "duration" => is_duration_of_go(text) || is_duration_of_scala(text),
        "byte" => matches("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$")?,
        "bsonobjectid" => matches("^[0-9a-fA-F]{24}$")?,
        "uuid" => matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")?,
        "uuid3" => matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$")?,
        "uuid4" => matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$")?,
        "uuid5" => matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$")?,
        "hexcolor" => matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")?,
        "k8sshortname" => text.len() <= 63 && matches(&format!("^{NAME}$"))?,
        "k8slongname" => text.len() <= 253 && matches(&format!(r"^{NAME}(\.{NAME})*$"))?,
        "uri" if !text.starts_with('/') && text != "*" => matches("^[A-Za-z][A-Za-z0-9+.-]*:")?,
        // Zeros at the beginning of a number are allowed, and so is the form within IPv6.
        "ipv4" => text.contains('.') && (is_ipv4(text) || text.parse::<Ipv6Addr>().is_ok()),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "email" => text.contains('@'),
        _ => true,
    })
}

fn is_date(text: &str) -> bool {
    let digits = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (digits(0, 4), digits(5, 7), digits(8, 10)) else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    text.len() == 10 && text[4..5] == *"-" && text[7..8] == *"-" && (1..=days).contains(&day)
}

/// The second part of a `date-time`, in small letters.
fn is_time(text: &str, work: &Budget) -> Result<bool, Spent> {
    let pattern = r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(.\d+)?(z|[+-]\d\d:\d\d)$";
    Pattern::parse(pattern).map_or(Ok(true), |pattern| Ok(pattern.is_found(text, work)?.unwrap_or(true)))
}

fn is_ipv4(text: &str) -> bool {
    let is_byte = |part: &str| {
        let digits = part.trim_start_matches('0');
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.is_empty() || digits.parse::<u8>().is_ok())
    };
    text.split('.').count() == 4 && text.split('.').all(is_byte)
}

/// `1h30m`, `-1.5s`, `0`.
fn is_duration_of_go(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let end = unit.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_number = !fraction.contains('.')
            && whole.len() + fraction.len() > 0
            && (whole.is_empty() || whole.parse().is_ok_and(|whole: u64| whole <= 1 << 63));
        if !is_number || !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&unit) {
            return false;
        }
        rest = after;
    }
    !text.is_empty() && !text.ends_with(['-', '+'])
}

/// Any text with a number and a unit in it: `2 days`, and by that also `PT1H30M`.
fn is_duration_of_scala(text: &str) -> bool {
    let (mut rest, mut found) = (text, false);
    while let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[begin..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let word = after.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
        let end = word.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(word.len());
        let unit = word[..end].to_ascii_lowercase();
        rest = &word[end..];
        if !unit.is_empty() {
            if number.parse::<i64>().is_err() {
                return false;
            }
            found |=
                UNITS.iter().any(|(short, long)| short.contains(&unit.as_str()) || unit.starts_with(long));
        }
    }
    found
}

#[cfg(test)]
#[path = "formats_tests.rs"]
mod tests;
