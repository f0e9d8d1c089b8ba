//! A whole document of someone else, such as the answer of an API, on a
//! terminal: its lines stay, and what steers the terminal does not.

/// Makes a document harmless piece by piece, as it comes.
#[derive(Debug, Default)]
pub struct DocumentSanitizer {
    /// The beginning of a character, or of a line break, whose other bytes have not come yet.
    unfinished: Vec<u8>,
}

impl DocumentSanitizer {
    /// The next piece as it may be shown. Bytes that are not UTF-8 are shown as
    /// U+FFFD.
    pub fn push(&mut self, piece: &[u8]) -> String {
        self.unfinished.extend_from_slice(piece);
        let bytes = std::mem::take(&mut self.unfinished);
        let mut shown = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    let complete = text.strip_suffix('\r');
                    push_escaped(&mut shown, complete.unwrap_or(text));
                    if complete.is_some() {
                        self.unfinished.push(b'\r');
                    }
                    return shown;
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    push_escaped(&mut shown, &String::from_utf8_lossy(valid));
                    let Some(length) = error.error_len() else {
                        self.unfinished = invalid.to_vec();
                        return shown;
                    };
                    shown.push('\u{fffd}');
                    rest = &invalid[length..];
                }
            }
        }
    }

    /// What is left at the end.
    pub fn finish(self) -> &'static str {
        match self.unfinished.as_slice() {
            [] => "",
            b"\r" => "\\u{d}",
            _ => "\u{fffd}",
        }
    }
}

fn push_escaped(shown: &mut String, text: &str) {
    // A line of HTTP ends with both
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            _ if steers(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
}

/// Control characters, and those that reorder a line (UAX #9 §2).
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut sanitizer = DocumentSanitizer::default();
        let shown: String = pieces.iter().map(|piece| sanitizer.push(piece)).collect();
        shown + sanitizer.finish()
    }

    #[test]
    fn lines_stay_and_what_steers_a_terminal_is_escaped() {
        assert_eq!(shown(&[b"{\n\t\"a\": 1\n}\n"]), "{\n\t\"a\": 1\n}\n");
        assert_eq!(shown(&[b"a\x1b[2Jb\r\x07\x9b"]), "a\\u{1b}[2Jb\\u{d}\\u{7}\u{fffd}");
        assert_eq!(
            shown(&[b"a: 1\r\nb: 2\r", b"\n\r", b"\n\r\rx\r"]),
            "a: 1\nb: 2\n\n\\u{d}\\u{d}x\\u{d}"
        );
        assert_eq!(shown(&["\u{202e}x\u{9b}".as_bytes()]), "\\u{202e}x\\u{9b}");
    }

    #[test]
    fn a_character_in_two_pieces_is_whole() {
        let text = "é中👍".as_bytes();
        for cut in 0..=text.len() {
            assert_eq!(shown(&[&text[..cut], &text[cut..]]), "é中👍", "{cut}");
        }
        assert_eq!(shown(&[&text[..1]]), "\u{fffd}");
    }
}
