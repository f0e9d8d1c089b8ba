//! Tables for a person: aligned columns, and facts in blocks where a table is
//! too wide for the terminal.

use super::wrap::{Lead, text_columns, wrap};
use unicode_width::UnicodeWidthStr;

/// What is between two columns.
const GAP: &str = "  ";

/// How far the last column is indented where it has a row of its own.
const BELOW: &str = "    ";

/// From how many columns on the text of the last column is kept beside the others.
const MIN_LAST_COLUMNS: usize = 24;

/// Columns as wide as their widest cell, two spaces between them. Where a row is
/// wider than the terminal, the text of its last column goes on below itself; in
/// a table that has no room for one of them so, each is on rows of its own. No
/// `width` breaks nothing.
pub fn align_columns<const COLUMNS: usize>(table: &[[String; COLUMNS]], width: Option<usize>) -> String {
    let widths = column_widths(table);
    let rows: Vec<(String, &str)> = table
        .iter()
        .filter_map(|row| {
            let (last, cells) = row.split_last()?;
            let lead = cells.iter().zip(widths).map(|(cell, width)| pad(cell, width));
            Some((lead.collect(), last.as_str()))
        })
        .collect();
    let has_room = rows.iter().all(|(lead, last)| has_room_beside(lead, last, width));
    let lines = rows
        .iter()
        .flat_map(|(lead, last)| with_last_column(lead, last, width, has_room));
    lines.map(|line| line + "\n").collect()
}

/// Whether every row of the table is within so many columns.
pub fn fits<const COLUMNS: usize>(table: &[[String; COLUMNS]], width: Option<usize>) -> bool {
    let widths = column_widths(table);
    let row_columns = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| pad(cell, width));
        text_columns(cells.collect::<String>().trim_end())
    };
    width.is_none_or(|width| table.iter().all(|row| row_columns(row) <= width))
}

fn column_widths<const COLUMNS: usize>(table: &[[String; COLUMNS]]) -> [usize; COLUMNS] {
    std::array::from_fn(|column| {
        let cells = table.iter().map(|row| row[column].width());
        cells.max().unwrap_or_default()
    })
}

/// A cell with what fills its column. Formatting counts characters, and some
/// take two columns.
fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{:1$}{GAP}", "", width.saturating_sub(cell.width()))
}

/// Whether the text of the last column can be beside the others, on one row or several.
fn has_room_beside(lead: &str, last: &str, width: Option<usize>) -> bool {
    let Some(width) = width.filter(|width| text_columns(&format!("{lead}{last}")) > *width) else {
        return true;
    };
    let room = width.saturating_sub(text_columns(lead));
    let longest_word = last.split(' ').map(text_columns).max();
    last.is_empty() || room >= MIN_LAST_COLUMNS && longest_word.unwrap_or_default() <= room
}

fn with_last_column(lead: &str, last: &str, width: Option<usize>, has_room: bool) -> Vec<String> {
    let line = format!("{lead}{last}").trim_end().to_owned();
    // as the lines are counted that are printed: § may take two columns
    let Some(width) = width.filter(|width| text_columns(&line) > *width) else {
        return vec![line];
    };
    if last.is_empty() {
        return vec![line];
    }
    if has_room {
        let further = " ".repeat(lead.width());
        return wrap(Some(width), Lead::plain(lead), Lead::plain(&further), last);
    }
    let mut rows = vec![lead.trim_end().to_owned()];
    rows.extend(wrap(Some(width), Lead::plain(BELOW), Lead::plain(BELOW), last));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 3]]) -> Vec<[String; 3]> {
        rows.iter().map(|row| row.map(str::to_owned)).collect()
    }

    #[test]
    fn wide_characters_take_the_columns_that_they_are_shown_in() {
        let text = align_columns(
            &table(&[["NAME", "WHO", "X"], ["a", "山田太郎", "1"], ["b", "e\u{301}va", "2"]]),
            None,
        );
        assert_eq!(text, "NAME  WHO       X\na     山田太郎  1\nb     e\u{301}va       2\n");
    }

    #[test]
    fn the_last_column_goes_on_below_itself_or_on_rows_of_its_own() {
        let rows = table(&[
            ["yes", "PKCE", "S256"],
            ["yes", "client auth", "none client_secret_basic client_secret_post"],
            [
                "no",
                "token exchange",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ],
        ]);
        assert_eq!(
            align_columns(&rows, Some(52)),
            "yes  PKCE            S256\n\
             yes  client auth\n\
             \x20   none client_secret_basic client_secret_post\n\
             no   token exchange\n\
             \x20   urn:ietf:params:oauth:grant-type:token-exchange\n",
            "one way for the whole table"
        );
        assert_eq!(
            align_columns(&rows[..2], Some(52)),
            "yes  PKCE         S256\n\
             yes  client auth  none client_secret_basic\n\
             \x20                 client_secret_post\n"
        );
        // § may take two columns, and is counted so where the rows are printed
        let findings = table(&[
            ["LEVEL", "SPECIFICATION", "FINDING"],
            [
                "MUST",
                "RFC 8414 §2",
                "scopes_supported is an empty list; a member without a value is left out",
            ],
        ]);
        let rows_at = |width| align_columns(&findings, Some(width));
        for width in 44..90 {
            for row in rows_at(width).lines() {
                assert!(text_columns(row) <= width, "{width}: {row}");
            }
        }
        assert!(fits(&rows, None) && fits(&rows, Some(68)) && !fits(&rows, Some(67)));
    }
}
