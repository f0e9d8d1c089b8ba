//! Makes text from elsewhere safe to show on a terminal: one line of it is one
//! row, and it cannot pass for text of this program.
//!
//! - What steers a terminal or is invisible appears as `\u{1b}`, so that it can
//!   neither move the cursor, nor fake a line, nor reach the clipboard, nor
//!   reorder or hide what is read.
//! - A run of whatever looks blank is one blank, so that nothing is pushed to
//!   the beginning of the next row.
//! - A letter carries a few combining marks and no pile of them.
//! - In a sentence of ours it is in quotes that it cannot close: [`Quoted`].
//!
//! Invariants: the output holds none of those characters, and a second pass
//! changes nothing. Markup has one more step, [`escape_html`].

mod characters;
mod document;
mod quoted;

pub use document::DocumentSanitizer;
pub use quoted::{Quoted, WordOrQuoted};

use characters::{Kind, MAX_MARKS, kind_of};

/// The most characters of one piece of foreign text that are shown.
pub const MAX_CHARS: usize = 500;

/// The text on one line, with at most [`MAX_CHARS`] characters; what is cut
/// off leaves an ellipsis.
pub fn sanitize(text: &str) -> String {
    sanitize_within(text, MAX_CHARS)
}

/// The same of a line of ours that is moved in, as a command to be copied is.
pub fn sanitize_line(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    line[..line.len() - text.len()].to_owned() + &sanitize(text)
}

fn sanitize_within(text: &str, max_chars: usize) -> String {
    if text.len() <= max_chars && is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut writer = Writer::default();
    let mut length_chars = 0;
    // where to cut if more comes than fits, leaving room for the ellipsis
    let mut cut_at_byte = 0;
    for character in text.chars() {
        let before = shown.len();
        writer.push(&mut shown, character);
        length_chars += shown[before..].chars().count();
        if length_chars > max_chars {
            shown.truncate(cut_at_byte);
            shown.push('…');
            return shown;
        }
        if length_chars < max_chars {
            cut_at_byte = shown.len();
        }
    }
    shown
}

/// The same without the bound on the length and with every ASCII blank, for
/// text that must be whole: a URL to open, a secret that the user asked to see.
pub fn sanitize_unbounded(text: &str) -> String {
    if text.bytes().all(is_plain_byte) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut marks = Marks::default();
    for character in text.chars() {
        match kind_of(character) {
            Kind::Blank if character == ' ' => shown.push(' '),
            Kind::Blank => shown.extend(character.escape_unicode()),
            kind if marks.admit(kind) => shown.push(character),
            _ => shown.extend(character.escape_unicode()),
        }
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

/// The escaped text in which what stands between backquotes is code.
pub fn mark_code(escaped: &str) -> String {
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped.to_owned();
    }
    parts
        .iter()
        .enumerate()
        .fold(String::new(), |mut marked, (index, part)| {
            marked += match (index, index % 2) {
                (0, _) => "",
                (_, 1) => "<code>",
                _ => "</code>",
            };
            marked + part
        })
}

/// JSON text that says the same and is as harmless: in JSON such characters can
/// stand inside strings only, where an escape means the same (RFC 8259 §7).
/// Blanks between the members stay, a run of them inside a string is escaped.
pub fn sanitize_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut marks = Marks::default();
    let (mut in_string, mut after_backslash, mut after_blank) = (false, false, false);
    for character in json.chars() {
        let kind = kind_of(character);
        let is_blank = character == ' ';
        let stays = match kind {
            // Line breaks stand between the members, and serialisers escape those inside strings.
            _ if character == '\n' => true,
            Kind::Blank => is_blank && !(in_string && after_blank),
            kind => marks.admit(kind),
        };
        if stays {
            shown.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown += &format!("\\u{unit:04x}");
            }
        }
        if character == '"' {
            // no mark may stand on it
            marks = Marks::default();
        }
        after_blank = is_blank;
        in_string ^= character == '"' && !after_backslash;
        after_backslash = character == '\\' && !after_backslash;
    }
    shown
}

