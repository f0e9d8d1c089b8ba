//! Servers repeat what they were sent: in error descriptions, in addresses, in
//! the names of members, as it was or encoded again. Before such text is shown,
//! the secrets that are known are cut out of it.

use super::abnf::from_base64url;
use crate::secret::Secret;
use url::form_urlencoded;

/// A shorter secret is looked for as it is, but not in encoded words.
const ENCODED_FROM_CHARS: usize = 6;

/// How often a value may be percent-encoded upon itself.
const ENCODED_TWICE: usize = 2;

/// What takes the place of a word that holds a secret in another writing.
const WORD_MARK: &str = "[redacted]";

/// The text without these secrets. Where one is written as it is, `mark` takes its
/// place; a word that holds one percent-encoded, in BASE64 or in hexadecimal
/// digits is replaced whole.
pub fn scrub(text: &str, secrets: &[Secret], mark: &dyn Fn(&Secret) -> String) -> String {
    let mut longest_first: Vec<&Secret> = secrets.iter().filter(|secret| !secret.expose().is_empty()).collect();
    // A shorter one that is part of a longer one must not spoil it.
    longest_first.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    let mut shown = text.to_owned();
    for secret in &longest_first {
        if shown.contains(secret.expose().as_str()) {
            shown = shown.replace(secret.expose().as_str(), &mark(secret));
        }
    }
    longest_first.retain(|secret| secret.length_chars() >= ENCODED_FROM_CHARS);
    if longest_first.is_empty() {
        return shown;
    }
    let mut cut = String::with_capacity(shown.len());
    for piece in shown.split_inclusive(is_between_words) {
        let word = piece.trim_end_matches(is_between_words);
        if holds_encoded(word, &longest_first) {
            cut.push_str(WORD_MARK);
            cut.push_str(&piece[word.len()..]);
        } else {
            cut.push_str(piece);
        }
    }
    cut
}

fn is_between_words(character: char) -> bool {
    character.is_whitespace() || "\"'<>(){}[],;&?#".contains(character)
}

fn holds_encoded(word: &str, secrets: &[&Secret]) -> bool {
    let holds = |text: &str| secrets.iter().any(|secret| text.contains(secret.expose().as_str()));
    let mut forms = vec![word.to_owned()];
    for _ in 0..ENCODED_TWICE {
        let Some(last) = forms.last().filter(|last| last.contains(['%', '+'])) else {
            break;
        };
        let (as_it_is, plus_is_space) = (percent_decoded(&last.replace('+', "%2B")), percent_decoded(last));
        forms.extend([plus_is_space, as_it_is]);
    }
    if forms.iter().skip(1).any(|form| holds(form)) {
        return true;
    }
    // A name before a value, or a path, hides none.
    let parts = |form: &str| {
        let mut parts: Vec<String> = form.split(['=', ':', '.', '|']).map(str::to_owned).collect();
        parts.push(form.to_owned());
        parts
    };
    let mut words = forms.iter().flat_map(|form| parts(form));
    words.any(|part| decoded_otherwise(&part).iter().any(|decoded| holds(decoded)))
}

/// Decodes `%xx`, and `+` as a space (RFC 6749 Appendix B).
fn percent_decoded(text: &str) -> String {
    let pairs = form_urlencoded::parse(text.as_bytes());
    let texts: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    texts.join("&")
}

/// What the word says if it is BASE64 or hexadecimal.
fn decoded_otherwise(word: &str) -> Vec<String> {
    let word = word.trim_end_matches('=');
    if word.len() < ENCODED_FROM_CHARS {
        return Vec::new();
    }
    let by_letters = from_base64url(&word.replace('+', "-").replace('/', "_"));
    let candidates = [by_letters, from_hexadecimal(word)];
    let texts = candidates.into_iter().flatten();
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

fn from_hexadecimal(word: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = word.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let octets = digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]));
    octets.collect::<Result<Vec<u8>, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::abnf::{base64, base64url};

    const SECRET: &str = "ab/cd+ef gh~secret";

    fn cut(text: &str) -> String {
        scrub(text, &[Secret::from("secret"), Secret::from(SECRET)], &|_| {
            "*".to_owned()
        })
    }

    #[test]
    fn a_secret_is_found_in_every_writing() {
        let hexadecimal: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        for written in [
            SECRET.to_owned(),
            "ab%2Fcd%2Bef+gh%7Esecret".to_owned(),
            "ab%2fcd%2bef%20gh~secret".to_owned(),
            "ab%252Fcd%252Bef%2520gh~secret".to_owned(),
            base64(format!("client:{SECRET}").as_bytes()),
            base64url(SECRET.as_bytes()),
            hexadecimal.to_lowercase(),
            hexadecimal,
        ] {
            let text = format!("no: client_secret={written}, try again (a=b)");
            let shown = cut(&text);
            assert!(
                shown.starts_with("no: ") && shown.ends_with(", try again (a=b)"),
                "{shown}"
            );
            assert!(!shown.contains(&written), "{shown}");
        }
        assert_eq!(cut(&format!("<{SECRET}>")), "<*>", "the longest first");
    }

    #[test]
    fn what_holds_none_stays_to_the_letter() {
        for text in [
            "The provided grant is invalid, expired, or revoked (50% of it, 1+1=2).",
            "https://h/cb?error=x&a=%C3%A9",
            "dGhpcyBpcyBub3QgaXQ=",
            "",
        ] {
            assert_eq!(cut(text), text);
        }
    }
}
