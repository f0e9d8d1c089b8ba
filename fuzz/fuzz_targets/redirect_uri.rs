//! The redirect matcher (RFC 8252 §7.3) against another one, which knows
//! nothing of URLs: a registered URI on the first line, a requested one on the
//! second. What both take as the same, a browser takes as the same but for the port.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::redirect_uri::RedirectUri;

/// The text without the port of a loopback literal.
fn without_port(text: &str) -> Option<(&str, &str)> {
    let begin = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|begin| text.starts_with(begin))?;
    let rest = &text[begin.len()..];
    let rest = rest.strip_prefix(':').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((begin, rest))
}

fuzz_target!(|text: &str| {
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    let (Ok(registered), Ok(requested)) = (RedirectUri::parse(registered), RedirectUri::parse(requested)) else { return };
    let other = without_port(requested.as_str());
    let is_same = requested.as_str() == registered.as_str()
        || other.is_some() && other == without_port(registered.as_str());
    assert_eq!(requested.matches_registered(&registered), is_same);
    if is_same {
        let (mut registered, mut requested) = (registered.url().clone(), requested.url().clone());
        if registered != requested {
            assert!(registered.set_port(None).is_ok() && requested.set_port(None).is_ok());
        }
        assert_eq!(registered, requested);
    }
});
