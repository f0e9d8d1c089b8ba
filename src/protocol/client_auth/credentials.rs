//! What a client can prove itself with, before the method is chosen.

use super::{ClientAuthentication, ClientAuthenticationMethod, ClientSecretJwt, PrivateKeyJwt};
use crate::protocol::certificate::CertificateChain;
use crate::protocol::signing::{HmacAlgorithm, SigningAlgorithm, SigningKey};
use crate::protocol::tls_identity::{CertifiedKeyFiles, TlsIdentity};
use crate::secret::Secret;
use std::sync::Arc;

/// All credentials of a client, as settings and records keep them.
#[derive(Debug, Clone, Default)]
pub struct ClientCredentials {
    pub secret: Option<Secret>,
    pub key: Option<SigningKey>,
    /// The certificate of the key.
    pub certificate: Option<CertificateChain>,
    /// Where certificate and key were read from.
    pub certified_key_files: Option<CertifiedKeyFiles>,
    /// An assertion that someone else made for the client (RFC 7523 §2.2).
    pub assertion: Option<Secret>,
}

/// How the assertions of a client are made for one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssertionParameters {
    /// `aud`.
    pub audience: String,
    /// `alg` of the key or of the secret; the usual one where it does not fit.
    pub algorithm: Option<String>,
}

/// The method takes a credential that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("client authentication with {} needs a {}", .method.as_str(), .credential)]
pub struct MissingCredential {
    pub method: ClientAuthenticationMethod,
    /// `client secret`, `client key`, `client certificate`.
    pub credential: &'static str,
}

impl ClientCredentials {
    /// The methods that these credentials allow, in the order in which they
    /// are chosen. A key may be there for request objects alone (RFC 9101), so
    /// a secret comes first.
    pub fn methods(&self) -> &'static [ClientAuthenticationMethod] {
        if self.assertion.is_some() {
            return &[ClientAuthenticationMethod::PrivateKeyJwt];
        }
        match (&self.secret, &self.key, &self.certificate) {
            (Some(_), ..) => &[
                ClientAuthenticationMethod::ClientSecretBasic,
                ClientAuthenticationMethod::ClientSecretPost,
                ClientAuthenticationMethod::ClientSecretJwt,
            ],
            (None, Some(_), Some(_)) => &[
                ClientAuthenticationMethod::PrivateKeyJwt,
                ClientAuthenticationMethod::TlsClientAuth,
                ClientAuthenticationMethod::SelfSignedTlsClientAuth,
            ],
            (None, Some(_), None) => &[ClientAuthenticationMethod::PrivateKeyJwt],
            (None, None, _) => &[ClientAuthenticationMethod::None],
        }
    }

    /// Whether there is anything to authenticate with.
    pub fn prove_something(&self) -> bool {
        self.secret.is_some() || self.key.is_some() || self.assertion.is_some()
    }

    /// What the method takes and is not there: `client secret`, `client key`.
    pub fn missing_for(&self, method: ClientAuthenticationMethod) -> Option<&'static str> {
        let missing = self.authentication(method, &AssertionParameters::default()).err()?;
        Some(missing.credential)
    }

    /// The authentication by a method.
    ///
    /// # Errors
    /// [`MissingCredential`].
    pub fn authentication(
        &self,
        method: ClientAuthenticationMethod,
        assertion: &AssertionParameters,
    ) -> Result<ClientAuthentication, MissingCredential> {
        let missing = |credential| MissingCredential { method, credential };
        let secret = || self.secret.clone().ok_or(missing("client secret"));
        Ok(match method {
            ClientAuthenticationMethod::None => ClientAuthentication::None,
            ClientAuthenticationMethod::ClientSecretBasic => ClientAuthentication::ClientSecretBasic(secret()?),
            ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost(secret()?),
            ClientAuthenticationMethod::ClientSecretJwt => ClientAuthentication::ClientSecretJwt(ClientSecretJwt {
                secret: secret()?,
                algorithm: HmacAlgorithm::for_server(assertion.algorithm.as_slice()),
                audience: assertion.audience.clone(),
            }),
            ClientAuthenticationMethod::TlsClientAuth => {
                ClientAuthentication::TlsClientAuth(self.proven_in_tls(method)?)
            }
            ClientAuthenticationMethod::SelfSignedTlsClientAuth => {
                ClientAuthentication::SelfSignedTlsClientAuth(self.proven_in_tls(method)?)
            }
            ClientAuthenticationMethod::PrivateKeyJwt => {
                if let Some(assertion) = &self.assertion {
                    return Ok(ClientAuthentication::Assertion(assertion.clone()));
                }
                let key = self.key.clone().ok_or(missing("client key"))?;
                ClientAuthentication::PrivateKeyJwt(PrivateKeyJwt {
                    algorithm: key.algorithm_for_server(assertion.algorithm.as_slice()),
                    key,
                    audience: assertion.audience.clone(),
                    certificate: self.certificate.as_ref().map(|chain| chain.thumbprints().clone()),
                })
            }
        })
    }

    /// The certificate with its key, where both are there.
    pub fn tls_identity(&self) -> Option<TlsIdentity> {
        Some(TlsIdentity {
            chain: self.certificate.clone()?,
            key: self.key.clone()?,
            files: self.certified_key_files.clone(),
        })
    }

    fn proven_in_tls(&self, method: ClientAuthenticationMethod) -> Result<Arc<TlsIdentity>, MissingCredential> {
        let credential = match self.certificate {
            None => "client certificate",
            Some(_) => "client key",
        };
        let identity = self.tls_identity().ok_or(MissingCredential { method, credential })?;
        Ok(Arc::new(identity))
    }

    /// The `alg` that assertions are signed with by this method, chosen from
    /// what the server lists (RFC 8414 §2); `None` where the method signs nothing.
    pub fn assertion_algorithm(&self, method: ClientAuthenticationMethod, listed: &[String]) -> Option<&'static str> {
        match method {
            ClientAuthenticationMethod::ClientSecretJwt => Some(HmacAlgorithm::for_server(listed).as_str()),
            ClientAuthenticationMethod::PrivateKeyJwt => {
                let key = self.key.as_ref()?;
                Some(SigningAlgorithm::as_str(key.algorithm_for_server(listed)))
            }
            _ => None,
        }
    }
}
