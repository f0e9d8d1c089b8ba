//! Why a request was rejected, for the response, the page and the log alike.

use std::borrow::Cow;
use std::fmt;

/// Why a request was rejected, and which specification says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// For a person; may hold text from the request, not yet sanitized.
    pub reason: String,
    /// Such as `RFC 6749 §4.1.2.1`.
    pub citation: Cow<'static, str>,
    /// What was sent and what would have been right, with their names.
    pub facts: Vec<(&'static str, Vec<String>)>,
}

impl Rejection {
    /// A rejection by this section of a specification.
    pub fn new(reason: impl Into<String>, citation: impl Into<Cow<'static, str>>) -> Self {
        Rejection {
            reason: reason.into(),
            citation: citation.into(),
            facts: Vec::new(),
        }
    }

    /// A rejection from a text that ends with its citation, as those of the core do:
    /// `client_id is missing (RFC 6749 §4.1.1)`; else `citation` is taken.
    pub fn from_text(text: &str, citation: &'static str) -> Self {
        let parts = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (RFC "));
        match parts {
            Some((reason, citation)) => Rejection::new(reason, format!("RFC {citation}")),
            None => Rejection::new(text, citation),
        }
    }

    /// The same with what was sent, or with what would have been right.
    #[must_use]
    pub fn with_fact(mut self, name: &'static str, values: Vec<String>) -> Self {
        self.facts.push((name, values));
        self
    }

    /// For `error_description`, which is printable ASCII without quote and
    /// backslash (RFC 6749 §5.2), so `§` and whatever the client sent are replaced.
    pub(crate) fn description(&self) -> String {
        let text = self.to_string().replace('§', "section ");
        text.chars()
            .map(|character| match character {
                '"' | '\\' => '\'',
                ' '..='~' => character,
                _ => '?',
            })
            .take(500)
            .collect()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.reason, self.citation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_keep_the_syntax_of_rfc_6749() {
        let text = Rejection::new("scope \"é\\\u{1b}\" is unknown", "RFC 6749 §3.3").description();
        assert_eq!(text, "scope '?'?' is unknown (RFC 6749 section 3.3)");
    }
}
