//! From the bytes of a terminal to lines: keys, escape sequences, bracketed
//! paste.
//!
//! Invariants: no IO; a line is at most [`LINE_LIMIT_BYTES`] long, whatever
//! comes; what held one is zeroed.

use crate::secret::Secret;
use zeroize::{Zeroize, Zeroizing};

/// The longest line that is taken.
pub const LINE_LIMIT_BYTES: usize = 64 * 1024;

const ESCAPE: u8 = 0x1b;
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// A longer escape sequence is none.
const ESCAPE_LIMIT_BYTES: usize = 32;

/// What a person did at the terminal.
#[derive(Debug)]
pub(super) enum Input {
    /// A line that is not blank, without white space around it.
    Line(Secret),
    /// A line beyond the limit; none of it is kept.
    TooLong,
    /// Ctrl-D on an empty line: there will be no more.
    End,
    Suspend,
}

/// Takes bytes, gives [`Input`]s.
#[derive(Debug, Default)]
pub(super) struct LineDecoder {
    line: Zeroizing<Vec<u8>>,
    too_long: bool,
    /// Between the marks of a bracketed paste.
    pasting: bool,
    /// The last thing in the paste was a line break, or white space after one.
    after_break: bool,
    /// An escape sequence that has begun.
    escape: Vec<u8>,
}

impl LineDecoder {
    pub(super) fn push(&mut self, byte: u8) -> Option<Input> {
        match (self.escape.is_empty() && byte != ESCAPE, self.pasting) {
            (true, true) => self.push_pasted(byte),
            (true, false) => return self.push_typed(byte),
            (false, true) => return self.escape_in_paste(byte),
            (false, false) => self.escape_typed(byte),
        }
        None
    }

    fn push_typed(&mut self, byte: u8) -> Option<Input> {
        match byte {
            b'\r' | b'\n' => return self.finish(),
            // Ctrl-D
            0x04 if self.line.is_empty() => return Some(Input::End),
            0x04 => {}
            // Ctrl-H, backspace
            0x08 | 0x7f => self.erase_character(),
            // Ctrl-U
            0x15 => self.clear(),
            // Ctrl-Z
            0x1a => return Some(Input::Suspend),
            _ => self.append(byte),
        }
        None
    }

    /// Line breaks in a paste come from where it was copied, not from the
    /// URL; so does white space after them.
    fn push_pasted(&mut self, byte: u8) {
        match byte {
            b'\r' | b'\n' => self.after_break = true,
            b' ' | b'\t' if self.after_break => {}
            _ => {
                self.after_break = false;
                self.append(byte);
            }
        }
    }

    /// Only the end of the paste is a sequence here; all else is pasted text.
    fn escape_in_paste(&mut self, byte: u8) -> Option<Input> {
        if byte == ESCAPE || !PASTE_ENDS.starts_with(&[&self.escape[..], &[byte]].concat()) {
            for byte in std::mem::take(&mut self.escape) {
                self.push_pasted(byte);
            }
        }
        if byte != ESCAPE && self.escape.is_empty() {
            self.push_pasted(byte);
            return None;
        }
        self.escape.push(byte);
        if self.escape == PASTE_ENDS {
            self.escape.clear();
            self.pasting = false;
            // a line was copied whole, with its end
            if std::mem::take(&mut self.after_break) {
                return self.finish();
            }
        }
        None
    }

    /// Arrow keys and the like say nothing here, but for the begin of a paste.
    fn escape_typed(&mut self, byte: u8) {
        if byte == ESCAPE {
            self.escape.clear();
        }
        self.escape.push(byte);
        let ended = match self.escape.as_slice() {
            [_] | [_, b'[' | b'O'] => false,
            [_, b'[', .., last] => (0x40..=0x7e).contains(last),
            _ => true,
        };
        if ended || self.escape.len() >= ESCAPE_LIMIT_BYTES {
            self.pasting = self.escape == PASTE_BEGINS;
            self.after_break = false;
            self.escape.clear();
        }
    }

