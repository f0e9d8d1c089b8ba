//! Fetches client-ID metadata documents: 5 s for each, no redirect, from public
//! addresses alone where a document is not on this machine
//! (draft-ietf-oauth-client-id-metadata-document §6).

use crate::protocol::endpoint::is_loopback;
use crate::protocol::http::HttpRequest;
use crate::server::clients::document_url::DocumentUrl;
use crate::server::clients::documents::FetchedDocument;
use crate::trace::NoopObserver;
use crate::transport::{ProxySettings, Transport, TransportSettings};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// How long a document may take to come.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The way to client-ID documents.
pub(super) struct DocumentFetcher {
    public: Transport,
    loopback: Transport,
    /// One at a time, so that requests that come together fetch a document once.
    turn: Mutex<()>,
}

impl DocumentFetcher {
    /// By these settings, but for their time-out and their proxy: behind a
    /// proxy nothing would tell a private address.
    pub(super) fn new(settings: TransportSettings) -> Self {
        let loopback = TransportSettings {
            http_timeout: FETCH_TIMEOUT,
            deadline: None,
            proxy: ProxySettings::default(),
            allow_http: false,
            ..settings
        };
        let public = TransportSettings {
            public_addresses_only: true,
            ..loopback.clone()
        };
        DocumentFetcher {
            public: Transport::new(public),
            loopback: Transport::new(loopback),
            turn: Mutex::default(),
        }
    }

    /// Waits until no other document is fetched.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// Why nothing came.
    pub(super) async fn fetch(&self, document: &DocumentUrl) -> Result<FetchedDocument, String> {
        let transport = match is_loopback(document.url()) {
            true => &self.loopback,
            false => &self.public,
        };
        let request = HttpRequest::get(document.url().clone());
        let response = transport
            .send(&request, &mut NoopObserver)
            .await
            .map_err(|error| error.to_string())?;
        Ok(FetchedDocument {
            status: response.status,
            content_type: response.header("content-type").unwrap_or_default().to_owned(),
            body: response.body.expose().clone(),
        })
    }
}
