//! What kind of token something is (RFC 8693 §3), where a protocol names it by
//! a URI.

use super::url_text;
use std::fmt;
use std::str::FromStr;

/// What the registered names begin with.
const PREFIX: &str = "urn:ietf:params:oauth:token-type:";

/// The registered names that have a short form here.
const SHORT_NAMES: [&str; 6] = ["access_token", "id_token", "jwt", "refresh_token", "saml1", "saml2"];

/// No registered name is nearly as long.
const MAX_BYTES: usize = 512;

/// A token type identifier, as it goes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTypeUri(String);

/// Text that names no type of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is none of {} and no URI (RFC 8693 §3)", SHORT_NAMES.join(", "))]
pub struct UnknownTokenType;

impl TokenTypeUri {
    /// An OAuth 2.0 access token of the issuer that is asked.
    pub fn access_token() -> Self {
        TokenTypeUri::registered("access_token")
    }

    /// An ID token (OpenID Connect Core §2).
    pub fn id_token() -> Self {
        TokenTypeUri::registered("id_token")
    }

    /// An OAuth 2.0 refresh token of the issuer that is asked.
    pub fn refresh_token() -> Self {
        TokenTypeUri::registered("refresh_token")
    }

    /// A JWT, whatever it is for.
    pub fn jwt() -> Self {
        TokenTypeUri::registered("jwt")
    }

    /// An identity assertion for another authorization server
    /// (draft-ietf-oauth-identity-assertion-authz-grant §4.3).
    pub fn id_jag() -> Self {
        TokenTypeUri::registered("id-jag")
    }

    fn registered(name: &str) -> Self {
        TokenTypeUri(format!("{PREFIX}{name}"))
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short form of a registered name, else the whole URI.
    pub fn short(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }
}

impl FromStr for TokenTypeUri {
    type Err = UnknownTokenType;

    /// A registered name without its prefix, or any absolute URI.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if SHORT_NAMES.contains(&text) || text == "id-jag" {
            return Ok(TokenTypeUri::registered(text));
        }
        let is_uri = text.len() <= MAX_BYTES && url_text::parse_exact(text).is_some();
        match is_uri || is_urn(text) {
            true => Ok(TokenTypeUri(text.to_owned())),
            false => Err(UnknownTokenType),
        }
    }
}

/// RFC 8141 §2, as far as it matters here.
fn is_urn(text: &str) -> bool {
    let name = text.strip_prefix("urn:");
    let is_text = |name: &str| name.bytes().all(|byte| byte.is_ascii_graphic());
    text.len() <= MAX_BYTES && name.is_some_and(|name| name.contains(':') && is_text(name))
}

impl fmt::Display for TokenTypeUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_uris_are_taken_and_other_words_are_not() {
        let parse = |text: &str| TokenTypeUri::from_str(text).map(|uri| uri.as_str().to_owned());
        for name in SHORT_NAMES {
            assert_eq!(parse(name), Ok(format!("urn:ietf:params:oauth:token-type:{name}")));
        }
        for uri in [
            "urn:ietf:params:oauth:token-type:saml2",
            "https://as.example/types/x",
            "urn:x:y",
        ] {
            assert_eq!(parse(uri).as_deref(), Ok(uri));
        }
        for text in ["", "bearer", "urn:", "urn:x", "urn:x: y", "access-token"] {
            assert_eq!(parse(text), Err(UnknownTokenType), "{text}");
        }
        assert_eq!(TokenTypeUri::id_jag().to_string(), "id-jag");
    }
}
