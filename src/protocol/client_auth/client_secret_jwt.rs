//! `client_secret_jwt`: an assertion signed with the client secret, which
//! itself is not sent (OpenID Connect Core §9, RFC 7523 §2.2).

use super::{AuthenticationContext, ClientAuthenticationError, assertion};
use crate::protocol::client_id::ClientId;
use crate::protocol::params::Params;
use crate::protocol::signing::{HmacAlgorithm, JwtType, SigningError, sign_with_secret};
use crate::secret::Secret;
use serde::Serialize;

pub(super) const NAME: &str = "client_secret_jwt";

/// A secret that signs.
#[derive(Debug, Clone)]
pub struct ClientSecretJwt {
    pub secret: Secret,
    pub algorithm: HmacAlgorithm,
    /// `aud` of the assertions.
    pub audience: String,
}

impl ClientSecretJwt {
    pub(super) fn apply(
        &self,
        id: &ClientId,
        params: &mut Params,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<(), ClientAuthenticationError> {
        assertion::apply(id, &self.audience, params, context, |claims| self.sign(claims))
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<Secret, SigningError> {
        sign_with_secret(&self.secret, JwtType::ClientAuthentication, self.algorithm, claims)
    }
}
