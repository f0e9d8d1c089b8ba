//! What an access token takes to be used (RFC 6749 §7.1).

use super::error::InvalidTokenResponse;
use super::quirk::Quirk;
use crate::protocol::dpop;
use serde_json::{Map, Value};

/// The type of token that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// Anyone who has it may use it (RFC 6750).
    Bearer,
    /// It is bound to the key of the proof in the request (RFC 9449 §5).
    Dpop,
    /// By an exchange (RFC 8693 §2.2.1): what comes need be no access token.
    Exchanged,
    /// By an exchange with a proof.
    ExchangedWithProof,
}

/// `token_type` of a token that is not an access token (RFC 8693 §2.2.1).
pub const NOT_APPLICABLE: &str = "N_A";

impl TokenType {
    /// As servers send it; compared without regard to case.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenType::Bearer | TokenType::Exchanged => "Bearer",
            TokenType::Dpop | TokenType::ExchangedWithProof => dpop::SCHEME,
        }
    }

    /// The same for a token that is exchanged for another one.
    #[must_use]
    pub fn exchanged(self) -> Self {
        match self {
            TokenType::Bearer | TokenType::Exchanged => TokenType::Exchanged,
            TokenType::Dpop | TokenType::ExchangedWithProof => TokenType::ExchangedWithProof,
        }
    }

    /// Whether it is what an exchange brings.
    pub(super) fn is_exchanged(self) -> bool {
        matches!(self, TokenType::Exchanged | TokenType::ExchangedWithProof)
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
            (_, Some(text)) if self.is_exchanged() && text.eq_ignore_ascii_case(NOT_APPLICABLE) => Ok(text),
            (TokenType::Bearer | TokenType::Exchanged, Some(text)) => Err(InvalidTokenResponse::TokenType(text)),
            (TokenType::Bearer | TokenType::Exchanged, None) => {
                quirks.push(Quirk::NoTokenType);
                Ok(self.as_str().to_owned())
            }
            (TokenType::Dpop | TokenType::ExchangedWithProof, found) => Err(InvalidTokenResponse::NotBound(found)),
        }
    }
}
