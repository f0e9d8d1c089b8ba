//! The client of a request as a server reads it (RFC 6749 §2.3.1).

use super::assertion::JWT_BEARER;
use super::client_secret_basic;
use crate::protocol::citation::Cited;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::params::{Params, Repeated};
use crate::secret::Secret;

/// What a request says about the client that sends it, before anyone has checked it.
#[derive(Debug, Clone)]
pub struct PresentedClient {
    /// The claimed `client_id`.
    pub id: String,
    /// The secret, if one was presented.
    pub secret: Option<Secret>,
    /// The assertion, if one was presented; nothing of it is verified.
    pub assertion: Option<UnverifiedJwt>,
    /// Whether it came in the `Authorization` header, so that a refusal must be 401 (RFC 6749 §5.2).
    pub by_header: bool,
}

/// Why the client of a request cannot even be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub enum PresentedClientError {
    /// RFC 6749 §2.3.
    TwoMethods,
    /// The header is not Basic, or not decodable.
    MalformedHeader,
    /// Neither header nor `client_id`.
    Missing,
    /// `client_assertion` or `client_assertion_type` is not what RFC 7523 says.
    MalformedAssertion,
    /// A parameter appears twice.
    Repeated(#[from] Repeated),
}

impl PresentedClientError {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        match self {
            PresentedClientError::TwoMethods => Cited::new(
                "more than one client authentication method in one request",
                "RFC 6749 §2.3",
            ),
            PresentedClientError::MalformedHeader => Cited::new(
                "the Authorization header is not HTTP Basic with form-encoded client_id and secret",
                "RFC 6749 §2.3.1",
            ),
            PresentedClientError::MalformedAssertion => Cited::new(
                "the client assertion is not a signed JWT, or client_assertion_type is not jwt-bearer",
                "RFC 7523 §2.2",
            ),
            PresentedClientError::Missing => Cited::new("client_id is missing", "RFC 6749 §3.2.1"),
            PresentedClientError::Repeated(repeated) => repeated.cited(),
        }
    }
}

impl PresentedClient {
    /// Reads the client from the `Authorization` header or the body (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// [`PresentedClientError`].
    pub fn parse(params: &Params, authorization: Option<&str>) -> Result<Self, PresentedClientError> {
        let body_id = params.single("client_id")?;
        let body_secret = params.single("client_secret")?;
        let assertion = presented_assertion(params)?;
        if assertion.is_some() && (body_secret.is_some() || authorization.is_some()) {
            return Err(PresentedClientError::TwoMethods);
        }
        let Some(header) = authorization else {
            // client_id is not required beside an assertion, whose subject it is (RFC 7521 §4.2).
            let subject = assertion.as_ref().and_then(|jwt| jwt.claims.get("sub")?.as_str());
            return Ok(PresentedClient {
                id: body_id.or(subject).ok_or(PresentedClientError::Missing)?.to_owned(),
                secret: body_secret.map(Secret::from),
                assertion,
                by_header: false,
            });
        };
        if body_secret.is_some() {
            return Err(PresentedClientError::TwoMethods);
        }
        let (id, secret) = client_secret_basic::credentials(header).ok_or(PresentedClientError::MalformedHeader)?;
        if body_id.is_some_and(|body_id| body_id != id) {
            return Err(PresentedClientError::TwoMethods);
        }
        Ok(PresentedClient {
            id,
            secret: Some(secret),
            assertion: None,
            by_header: true,
        })
    }
}

fn presented_assertion(params: &Params) -> Result<Option<UnverifiedJwt>, PresentedClientError> {
    let assertion = params.single("client_assertion")?;
    let assertion_type = params.single("client_assertion_type")?;
    match (assertion, assertion_type) {
        (None, None) => Ok(None),
        (Some(text), Some(JWT_BEARER)) => match UnverifiedJwt::decode(text) {
            Ok(jwt) => Ok(Some(jwt)),
            Err(_) => Err(PresentedClientError::MalformedAssertion),
        },
        _ => Err(PresentedClientError::MalformedAssertion),
    }
}
