//! Clients whose `client_id` is the URL of their metadata
//! (draft-ietf-oauth-client-id-metadata-document). Nothing is fetched here:
//! the shell fetches what [`Documents::wanted`] names, and hands it in.

use super::document_url::{ClientIdDocuments, DocumentUrl};
use super::registration_request::RegistrationRequest;
use crate::protocol::client::ClientId;
use crate::protocol::client_metadata_document::{MAX_DOCUMENT_BYTES, is_json};
use crate::protocol::time::UnixSeconds;
use crate::server::settings::clients::RegisteredClient;
use crate::server::violations::client_id_document;
use crate::server::violations::set::Violations;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Documents that are kept, at most; then the oldest goes.
const MAX_DOCUMENTS: usize = 500;
/// How long a document counts.
const FRESH_S: i64 = 300;
/// How long a failure is kept: short, so that a corrected document is soon used.
const FAILURE_FRESH_S: i64 = 5;

/// What came for a document.
#[derive(Debug)]
pub struct FetchedDocument {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// A document that was fetched, or why there is none.
#[derive(Debug)]
struct KeptDocument {
    fetched_at: UnixSeconds,
    client: Result<Arc<RegisteredClient>, String>,
}

impl KeptDocument {
    fn is_fresh(&self, now: UnixSeconds, other_s: Option<i64>) -> bool {
        let fresh_s = match self.client {
            Ok(_) => FRESH_S,
            Err(_) => FAILURE_FRESH_S,
        };
        now.seconds_since(self.fetched_at) < other_s.unwrap_or(fresh_s)
    }
}

/// All that were fetched of late, by URL.
#[derive(Debug)]
pub(crate) struct Documents {
    allowed: ClientIdDocuments,
    kept: Mutex<HashMap<String, KeptDocument>>,
}

impl Documents {
    pub(crate) fn new(allowed: ClientIdDocuments) -> Self {
        Documents {
            allowed,
            kept: Mutex::default(),
        }
    }

    /// The document of this client, where it must be fetched first. `fresh_s`
    /// is how long one counts, where that is not the usual time.
    pub(crate) fn wanted(&self, now: UnixSeconds, client_id: &str, fresh_s: Option<i64>) -> Option<DocumentUrl> {
        let url = DocumentUrl::parse(client_id, &self.allowed)?;
        let kept = self.lock();
        let is_fresh = kept
            .get(client_id)
            .is_some_and(|document| document.is_fresh(now, fresh_s));
        (!is_fresh).then_some(url)
    }

    /// Keeps what came for a document, or why nothing came.
    pub(crate) fn keep(
        &self,
        now: UnixSeconds,
        url: &DocumentUrl,
        fetched: Result<FetchedDocument, String>,
        violations: &Violations,
    ) {
        let read = |mut fetched: FetchedDocument| {
            fetched.status = client_id_document::status(violations, fetched.status);
            if let Some(body) = client_id_document::rewrite(violations, &fetched.body, url.as_str()) {
                fetched.body = body;
            }
            match client_id_document::are_accepted(violations) {
                true => read(url, &fetched),
                false => Err("no document is good enough (--break)".to_owned()),
            }
        };
        let client = fetched.and_then(read).map(Arc::new);
        let mut kept = self.lock();
        if kept.len() >= MAX_DOCUMENTS && !kept.contains_key(url.as_str()) {
            let oldest = kept.iter().min_by_key(|(_, document)| document.fetched_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                kept.remove(&oldest);
            }
        }
        let document = KeptDocument {
            fetched_at: now,
            client,
        };
        kept.insert(url.as_str().to_owned(), document);
    }

    /// The client with this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.lock().get(id)?.client.as_ref().ok().cloned()
    }

    /// Whether the client with this id is known by a document.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// Why the document of this client cannot be used, if that is so.
    pub(super) fn problem(&self, id: &str) -> Option<String> {
        self.lock().get(id)?.client.as_ref().err().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, KeptDocument>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client that a document describes (§4, §6).
fn read(url: &DocumentUrl, fetched: &FetchedDocument) -> Result<RegisteredClient, String> {
    if fetched.status != 200 {
        return Err(format!("the answer is status {}, not 200", fetched.status));
    }
    if !is_json(&media_type(&fetched.content_type)) {
        return Err(format!(
            "its Content-Type is \"{}\", not application/json",
            fetched.content_type
        ));
    }
    if fetched.body.len() > MAX_DOCUMENT_BYTES {
        return Err("it is longer than 5 KiB".to_owned());
    }
    let request =
        RegistrationRequest::parse_document(&fetched.body, url.as_str()).map_err(|error| error.to_string())?;
    let id = ClientId::parse(url.as_str()).map_err(|error| error.to_string())?;
    Ok(request.register(id, None).0)
}

/// A `Content-Type` in lower case, without parameters.
fn media_type(content_type: &str) -> String {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}
