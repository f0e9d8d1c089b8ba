//! Codes and refresh tokens as texts: the public id of their grant, by which
//! it is found, and a secret. The server keeps hashes only.

use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

const GRANT_ID_BYTES: usize = 16;
pub(super) const FAMILY_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// The public name of a grant, drawn at random; it is in codes, refresh
/// tokens and `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GrantId(pub(super) [u8; GRANT_ID_BYTES]);

impl GrantId {
    pub(super) fn draw(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        let mut id = [0; GRANT_ID_BYTES];
        randomness.fill(&mut id)?;
        Ok(GrantId(id))
    }

    /// `jti` of an access token: the grant, and which of its access tokens (RFC 9068 §2.2).
    pub(crate) fn token_id(self, serial: u64) -> String {
        format!("{}.{serial}", base64url(&self.0))
    }

    /// The two parts of a `jti`.
    pub(crate) fn from_token_id(token_id: &str) -> Option<(Self, u64)> {
        let (id, serial) = token_id.split_once('.')?;
        Some((GrantId(from_base64url(id)?.try_into().ok()?), serial.parse().ok()?))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Hash(Sha256::digest(bytes).into())
    }

    /// What no token that is presented has.
    pub(super) fn of_nothing() -> Self {
        Hash::of(b"")
    }

    pub(super) fn matches(&self, bytes: &[u8]) -> bool {
        self.0.ct_eq(&Hash::of(bytes).0).into()
    }
}

/// The bytes of a presented code or refresh token.
pub(super) struct Presented {
    pub(super) id: GrantId,
    pub(super) bytes: Vec<u8>,
}

impl Presented {
    /// Reads a token that consists of the grant's id, parts of these lengths, and the secret.
    pub(super) fn read(token: &Secret, parts: &[usize]) -> Option<Self> {
        let bytes = from_base64url(token.expose())?;
        if bytes.len() != GRANT_ID_BYTES + parts.iter().sum::<usize>() + SECRET_BYTES {
            return None;
        }
        let id = GrantId(bytes[..GRANT_ID_BYTES].try_into().ok()?);
        Some(Presented { id, bytes })
    }

    pub(super) fn family(&self) -> &[u8] {
        &self.bytes[GRANT_ID_BYTES..GRANT_ID_BYTES + FAMILY_BYTES]
    }
}

impl Drop for Presented {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

pub(super) fn draw_token(randomness: &mut dyn Randomness, parts: &[&[u8]]) -> Result<(Secret, Hash), RandomnessFailed> {
    let mut secret = [0; SECRET_BYTES];
    randomness.fill(&mut secret)?;
    let mut bytes = parts.concat();
    bytes.extend_from_slice(&secret);
    let drawn = (Secret::new(base64url(&bytes)), Hash::of(&bytes));
    secret.zeroize();
    bytes.zeroize();
    Ok(drawn)
}
