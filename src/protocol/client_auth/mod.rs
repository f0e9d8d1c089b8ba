//! How a client authenticates at the token endpoint and those like it
//! (RFC 6749 §2.3): one file and one variant a method.

pub mod assertion;
mod client_secret_basic;
mod client_secret_jwt;
mod client_secret_post;
pub mod credentials;
mod none;
pub mod presented;
mod private_key_jwt;
mod self_signed_tls_client_auth;
#[cfg(test)]
pub(super) mod tests;
mod tls_client_auth;

pub use client_secret_jwt::ClientSecretJwt;
pub use private_key_jwt::PrivateKeyJwt;

use super::client_id::ClientId;
use super::http::HttpRequest;
use super::random::{Randomness, RandomnessFailed};
use super::signing::SigningError;
use super::time::UnixSeconds;
use super::tls_identity::TlsIdentity;
use crate::foreign_text::Quoted;
use crate::secret::Secret;
use credentials::AssertionParameters;
use serde::Serialize;
use std::str::FromStr;
use std::sync::Arc;

/// The names of client authentication methods (RFC 7591 §2) that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthenticationMethod {
    /// A public client: `client_id` in the body, no secret.
    None,
    /// HTTP Basic with form-encoded id and secret (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// Id and secret in the body (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// A JWT signed with the secret (RFC 7523 §2.2).
    ClientSecretJwt,
    /// A JWT signed with a private key (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// A certificate of an authority (RFC 8705 §2.1).
    TlsClientAuth,
    /// A certificate that the server knows by itself (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthenticationMethod {
    /// All methods, for messages and for metadata.
    pub const ALL: [ClientAuthenticationMethod; 7] = [
        ClientAuthenticationMethod::None,
        ClientAuthenticationMethod::ClientSecretBasic,
        ClientAuthenticationMethod::ClientSecretPost,
        ClientAuthenticationMethod::ClientSecretJwt,
        ClientAuthenticationMethod::PrivateKeyJwt,
        ClientAuthenticationMethod::TlsClientAuth,
        ClientAuthenticationMethod::SelfSignedTlsClientAuth,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientAuthenticationMethod::None => none::NAME,
            ClientAuthenticationMethod::ClientSecretBasic => client_secret_basic::NAME,
            ClientAuthenticationMethod::ClientSecretPost => client_secret_post::NAME,
            ClientAuthenticationMethod::ClientSecretJwt => client_secret_jwt::NAME,
            ClientAuthenticationMethod::PrivateKeyJwt => private_key_jwt::NAME,
            ClientAuthenticationMethod::TlsClientAuth => tls_client_auth::NAME,
            ClientAuthenticationMethod::SelfSignedTlsClientAuth => self_signed_tls_client_auth::NAME,
        }
    }

    /// Whether the request has a secret at most, and nothing that was made for it.
    pub fn sends_no_proof_but_a_secret(self) -> bool {
        matches!(
            self,
            ClientAuthenticationMethod::None
                | ClientAuthenticationMethod::ClientSecretBasic
                | ClientAuthenticationMethod::ClientSecretPost
        )
    }

    /// Whether the client shows a certificate in TLS.
    pub fn takes_certificate(self) -> bool {
        matches!(
            self,
            ClientAuthenticationMethod::TlsClientAuth | ClientAuthenticationMethod::SelfSignedTlsClientAuth
        )
    }

    /// Whether a shared secret is the credential.
    pub fn takes_secret(self) -> bool {
        matches!(
            self,
            ClientAuthenticationMethod::ClientSecretBasic
                | ClientAuthenticationMethod::ClientSecretPost
                | ClientAuthenticationMethod::ClientSecretJwt
        )
    }
}

/// A client authentication method that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown client authentication method {} (expected: {})", Quoted::name(.0), ClientAuthenticationMethod::ALL.map(ClientAuthenticationMethod::as_str).join(", "))]
pub struct UnknownClientAuthenticationMethod(pub String);

impl FromStr for ClientAuthenticationMethod {
    type Err = UnknownClientAuthenticationMethod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ClientAuthenticationMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| UnknownClientAuthenticationMethod(text.to_owned()))
    }
}

/// How the client proves who it is; one method a request (RFC 6749 §2.3).
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// It does not: a public client.
    None,
    ClientSecretBasic(Secret),
    /// By parameters in the body.
    ClientSecretPost(Secret),
    ClientSecretJwt(ClientSecretJwt),
    PrivateKeyJwt(PrivateKeyJwt),
    /// By an assertion that was made elsewhere, for this request (RFC 7521 §4.2).
    Assertion(Secret),
    TlsClientAuth(Arc<TlsIdentity>),
    SelfSignedTlsClientAuth(Arc<TlsIdentity>),
}

