//! A JWT as people copy it: out of a header, a JSON document, a terminal that
//! broke the line. What cannot belong to a compact JWT (RFC 7515 §3.1) is
//! removed and named.

use crate::secret::Secret;
use zeroize::Zeroizing;

/// Quotes and brackets that stand around a token in documents.
const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '‘', '’', '<', '>'];

/// A JWT without what was copied along with it.
#[derive(Debug)]
pub struct PastedJwt {
    pub token: Secret,
    /// The text that the signature covers, where its segments had padding: some
    /// issuers sign it with the padding.
    pub padded_signing_input: Option<Secret>,
    /// What was removed, in words.
    pub removed: Vec<&'static str>,
}

impl PastedJwt {
    /// Takes the token out of the text.
    pub fn read(text: &str) -> Self {
        let mut removed = Vec::new();
        let mut remove = |what: &'static str, is_different: bool| {
            if is_different && !removed.contains(&what) {
                removed.push(what);
            }
        };
        let mut rest = text;
        loop {
            let before = rest;
            rest = trim(rest, |character| character.is_whitespace() || character == '\u{feff}');
            remove("whitespace", rest != before);
            let unquoted = trim(rest, |character| QUOTES.contains(&character));
            remove("quotes", unquoted != rest);
            rest = unquoted;
            for (word, what) in [
                ("authorization:", "\"Authorization:\""),
                ("bearer ", "\"Bearer\""),
                ("dpop ", "\"DPoP\""),
            ] {
                let without = strip_prefix_ignoring_case(rest, word);
                remove(what, without.is_some());
                rest = without.unwrap_or(rest);
            }
            if rest == before {
                break;
            }
        }
        let joined: Zeroizing<String> = Zeroizing::new(rest.split_whitespace().collect());
        remove("whitespace", joined.as_str() != rest);
        let token: Vec<&str> = joined.split('.').map(|segment| segment.trim_end_matches('=')).collect();
        let token = token.join(".");
        let is_padded = token.len() != joined.len();
        remove("base64 padding", is_padded);
        let signing_input = joined.rsplit_once('.').map(|(input, _)| Secret::from(input));
        PastedJwt {
            token: Secret::from(token),
            padded_signing_input: signing_input.filter(|_| is_padded),
            removed,
        }
    }
}

fn trim(text: &str, is_removed: impl Fn(char) -> bool) -> &str {
    text.trim_start_matches(&is_removed).trim_end_matches(&is_removed)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_along_is_removed_and_named() {
        for (text, removed) in [
            ("aa.bb.cc", &[][..]),
            ("Bearer aa.bb.cc", &["\"Bearer\""]),
            ("bearer  aa.bb.cc", &["\"Bearer\"", "whitespace"]),
            (
                "Authorization: DPoP aa.bb.cc",
                &["\"Authorization:\"", "whitespace", "\"DPoP\""],
            ),
            ("\"aa.bb.cc\"", &["quotes"]),
            ("\"Bearer aa.bb.cc\"", &["quotes", "\"Bearer\""]),
            ("‘aa.bb.cc’", &["quotes"]),
            ("\u{feff}aa.bb.cc\n\n", &["whitespace"]),
            ("aa.b\n  b.cc", &["whitespace"]),
            ("aa=.bb==.cc=", &["base64 padding"]),
        ] {
            let pasted = PastedJwt::read(text);
            assert_eq!(
                (pasted.token.expose().as_str(), &pasted.removed[..]),
                ("aa.bb.cc", removed),
                "{text:?}"
            );
        }
        // Anything else is left for the decoder to refuse.
        for text in ["", "opaque", "Bearer", "bearer.bb.cc", "aa.bb", "a=a.bb.cc", "é"] {
            let pasted = PastedJwt::read(text);
            assert_eq!((pasted.token.expose().as_str(), pasted.removed), (text, Vec::new()));
        }
    }

    #[test]
    fn the_text_with_padding_is_kept_for_issuers_that_sign_it() {
        let input = |text: &str| {
            PastedJwt::read(text)
                .padded_signing_input
                .map(|text| text.expose().clone())
        };
        assert_eq!(input("aa=.bb.cc"), Some("aa=.bb".to_owned()));
        assert_eq!(input("aa.bb.cc"), None);
    }
}