/// Whether it is printable ASCII without runs of blanks, as most text is:
/// nothing of it can do harm.
fn is_plain(text: &str) -> bool {
    text.bytes().all(is_plain_byte) && !text.contains("  ")
}

fn is_plain_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// How many combining marks the last letter has.
#[derive(Default)]
struct Marks {
    /// `None` where there is no letter that they could stand on.
    on_letter: Option<usize>,
}

impl Marks {
    /// Whether the next character, which is not a blank, can stand as it is.
    fn admit(&mut self, kind: Kind) -> bool {
        match (kind, &mut self.on_letter) {
            (Kind::Mark, Some(marks)) => {
                *marks += 1;
                *marks <= MAX_MARKS
            }
            (Kind::Mark | Kind::Harmful, _) => false,
            (Kind::Blank, on_letter) => {
                *on_letter = None;
                true
            }
            (Kind::Letter, on_letter) => {
                *on_letter = Some(0);
                true
            }
        }
    }
}

/// Writes one character after the other, harmless.
#[derive(Default)]
struct Writer {
    marks: Marks,
    after_blank: bool,
}

impl Writer {
    fn push(&mut self, shown: &mut String, character: char) {
        let kind = kind_of(character);
        let is_blank = kind == Kind::Blank;
        match self.marks.admit(kind) {
            true if is_blank && self.after_blank => {}
            true if is_blank => shown.push(' '),
            true => shown.push(character),
            false => shown.extend(character.escape_unicode()),
        }
        self.after_blank = is_blank;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_harmful(character: char) -> bool {
        kind_of(character) == Kind::Harmful || (kind_of(character) == Kind::Blank && character != ' ')
    }

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
            let text = format!("a{character}b {character}");
            for shown in [sanitize, sanitize_unbounded] {
                let once = shown(&text);
                assert!(!once.chars().any(is_harmful), "{:x}", u32::from(character));
                assert_eq!(shown(&once), once);
            }
        }
    }

    #[test]
    fn a_run_of_whatever_looks_blank_is_one_blank() {
        for run in [
            "  ",
            &" ".repeat(80),
            "\u{a0}",
            " \u{3000}\u{2800} ",
            "\u{2003}\u{202f}",
        ] {
            assert_eq!(sanitize(&format!("a{run}b")), "a b", "{run:?}");
        }
        for invisible in ["\u{3164}", "\u{ad}", "\u{115f}", "\u{e0100}", "\u{180e}", "\u{fe0f}"] {
            let shown = sanitize(&format!("a{}b", format!("{invisible} ").repeat(40)));
            assert_eq!(shown.matches("\\u{").count(), 40, "{shown}");
        }
        assert_eq!(
            sanitize_unbounded("a  \u{a0}b"),
            "a  \\u{a0}b",
            "text that must be whole"
        );
    }

    #[test]
    fn a_letter_carries_a_few_marks_and_no_pile_of_them() {
        assert_eq!(sanitize("Việt, שָׁ֖"), "Việt, שָׁ֖");
        let pile = format!("e{}x", "\u{301}".repeat(6));
        assert_eq!(sanitize(&pile), "e\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{301}x");
        assert_eq!(
            sanitize("\u{301}a \u{301}b"),
            "\\u{301}a \\u{301}b",
            "on nothing, or on a blank"
        );
        assert_eq!(sanitize_unbounded(&pile), sanitize(&pile));
    }

    #[test]
    fn json_means_the_same_and_is_harmless() {
        let value = serde_json::json!({"a\u{202e}": ["\x1b[2J", "\u{9b}", "\u{e0001}", "\u{fffe}", "ü👍", "\n", "a    b", "\\  \" ,  x", "e\u{301}\u{301}\u{301}\u{301}\u{301}", "\u{a0}\u{2800}"]});
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
        let line = sanitize_json(&value.to_string());
        assert!(line.contains(r"\udb40\udc01") && !line.contains("  "), "{line}");
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
