//! A registered client: its name at the server and how it authenticates.

pub use super::client_auth::presented::{PresentedClient, PresentedClientError};
pub use super::client_auth::credentials::{AssertionParameters, ClientCredentials, MissingCredential};
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
}

impl Client {
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
