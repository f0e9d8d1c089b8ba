//! A device that waits: what it asked for, what was decided, and how often it
//! asks (RFC 8628 §3.5).

use super::error::GrantError;
use super::grant::Authorization;
use super::opaque_token::Hash;
use crate::protocol::client::ClientId;
use crate::protocol::pkce::{CodeChallenge, CodeVerifier};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;

/// What each `slow_down` adds (RFC 8628 §3.5).
const SLOW_DOWN_S: i64 = 5;

/// What a device asked for.
#[derive(Debug, Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client_id: ClientId,
    pub(crate) scope: Scope,
    pub(crate) resource: Vec<Resource>,
    pub(crate) code_challenge: Option<CodeChallenge>,
    /// How the program on the device names itself.
    pub(crate) user_agent: String,
    pub(crate) asked_at: UnixSeconds,
}

/// What the resource owner decided.
#[derive(Debug, Clone)]
pub(crate) enum DeviceDecision {
    /// Nothing yet.
    Pending,
    Allowed(Box<Authorization>),
    Denied,
}

/// A device code, and what is known of it.
pub(super) struct PendingDevice {
    pub(super) hash: Hash,
    pub(super) request: DeviceRequest,
    pub(super) decision: DeviceDecision,
    pub(super) expires_at: UnixSeconds,
    pub(super) interval_s: i64,
    pub(super) asked_last_at: Option<UnixSeconds>,
}

impl PendingDevice {
    pub(super) fn is_too_early(&self, now: UnixSeconds) -> bool {
        self.asked_last_at
            .is_some_and(|last| now.seconds_since(last) < self.interval_s)
    }

    /// Who asks too often has to wait longer from then on.
    pub(super) fn note_request(&mut self, now: UnixSeconds) -> GrantError {
        let is_too_early = self.is_too_early(now);
        self.asked_last_at = Some(now);
        if is_too_early {
            self.interval_s = self.interval_s.saturating_add(SLOW_DOWN_S);
            GrantError::SlowDown
        } else {
            GrantError::AuthorizationPending
        }
    }
}

impl DeviceRequest {
    /// What someone agrees to who allows it.
    pub(crate) fn authorization(&self, user: &str, auth_time: UnixSeconds) -> Authorization {
        Authorization {
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
            resource: self.resource.clone(),
            nonce: None,
            subject: user.to_owned(),
            auth_time: Some(auth_time),
            authorization_details: None,
            refresh_key: None,
        }
    }

    /// PKCE, where the device sent a challenge (RFC 7636 §4.6).
    pub(super) fn check_verifier(&self, verifier: Option<&CodeVerifier>) -> Result<(), GrantError> {
        match (&self.code_challenge, verifier) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(GrantError::NoVerifier),
            (Some(challenge), Some(verifier)) if challenge.matches(verifier) => Ok(()),
            (Some(_), Some(_)) => Err(GrantError::WrongVerifier),
        }
    }
}
