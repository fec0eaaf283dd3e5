//! Classes of characters and escapes.

use super::Set;
use super::parser::Parser;

/// The categories of Unicode; scripts are taken for granted.
const CATEGORIES: [&str; 38] = [
    "C", "Cc", "Cf", "Cn", "Co", "Cs", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N",
    "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl",
    "Zp", "Zs",
];

impl Parser<'_> {
    pub(super) fn class(&mut self) -> Result<Set, String> {
        let mut set = Set { negated: self.eat("^"), fold: self.flags.fold, ..Set::default() };
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            let closed = |rest: &&str| self.named.is_some_and(|named| rest.len() >= named);
            let named = self.rest.strip_prefix("[:").filter(closed).and_then(|rest| rest.split_once(":]"));
            if let Some((name, rest)) = named {
                set.add(posix(name).ok_or_else(|| format!("`[:{name}:]` is no class"))?);
                self.rest = rest;
                first = false;
                continue;
            }
            if self.rest.starts_with('\\') {
                let before = self.rest;
                self.next();
                if let Some(class) = self.escaped_class()? {
                    set.add(class);
                    first = false;
                    continue;
                }
                self.rest = before;
            }
            let low = self.member()?;
            let mut high = low;
            let mut ahead = self.rest.chars();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.next();
                high = self.member()?;
            }
            if high < low {
                return Err(format!("`{low}-{high}` is no range"));
            }
            set.ranges.push((low, high));
            first = false;
        }
        self.next();
        set.tidy();
        Ok(set)
    }

    fn member(&mut self) -> Result<char, String> {
        match self.next() {
            None => Err("a bracket is not closed".into()),
            Some('\\') => self.escape(),
            Some(c) => Ok(c),
        }
    }

    /// The class that a letter after a backslash stands for, if it does.
    pub(super) fn escaped_class(&mut self) -> Result<Option<Set>, String> {
        let letter = self.peek().unwrap_or_default();
        let name = match letter.to_ascii_lowercase() {
            'd' => "digit",
            's' => "perl space",
            'w' => "word",
            'p' => {
                self.next();
                self.unicode()?;
                return Ok(Some(Set { unknown: true, ..Set::default() }));
            }
            _ => return Ok(None),
        };
        self.next();
        let mut set = posix(name).unwrap_or_default();
        set.negated = letter.is_ascii_uppercase();
        Ok(Some(set))
    }

    fn unicode(&mut self) -> Result<(), String> {
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("a brace is not closed")?;
            self.rest = rest;
            name.trim_start_matches('^').to_owned()
        } else {
            self.next().ok_or("`\\p` without a class")?.to_string()
        };
        let script = name.len() > 2 && name.starts_with(|c: char| c.is_ascii_uppercase());
        let known = CATEGORIES.contains(&name.as_str()) || script;
        if known { Ok(()) } else { Err(format!("`{name}` is no class of Unicode")) }
    }

    /// The character that an escape stands for; the backslash is read already.
    pub(super) fn escape(&mut self) -> Result<char, String> {
        let c = self.next().ok_or("a backslash at the end")?;
        let code = match c {
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            'x' if self.eat("{") => {
                let (digits, rest) = self.rest.split_once('}').ok_or("a brace is not closed")?;
                self.rest = rest;
                u32::from_str_radix(digits, 16).map_err(|_| format!("`\\x{{{digits}}}` is no character"))?
            }
            'x' => {
                let digits = self.rest.get(..2).ok_or("`\\x` without two digits")?.to_owned();
                self.rest = &self.rest[2..];
                u32::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}` is no character"))?
            }
            '0'..='7' => {
                let more = self.rest.chars().take(2).take_while(|c| ('0'..='7').contains(c)).count();
                if c != '0' && more == 0 {
                    return Err("no back-references".into());
                }
                let digits = format!("{c}{}", &self.rest[..more]);
                self.rest = &self.rest[more..];
                u32::from_str_radix(&digits, 8).unwrap_or_default()
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => u32::from(c),
            c => return Err(format!("`\\{c}` means nothing")),
        };
        char::from_u32(code).ok_or_else(|| format!("{code} is no character"))
    }
}

impl Set {
    /// Adds the members of another set.
    fn add(&mut self, other: Set) {
        self.unknown |= other.unknown;
        if !other.negated {
            self.ranges.extend(other.ranges);
            return;
        }
        // The classes of Perl and POSIX are in order.
        let mut from = '\0';
        for (low, high) in other.ranges {
            if let Some(before) = char::from_u32(u32::from(low).wrapping_sub(1)).filter(|c| from <= *c) {
                self.ranges.push((from, before));
            }
            from = char::from_u32(u32::from(high) + 1).unwrap_or(char::MAX);
        }
        self.ranges.push((from, char::MAX));
    }
}

fn posix(name: &str) -> Option<Set> {
    let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    let ranges: &[(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "perl space" => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some(Set { ranges: ranges.to_vec(), negated, ..Set::default() })
}
