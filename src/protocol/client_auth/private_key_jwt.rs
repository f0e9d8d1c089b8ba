//! `private_key_jwt`: an assertion signed with a private key whose public half
//! the server knows (OpenID Connect Core §9, RFC 7523 §2.2).

use super::{AuthenticationContext, ClientAuthenticationError, assertion};
use crate::protocol::certificate::CertificateThumbprints;
use crate::protocol::client_id::ClientId;
use crate::protocol::params::Params;
use crate::protocol::signing::{JwsHeader, JwtType, SigningAlgorithm, SigningError, SigningKey};
use crate::secret::Secret;
use serde::Serialize;

pub(super) const NAME: &str = "private_key_jwt";

/// A key that signs.
#[derive(Debug, Clone)]
pub struct PrivateKeyJwt {
    pub key: SigningKey,
    pub algorithm: SigningAlgorithm,
    /// `aud` of the assertions.
    pub audience: String,
    /// The certificate by which the server knows the key, where it does.
    pub certificate: Option<CertificateThumbprints>,
}

impl PrivateKeyJwt {
    pub(super) fn apply(
        &self,
        id: &ClientId,
        params: &mut Params,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<(), ClientAuthenticationError> {
        assertion::apply(id, &self.audience, params, context, |claims| self.sign(claims))
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<Secret, SigningError> {
        let header = JwsHeader {
            typ: JwtType::ClientAuthentication,
            alg: self.algorithm,
            kid: Some(&self.key.key_id()),
            jwk: None,
            certificate: self.certificate.as_ref(),
        };
        self.key.sign_jwt(&header.encode()?, claims)
    }
}
