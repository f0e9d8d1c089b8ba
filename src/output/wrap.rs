//! Long lines on a terminal: they go on further in, so that no row but the
//! first begins where a line of this program begins. A terminal that broke
//! them itself would let foreign text start a row of its own.

use unicode_width::UnicodeWidthChar;

/// However narrow the terminal, a text gets so many columns.
const MIN_COLUMNS: usize = 20;

/// What stands before a text on a row; it may hold colour, so how wide it is
/// stands beside it.
#[derive(Debug, Clone, Copy)]
pub struct Lead<'a> {
    pub text: &'a str,
    pub columns: usize,
}

impl<'a> Lead<'a> {
    /// A lead without colour.
    pub fn plain(text: &'a str) -> Self {
        Lead {
            text,
            columns: text.chars().map(columns).sum(),
        }
    }
}

/// The text behind `first`, and where it is too long for the terminal, in
/// further rows behind `further`. Broken at a space where there is one. No
/// `width` breaks nothing.
pub fn wrap(width: Option<usize>, first: Lead<'_>, further: Lead<'_>, text: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let mut rest = text;
    let mut lead = first;
    loop {
        let room = match width {
            Some(width) => width.saturating_sub(lead.columns).max(MIN_COLUMNS),
            None => usize::MAX,
        };
        let Some(end) = end_of_row(rest, room) else {
            rows.push(format!("{}{rest}", lead.text));
            return rows;
        };
        // not at the first word's own spaces, which are the text's indentation
        let at_space = rest[..end].rfind(' ').filter(|space| *space > end / 2);
        let (row, next) = match at_space {
            _ if rest[end..].starts_with(' ') => (&rest[..end], &rest[end + 1..]),
            Some(space) => (&rest[..space], &rest[space + 1..]),
            None => rest.split_at(end),
        };
        rows.push(format!("{}{row}", lead.text));
        rest = next;
        lead = further;
    }
}

/// Where the part that fits into so many columns ends; `None` where all of it
/// fits. A sequence that colours our own words takes none.
fn end_of_row(text: &str, room: usize) -> Option<usize> {
    let mut used_columns = 0;
    let mut in_sequence = false;
    for (position, character) in text.char_indices() {
        in_sequence |= character == '\u{1b}';
        if in_sequence {
            in_sequence = character != 'm';
            continue;
        }
        used_columns += columns(character);
        if used_columns > room && position > 0 {
            return Some(position);
        }
    }
    None
}

/// How many columns a character takes at most: what some terminals draw in one
/// column and others in two counts as two.
fn columns(character: char) -> usize {
    character.width_cjk().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(width: usize, text: &str) -> Vec<String> {
        wrap(Some(width), Lead::plain("error: "), Lead::plain("  "), text)
    }

    #[test]
    fn a_long_text_goes_on_further_in() {
        assert_eq!(
            rows(30, "one two three four five six seven eight nine ten"),
            ["error: one two three four five", "  six seven eight nine ten"]
        );
        assert_eq!(
            rows(30, &"x".repeat(60)),
            [
                format!("error: {}", "x".repeat(23)),
                format!("  {}", "x".repeat(28)),
                format!("  {}", "x".repeat(9)),
            ]
        );
        assert_eq!(
            wrap(None, Lead::plain("a "), Lead::plain(""), &"x".repeat(500)).len(),
            1
        );
    }

    #[test]
    fn colours_take_no_column_and_stay_whole() {
        let coloured = "\u{1b}[1;31mFAIL\u{1b}[0m";
        assert_eq!(
            rows(27, &format!("{coloured} {coloured} {coloured} {coloured} x")),
            [
                format!("error: {coloured} {coloured} {coloured} {coloured}"),
                "  x".to_owned(),
            ]
        );
    }

    #[test]
    fn wide_characters_take_two_columns_and_marks_none() {
        for text in [
            "字".repeat(100),
            "e\u{301}".repeat(100),
            "“".repeat(100),
            "👍".repeat(100),
        ] {
            let rows = rows(30, &text);
            let shown: usize = rows
                .iter()
                .map(|row| row.trim_start_matches("error:").trim().chars().count())
                .sum();
            assert_eq!(shown, text.chars().count());
            for row in rows {
                assert!(row.chars().map(columns).sum::<usize>() <= 30, "{row}");
            }
        }
    }
}
