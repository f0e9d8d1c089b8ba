//! The audience of the assertions that a client makes (RFC 7523 §3).

use crate::protocol::metadata::ServerMetadata;
use crate::protocol::url_text;
use std::fmt;
use std::str::FromStr;

/// Which name of the server is the `aud` of an assertion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer (draft-ietf-oauth-rfc7523bis §4); the token endpoint where
    /// only endpoints are known.
    #[default]
    Issuer,
    /// What servers expected before.
    TokenEndpoint,
    /// Any other name.
    Url(String),
}

/// Text that names no audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is none of issuer, token-endpoint and a URL")]
pub struct UnknownAssertionAudience(String);

impl FromStr for AssertionAudience {
    type Err = UnknownAssertionAudience;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "issuer" => Ok(AssertionAudience::Issuer),
            "token-endpoint" => Ok(AssertionAudience::TokenEndpoint),
            // Kept as it was written: servers compare it byte for byte.
            url if url_text::parse_exact(url).is_some() => Ok(AssertionAudience::Url(url.to_owned())),
            other => Err(UnknownAssertionAudience(other.to_owned())),
        }
    }
}

impl fmt::Display for AssertionAudience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            AssertionAudience::Issuer => "issuer",
            AssertionAudience::TokenEndpoint => "token-endpoint",
            AssertionAudience::Url(url) => url,
        })
    }
}

impl AssertionAudience {
    /// The name at a server with these metadata.
    pub(in crate::flow) fn at(&self, metadata: &ServerMetadata) -> String {
        let issuer = metadata.issuer.as_ref().map(ToString::to_string);
        let token_endpoint = metadata.token_endpoint.as_ref().map(ToString::to_string);
        match self {
            AssertionAudience::Issuer => issuer.or(token_endpoint).unwrap_or_default(),
            AssertionAudience::TokenEndpoint => token_endpoint.unwrap_or_default(),
            AssertionAudience::Url(url) => url.clone(),
        }
    }
}
