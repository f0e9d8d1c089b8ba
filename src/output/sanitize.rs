//! Makes text from the network safe to show on a terminal: control
//! characters, bidirectional marks, invisible format characters and
//! noncharacters appear as `\u{1b}`, so that they can neither move the cursor,
//! nor fake a line, nor reach the clipboard, nor reorder what is read, nor
//! make a file malformed.
//!
//! Invariants: the output holds none of those characters, and a second pass
//! changes nothing. Markup has one more step, [`escape_html`].

/// The most characters of one piece of foreign text that are shown.
pub const MAX_CHARS: usize = 500;

/// The text on one line, with at most [`MAX_CHARS`] characters; what is cut
/// off leaves an ellipsis.
pub fn sanitize(text: &str) -> String {
    if text.len() <= MAX_CHARS && is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut length_chars = 0;
    // where to cut if more comes than fits, leaving room for the ellipsis
    let mut cut_at_byte = 0;
    for character in text.chars() {
        let before = shown.len();
        push_sanitized(&mut shown, character);
        length_chars += shown[before..].chars().count();
        if length_chars > MAX_CHARS {
            shown.truncate(cut_at_byte);
            shown.push('…');
            return shown;
        }
        if length_chars < MAX_CHARS {
            cut_at_byte = shown.len();
        }
    }
    shown
}

/// The same without the bound on the length, for text that must be whole: a
/// URL to open, a secret that the user asked to see.
pub fn sanitize_unbounded(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push_sanitized(&mut shown, character);
    }
    shown
}

/// The text as it may stand in HTML and XML, in content and in quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// JSON text that says the same and holds no such character: in JSON they can
/// stand inside strings only, where an escape means the same (RFC 8259 §7).
pub fn sanitize_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        // Line breaks stand between the members, and serialisers escape those inside strings.
        if character == '\n' || !is_harmful(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            shown += &format!("\\u{unit:04x}");
        }
    }
    shown
}

/// Whether it is printable ASCII, as most text is: nothing of it can do harm.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn push_sanitized(shown: &mut String, character: char) {
    if is_harmful(character) {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

/// C0 with line breaks, DEL and C1; bidirectional controls (UAX #9); line and
/// paragraph separators; characters that are invisible and steer the display;
/// noncharacters (Unicode §23.7), two of which no XML document may hold.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || u32::from(character) & 0xfffe == 0xfffe
        || matches!(
            character,
            '\u{061c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hostile servers have sent in `error_description` (GHSA-q9j4-4h4j-mv5m and others).
    const PAYLOADS: [(&str, &str); 14] = [
        ("\x1b[2J", "\\u{1b}[2J"),
        ("\x1b]52;c;cm0=\x07", "\\u{1b}]52;c;cm0=\\u{7}"),
        ("\x1b]8;;http://evil\x07here", "\\u{1b}]8;;http://evil\\u{7}here"),
        ("done\rerror:", "done\\u{d}error:"),
        ("a\nhint: run this", "a\\u{a}hint: run this"),
        ("\u{9b}31m", "\\u{9b}31m"),
        ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
        ("\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
        ("ab\u{8}c", "ab\\u{8}c"),
        ("\u{7f}", "\\u{7f}"),
        ("a\u{2028}b", "a\\u{2028}b"),
        ("tab\there", "tab\\u{9}here"),
        ("\u{fffe}\u{ffff}", "\\u{fffe}\\u{ffff}"),
        ("\u{fdd0}\u{10ffff}", "\\u{fdd0}\\u{10ffff}"),
    ];

    #[test]
    fn payloads_lose_their_power_and_stay_readable() {
        for (payload, expected) in PAYLOADS {
            assert_eq!(sanitize(payload), expected);
            assert_eq!(sanitize_unbounded(payload), expected);
        }
    }

    #[test]
    fn plain_text_of_any_language_stays_as_it_is() {
        for text in [
            "",
            "access denied",
            "Zugriff verweigert: Schlüssel fehlt",
            "拒否されました",
            "דחוי",
            "👍🏽",
            "\u{fdcf}\u{fdf0}\u{fffd}",
            "\\u{1b}",
        ] {
            assert_eq!(sanitize(text), text);
        }
    }

    #[test]
    fn every_character_comes_out_harmless_and_a_second_pass_changes_nothing() {
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            let once = sanitize(&format!("a{character}b"));
            assert!(!once.chars().any(is_harmful), "{:x}", u32::from(character));
            assert_eq!(sanitize(&once), once);
        }
    }

    #[test]
    fn json_means_the_same_and_is_harmless() {
        let value = serde_json::json!({"a\u{202e}": ["\x1b[2J", "\u{9b}", "\u{e0001}", "\u{fffe}", "ü👍", "\n"]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = sanitize_json(&text);
            assert!(
                !shown
                    .chars()
                    .any(|character| character != '\n' && is_harmful(character)),
                "{shown}"
            );
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
        assert!(sanitize_json(&value.to_string()).contains(r"\udb40\udc01"));
    }

    #[test]
    fn long_text_is_cut_to_the_bound_and_never_inside_an_escape() {
        assert_eq!(sanitize(&"a".repeat(500)), "a".repeat(500));
        assert_eq!(sanitize(&"a".repeat(501)), format!("{}…", "a".repeat(499)));
        for padding in 0..8 {
            let once = sanitize(&format!("{}{}", "x".repeat(padding), "\x1b".repeat(102_400)));
            assert!(once.chars().count() <= MAX_CHARS);
            assert!(once.ends_with("\\u{1b}…"), "{once}");
            assert_eq!(sanitize(&once), once);
        }
        assert_eq!(sanitize_unbounded(&"é".repeat(5_000)).chars().count(), 5_000);
    }
}
