//! Long lines on a terminal: they go on further in, so that no row but the
//! first begins where a line of this program begins. A terminal that broke
//! them itself would let foreign text start a row of its own.

use unicode_width::UnicodeWidthChar;

/// However narrow the terminal, a text gets so many columns.
const MIN_COLUMNS: usize = 20;

/// What is before a text on a row; it may hold colour, so its width
/// is kept beside it.
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
            columns: text_columns(text),
        }
    }
}

/// The text behind `first`, and where it is too long for the terminal, in
/// further rows behind `further`. Broken between words; only a word that is
/// longer than a row is broken itself. No `width` breaks nothing.
pub fn wrap(width: Option<usize>, first: Lead<'_>, further: Lead<'_>, text: &str) -> Vec<String> {
    let room_behind = |lead: Lead<'_>| match width {
        Some(width) => width.saturating_sub(lead.columns).max(MIN_COLUMNS),
        None => usize::MAX,
    };
    let mut rows = Vec::new();
    let mut rest = text;
    let mut lead = first;
    loop {
        let room = room_behind(lead);
        let Some(end) = end_of_row(rest, room) else {
            rows.push(format!("{}{rest}", lead.text));
            return rows;
        };
        // not at the first word's own spaces, which are the text's indentation
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        let is_whole = rest[end..].starts_with(' ') && !is_in_backticks(rest, end);
        let (row, next) = match last_space(&rest[..end], indent) {
            _ if is_whole => (&rest[..end], &rest[end + 1..]),
            Some(space) => (&rest[..space], &rest[space + 1..]),
            None if room < room_behind(further) && fits(first_word(rest), room_behind(further)) => ("", rest),
            None => rest.split_at(end_of_piece(rest, end)),
        };
        rows.push(format!("{}{row}", lead.text).trim_end_matches(' ').to_owned());
        rest = next;
        lead = further;
    }
}

/// The last space that a row can end at, behind the indentation: one in
/// backticks only where there is no other.
fn last_space(row: &str, indent: usize) -> Option<usize> {
    let spaces = || {
        row.rmatch_indices(' ')
            .map(|(space, _)| space)
            .filter(|space| *space > indent)
    };
    spaces()
        .find(|space| !is_in_backticks(row, *space))
        .or_else(|| spaces().next())
}

fn is_in_backticks(text: &str, position: usize) -> bool {
    text[..position].matches('`').count() % 2 == 1
}

/// Up to the first space behind the indentation.
fn first_word(text: &str) -> &str {
    let indent = text.len() - text.trim_start_matches(' ').len();
    let end = text[indent..].find(' ').map_or(text.len(), |space| indent + space);
    &text[..end]
}

fn fits(text: &str, room: usize) -> bool {
    end_of_row(text, room).is_none()
}

/// Where a word that is longer than a row is best broken: as a URL or a path
/// is read in pieces, else where the row ends.
fn end_of_piece(word: &str, end: usize) -> usize {
    let pieces = word[..end].rfind(['/', '?', '&', ',', ';']).map(|mark| mark + 1);
    pieces.filter(|piece| *piece > end / 2 && *piece < end).unwrap_or(end)
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

/// As much of a text, from its beginning, as fits into so many columns.
pub fn part_that_fits(text: &str, room: usize) -> &str {
    match room {
        0 => "",
        room => &text[..end_of_row(text, room).unwrap_or(text.len())],
    }
}

/// How many columns a text takes.
pub fn text_columns(text: &str) -> usize {
    text.chars().map(columns).sum()
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
    fn rows_end_between_words_and_not_within_what_is_typed_together() {
        assert_eq!(
            rows(26, "see /home/user/.config/x at once"),
            ["error: see", "  /home/user/.config/x at", "  once"]
        );
        assert_eq!(
            rows(30, "name it with `--proxy URL` or else"),
            ["error: name it with", "  `--proxy URL` or else"]
        );
        // no border within the first row
        assert_eq!(
            rows(28, "abcdefghijklmnopqrstuvwxy z"),
            ["error:", "  abcdefghijklmnopqrstuvwxy", "  z"]
        );
        assert_eq!(
            rows(30, "https://id.example.com/tenants/one/two"),
            ["error: https://id.example.com/", "  tenants/one/two"]
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
