//! Which codes and refresh tokens several requests bring at the same moment: a
//! server that looks, waits and only then takes a code away gives tokens to
//! all of them (RFC 6749 §4.1.2).

use super::super::authorization_server::AuthorizationServer;
use super::super::message::Request;
use super::super::route::Route;
use crate::rules::Rule;
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Hash = [u8; 32];

/// The codes and refresh tokens of the token requests that are being answered.
#[derive(Default)]
pub(crate) struct Simultaneous(Mutex<HashMap<Hash, Requests>>);

#[derive(Default)]
struct Requests {
    running: u32,
    /// Whether there was a moment with more than one of them.
    were_several: bool,
}

/// A token request from when it came until it is answered.
pub struct Arrival<'a> {
    simultaneous: &'a Simultaneous,
    credential: Hash,
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        let mut all = self.simultaneous.lock();
        if let Some(requests) = all.get_mut(&self.credential) {
            requests.running -= 1;
            if requests.running == 0 {
                all.remove(&self.credential);
            }
        }
    }
}

impl Simultaneous {
    /// Whether another request brought the same code or refresh token while this one waited.
    pub(crate) fn were_several(&self, credential: &Secret) -> bool {
        let hash = hash(credential.expose());
        self.lock().get(&hash).is_some_and(|requests| requests.were_several)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Requests>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuthorizationServer {
    /// Notes that a token request came, where those that come at the same
    /// moment are to be answered alike. The caller waits a little before it
    /// hands the request over, and keeps the arrival until it has the answer.
    pub fn arrives(&self, request: &Request) -> Option<Arrival<'_>> {
        let is_asked = self.broken.is_broken(Rule::CodeParallel) || self.broken.is_broken(Rule::RefreshParallel);
        if !is_asked || Route::of_path(&request.path) != Some(Route::Token) {
            return None;
        }
        let form = request.form_params()?;
        let value = |name: &str| form.single(name).ok().flatten();
        let credential = hash(value("code").or_else(|| value("refresh_token"))?);
        let mut all = self.simultaneous.lock();
        let requests = all.entry(credential).or_default();
        requests.running += 1;
        requests.were_several |= requests.running > 1;
        drop(all);
        Some(Arrival {
            simultaneous: &self.simultaneous,
            credential,
        })
    }
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}
