//! The clients that the server knows: those of its settings, and those that
//! registered themselves, and those whose id is where their metadata is.

pub mod document_url;
pub mod documents;
pub(crate) mod registration_request;
pub(crate) mod registrations;

use super::settings::clients::RegisteredClient;
use document_url::ClientIdDocuments;
use documents::Documents;
use registrations::Registrations;
use std::sync::Arc;

/// All of them.
#[derive(Debug)]
pub(crate) struct Clients {
    configured: Vec<Arc<RegisteredClient>>,
    pub(crate) registrations: Registrations,
    pub(crate) documents: Documents,
}

impl Clients {
    pub(crate) fn new(configured: Vec<RegisteredClient>, documents: ClientIdDocuments) -> Self {
        Clients {
            configured: configured.into_iter().map(Arc::new).collect(),
            registrations: Registrations::default(),
            documents: Documents::new(documents),
        }
    }

    /// The first one of the settings.
    pub(crate) fn first(&self) -> Option<&RegisteredClient> {
        self.configured.first().map(Arc::as_ref)
    }

    /// The client with this id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        let configured = self.configured.iter().find(|client| client.id.as_str() == id);
        configured
            .cloned()
            .or_else(|| self.registrations.find(id))
            .or_else(|| self.documents.find(id))
    }

    /// Why there is no client with this id.
    pub(crate) fn problem(&self, id: &str) -> String {
        match self.documents.problem(id) {
            Some(problem) => format!("the client-ID metadata document cannot be used: {problem}"),
            None => "client_id is not registered here".to_owned(),
        }
    }
}
