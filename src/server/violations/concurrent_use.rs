//! Which codes and refresh tokens several requests bring at the same moment: a
//! server that looks, waits and only then takes a code away gives tokens to
//! all of them (RFC 6749 §4.1.2).

use super::set::Violations;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::server::message::Request;
use crate::server::route::Route;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Hash = [u8; 32];

/// The codes and refresh tokens of the token requests that are being answered.
#[derive(Default)]
pub(crate) struct ConcurrentUse(Mutex<HashMap<Hash, Requests>>);

#[derive(Default)]
struct Requests {
    running: u32,
    /// Whether there was a moment with more than one of them.
    was_concurrent: bool,
}

/// A token request from its arrival to its response.
pub struct InFlight<'a> {
    concurrent_use: &'a ConcurrentUse,
    credential: Hash,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut all = self.concurrent_use.lock();
        if let Some(requests) = all.get_mut(&self.credential) {
            requests.running -= 1;
            if requests.running == 0 {
                all.remove(&self.credential);
            }
        }
    }
}

impl ConcurrentUse {
    /// Whether another request brought the same code or refresh token while this one waited.
    pub(crate) fn was_concurrent(&self, credential: &Secret) -> bool {
        let hash = hash(credential.expose());
        self.lock().get(&hash).is_some_and(|requests| requests.was_concurrent)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Requests>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConcurrentUse {
    /// Notes that a token request came, where requests that come at the same
    /// moment are to be answered alike. The caller waits a little before it
    /// hands the request over, and keeps the result until it has the response.
    pub(crate) fn arrive(&self, violations: &Violations, request: &Request) -> Option<InFlight<'_>> {
        const CREDENTIALS: [(Rule, &str); 2] = [(Rule::CodeParallel, "code"), (Rule::RefreshParallel, "refresh_token")];
        let mut asked = CREDENTIALS
            .iter()
            .filter(|(rule, _)| violations.violates(*rule))
            .peekable();
        asked.peek()?;
        if Route::from_path(&request.path) != Some(Route::Token) {
            return None;
        }
        let form = request.form_params()?;
        // Others would wait for nothing.
        let credential = hash(asked.find_map(|(_, name)| form.single(name).ok().flatten())?);
        let mut all = self.lock();
        let requests = all.entry(credential).or_default();
        requests.running += 1;
        requests.was_concurrent |= requests.running > 1;
        drop(all);
        Some(InFlight {
            concurrent_use: self,
            credential,
        })
    }
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}
