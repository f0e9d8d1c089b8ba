//! The name of a client for people (RFC 7591 §2 `client_name`): hostile text
//! where the client registered itself, since anyone may call a client anything
//! (RFC 7591 §5).

/// As much of a name as is shown.
const MAX_CHARACTERS: usize = 60;

/// A name that has something to read, on one line. It is still foreign text:
/// a page escapes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName {
    text: String,
    given_by: NameGiver,
}

/// Who says that the client is called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameGiver {
    /// The operator of the server.
    Operator,
    /// The client, in its registration or in its document.
    Client,
}

impl ClientName {
    /// The name in a client's metadata; `None` where there is nothing to read.
    pub(crate) fn read(text: Option<&str>, given_by: NameGiver) -> Option<Self> {
        let words: Vec<&str> = text?.split_whitespace().collect();
        let whole = words.join(" ");
        if !whole.chars().any(char::is_alphanumeric) {
            return None;
        }
        let mut text: String = whole.chars().take(MAX_CHARACTERS).collect();
        if text.len() < whole.len() {
            text.push('…');
        }
        Some(ClientName { text, given_by })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether only the client itself says so.
    pub(crate) fn is_own_claim(&self) -> bool {
        self.given_by == NameGiver::Client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        ClientName::read(Some(text), NameGiver::Client).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn a_name_is_on_one_line_and_not_longer_than_a_person_reads() {
        assert_eq!(read("Notes"), Some("Notes".to_owned()));
        assert_eq!(read("  a\n\t b\u{2028}c "), Some("a b c".to_owned()));
        assert_eq!(read(&"é".repeat(60)), Some("é".repeat(60)));
        assert_eq!(read(&"é".repeat(61)), Some(format!("{}…", "é".repeat(60))));
    }

    #[test]
    fn what_has_nothing_to_read_is_no_name() {
        for empty in ["", " ", "\u{200b}", "\u{202e}", "—", "***"] {
            assert_eq!(read(empty), None, "{empty:?}");
        }
        assert_eq!(ClientName::read(None, NameGiver::Operator), None);
    }
}
