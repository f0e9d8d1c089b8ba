//! Authorization requests that clients have pushed (RFC 9126), until a browser
//! comes with the reference.
//!
//! Invariants: a reference is 256 random bits, kept as a hash; it belongs to
//! the client that pushed, lives for a minute, and is good for one request.

use super::expiring_map::{ExpiringMap, Full};
use super::moment::Moment;
use crate::protocol::abnf::random_token;
use crate::protocol::client::ClientId;
use crate::protocol::params::Params;
use crate::protocol::random::RandomnessFailed;
use crate::protocol::time::UnixSeconds;
use sha2::{Digest, Sha256};

/// What every reference begins with (§2.2).
pub(crate) const REQUEST_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// How long a reference lives.
pub(crate) const LIFETIME_S: i64 = 60;

/// The same where that rule is violated.
const TOO_LONG_S: i64 = 24 * 3600;

const MAX_PUSHED: usize = 1_000;

/// Where references are too short: so many characters of the random part.
const GUESSABLE_CHARS: usize = 8;

/// A request that waits for its browser.
#[derive(Debug, Clone)]
pub(crate) struct PushedRequest {
    pub(crate) client_id: ClientId,
    /// Its parameters, those of a request object taken out of it.
    pub(crate) params: Params,
    pub(crate) is_signed: bool,
}

/// A reference as the client gets it.
pub(crate) struct IssuedReference {
    pub(crate) request_uri: String,
    pub(crate) lifetime_s: i64,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    #[error(transparent)]
    Full(#[from] Full),
}

/// All of them.
pub(crate) struct PushedRequests(ExpiringMap<[u8; 32], PushedRequest>);

impl PushedRequests {
    pub(crate) fn new() -> Self {
        PushedRequests(ExpiringMap::new(MAX_PUSHED))
    }

    /// Keeps a request. Who pushes many drops no request of another client.
    ///
    /// # Errors
    /// [`PushError`].
    pub(crate) fn push(
        &mut self,
        moment: &mut Moment<'_>,
        request: PushedRequest,
    ) -> Result<IssuedReference, PushError> {
        let token = random_token(moment.randomness)?;
        let text = token.expose().as_str();
        let text = match moment.policy.draws_long_request_uris() {
            true => text,
            false => &text[..GUESSABLE_CHARS],
        };
        let lifetime_s = match moment.policy.limits_lifetime_of_pushed_requests() {
            true => LIFETIME_S,
            false => TOO_LONG_S,
        };
        let request_uri = format!("{REQUEST_URI_PREFIX}{text}");
        let expires_at = moment.now.plus_seconds(lifetime_s);
        let owner = Sha256::digest(request.client_id.as_str().as_bytes()).into();
        self.0
            .insert_fairly(moment.now, hash(&request_uri), request, expires_at, owner)?;
        Ok(IssuedReference {
            request_uri,
            lifetime_s,
        })
    }

    /// The request behind a reference, which stays.
    pub(crate) fn find(&self, now: UnixSeconds, request_uri: &str) -> Option<&PushedRequest> {
        self.0.get(now, &hash(request_uri))
    }

    /// Ends a reference.
    pub(crate) fn remove(&mut self, now: UnixSeconds, request_uri: &str) {
        self.0.remove(now, &hash(request_uri));
    }
}

fn hash(request_uri: &str) -> [u8; 32] {
    Sha256::digest(request_uri.as_bytes()).into()
}
