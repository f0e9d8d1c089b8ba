//! Clients that registered themselves (RFC 7591), with the token by which each
//! of them reads and ends its registration (RFC 7592). Anyone can register,
//! so there is room for so many, and none replaces another.

use crate::secret::Secret;
use crate::server::settings::clients::RegisteredClient;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subtle::ConstantTimeEq;

/// Registered clients, at most.
const MAX_REGISTRATIONS: usize = 5_000;

/// A client that registered itself.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) client: Arc<RegisteredClient>,
    /// What was registered, without secrets (RFC 7591 §3.2.1).
    pub(crate) metadata: Map<String, Value>,
    /// Of the registration access token.
    token_hash: [u8; 32],
}

impl Registration {
    /// A registration that this token reads and ends.
    pub(crate) fn new(client: RegisteredClient, metadata: Map<String, Value>, token: &Secret) -> Self {
        Registration {
            client: Arc::new(client),
            metadata,
            token_hash: hash(token),
        }
    }
}

fn hash(token: &Secret) -> [u8; 32] {
    Sha256::digest(token.expose().as_bytes()).into()
}

/// There is no room for another registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_REGISTRATIONS} clients are registered, which is all that this server keeps")]
pub(crate) struct Full;

/// All of them, by client id.
#[derive(Debug, Default)]
pub(crate) struct Registrations(Mutex<HashMap<String, Registration>>);

impl Registrations {
    /// Keeps a registration.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn insert(&self, registration: Registration) -> Result<(), Full> {
        let mut registrations = self.lock();
        if registrations.len() >= MAX_REGISTRATIONS {
            return Err(Full);
        }
        registrations.insert(registration.client.id.to_string(), registration);
        Ok(())
    }

    /// The client with this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.lock().get(id).map(|registration| Arc::clone(&registration.client))
    }

    /// The registration of a client, for who has its token (RFC 7592 §2.1).
    pub(crate) fn read(&self, id: &str, token: &Secret) -> Option<Registration> {
        let registrations = self.lock();
        let registration = registrations.get(id)?;
        let is_own: bool = registration.token_hash.ct_eq(&hash(token)).into();
        is_own.then(|| registration.clone())
    }

    /// Whether any registration has this token.
    pub(crate) fn knows_token(&self, token: &Secret) -> bool {
        let token_hash = hash(token);
        self.lock()
            .values()
            .any(|registration| registration.token_hash.ct_eq(&token_hash).into())
    }

    /// A registration, for any caller: for the rule against that.
    pub(crate) fn read_by_anybody(&self, id: &str) -> Option<Registration> {
        self.lock().get(id).cloned()
    }

    /// Forgets a client.
    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Registration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
