//! Why a request was rejected, for the response, the page and the log alike.

use crate::protocol::citation::{Cited, with_citation};
use std::fmt;

/// Why a request was rejected, and which specification says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// For a person; may hold text from the request, not yet sanitized.
    pub reason: String,
    /// Such as `RFC 6749 §4.1.2.1`.
    pub citation: &'static str,
    /// What was sent and what would have been right, with their names.
    pub facts: Vec<(&'static str, Vec<String>)>,
    /// Whether the request was no mistake: the log does not point at it.
    pub is_expected: bool,
}

impl Rejection {
    /// A rejection by this section of a specification.
    pub fn new(reason: impl Into<String>, citation: &'static str) -> Self {
        Rejection {
            reason: reason.into(),
            citation,
            facts: Vec::new(),
            is_expected: false,
        }
    }

    /// What is not there, and what it is that was looked for, as a client may well do.
    pub(crate) fn not_served(what: &str, citation: &'static str) -> Self {
        Rejection {
            is_expected: true,
            ..Rejection::new(format!("not served: {what}"), citation)
        }
    }

    /// A rejection for a reason of the core; by `citation` where it names none.
    pub(crate) fn cited(cited: Cited, citation: &'static str) -> Self {
        Rejection::new(cited.reason, cited.citation.unwrap_or(citation))
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
        formatter.write_str(&with_citation(&self.reason, self.citation))
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
