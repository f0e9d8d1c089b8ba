//! How a session comes to be of no use before its tokens expire.

use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::time::UnixSeconds;
use std::fmt;

/// The end of a session by the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// When it said so.
    pub at: UnixSeconds,
    /// Its `error`; `None` in a record that has only a text of another program.
    pub error: Option<String>,
    /// Its `error_description`, or that text.
    pub description: Option<String>,
}

impl SessionEnd {
    /// What the record's `reason` says. Records before the members `error` and
    /// `error_description` have nothing else: the error code, and the
    /// description in parentheses.
    pub(super) fn from_reason(at: UnixSeconds, reason: &str) -> Self {
        let is_code = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let described = reason
            .split_once(" (")
            .and_then(|(code, rest)| Some((code, rest.strip_suffix(')')?)));
        let (error, description) = match described {
            Some((code, description)) if is_code(code) => (Some(code), Some(description)),
            None if is_code(reason) => (Some(reason), None),
            _ => (None, Some(reason)),
        };
        SessionEnd {
            at,
            error: error.map(str::to_owned),
            description: description.map(str::to_owned),
        }
    }

    /// The inverse of [`from_reason`](Self::from_reason).
    pub(super) fn reason(&self) -> String {
        match (&self.error, &self.description) {
            (Some(error), Some(description)) => format!("{error} ({description})"),
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        }
    }

    /// The server's `error` and `error_description`.
    pub fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        Some((self.error.as_deref()?, self.description.as_deref()))
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.error, &self.description) {
            (Some(error), Some(description)) => {
                write!(formatter, "{} ({})", WordOrQuoted(error), Quoted::message(description))
            }
            (Some(error), None) => WordOrQuoted(error).fmt(formatter),
            (None, Some(description)) => Quoted::message(description).fmt(formatter),
            (None, None) => Ok(()),
        }
    }
}

/// A session whose refresh brought an ID token of another issuer, subject or
/// client: its tokens are kept, but not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// `iss`, `sub` or `aud`.
    pub claim: String,
    /// What the session is of.
    pub expected: String,
    /// What the ID token was of. Text from the network.
    pub found: String,
}