/// Why the client cannot prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthenticationError {
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// What a proof is made with, beside the client's credential.
pub struct AuthenticationContext<'a> {
    pub now: UnixSeconds,
    /// For an identifier that no other proof has.
    pub randomness: &'a mut dyn Randomness,
}

impl ClientAuthentication {
    /// The method's name.
    pub fn method(&self) -> ClientAuthenticationMethod {
        match self {
            ClientAuthentication::None => ClientAuthenticationMethod::None,
            ClientAuthentication::ClientSecretBasic(_) => ClientAuthenticationMethod::ClientSecretBasic,
            ClientAuthentication::ClientSecretPost(_) => ClientAuthenticationMethod::ClientSecretPost,
            ClientAuthentication::ClientSecretJwt(_) => ClientAuthenticationMethod::ClientSecretJwt,
            ClientAuthentication::PrivateKeyJwt(_) | ClientAuthentication::Assertion(_) => {
                ClientAuthenticationMethod::PrivateKeyJwt
            }
            ClientAuthentication::TlsClientAuth(_) => ClientAuthenticationMethod::TlsClientAuth,
            ClientAuthentication::SelfSignedTlsClientAuth(_) => ClientAuthenticationMethod::SelfSignedTlsClientAuth,
        }
    }

    /// What the client shows of itself in TLS, where that is its proof.
    pub fn tls_identity(&self) -> Option<&Arc<TlsIdentity>> {
        match self {
            ClientAuthentication::TlsClientAuth(identity) | ClientAuthentication::SelfSignedTlsClientAuth(identity) => {
                Some(identity)
            }
            _ => None,
        }
    }

    /// The client secret, where the method has one.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            ClientAuthentication::ClientSecretBasic(secret) | ClientAuthentication::ClientSecretPost(secret) => {
                Some(secret)
            }
            ClientAuthentication::ClientSecretJwt(ClientSecretJwt { secret, .. }) => Some(secret),
            _ => None,
        }
    }

    /// An assertion with these claims instead of its own; `None` where the
    /// method has none.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn sign_assertion(&self, claims: &impl Serialize) -> Option<Result<Secret, SigningError>> {
        match self {
            ClientAuthentication::ClientSecretJwt(signer) => Some(signer.sign(claims)),
            ClientAuthentication::PrivateKeyJwt(signer) => Some(signer.sign(claims)),
            _ => None,
        }
    }

    /// How its assertions are made, where it is a method with them.
    pub fn assertion_parameters(&self) -> Option<AssertionParameters> {
        let (audience, algorithm) = match self {
            ClientAuthentication::ClientSecretJwt(signer) => (&signer.audience, signer.algorithm.as_str()),
            ClientAuthentication::PrivateKeyJwt(signer) => (&signer.audience, signer.algorithm.as_str()),
            _ => return None,
        };
        Some(AssertionParameters {
            audience: audience.clone(),
            algorithm: Some(algorithm.to_owned()),
        })
    }

    /// Adds the client's identity and proof to the form of a request, or to its headers.
    ///
    /// # Errors
    /// [`ClientAuthenticationError`] by methods that draw an identifier or sign.
    pub fn apply(
        &self,
        id: &ClientId,
        request: &mut HttpRequest,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<(), ClientAuthenticationError> {
        let mut form = request.take_form();
        let params = &mut form;
        match self {
            ClientAuthentication::None => none::apply(id, params),
            ClientAuthentication::ClientSecretBasic(secret) => {
                let header = client_secret_basic::header(id, secret);
                request.push_header("authorization", header);
            }
            ClientAuthentication::ClientSecretPost(secret) => client_secret_post::apply(id, secret, params),
            ClientAuthentication::ClientSecretJwt(signer) => signer.apply(id, params, context)?,
            ClientAuthentication::PrivateKeyJwt(signer) => signer.apply(id, params, context)?,
            ClientAuthentication::Assertion(made) => assertion::push(id, made, params),
            // The connection has the proof.
            ClientAuthentication::TlsClientAuth(_) | ClientAuthentication::SelfSignedTlsClientAuth(_) => {
                tls_client_auth::apply(id, params);
            }
        }
        request.set_form(form);
        Ok(())
    }
}
