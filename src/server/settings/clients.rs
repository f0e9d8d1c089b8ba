//! The registered clients.

use super::invalid::InvalidSetting;
use crate::protocol::client::{ClientAuthenticationMethod, ClientId};
use crate::protocol::jwks::JwkSet;
use crate::protocol::redirect_uri::{LOOPBACK_REDIRECT_URIS, RedirectUri};
use crate::secret::Secret;
use crate::server::client_name::ClientName;
use crate::server::expected_certificate::ExpectedCertificate;
use crate::server::request_metadata::RequestMetadata;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The client that is registered where none is given.
pub const DEFAULT_CLIENT_ID: &str = "oauth-cli";

/// A client that the server knows.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    pub id: ClientId,
    /// What it is called, where it has a name.
    pub name: Option<ClientName>,
    /// The secret that it shares with the server.
    pub secret: Option<Secret>,
    /// The public keys that verify its assertions.
    pub keys: Option<JwkSet>,
    /// What its metadata says about its authorization requests.
    pub requests: RequestMetadata,
    /// The certificate that it shows in TLS.
    pub certificate: Option<ExpectedCertificate>,
    /// Whether its tokens are bound to the certificate that it shows (RFC 8705 §3.4).
    pub binds_tokens_to_certificate: bool,
    /// The one method that it may use; any that fits the secret where there is none.
    pub method: Option<ClientAuthenticationMethod>,
    /// The one `alg` that its assertions may have.
    pub assertion_algorithm: Option<String>,
    /// Where it may be called back; never empty.
    pub redirect_uris: Vec<RedirectUri>,
    /// The grant types that it may use; all where there is none.
    pub grant_types: Option<Vec<String>>,
}

impl RegisteredClient {
    /// Registers a client. Without redirect URIs it gets [`LOOPBACK_REDIRECT_URIS`].
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn new(id: &str, secret: Option<Secret>, redirect_uris: &[String]) -> Result<Self, InvalidSetting> {
        let texts: Vec<&str> = match redirect_uris {
            [] => LOOPBACK_REDIRECT_URIS.to_vec(),
            given => given.iter().map(String::as_str).collect(),
        };
        Ok(RegisteredClient {
            id: ClientId::parse(id)?,
            name: None,
            secret,
            keys: None,
            requests: RequestMetadata::default(),
            certificate: None,
            binds_tokens_to_certificate: false,
            method: None,
            assertion_algorithm: None,
            redirect_uris: texts.into_iter().map(RedirectUri::parse).collect::<Result<_, _>>()?,
            grant_types: None,
        })
    }
}

impl RegisteredClient {
    /// Whether it can prove who it is (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.secret.is_some() || self.keys.is_some() || self.certificate.is_some()
    }

    /// Whether it must show a certificate, now or for its tokens.
    pub fn needs_tls(&self) -> bool {
        self.certificate.is_some() || self.binds_tokens_to_certificate
    }

    /// Whether it may use this grant type (RFC 7591 §2).
    pub(crate) fn may_use_grant(&self, grant_type: &str) -> bool {
        let registered = self.grant_types.as_ref();
        registered.is_none_or(|types| types.iter().any(|own| own == grant_type))
    }

    /// Whether it may use this method.
    pub(crate) fn may_use(&self, method: ClientAuthenticationMethod) -> bool {
        match self.method {
            Some(registered) => registered == method,
            None => match self.secret {
                Some(_) => method.takes_secret(),
                None => method == ClientAuthenticationMethod::None,
            },
        }
    }
}

/// Compares in constant time. Hashed first, so that not even the length shows in the time.
pub(in crate::server) fn secrets_match(own: &Secret, presented: &Secret) -> bool {
    let hash = |secret: &Secret| Sha256::digest(secret.expose().as_bytes());
    hash(own).ct_eq(&hash(presented)).into()
}
