//! A `client_id` that is the URL of a client-ID metadata document
//! (draft-ietf-oauth-client-id-metadata-document §3), and whose documents are
//! fetched at all.

use crate::protocol::endpoint::{Endpoint, HttpPolicy, is_loopback};
use std::str::FromStr;
use url::Url;

/// A longer `client_id` is none.
const MAX_URL_CHARS: usize = 2048;

/// Which client-ID documents are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientIdDocuments {
    /// Those at public addresses.
    Public,
    /// Those at public addresses and on this machine: on these ports, or on any where there is none.
    Loopback(Vec<u16>),
    Off,
}

/// A text that names no such choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write on, off, loopback, or loopback:PORT with one port or more, separated by commas")]
pub struct UnknownClientIdDocuments;

impl FromStr for ClientIdDocuments {
    type Err = UnknownClientIdDocuments;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(ClientIdDocuments::Public),
            "off" => Ok(ClientIdDocuments::Off),
            "loopback" => Ok(ClientIdDocuments::Loopback(Vec::new())),
            other => {
                let ports = other.strip_prefix("loopback:").ok_or(UnknownClientIdDocuments)?;
                let ports = ports.split(',').map(str::parse::<u16>).collect::<Result<_, _>>();
                ports
                    .map(ClientIdDocuments::Loopback)
                    .map_err(|_| UnknownClientIdDocuments)
            }
        }
    }
}

/// The URL of a client-ID metadata document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentUrl {
    text: String,
    url: Url,
}

impl DocumentUrl {
    /// The document that a `client_id` names; `None` where it names none, or
    /// one that is not fetched.
    pub(crate) fn parse(client_id: &str, documents: &ClientIdDocuments) -> Option<Self> {
        if *documents == ClientIdDocuments::Off || client_id.len() > MAX_URL_CHARS {
            return None;
        }
        // Neither userinfo nor a fragment nor dot segments, which is what the draft asks for as well
        let url = Endpoint::parse(client_id, HttpPolicy::LoopbackOnly).ok()?.url().clone();
        if url.path() == "/" && !client_id.ends_with('/') {
            return None;
        }
        let is_allowed = match documents {
            ClientIdDocuments::Off => false,
            ClientIdDocuments::Public => !is_loopback(&url),
            ClientIdDocuments::Loopback(ports) => {
                let port = url.port_or_known_default();
                !is_loopback(&url) || ports.is_empty() || ports.iter().any(|own| Some(*own) == port)
            }
        };
        is_allowed.then(|| DocumentUrl {
            text: client_id.to_owned(),
            url,
        })
    }

    /// As it was written: it is compared so.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where to fetch the document.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_document(client_id: &str, documents: &ClientIdDocuments) -> bool {
        DocumentUrl::parse(client_id, documents).is_some()
    }

    #[test]
    fn a_client_id_document_is_at_an_exact_url_with_a_path() {
        for good in [
            "https://app.example/client.json",
            "https://app.example/",
            "https://app.example:8443/a/b?v=1",
        ] {
            assert!(is_document(good, &ClientIdDocuments::Public), "{good}");
        }
        for bad in [
            "https://app.example",
            "http://app.example/client.json",
            "https://user@app.example/client.json",
            "https://app.example/client.json#x",
            "https://app.example/a/../client.json",
            "https://app.example/a/%2e%2e/client.json",
            "https:/app.example/client.json",
            "file:///etc/passwd",
            "oauth-cli",
            "http://127.0.0.1:5000/client.json",
            "https://localhost/client.json",
            &format!("https://app.example/{}", "x".repeat(MAX_URL_CHARS)),
        ] {
            assert!(!is_document(bad, &ClientIdDocuments::Public), "{bad}");
        }
        assert!(!is_document("https://app.example/client.json", &ClientIdDocuments::Off));
    }

    #[test]
    fn documents_on_this_machine_are_fetched_from_the_named_ports_alone() {
        let any: ClientIdDocuments = "loopback".parse().unwrap();
        let one: ClientIdDocuments = "loopback:5000,5002".parse().unwrap();
        for bad in ["", "yes", "loopback:", "loopback:x", "loopback:70000"] {
            assert!(bad.parse::<ClientIdDocuments>().is_err(), "{bad}");
        }
        for (client_id, by_any, by_one) in [
            ("http://127.0.0.1:5000/client.json", true, true),
            ("http://localhost:5000/client.json", true, true),
            ("http://127.0.0.1:5001/client.json", true, false),
            ("https://app.example/client.json", true, true),
            ("http://10.0.0.7:5000/client.json", false, false),
        ] {
            assert_eq!(is_document(client_id, &any), by_any, "{client_id}");
            assert_eq!(is_document(client_id, &one), by_one, "{client_id}");
        }
    }
}
