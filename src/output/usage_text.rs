//! The text of the argument parser: its colours, and its lists of values.

use super::wrap::{Lead, wrap};

/// What the parser takes for the width at most.
const MAX_COLUMNS: usize = 80;

/// What begins a value that help describes, and what goes on with its text.
const VALUE: &str = "          - ";
const FURTHER: &str = "            ";

/// Without the sequences that colour text (ECMA-48 §8.3.117).
pub fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut bare = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.trim_start_matches(|character: char| character.is_ascii_digit() || character == ';') {
            rest if rest.starts_with('m') => bare.push_str(&rest[1..]),
            _ => {
                bare.push_str("\u{1b}[");
                bare.push_str(piece);
            }
        }
    }
    bare
}

/// Help whose values have their text in one column: the parser sets further
/// rows under the names. `width` is that of the terminal, in columns.
pub fn align_value_lists(help: &str, width: Option<usize>) -> String {
    let width = width.map_or(MAX_COLUMNS, |width| width.min(MAX_COLUMNS));
    let mut lines = help.lines().peekable();
    let mut aligned = Vec::new();
    while let Some(line) = lines.next() {
        let Some((lead, text)) = split_value(line) else {
            aligned.push(line.to_owned());
            continue;
        };
        let mut text = text.to_owned();
        while let Some(further) = lines.next_if(|line| line.starts_with(FURTHER)) {
            text = format!("{text} {}", further.trim_start());
        }
        let columns = without_colours(lead).chars().count();
        let indent = " ".repeat(columns);
        let lead = Lead { text: lead, columns };
        aligned.extend(wrap(Some(width), lead, Lead::plain(&indent), &text));
    }
    aligned.iter().map(|line| format!("{line}\n")).collect()
}

/// The name of a value with the spaces behind it, and its text.
fn split_value(line: &str) -> Option<(&str, &str)> {
    let name_end = line.strip_prefix(VALUE)?.find(": ")? + VALUE.len() + 1;
    let text = line[name_end..].trim_start_matches(' ');
    Some(line.split_at(line.len() - text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_value_stays_in_its_column() {
        let help = "Options:\n          Possible values:\n          - \u{1b}[1mraw\u{1b}[0m:     one\n          - headers: two words and\n            three more\n\n      --json\n            x\n";
        let aligned = "Options:\n          Possible values:\n          - \u{1b}[1mraw\u{1b}[0m:     one\n          - headers: two words and three\n                     more\n\n      --json\n            x\n";
        assert_eq!(align_value_lists(help, Some(40)), aligned);
    }
}
