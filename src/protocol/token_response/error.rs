//! What the token endpoint answered where it was not a token (RFC 6749 §5.2),
//! and what is wrong with an answer that breaks the specification.

use crate::foreign_text::Quoted;
use crate::protocol::error::ErrorResponse;
use crate::protocol::scrub::scrub;
use crate::secret::Secret;

/// A token response that breaks the specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenResponse {
    #[error("the token response cannot be read in one way only: {0} (RFC 8259 §4)")]
    Ambiguous(String),
    /// A list, a string, a number.
    #[error("the token response is JSON, but not an object (RFC 6749 §5.1)")]
    NotAnObject,
    /// Latin-1, above all.
    #[error("the token response has bytes that are not UTF-8 (RFC 8259 §8.1)")]
    NotUtf8,
    /// RFC 6749 §5.1.
    #[error("the token response has no access_token (RFC 6749 §5.1)")]
    NoAccessToken,
    /// It is somewhere else.
    #[error("the token response has no access_token where it belongs, but one at {} (RFC 6749 §5.1)", Quoted::name(.0))]
    NestedAccessToken(String),
    /// RFC 6749 §5.1.
    #[error("access_token in the token response is empty (RFC 6749 §5.1)")]
    EmptyAccessToken,
    /// RFC 6749 Appendix A.12.
    #[error("access_token in the token response has characters other than printable ASCII (RFC 6749 Appendix A.12)")]
    AccessTokenCharacters,
    /// Nothing could send it on.
    #[error("{name} in the token response has more than {max_bytes} bytes")]
    TooLong {
        name: &'static str,
        /// How much is taken.
        max_bytes: usize,
    },
    /// RFC 6749 §7.1: it must not be used.
    #[error("token_type {} is not Bearer, and a token of unknown type must not be used (RFC 6749 §7.1)", Quoted::name(.0))]
    TokenType(String),
    /// RFC 9449 §5: anyone who gets it could use it.
    #[error("{}, but a token that is bound to the key of this session was asked for (token_type DPoP, RFC 9449 §5)", described_type(.0.as_deref()))]
    NotBound(Option<String>),
    /// A member has another JSON type than the specification says.
    #[error("{0} in the token response is not a string (RFC 6749 §5.1)")]
    Type(&'static str),
}

/// What the token endpoint answered, if it was not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// 408, 429 or 5xx, whatever the body says.
    #[error("the token endpoint {endpoint} answered with status {status}")]
    Unavailable { endpoint: String, status: u16 },
    /// Credentials are never sent on.
    #[error("the token endpoint {endpoint} answered with a redirect ({status}) to {location}, which is never followed")]
    Redirect {
        endpoint: String,
        /// 3xx.
        status: u16,
        /// Origin only: the rest of a location may hold secrets.
        location: String,
    },
    /// An HTML page, an empty body.
    #[error("the token endpoint {endpoint} answered with status {status} and {what}, not with JSON")]
    NotJson {
        endpoint: String,
        status: u16,
        /// `text/html`, `an empty body`.
        what: String,
        /// Whether the content type says that it is JSON.
        announced_as_json: bool,
    },
    /// RFC 6749 §5.2.
    #[error("the token endpoint {endpoint} refused: {error}")]
    OAuth {
        endpoint: String,
        /// 4xx, or 200 where the server does not know better.
        status: u16,
        error: ErrorResponse,
    },
    /// A refusal without `error`.
    #[error("the token endpoint {endpoint} refused with status {status}{}", in_parentheses(words.as_deref()))]
    Refused {
        endpoint: String,
        /// 4xx.
        status: u16,
        /// What it said, in a member or a format of its own.
        words: Option<String>,
    },
    /// RFC 6749 §5.1.
    #[error("the answer of the token endpoint {endpoint} breaks the specification")]
    Invalid {
        endpoint: String,
        #[source]
        problem: InvalidTokenResponse,
    },
}

impl TokenError {
    /// The same without these secrets, which the server may have repeated.
    #[must_use]
    pub fn scrubbed(self, secrets: &[Secret]) -> Self {
        match self {
            TokenError::OAuth {
                endpoint,
                status,
                error,
            } => TokenError::OAuth {
                endpoint,
                status,
                error: error.scrubbed(secrets),
            },
            TokenError::Refused {
                endpoint,
                status,
                words,
            } => TokenError::Refused {
                endpoint,
                status,
                words: words.map(|words| scrub(&words, secrets, &|_| "[redacted]".to_owned())),
            },
            other => other,
        }
    }

    /// Whether the server understood the request and said no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, TokenError::OAuth { .. } | TokenError::Refused { .. })
    }
}

fn described_type(token_type: Option<&str>) -> String {
    match token_type {
        Some(token_type) => format!("token_type is {}", Quoted::name(token_type)),
        None => "the token response has no token_type".to_owned(),
    }
}

fn in_parentheses(text: Option<&str>) -> String {
    text.map(|text| format!(" ({})", Quoted::message(text)))
        .unwrap_or_default()
}
