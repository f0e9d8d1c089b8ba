//! Where a mistake in a TOML file is: for every file that is read strictly.

use toml_edit::{Item, TableLike};

/// The line of this place in the text, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// The line of a key.
pub(super) fn line_of(text: &str, table: &dyn TableLike, key: &str, item: &Item) -> usize {
    let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
    line_at(text, span.map_or(0, |span| span.start))
}
