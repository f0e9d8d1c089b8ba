//! The DPoP proofs that came, so that each is taken once, and the nonces that
//! they may carry (RFC 9449 §8, §11.1).

use super::expiring_map::ExpiringMap;
use super::settings::dpop::DpopDemands;
use crate::protocol::abnf::base64url;
use crate::protocol::dpop::received::ReceivedProof;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use ring::hmac;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, OnceLock, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// How far `iat` may be from the time of the server, before it and after it.
pub(crate) const PROOF_TOLERANCE_S: i64 = 60;

/// Proofs that are remembered, at most.
const MAX_PROOFS: usize = 10_000;

/// How long a nonce is handed out; it is taken for as long again.
const NONCE_S: i64 = 120;

/// The proofs that came, and the nonces that they may carry.
pub(crate) struct DpopProofs {
    pub(crate) demands: DpopDemands,
    /// The hashes of key and `jti`.
    seen: Mutex<ExpiringMap<[u8; 32], ()>>,
    /// Nonces are made of the time under this key, so that none is kept.
    nonce_key: OnceLock<hmac::Key>,
}

impl DpopProofs {
    pub(crate) fn new(demands: DpopDemands) -> Self {
        DpopProofs {
            demands,
            seen: Mutex::new(ExpiringMap::new(MAX_PROOFS)),
            nonce_key: OnceLock::new(),
        }
    }

    /// Takes note of a proof; whether it is the first with its `jti`. The share
    /// of one key never pushes out what others sent.
    pub(crate) fn is_first_use(&self, now: UnixSeconds, thumbprint: &str, proof: &ReceivedProof) -> bool {
        let owner: [u8; 32] = Sha256::digest(thumbprint.as_bytes()).into();
        let id = Sha256::new()
            .chain_update(owner)
            .chain_update(proof.token_id.as_bytes());
        let id: [u8; 32] = id.finalize().into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(now, &id).is_some() {
            return false;
        }
        // Until it is too old to be taken
        let forgotten_at = UnixSeconds(proof.issued_at).plus_seconds(PROOF_TOLERANCE_S + 1);
        seen.insert_fairly(now, id, (), forgotten_at, owner).is_ok()
    }

    /// The nonce of this time (RFC 9449 §8).
    pub(crate) fn nonce(&self, now: UnixSeconds, randomness: &mut dyn Randomness) -> Result<String, RandomnessFailed> {
        Ok(nonce_of(self.nonce_key(randomness)?, now.0.div_euclid(NONCE_S)))
    }

    pub(crate) fn takes_nonce(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        sent: Option<&str>,
    ) -> Result<bool, RandomnessFailed> {
        let key = self.nonce_key(randomness)?;
        let period = now.0.div_euclid(NONCE_S);
        let is = |period: i64, sent: &str| bool::from(nonce_of(key, period).as_bytes().ct_eq(sent.as_bytes()));
        Ok(sent.is_some_and(|sent| is(period, sent) || is(period - 1, sent)))
    }

    fn nonce_key(&self, randomness: &mut dyn Randomness) -> Result<&hmac::Key, RandomnessFailed> {
        if let Some(key) = self.nonce_key.get() {
            return Ok(key);
        }
        let mut octets = [0; 32];
        randomness.fill(&mut octets)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
        octets.zeroize();
        Ok(self.nonce_key.get_or_init(|| key))
    }
}

fn nonce_of(key: &hmac::Key, period: i64) -> String {
    base64url(&hmac::sign(key, &period.to_be_bytes()).as_ref()[..16])
}
