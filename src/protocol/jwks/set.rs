//! The set that an issuer publishes (RFC 7517 §5).

use super::key::{Jwk, KeyProblem};
use crate::protocol::json::{JsonError, parse_object};
use serde_json::Value;

/// No issuer publishes more; each may have to be tried.
pub(super) const MAX_KEYS: usize = 100;

pub(super) const MAX_SET_BYTES: usize = 256 * 1024;

/// The public keys of an issuer.
#[derive(Debug, Clone, Default)]
pub struct JwkSet {
    pub(super) keys: Vec<Jwk>,
    pub(super) unusable: Vec<UnusableKey>,
}

/// A member of the set that verifies nothing, and why. RFC 7517 §5 says to ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableKey {
    /// Its place in the set, from 0.
    pub position: usize,
    /// `kid`.
    pub key_id: Option<String>,
    /// What is the matter.
    pub problem: KeyProblem,
}

/// Text that is not a JWK set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetError {
    /// Longer than any issuer needs.
    #[error("the JWK set is longer than 256 KiB")]
    TooLong,
    /// HTML, a list, a member twice.
    #[error("the JWK set is not one JSON object: {0}")]
    Json(#[from] JsonError),
    /// RFC 7517 §5.
    #[error("the JWK set has no list \"keys\" (RFC 7517 §5.1)")]
    NoKeys,
    /// More than any issuer needs.
    #[error("the JWK set has {0} keys, more than 100")]
    TooManyKeys(usize),
}

impl JwkSet {
    /// Reads a JWK set as it came from the network.
    ///
    /// # Errors
    /// [`JwkSetError`] where it is not a set at all. A key that cannot be used is
    /// no error: see [`JwkSet::unusable`].
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetError> {
        if bytes.len() > MAX_SET_BYTES {
            return Err(JwkSetError::TooLong);
        }
        let object = parse_object(bytes)?;
        let members = object
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwkSetError::NoKeys)?;
        if members.len() > MAX_KEYS {
            return Err(JwkSetError::TooManyKeys(members.len()));
        }
        let mut set = JwkSet {
            keys: Vec::new(),
            unusable: Vec::new(),
        };
        for (position, member) in members.iter().enumerate() {
            match Jwk::read(member) {
                Ok(key) => set.keys.push(key),
                Err(problem) => set.unusable.push(UnusableKey {
                    position,
                    key_id: text(member, "kid"),
                    problem,
                }),
            }
        }
        Ok(set)
    }

    /// The keys with which signatures can be verified.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The members that verify nothing, and why.
    pub fn unusable(&self) -> &[UnusableKey] {
        &self.unusable
    }
}

fn text(member: &Value, name: &str) -> Option<String> {
    member.get(name).and_then(Value::as_str).map(str::to_owned)
}
