//! Classes of characters and escapes.

use super::parser::Parser;
use super::set::{LAST, Set};

/// Classes of Unicode: categories, their other names, and scripts, as [`canonical`] writes them. Scripts of more than
/// one word are missing, as in Go.
const UNICODE: &str = "\
    Adlam Ahom Arabic Armenian Assigned Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi Braille \
    Buginese Buhid C Carian Casedletter Cc Cf Chakma Cham Cherokee Chorasmian Closepunctuation Cn Cntrl Co \
    Combiningmark Common Connectorpunctuation Control Coptic Cs Cuneiform Currencysymbol Cypriot Cyrillic \
    Dashpunctuation Decimalnumber Deseret Devanagari Digit Dogra Duployan Elbasan Elymaic Enclosingmark Ethiopic \
    Finalpunctuation Format Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran \
    Hebrew Hiragana Inherited Initialpunctuation Javanese Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki \
    Khudawadi L Lao Latin Lc Lepcha Letter Letternumber Limbu Lineseparator Lisu Ll Lm Lo Lowercaseletter Lt Lu \
    Lycian Lydian M Mahajani Makasar Malayalam Mandaic Manichaean Marchen Mark Mathsymbol Mc Me Medefaidrin Miao \
    Mn Modi Modifierletter Modifiersymbol Mongolian Mro Multani Myanmar N Nabataean Nandinagari Nd Newa Nko Nl \
    No Nonspacingmark Number Nushu Ogham Openpunctuation Oriya Osage Osmanya Other Otherletter Othernumber \
    Otherpunctuation Othersymbol P Palmyrene Paragraphseparator Pc Pd Pe Pf Phoenician Pi Po Privateuse Ps Punct \
    Punctuation Rejang Runic S Samaritan Saurashtra Sc Separator Sharada Shavian Siddham Sinhala Sk Sm So \
    Sogdian Soyombo Spaceseparator Spacingmark Sundanese Surrogate Symbol Syriac Tagalog Tagbanwa Takri Tamil \
    Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Titlecaseletter Toto Ugaritic Unassigned \
    Uppercaseletter Vai Vithkuqi Wancho Yezidi Yi Z Zl Zp Zs";

impl Parser<'_> {
    pub(super) fn class(&mut self) -> Result<Set, String> {
        let negated = self.eat("^");
        let mut set = Set::default();
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            let closed = |rest: &&str| self.named.is_some_and(|named| rest.len() >= named);
            let named = self.rest.strip_prefix("[:").filter(closed).and_then(|rest| rest.split_once(":]"));
            if let Some((name, rest)) = named {
                let fold = self.flags.fold;
                set.add(posix(name, fold).ok_or_else(|| format!("`[:{name}:]` is no class"))?);
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
                let shown = |c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
                return Err(format!("`{}-{}` is no range", shown(low), shown(high)));
            }
            set.add(Set::of([(low, high)], self.flags.fold));
            first = false;
        }
        self.next();
        set.tidy();
        Ok(if negated { set.negated() } else { set })
    }

    fn member(&mut self) -> Result<u32, String> {
        match self.next() {
            None => Err("a bracket is not closed".into()),
            Some('\\') => self.escape(),
            Some(c) => Ok(c.into()),
        }
    }

    /// The class that a letter after a backslash stands for, if it does.
    pub(super) fn escaped_class(&mut self) -> Result<Option<Set>, String> {
        let letter = self.peek().unwrap_or_default();
        let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
            'd' => &[('0', '9')],
            's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
            'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            'p' => {
                self.next();
                return self.unicode(letter == 'P').map(Some);
            }
            _ => return Ok(None),
        };
        self.next();
        let set = chars(ranges, self.flags.fold);
        Ok(Some(if letter.is_ascii_uppercase() { set.negated() } else { set }))
    }

    fn unicode(&mut self, negated: bool) -> Result<Set, String> {
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("a brace is not closed")?;
            self.rest = rest;
            name.to_owned()
        } else {
            self.next().ok_or("`\\p` without a class")?.to_string()
        };
        let (plain, negated) = name.strip_prefix('^').map_or((&*name, negated), |plain| (plain, !negated));
        let set = match canonical(plain).as_str() {
            "Any" => Set::of([(0, LAST)], false),
            "Ascii" => Set::of([(0, 0x7f)], self.flags.fold),
            known if UNICODE.split(' ').any(|name| name == known) => {
                return Ok(Set { unknown: true, ..Set::default() });
            }
            _ => return Err(format!("`{name}` is no class of Unicode")),
        };
        Ok(if negated { set.negated() } else { set })
    }

    /// The character that an escape stands for; the backslash is read already.
    pub(super) fn escape(&mut self) -> Result<u32, String> {
        let c = self.next().ok_or("a backslash at the end")?;
        Ok(match c {
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            'x' if self.eat("{") => {
                let (digits, rest) = self.rest.split_once('}').ok_or("a brace is not closed")?;
                self.rest = rest;
                hex(digits).ok_or_else(|| format!("`\\x{{{digits}}}` is no character"))?
            }
            'x' => {
                let digits = self.rest.get(..2).ok_or("`\\x` without two digits")?.to_owned();
                self.rest = &self.rest[2..];
                hex(&digits).ok_or_else(|| format!("`\\x{digits}` is no character"))?
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
        })
    }
}

/// A number in base 16, up to that of the last character.
fn hex(digits: &str) -> Option<u32> {
    // A sign is no digit, though Rust would take it.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|code| plain && *code <= LAST)
}

/// The name of a class as Go looks it up: a capital, then small letters, and nothing between words.
fn canonical(name: &str) -> String {
    let letters = name.chars().filter(|c| !"_- ".contains(*c)).enumerate();
    letters.map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}

fn chars(ranges: &[(char, char)], fold: bool) -> Set {
    Set::of(ranges.iter().map(|(low, high)| (u32::from(*low), u32::from(*high))), fold)
}

fn posix(name: &str, fold: bool) -> Option<Set> {
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
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    let set = chars(ranges, fold);
    Some(if negated { set.negated() } else { set })
}
