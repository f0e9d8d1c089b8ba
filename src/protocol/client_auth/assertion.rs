//! What both methods with an assertion share: its claims, and the parameters
//! that carry it (RFC 7521 §4.2, RFC 7523 §2.2, §3).

use super::{AuthenticationContext, ClientAuthenticationError};
use crate::protocol::abnf::random_token;
use crate::protocol::client_id::ClientId;
use crate::protocol::params::Params;
use crate::protocol::random::RandomnessFailed;
use crate::protocol::signing::SigningError;
use crate::secret::Secret;
use serde::Serialize;

/// `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Each request has an assertion of its own, so it need not live longer.
const LIFETIME_S: i64 = 60;

/// RFC 7523 §3.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    /// One string (draft-ietf-oauth-rfc7523bis §4): of a list, another server could use the assertion too.
    aud: &'a str,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

/// A `jti` that no other assertion has.
///
/// # Errors
/// [`RandomnessFailed`].
pub fn unique_id(context: &mut AuthenticationContext<'_>) -> Result<Secret, RandomnessFailed> {
    random_token(context.randomness)
}

impl<'a> Claims<'a> {
    /// What this client says about itself to this audience.
    pub fn new(
        id: &'a ClientId,
        audience: &'a str,
        unique_id: &'a Secret,
        context: &AuthenticationContext<'_>,
    ) -> Self {
        Claims {
            iss: id.as_str(),
            sub: id.as_str(),
            aud: audience,
            jti: unique_id.expose(),
            iat: context.now.0,
            exp: context.now.plus_seconds(LIFETIME_S).0,
        }
    }
}

/// Puts a new assertion into a request, signed by `sign`.
pub(super) fn apply(
    id: &ClientId,
    audience: &str,
    params: &mut Params,
    context: &mut AuthenticationContext<'_>,
    sign: impl FnOnce(&Claims<'_>) -> Result<Secret, SigningError>,
) -> Result<(), ClientAuthenticationError> {
    let unique_id = unique_id(context)?;
    let claims = Claims::new(id, audience, &unique_id, context);
    push(id, &sign(&claims)?, params);
    Ok(())
}

/// Puts an assertion into a request. `client_id` is not required beside it
/// (RFC 7521 §4.2), but some servers look for it before they read the assertion.
pub(super) fn push(id: &ClientId, assertion: &Secret, params: &mut Params) {
    if !id.is_unnamed() {
        params.push("client_id", id.as_str());
    }
    params.push("client_assertion_type", JWT_BEARER);
    params.push_secret("client_assertion", assertion);
}
