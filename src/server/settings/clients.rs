//! The registered clients.

use super::invalid::InvalidSetting;
use crate::protocol::client::{ClientId, PresentedClient};
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;
use crate::server::rejection::Rejection;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The client that is registered where none is given.
pub const DEFAULT_CLIENT_ID: &str = "oauth-cli";

/// Where the default client is called back; any port will do (RFC 8252 §7.3).
pub const DEFAULT_REDIRECT_URIS: [&str; 2] = ["http://127.0.0.1/callback", "http://[::1]/callback"];

/// A client that the server knows.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    pub id: ClientId,
    /// `None` makes it public (RFC 6749 §2.1).
    pub secret: Option<Secret>,
    /// Where it may be called back; never empty.
    pub redirect_uris: Vec<RedirectUri>,
}

impl RegisteredClient {
    /// Registers a client. Without redirect URIs it gets [`DEFAULT_REDIRECT_URIS`].
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn new(id: &str, secret: Option<Secret>, redirect_uris: &[String]) -> Result<Self, InvalidSetting> {
        let texts: Vec<&str> = match redirect_uris {
            [] => DEFAULT_REDIRECT_URIS.to_vec(),
            given => given.iter().map(String::as_str).collect(),
        };
        Ok(RegisteredClient {
            id: ClientId::parse(id)?,
            secret,
            redirect_uris: texts.into_iter().map(RedirectUri::parse).collect::<Result<_, _>>()?,
        })
    }
}

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Clients(Vec<RegisteredClient>);

impl Clients {
    pub(crate) fn new(clients: Vec<RegisteredClient>) -> Self {
        Clients(clients)
    }

    /// The first one.
    pub(crate) fn first(&self) -> Option<&RegisteredClient> {
        self.0.first()
    }

    /// The registered client with this id.
    pub(crate) fn find(&self, id: &str) -> Option<&RegisteredClient> {
        self.0.iter().find(|client| client.id.as_str() == id)
    }

    /// The client that a request comes from, when its proof holds (RFC 6749
    /// §2.3, §3.2.1). An unknown client and a wrong secret look the same.
    pub(crate) fn authenticate(&self, presented: &PresentedClient) -> Result<&RegisteredClient, Rejection> {
        let registered = self.find(&presented.id);
        let own_secret = registered.and_then(|client| client.secret.as_ref());
        let holds = match &presented.secret {
            // Compared even where there is nothing to compare with, so that it takes as long.
            Some(secret) => secrets_match(own_secret.unwrap_or(secret), secret) && own_secret.is_some(),
            None => own_secret.is_none(),
        };
        let rejection = || Rejection::new("the client is unknown, or its authentication failed", "RFC 6749 §5.2");
        registered.filter(|_| holds).ok_or_else(rejection)
    }
}

/// Compares in constant time. Hashed first, so that not even the length shows in the time.
pub(super) fn secrets_match(own: &Secret, presented: &Secret) -> bool {
    let hash = |secret: &Secret| Sha256::digest(secret.expose().as_bytes());
    hash(own).ct_eq(&hash(presented)).into()
}
