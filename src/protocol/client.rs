//! A registered client: its name at the server and how it authenticates.

pub use super::client_auth::credentials::{AssertionParameters, ClientCredentials, MissingCredential};
pub use super::client_auth::presented::{PresentedClient, PresentedClientError};
pub use super::client_auth::{
    AuthenticationContext, ClientAuthentication, ClientAuthenticationError, ClientAuthenticationMethod,
    UnknownClientAuthenticationMethod,
};
pub use super::client_id::{ClientId, InvalidClientId};

use super::http::HttpRequest;
use super::tls_identity::TlsIdentity;
use std::sync::Arc;

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name at the server.
    pub id: ClientId,
    pub authentication: ClientAuthentication,
    /// Everything that it can prove itself with, the authentication's own
    /// credential among it.
    pub credentials: ClientCredentials,
    /// The certificate that its tokens are bound to, by whatever method it
    /// authenticates (RFC 8705 §3).
    bound_to: Option<Arc<TlsIdentity>>,
}

impl Client {
    /// A client that proves nothing.
    pub fn public(id: ClientId) -> Self {
        Client {
            id,
            authentication: ClientAuthentication::None,
            credentials: ClientCredentials::default(),
            bound_to: None,
        }
    }

    /// A client by a method.
    ///
    /// # Errors
    /// [`MissingCredential`].
    pub fn new(
        id: ClientId,
        method: ClientAuthenticationMethod,
        credentials: ClientCredentials,
        assertion: &AssertionParameters,
    ) -> Result<Self, MissingCredential> {
        Ok(Client {
            id,
            authentication: credentials.authentication(method, assertion)?,
            credentials,
            bound_to: None,
        })
    }

    /// The same client with tokens that are bound to its certificate (RFC 8705
    /// §3), where it has one.
    #[must_use]
    pub fn with_bound_tokens(self) -> Self {
        let bound_to = self.credentials.tls_identity().map(Arc::new);
        Client { bound_to, ..self }
    }

    /// The same client with another authentication, for this request alone.
    /// A certificate that was its proof is not shown any more.
    #[must_use]
    pub fn with_authentication(self, authentication: ClientAuthentication) -> Self {
        let was_proof = self.authentication.tls_identity().is_some();
        Client {
            authentication,
            bound_to: self.bound_to.filter(|_| !was_proof),
            ..self
        }
    }

    /// Adds the client's identity and proof to the form of a request, or to its headers.
    ///
    /// # Errors
    /// [`ClientAuthenticationError`].
    pub fn authenticate(
        &self,
        request: &mut HttpRequest,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<(), ClientAuthenticationError> {
        if let Some(identity) = self.tls_identity() {
            request.tls_identity = Some(Arc::clone(identity));
        }
        self.authentication.apply(&self.id, request, context)
    }

    /// What it shows of itself in TLS: as its proof, or to have its tokens
    /// bound to it (RFC 8705 §2, §3).
    pub fn tls_identity(&self) -> Option<&Arc<TlsIdentity>> {
        self.authentication.tls_identity().or(self.bound_to.as_ref())
    }

    /// Whether its tokens are bound to its certificate.
    pub fn has_bound_tokens(&self) -> bool {
        self.bound_to.is_some()
    }

    /// Whether it has credentials, so that its name alone proves nothing (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.authentication.method() != ClientAuthenticationMethod::None
    }
}
