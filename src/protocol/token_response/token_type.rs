//! What an access token takes to be used (RFC 6749 §7.1).

use super::error::InvalidTokenResponse;
use super::quirk::Quirk;
use crate::protocol::dpop;
use serde_json::{Map, Value};

/// The type of token that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// It is bound to the key of the proof in the request (RFC 9449 §5).
    Dpop,
}

impl TokenType {
    /// As servers send it; compared without regard to case.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenType::Bearer => "Bearer",
            TokenType::Dpop => dpop::SCHEME,
        }
    }

    /// Takes `token_type`, which must be this one. Where it is missing, Bearer
    /// is assumed; a token that should be bound must say that it is.
    pub(super) fn take(
        self,
        object: &mut Map<String, Value>,
        quirks: &mut Vec<Quirk>,
    ) -> Result<String, InvalidTokenResponse> {
        let found = match object.remove("token_type") {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            None | Some(Value::Null | Value::String(_)) => None,
            Some(_) => return Err(InvalidTokenResponse::Type("token_type")),
        };
        match (self, found) {
            (_, Some(text)) if text.eq_ignore_ascii_case(self.as_str()) => Ok(text),
            (TokenType::Bearer, Some(text)) => Err(InvalidTokenResponse::TokenType(text)),
            (TokenType::Bearer, None) => {
                quirks.push(Quirk::NoTokenType);
                Ok(self.as_str().to_owned())
            }
            (TokenType::Dpop, found) => Err(InvalidTokenResponse::NotBound(found)),
        }
    }
}
