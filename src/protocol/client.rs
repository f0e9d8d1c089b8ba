//! A registered client: its name at the server and how it authenticates.

pub use super::client_auth::credentials::{AssertionParameters, ClientCredentials, MissingCredential};
pub use super::client_auth::presented::{PresentedClient, PresentedClientError};
pub use super::client_auth::{
    AuthenticationContext, ClientAuthentication, ClientAuthenticationError, ClientAuthenticationMethod,
    UnknownClientAuthenticationMethod,
};
pub use super::client_id::{ClientId, InvalidClientId};

use super::http::HttpRequest;

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name at the server.
    pub id: ClientId,
    pub authentication: ClientAuthentication,
    /// Everything that it can prove itself with, the authentication's own
    /// credential among it.
    pub credentials: ClientCredentials,
}

impl Client {
    /// A client that proves nothing.
    pub fn public(id: ClientId) -> Self {
        Client {
            id,
            authentication: ClientAuthentication::None,
            credentials: ClientCredentials::default(),
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
        })
    }

    /// The same client with another authentication, for this request alone.
    #[must_use]
    pub fn with_authentication(self, authentication: ClientAuthentication) -> Self {
        Client { authentication, ..self }
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
        self.authentication.apply(&self.id, request, context)
    }

    /// Whether it has credentials, so that its name alone proves nothing (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.authentication.method() != ClientAuthenticationMethod::None
    }
}
