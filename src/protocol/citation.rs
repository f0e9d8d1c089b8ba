//! Why a server rejects a request, with the section of a specification behind it.

use std::borrow::Cow;
use std::fmt;

/// A reason, and the section of a specification that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// For a person; may hold text from the request.
    pub reason: Cow<'static, str>,
    /// Such as `RFC 6749 §4.1.1`.
    pub citation: Option<&'static str>,
}

impl Cited {
    /// A reason that comes from this section.
    pub fn new(reason: impl Into<Cow<'static, str>>, citation: &'static str) -> Self {
        Cited {
            reason: reason.into(),
            citation: Some(citation),
        }
    }

    /// A reason that no single section gives.
    pub fn uncited(reason: impl Into<Cow<'static, str>>) -> Self {
        Cited {
            reason: reason.into(),
            citation: None,
        }
    }
}

/// `client_id is missing (RFC 6749 §4.1.1)`. A reason that ends with a citation
/// has both in one pair of parentheses.
pub fn with_citation(reason: &str, citation: &str) -> String {
    let cited = reason.strip_suffix(')').filter(|text| {
        let own = text.rfind(" (").map_or("", |start| &text[start..]);
        own.contains('§')
    });
    match cited {
        Some(text) if text.ends_with(citation) => reason.to_owned(),
        Some(text) => format!("{text}; {citation})"),
        None => format!("{reason} ({citation})"),
    }
}

impl fmt::Display for Cited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.citation {
            Some(citation) => formatter.write_str(&with_citation(&self.reason, citation)),
            None => formatter.write_str(&self.reason),
        }
    }
}

/// A request that a server answers with an error (RFC 6749 §4.1.2.1, §5.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {cited}")]
pub struct RequestError {
    /// The code of the error response.
    pub error: &'static str,
    pub cited: Cited,
}

impl RequestError {
    /// An error with this code.
    pub fn new(error: &'static str, cited: Cited) -> Self {
        RequestError { error, cited }
    }
}
