//! A registered client: its name at the server and how it authenticates.

pub use super::client_auth::presented::{PresentedClient, PresentedClientError};
pub use super::client_auth::{
    AuthenticationContext, ClientAuthentication, ClientAuthenticationMethod, MissingCredential,
    UnknownClientAuthenticationMethod,
};
pub use super::client_id::{ClientId, InvalidClientId};

use super::http::HeaderValue;
use super::params::Params;
use super::random::RandomnessFailed;

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name at the server.
    pub id: ClientId,
    pub authentication: ClientAuthentication,
}

impl Client {
    /// Adds the client's identity and proof to a request: to the body, or as
    /// the `Authorization` header that is returned.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub fn authenticate(
        &self,
        params: &mut Params,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<Option<HeaderValue>, RandomnessFailed> {
        self.authentication.apply(&self.id, params, context)
    }

    /// Whether it has credentials, so that its name alone proves nothing (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.authentication.method() != ClientAuthenticationMethod::None
    }
}
