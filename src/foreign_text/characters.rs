//! What a character does on a terminal.

use unicode_width::UnicodeWidthChar;

/// Combining marks that one letter may carry. Vietnamese needs two, Hebrew
/// with cantillation three.
pub(super) const MAX_MARKS: usize = 4;

/// What a character does on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is seen, and takes a place of its own.
    Letter,
    /// It is drawn on the letter before it and takes no place.
    Mark,
    /// Nothing is seen where it is.
    Blank,
    /// It steers the terminal, is invisible, or has no meaning that all fonts agree on.
    Harmful,
}

pub(super) fn kind_of(character: char) -> Kind {
    match character {
        ' ' => Kind::Blank,
        '!'..='~' => Kind::Letter,
        _ if is_harmful(character) => Kind::Harmful,
        _ if character.is_whitespace() || has_no_ink(character) => Kind::Blank,
        _ if character.width() == Some(0) => Kind::Mark,
        _ => Kind::Letter,
    }
}

/// C0 with line breaks, DEL and C1; line and paragraph separators; what is
/// default-ignorable (Unicode §5.21), the bidirectional controls of UAX #9 and
/// variation selectors among it; noncharacters (§23.7), two of which no XML
/// document may hold; interlinear annotations, the object replacement
/// character, and private use, which one font shows and another does not.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || u32::from(character) & 0xfffe == 0xfffe
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffc}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
                | '\u{f0000}'..='\u{10ffff}'
        )
}

/// Letters and symbols whose glyph is empty: the Braille pattern without dots,
/// the null notehead, the Khitan filler, Egyptian blanks.
fn has_no_ink(character: char) -> bool {
    matches!(
        character,
        '\u{2800}' | '\u{1d159}' | '\u{16fe4}' | '\u{13441}'..='\u{13442}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_blank_is_blank_and_what_is_invisible_is_escaped() {
        for blank in " \u{a0}\u{1680}\u{2000}\u{2003}\u{2007}\u{200a}\u{202f}\u{205f}\u{2800}\u{3000}\u{1d159}".chars()
        {
            assert_eq!(kind_of(blank), Kind::Blank, "{blank:?}");
        }
        for harmful in "\t\u{85}\u{ad}\u{34f}\u{115f}\u{17b4}\u{180e}\u{200b}\u{200d}\u{2028}\u{2062}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fffc}\u{e0020}\u{e0100}\u{e000}\u{100000}".chars() {
            assert_eq!(kind_of(harmful), Kind::Harmful, "{harmful:?}");
        }
        for mark in "\u{300}\u{5b4}\u{64b}\u{20dd}\u{1ab0}\u{fe20}".chars() {
            assert_eq!(kind_of(mark), Kind::Mark, "{mark:?}");
        }
        for letter in "aé中👍ñ…\u{fffd}".chars() {
            assert_eq!(kind_of(letter), Kind::Letter, "{letter:?}");
        }
    }

    #[test]
    fn all_that_takes_no_place_is_a_mark_or_escaped() {
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            if character.width().unwrap_or(0) == 0 {
                let kind = kind_of(character);
                assert!(kind != Kind::Letter, "{:x}", u32::from(character));
            }
        }
    }
}
