//! The client of a request as a server reads it (RFC 6749 §2.3.1).

use super::client_secret_basic;
use crate::protocol::params::{Params, Repeated};
use crate::secret::Secret;

/// What a request says about the client that sends it, before anybody has checked it.
#[derive(Debug, Clone)]
pub struct PresentedClient {
    /// The claimed `client_id`.
    pub id: String,
    /// The secret, if one was presented.
    pub secret: Option<Secret>,
    /// Whether it came in the `Authorization` header, so that a refusal must be 401 (RFC 6749 §5.2).
    pub by_header: bool,
}

/// Why the client of a request cannot even be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresentedClientError {
    /// RFC 6749 §2.3.
    #[error("more than one client authentication method in one request (RFC 6749 §2.3)")]
    TwoMethods,
    /// The header is not Basic, or not decodable.
    #[error("the Authorization header is not HTTP Basic with form-encoded client_id and secret (RFC 6749 §2.3.1)")]
    MalformedHeader,
    /// Neither header nor `client_id`.
    #[error("client_id is missing (RFC 6749 §3.2.1)")]
    Missing,
    /// A parameter stands twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
}

impl PresentedClient {
    /// Reads the client from the `Authorization` header or the body (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// [`PresentedClientError`].
    pub fn parse(params: &Params, authorization: Option<&str>) -> Result<Self, PresentedClientError> {
        let body_id = params.single("client_id")?;
        let body_secret = params.single("client_secret")?;
        let Some(header) = authorization else {
            return Ok(PresentedClient {
                id: body_id.ok_or(PresentedClientError::Missing)?.to_owned(),
                secret: body_secret.map(Secret::from),
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
            by_header: true,
        })
    }
}
