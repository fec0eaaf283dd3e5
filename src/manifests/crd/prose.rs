//! Doc comments as descriptions: long lines are broken, and what means something by where it stands is left alone.

/// Lines longer than this are broken, in characters.
const LINE: usize = 100;

/// Breaks long lines at spaces; keeps the breaks that are there, the lines of code and tables, and the indent of what
/// belongs to an item of a list. Applying it again changes nothing.
pub(super) fn wrap(text: &str) -> String {
    let mut lines = Vec::new();
    let mut fence: Option<Fence> = None;
    for line in text.trim().lines().map(str::trim_end) {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let hanging = indent + marker(content);
        let is_code = if let Some(open) = &fence {
            if open.is_closed_by(content) {
                fence = None;
            }
            true
        } else {
            fence = Fence::opened_by(&line[hanging..]);
            fence.is_some()
        };
        // There is little room beside a deep indent, and each line would have it again.
        let is_kept = is_code || content.starts_with('|') || hanging > LINE / 2;
        if is_kept || line.chars().count() <= LINE {
            lines.push(line.to_owned());
            continue;
        }
        let mut words = line[hanging..].split_whitespace();
        let mut current = format!("{}{}", &line[..hanging], words.next().unwrap_or_default());
        for word in words {
            if current.chars().count() + 1 + word.chars().count() > LINE && !is_markup(word) {
                lines.push(std::mem::replace(&mut current, " ".repeat(hanging)));
            } else {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// How long the marker of a list's item is with the space after it, as in `- ` or `12. `; 0 for other lines.
fn marker(content: &str) -> usize {
    let digits = content.len() - content.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (length, marks) = if digits > 0 { (digits + 1, ['.', ')', '.']) } else { (1, ['-', '*', '+']) };
    let is_item = content[digits..].starts_with(marks) && content[length..].starts_with(' ');
    if is_item { length + 1 } else { 0 }
}

/// Whether a line that begins with this word would be something else than a line of a paragraph.
fn is_markup(word: &str) -> bool {
    let is_rule = word.chars().all(|c| matches!(c, '-' | '=' | '*' | '+' | '_'));
    let begins = ["#", ">", "|", "```", "~~~"].iter().any(|mark| word.starts_with(mark));
    is_rule || begins || marker(&format!("{word} ")) > 0
}

/// What begins a block of code (`CommonMark` 0.31, section 4.5).
struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    fn opened_by(content: &str) -> Option<Self> {
        let mark = content.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let rest = content.trim_start_matches(mark);
        let length = content.len() - rest.len();
        (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some(Self { mark, length })
    }

    fn is_closed_by(&self, content: &str) -> bool {
        content.len() >= self.length && content.chars().all(|c| c == self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str) -> String {
        let once = wrap(text);
        assert_eq!(wrap(&once), once, "wrapping twice changes nothing");
        once
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        let word = "word ".repeat(50);
        let text = wrapped(&format!("short\n\n{word}\n  - {word}"));
        assert!(text.lines().all(|line| line.chars().count() <= LINE && !line.ends_with(' ')), "{text}");
        assert!(text.starts_with("short\n\nword word"), "{text}");
        assert_eq!(text.split_whitespace().count(), 102);
        let unbreakable = "x".repeat(LINE + 1);
        assert_eq!(wrapped(&unbreakable), unbreakable);
        assert_eq!(wrapped("  indented stays\n    so"), "indented stays\n    so");
    }

    #[test]
    fn what_belongs_to_an_item_keeps_its_place() {
        let word = "word ".repeat(30);
        for (marker, indent) in [("- ", 2), ("* ", 2), ("12. ", 4), ("3) ", 3), ("12.5 ", 0), ("-5 ", 0)] {
            let text = wrapped(&format!("a\n{marker}{word}\nb"));
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), 4, "{text}");
            let expected = format!("{}word", " ".repeat(indent));
            assert!(
                lines[1].starts_with(&format!("{marker}word")) && lines[2].starts_with(&expected),
                "{text}"
            );
        }
    }

    #[test]
    fn no_break_makes_another_text_of_it() {
        let word = "word ".repeat(19);
        for mark in ["-", "*", "12.", "3)", "#", ">", "---", "```", "|"] {
            let text = wrapped(&format!("{word}words {mark} {word}"));
            assert!(text.lines().all(|line| !line.starts_with(mark)), "{text}");
        }
        // Spaces stay where nothing is broken, and leave none behind where something is.
        assert_eq!(wrapped("a  b"), "a  b");
        let long = "x".repeat(LINE - 1);
        assert_eq!(wrapped(&format!("{long}  b")), format!("{long}\nb"));
        let link = "y".repeat(LINE);
        assert_eq!(wrapped(&format!("See:\n- {link}")), format!("See:\n- {link}"));
    }

    #[test]
    fn code_and_tables_stay_as_they_are() {
        let long = "x ".repeat(60);
        let long = long.trim_end();
        for (open, close) in [
            ("```yaml", "```"),
            ("~~~", "~~~"),
            ("````md\n```", "````"),
            ("```sh\n```a``` b", "````"),
            ("- ~~~ text\n~~", "~~~~"),
        ] {
            let text = format!("before\n\n{open}\n{long}\n  {long}\n{close}\n\n{long}");
            let whole = wrapped(&text);
            assert!(whole.contains(&format!("\n{long}\n  {long}\n{close}\n")), "{whole}");
            assert!(whole.lines().last().expect("a line").len() < LINE, "prose begins again: {whole}");
        }
        let inline = format!("```kubectl get pods``` lists them, and {long}\n{long}");
        assert!(wrapped(&inline).lines().all(|line| line.len() <= LINE), "it opens nothing");
        let table = format!("| a | b |\n|---|---|\n| {long} | {long} |");
        assert_eq!(wrapped(&table), table);
    }
}
