//! The words of CEL.

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Ident(String),
    Int(String),
    Uint,
    Double(String),
    Text(String),
    Bytes,
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 29] = [
    "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "{?", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":",
    ".", ",", "(", ")", "[", "]", "{", "}", "=", "`",
];

/// Every word of a rule.
pub(super) fn words(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        let Some(first) = rest.chars().next() else {
            tokens.push(Token::End);
            return Ok(tokens);
        };
        let (token, after) = if let Some(found) = literal(rest) {
            found?
        } else if first == '_' || first.is_ascii_alphabetic() {
            let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            (Token::Ident(rest[..end].to_owned()), &rest[end..])
        } else if first.is_ascii_digit()
            || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            number(rest)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), &rest[sign.len()..])
        } else {
            return Err(format!("`{first}` means nothing"));
        };
        tokens.push(token);
        rest = after;
    }
}

fn number(text: &str) -> (Token, &str) {
    let digits = |text: &str, hex: bool| {
        let digit = |c: char| if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        text.find(|c| !digit(c)).unwrap_or(text.len())
    };
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let rest = &hex[digits(hex, true)..];
        let value = u64::from_str_radix(&hex[..hex.len() - rest.len()], 16).unwrap_or(u64::MAX);
        return suffix(rest).map_or((Token::Int(value.to_string()), rest), |rest| (Token::Uint, rest));
    }
    let mut end = digits(text, false);
    let whole = end;
    let fraction =
        text[end..].strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if let Some(fraction) = fraction {
        end += 1 + digits(fraction, false);
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let length = digits(&exponent[sign..], false);
        end += if length > 0 { 1 + sign + length } else { 0 };
    }
    let rest = &text[end..];
    if end > whole {
        return (Token::Double(text[..end].to_owned()), rest);
    }
    suffix(rest).map_or((Token::Int(text[..end].to_owned()), rest), |rest| (Token::Uint, rest))
}

fn suffix(rest: &str) -> Option<&str> {
    rest.strip_prefix(['u', 'U'])
}

/// A text or bytes, if one begins here.
fn literal(text: &str) -> Option<Result<(Token, &str), String>> {
    let quote = text.bytes().take(3).position(|byte| matches!(byte, b'"' | b'\''))?;
    let prefix = text[..quote].to_ascii_lowercase();
    if !["", "r", "b", "br", "rb"].contains(&prefix.as_str()) {
        return None;
    }
    let (raw, bytes) = (prefix.contains('r'), prefix.contains('b'));
    let body = &text[quote..];
    let mark = &body[..1];
    let triple = mark.repeat(3);
    let mark = if body.starts_with(&triple) { triple.as_str() } else { mark };
    let Some((content, rest)) = until(&body[mark.len()..], mark, raw) else {
        return Some(Err("a text is not closed".into()));
    };
    if mark.len() == 1 && content.contains(['\n', '\r']) {
        return Some(Err("a text is not closed on its line".into()));
    }
    let content = if raw { Ok(content.to_owned()) } else { unescaped(content) };
    Some(content.map(|content| (if bytes { Token::Bytes } else { Token::Text(content) }, rest)))
}

/// What comes before and after a mark.
fn until<'a>(text: &'a str, mark: &str, raw: bool) -> Option<(&'a str, &'a str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && text[at..].starts_with(mark) {
            return Some((&text[..at], &text[at + mark.len()..]));
        }
        escaped = !raw && c == '\\' && !escaped;
    }
    None
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next().unwrap_or_default();
        let (digits, radix) = match escape {
            'x' | 'X' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='3' => (2, 8),
            _ => {
                let plain = "abfnrtv\\?\"'`".find(escape).map(|at| b"\x07\x08\x0c\n\r\t\x0b\\?\"'`"[at]);
                out.push(char::from(plain.ok_or_else(|| format!("`\\{escape}` means nothing"))?));
                continue;
            }
        };
        let first = if radix == 8 { escape.to_string() } else { String::new() };
        let code: String = first.chars().chain(chars.by_ref().take(digits)).collect();
        let code = u32::from_str_radix(&code, radix).ok().and_then(char::from_u32);
        out.push(code.ok_or_else(|| format!("`\\{escape}` is not followed by the code of a character"))?);
    }
    Ok(out)
}
