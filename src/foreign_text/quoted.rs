//! Foreign text in a sentence of ours.
//!
//! Invariant: between the two quotes that are ours there is no other, so what
//! a reader takes for the end of the foreign text is its end.

use super::sanitize_within;
use std::fmt;

/// The most characters of a name or an identifier: what is behind it in
/// the line is not cut off.
const MAX_NAME_CHARS: usize = 160;

/// The most characters of a message, which is the last in its line.
const MAX_MESSAGE_CHARS: usize = 400;

/// No code of a specification is longer.
const MAX_WORD_CHARS: usize = 64;

/// Foreign text, harmless, bounded and in double quotes. Those in the text
/// become single ones.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a> {
    text: &'a str,
    max_chars: usize,
}

impl<'a> Quoted<'a> {
    /// A name or an identifier.
    pub fn name(text: &'a str) -> Self {
        Quoted {
            text,
            max_chars: MAX_NAME_CHARS,
        }
    }

    /// A message, which nothing but a bracket follows.
    pub fn message(text: &'a str) -> Self {
        Quoted {
            text,
            max_chars: MAX_MESSAGE_CHARS,
        }
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = sanitize_within(self.text, self.max_chars).replace(is_double_quote, "'");
        write!(formatter, "\"{text}\"")
    }
}

/// A single word, such as an error code or an e-mail address, as it is, since it cannot be taken for a
/// sentence; any other text as a name in quotes.
#[derive(Debug, Clone, Copy)]
pub struct WordOrQuoted<'a>(pub &'a str);

impl fmt::Display for WordOrQuoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@' | b'+');
        if (1..=MAX_WORD_CHARS).contains(&self.0.len()) && self.0.bytes().all(in_word) {
            formatter.write_str(self.0)
        } else {
            Quoted::name(self.0).fmt(formatter)
        }
    }
}

/// The ASCII quote and whatever looks like it.
fn is_double_quote(character: char) -> bool {
    matches!(
        character,
        '"' | '\u{2ba}'
            | '\u{2dd}'
            | '\u{2ee}'
            | '\u{2f6}'
            | '\u{5f4}'
            | '\u{201c}'..='\u{201f}'
            | '\u{2033}'
            | '\u{2036}'
            | '\u{275d}'..='\u{275e}'
            | '\u{3003}'
            | '\u{301d}'..='\u{301f}'
            | '\u{ff02}'
            | '\u{1f676}'..='\u{1f678}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_close_its_quotes() {
        let name = "alice\" at https://bank.example, not \u{201d}";
        assert_eq!(
            Quoted::name(name).to_string(),
            "\"alice' at https://bank.example, not '\""
        );
    }

    #[test]
    fn what_stands_behind_the_quotes_is_never_cut_off() {
        let line = format!(
            "signed in as {} at https://real.example",
            Quoted::name(&"x ".repeat(5_000))
        );
        assert!(
            super::super::sanitize(&line).ends_with("…\" at https://real.example"),
            "{line}"
        );
    }

    #[test]
    fn a_word_needs_no_quotes() {
        assert_eq!(WordOrQuoted("invalid_grant").to_string(), "invalid_grant");
        for text in ["", "two words", "a:b", "e\u{301}", "\u{1b}[2J", "x\"", &"x".repeat(65)] {
            let shown = WordOrQuoted(text).to_string();
            assert!(shown.starts_with('"') && shown.ends_with('"'), "{shown}");
        }
    }
}
