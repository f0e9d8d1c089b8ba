//! The notes that the example API and the tool of `/mcp` keep, in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// A longer text is not a note.
pub(crate) const MAX_NOTE_BYTES: usize = 4 * 1024;
/// Notes that are kept; then the oldest goes.
const MAX_NOTES: usize = 1_000;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Notebook>);

#[derive(Debug, Default)]
struct Notebook {
    /// Notes so far.
    count: u64,
    /// Who wrote what.
    notes: VecDeque<(String, String)>,
}

impl Notes {
    /// Keeps a note of this person; its number.
    pub(crate) fn add(&self, author: &str, text: &str) -> u64 {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.count += 1;
        if book.notes.len() == MAX_NOTES {
            book.notes.pop_front();
        }
        book.notes.push_back((author.to_owned(), text.to_owned()));
        book.count
    }

    /// The notes of this person that are still kept, the oldest first.
    pub(crate) fn by(&self, author: &str) -> Vec<String> {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = book.notes.iter().filter(|(writer, _)| writer == author);
        own.map(|(_, text)| text.clone()).collect()
    }
}
