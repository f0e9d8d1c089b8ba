//! Text for a terminal: nothing that steers one is left, and it is one line.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::foreign_text::{escape_html, sanitize, sanitize_json, sanitize_unbounded};

fuzz_target!(|text: &str| {
    for shown in [sanitize(text), sanitize_unbounded(text)] {
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        let steers = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
        assert!(!shown.chars().any(steers), "{shown:?}");
    }
    let html = escape_html(text);
    assert!(!html.contains('<') && !html.contains('>') && !html.contains('"'));
    let json = serde_json::to_string(text).unwrap_or_default();
    let back: Result<String, _> = serde_json::from_str(&sanitize_json(&json));
    assert_eq!(back.ok().as_deref(), Some(text));
});
