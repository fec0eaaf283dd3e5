//! Lines that are too long because a name in them is.
//!
//! Generated Rust is rustfmt-clean for every name. Templates are written so that only a few kinds of lines depend on
//! the length of a name; those are broken here as rustfmt breaks them.

/// rustfmt's `max_width` in generated projects.
const WIDTH: usize = 110;

/// `text` with long imports, signatures and macro calls broken.
#[must_use]
pub fn rust(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.lines() {
        let long = line.len() > WIDTH && line.chars().count() > WIDTH;
        match long.then(|| broken(line)).flatten() {
            Some(lines) => wrapped.push_str(&lines),
            None => wrapped.push_str(line),
        }
        wrapped.push('\n');
    }
    wrapped
}

fn broken(line: &str) -> Option<String> {
    let code = line.trim_start();
    let indent = &line[..line.len() - code.len()];
    if code.starts_with("//") {
        return None;
    }
    if code.starts_with("use ") {
        let (path, items) = code.strip_suffix("};")?.split_once('{')?;
        // Side by side if they fit, else one a line.
        let items = if items.len() + indent.len() + 5 > WIDTH {
            items.replace(", ", ",\n    ")
        } else {
            items.to_owned()
        };
        return Some(format!("{indent}{path}{{\n{indent}    {items},\n{indent}}};"));
    }
    if code.starts_with("info!(") {
        return Some(format!(
            "{indent}info!(\n{}\n{indent});",
            arguments(code.strip_prefix("info!(")?.strip_suffix(");")?, indent)
        ));
    }
    if code.contains("fn ") && code.ends_with('{') {
        let (head, rest) = code.split_once('(')?;
        let (parameters, result) = rest.rsplit_once(") -> ")?;
        return Some(format!("{indent}{head}(\n{},\n{indent}) -> {result}", arguments(parameters, indent)));
    }
    let (left, right) = code.strip_prefix("let ").and_then(|_| code.split_once(" = "))?;
    Some(format!("{indent}{left} =\n{indent}    {right}"))
}

/// One argument a line. Only the last one may be a string with commas in it.
fn arguments(list: &str, indent: &str) -> String {
    let mut lines = Vec::new();
    let mut rest = list;
    while let Some((first, others)) = rest.split_once(", ").filter(|_| !rest.starts_with('"')) {
        lines.push(format!("{indent}    {first}"));
        rest = others;
    }
    lines.push(format!("{indent}    {rest}"));
    lines.join(",\n")
}

#[cfg(test)]
mod tests {
    use super::rust;

    #[test]
    fn long_lines_are_broken_and_short_ones_left() {
        let kind = "K".repeat(59);
        let text = format!(
            "use a::b::{{{kind}, {kind}Status}};\nlet short = 1;\nfn f(a: &{kind}, b: &{kind}) -> R {{\n"
        );
        assert_eq!(
            rust(&text),
            format!(
                "use a::b::{{\n    {kind},\n    {kind}Status,\n}};\nlet short = 1;\nfn f(\n    a: &{kind},\n    b: &{kind},\n) -> R {{\n"
            )
        );
    }
}