    fn append(&mut self, byte: u8) {
        if self.line.len() < LINE_LIMIT_BYTES {
            self.line.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn erase_character(&mut self) {
        let is_continuation = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
        while self.line.pop().is_some_and(is_continuation) {}
    }

    fn clear(&mut self) {
        self.line.zeroize();
        self.too_long = false;
    }

    fn finish(&mut self) -> Option<Input> {
        let input = if self.too_long {
            Some(Input::TooLong)
        } else if self.line.trim_ascii().is_empty() {
            None
        } else {
            Some(Input::Line(line_of(self.line.trim_ascii())))
        };
        self.clear();
        input
    }
}

pub(super) fn line_of(bytes: &[u8]) -> Secret {
    Secret::new(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as they are; other inputs by name.
    fn decoded(bytes: &[u8]) -> Vec<String> {
        let mut decoder = LineDecoder::default();
        let inputs = bytes.iter().filter_map(|byte| decoder.push(*byte));
        inputs
            .map(|input| match input {
                Input::Line(line) => line.expose().clone(),
                Input::TooLong => "too long".to_owned(),
                Input::End => "end".to_owned(),
                Input::Suspend => "suspend".to_owned(),
            })
            .collect()
    }

    #[test]
    fn a_line_ends_at_cr_lf_or_both_and_blank_ones_are_none() {
        assert_eq!(decoded(b"a\rb\nc\r\n\r\n  \n d \n"), ["a", "b", "c", "d"]);
        assert_eq!(decoded(b"not ended"), Vec::<String>::new());
    }

    #[test]
    fn a_bracketed_paste_is_one_line_whatever_breaks_stand_in_it() {
        assert_eq!(
            decoded(b"\x1b[200~http://a/?b=\r\n  c&d=\n\te\x1b[201~\r"),
            ["http://a/?b=c&d=e"]
        );
        assert_eq!(decoded(b"\x1b[200~ab\x1b[201~\x1b[200~cd\x1b[201~ef\n"), ["abcdef"]);
        assert_eq!(decoded(b"\x1b[200~whole\n\x1b[201~"), ["whole"], "copied with its end");
        assert_eq!(decoded(b"\x1b[200~whole\n  \x1b[201~\n"), ["whole"]);
        assert_eq!(decoded(b"\x1b[200~\n\x1b[201~"), Vec::<String>::new());
        assert_eq!(
            decoded(b"\x1b[200~a b\x1b[201~\n"),
            ["a b"],
            "white space within a line is not ours to drop"
        );
    }

    #[test]
    fn in_a_paste_every_byte_but_its_end_is_text() {
        assert_eq!(
            decoded(b"\x1b[200~a\x1b[31mb\x1b\x1b[20\x04\x7f\x1a\x15c\x1b\x1b[201~\n"),
            ["a\u{1b}[31mb\u{1b}\u{1b}[20\u{4}\u{7f}\u{1a}\u{15}c\u{1b}"]
        );
        assert_eq!(decoded(b"\x1b[200~a\x1b[201\n~b\x1b[201~\n"), ["a\u{1b}[201~b"]);
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(decoded(b"ax\x7fby\x08c\n"), ["abc"]);
        assert_eq!(decoded("a\u{e9}\x7fb\n".as_bytes()), ["ab"]);
        assert_eq!(decoded(b"wrong\x15right\n"), ["right"]);
        assert_eq!(decoded(b"\x7f\x7fa\n"), ["a"]);
        assert_eq!(
            decoded(b"a\x1b[A\x1b[1;5Cb\x1bOPc\x1bxd\n"),
            ["abcd"],
            "arrows, F1, Alt-x"
        );
        assert_eq!(decoded(b"a\x04\n\x04"), ["a", "end"]);
        assert_eq!(decoded(b"ab\x1ac\n"), ["suspend", "abc"]);
    }

    #[test]
    fn an_escape_key_by_itself_does_not_spoil_the_paste() {
        assert_eq!(decoded(b"\x1b\x1b[200~a\x1b[201~\n"), ["a"]);
        let mut endless = b"\x1b[".to_vec();
        endless.resize(1 << 20, b'1');
        assert_eq!(decoded(&[&endless, &b"\x15a\n"[..]].concat()), ["a"]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_said_and_forgotten() {
        let mut bytes = vec![b'a'; LINE_LIMIT_BYTES];
        bytes.extend_from_slice(b"\n");
        assert_eq!(decoded(&bytes)[0].len(), LINE_LIMIT_BYTES);
        let mut bytes = vec![b'a'; 1 << 20];
        bytes.extend_from_slice(b"\nb\n");
        assert_eq!(decoded(&bytes), ["too long", "b"]);
    }

    #[test]
    fn bytes_that_are_not_text_become_a_line_that_no_url_is() {
        assert_eq!(decoded(b"a\xff\n"), ["a\u{fffd}"]);
    }
}
