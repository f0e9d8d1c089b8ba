//! The authorization response (RFC 6749 §4.1.2, §4.1.2.1) with `iss` (RFC 9207
//! §2): as a server sends it, and what is wrong with one.

use crate::foreign_text::Quoted;
use crate::protocol::endpoint::Issuer;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::{Params, Repeated};
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;
use url::Url;

/// What the server sends back through the browser (RFC 6749 §4.1.2, §4.1.2.1).
#[derive(Debug)]
pub enum AuthorizationResponse {
    /// The resource owner agreed.
    Code(Secret),
    /// Access was refused, and why.
    Error(ErrorResponse),
}

impl AuthorizationResponse {
    /// The parameters, with the request's `state` and the server's `iss` (RFC 9207 §2).
    pub fn params(&self, state: Option<&str>, issuer: &Issuer) -> Params {
        let mut params = Params::new();
        match self {
            AuthorizationResponse::Code(code) => params.push("code", code.expose()),
            AuthorizationResponse::Error(error) => error.to_params(&mut params),
        }
        if let Some(state) = state {
            params.push("state", state);
        }
        params.push("iss", issuer.as_str());
        params
    }

    /// The URL to redirect to: the parameters added to the redirect URI's own query.
    pub fn location(&self, redirect_uri: &RedirectUri, state: Option<&str>, issuer: &Issuer) -> Url {
        location(redirect_uri, &self.params(state, issuer))
    }
}

/// A redirect URI with these parameters added to its own query.
pub fn location(redirect_uri: &RedirectUri, params: &Params) -> Url {
    params.added_to(redirect_uri.url())
}

/// A response with the right `state` that breaks the specification: the login ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthorizationResponse {
    /// RFC 6749 §3.1.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// RFC 9207 §2.4: another server answered than was asked.
    #[error(
        "the authorization response came from issuer {}, but {} was asked (RFC 9207 §2.4)",
        Quoted::name(found),
        Quoted::name(expected)
    )]
    WrongIssuer { expected: String, found: String },
    /// RFC 9207 §2.4.
    #[error("the server announces iss in its responses, but this one has none (RFC 9207 §2.4)")]
    MissingIssuer,
    #[error("the authorization response has both a code and an error")]
    CodeAndError,
    #[error("the authorization response has no code (RFC 6749 §4.1.2)")]
    NoCode,
    /// RFC 6749 Appendix A.11.
    #[error("the code has characters that RFC 6749 Appendix A.11 does not allow")]
    MalformedCode,
    /// A token in the front channel was never asked for.
    #[error("the authorization response carries {0}, which a code flow never does")]
    TokenInResponse(&'static str),
}

impl InvalidAuthorizationResponse {
    /// Whether the server that was asked may not have written this response.
    pub fn is_of_unknown_issuer(&self) -> bool {
        matches!(
            self,
            InvalidAuthorizationResponse::WrongIssuer { .. } | InvalidAuthorizationResponse::MissingIssuer
        )
    }
}
