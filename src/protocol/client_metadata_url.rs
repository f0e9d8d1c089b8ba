//! A client's name that is the URL of its metadata document (OAuth Client ID
//! Metadata Document, draft-ietf-oauth-client-id-metadata-document §3).

use super::client::ClientId;
use super::endpoint::{Endpoint, EndpointError, HttpPolicy, is_loopback};
use std::fmt;
use url::Url;

/// An https URL with a path, kept as it was written: it is compared so. For
/// this machine, http is a URL too: development servers take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMetadataUrl {
    id: ClientId,
    url: Url,
}

/// Text that cannot be the URL of a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClientMetadataUrl {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the URL of a client-ID metadata document has a path, such as /client.json")]
    NoPath,
}

impl ClientMetadataUrl {
    /// Takes a URL.
    ///
    /// # Errors
    /// [`InvalidClientMetadataUrl`].
    pub fn parse(text: &str) -> Result<Self, InvalidClientMetadataUrl> {
        let endpoint = Endpoint::parse(text, HttpPolicy::LoopbackOnly)?;
        let url = endpoint.url().clone();
        if url.path() == "/" {
            return Err(InvalidClientMetadataUrl::NoPath);
        }
        let id = ClientId::parse(text).map_err(|_| EndpointError::NotAUrl)?;
        Ok(ClientMetadataUrl { id, url })
    }

    /// Whether a client's name is such a URL, so that it is the same client at
    /// every server.
    pub fn is_one(id: &ClientId) -> bool {
        ClientMetadataUrl::parse(id.as_str()).is_ok()
    }

    /// The same as a client's name.
    pub fn client_id(&self) -> &ClientId {
        &self.id
    }

    /// The same as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether the document is on this machine.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }
}

impl fmt::Display for ClientMetadataUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_by_an_https_url_with_a_path() {
        for good in [
            "https://app.example/client.json",
            "https://app.example/a?b=c",
            "http://127.0.0.1:8080/client.json",
        ] {
            assert_eq!(ClientMetadataUrl::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "desktop",
            "https://app.example",
            "https://app.example/",
            "http://app.example/client.json",
            "https://app.example/client.json#x",
            "https://user@app.example/client.json",
            "https://app.example/a/../client.json",
        ] {
            assert!(ClientMetadataUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
