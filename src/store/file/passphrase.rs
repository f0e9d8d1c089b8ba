//! From a passphrase to a key: Argon2id (RFC 9106), whose cost and salt stand
//! in the header of the file that the key is for.
//!
//! That header can be anyone's, so its cost is bounded when it is read: at
//! most [`MAX_MEMORY_KIB`] of memory and a few seconds.

use crate::exit::Diagnosis;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use crate::system::SystemRandomness;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The length of the key that is made, in bytes.
pub(in crate::store) const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// Memory, passes and lanes, each as four bytes, most significant first; then the salt.
pub(in crate::store) const KDF_PARAMS_BYTES: usize = 12 + SALT_BYTES;

/// The second recommendation of RFC 9106 §4, with one lane: nothing here runs in parallel.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// The most memory that a header may ask for.
pub(in crate::store) const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// The most passes that a header may ask for.
pub(in crate::store) const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// How a key is made from a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct KdfParams {
    pub(in crate::store) memory_kib: u32,
    pub(in crate::store) passes: u32,
    lanes: u32,
    salt: [u8; SALT_BYTES],
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::store) enum KdfError {
    /// More than the bounds, or less than Argon2id can do with.
    #[error("the cost is out of bounds")]
    OutOfBounds,
    /// The system has too little memory.
    #[error("there is not enough memory")]
    NoMemory,
}

impl KdfParams {
    /// At today's cost, with a salt of its own.
    pub(in crate::store) fn draw() -> Result<Self, RandomnessFailed> {
        let mut salt = [0; SALT_BYTES];
        SystemRandomness.fill(&mut salt)?;
        Ok(KdfParams {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt,
        })
    }

    /// Whether a new file may be written with it: a weaker one is not taken over.
    pub(in crate::store) fn is_strong_enough(&self) -> bool {
        self.memory_kib >= MEMORY_KIB && self.passes >= PASSES && self.params().is_ok()
    }

    pub(in crate::store) fn encode(&self) -> [u8; KDF_PARAMS_BYTES] {
        let mut bytes = [0; KDF_PARAMS_BYTES];
        bytes[..4].copy_from_slice(&self.memory_kib.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.passes.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.lanes.to_be_bytes());
        bytes[12..].copy_from_slice(&self.salt);
        bytes
    }

    /// What is there; whether it is within the bounds shows in [`key`](Self::key).
    pub(in crate::store) fn decode(bytes: &[u8; KDF_PARAMS_BYTES]) -> Self {
        let number = |at: usize| {
            bytes[at..at + 4]
                .iter()
                .fold(0_u32, |sum, &byte| (sum << 8) | u32::from(byte))
        };
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&bytes[12..]);
        KdfParams {
            memory_kib: number(0),
            passes: number(4),
            lanes: number(8),
            salt,
        }
    }

    fn params(&self) -> Result<Params, KdfError> {
        if self.memory_kib > MAX_MEMORY_KIB || self.passes > MAX_PASSES || self.lanes > MAX_LANES {
            return Err(KdfError::OutOfBounds);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES)).map_err(|_| KdfError::OutOfBounds)
    }

    /// The key. Takes about a tenth of a second at today's cost.
    pub(in crate::store) fn key(&self, passphrase: &Secret) -> Result<Secret<[u8; KEY_BYTES]>, KdfError> {
        let params = self.params()?;
        let mut blocks = Zeroizing::new(Vec::new());
        // Not `vec!`, which ends the process where there is no memory
        blocks
            .try_reserve_exact(params.block_count())
            .map_err(|_| KdfError::NoMemory)?;
        blocks.resize(params.block_count(), Block::new());
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose().as_bytes(),
                &self.salt,
                key.as_mut(),
                blocks.as_mut_slice(),
            )
            .map_err(|_| KdfError::OutOfBounds)?;
        Ok(Secret::new(*key))
    }
}

/// Why a passphrase is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassphraseUse {
    /// To open what is there: once, since a mistake shows.
    Open,
    /// For a new file: twice, since a mistake would show when it is too late.
    Create,
}

type Asking = dyn Fn(PassphraseUse) -> Result<Secret, Box<dyn Diagnosis>> + Send + Sync;

/// Asks the person for the passphrase of the file store.
#[derive(Clone)]
pub struct PassphrasePrompt(Arc<Asking>);

impl PassphrasePrompt {
    /// Asks in this way.
    pub fn by(asking: impl Fn(PassphraseUse) -> Result<Secret, Box<dyn Diagnosis>> + Send + Sync + 'static) -> Self {
        PassphrasePrompt(Arc::new(asking))
    }

    pub(in crate::store) fn ask(&self, purpose: PassphraseUse) -> Result<Secret, Box<dyn Diagnosis>> {
        (self.0)(purpose)
    }
}

impl fmt::Debug for PassphrasePrompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AskPassphrase")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn derivation(memory_kib: u32, passes: u32, lanes: u32) -> KdfParams {
        KdfParams {
            memory_kib,
            passes,
            lanes,
            salt: *b"sixteen octets!!",
        }
    }

    /// `argon2 'sixteen octets!!' -id -k 64 -t 2 -p 1 -l 32 -r`, the reference implementation.
    #[test]
    fn the_key_is_that_of_the_reference_implementation() {
        let key = derivation(64, 2, 1).key(&Secret::from("correct horse")).unwrap();
        assert_eq!(
            crate::hex::hex(&key.expose()[..]),
            "621358dccfda610ee6edfd42489e9a4363c5fe9e6f939abb187eed6cc6fc40c1"
        );
    }

    #[test]
    fn another_passphrase_salt_or_cost_is_another_key() {
        let key =
            |derivation: KdfParams, passphrase: &str| *derivation.key(&Secret::from(passphrase)).unwrap().expose();
        let first = key(derivation(64, 2, 1), "a");
        let other_salt = KdfParams {
            salt: [0; SALT_BYTES],
            ..derivation(64, 2, 1)
        };
        for other in [
            key(derivation(64, 2, 1), "b"),
            key(derivation(65, 2, 1), "a"),
            key(derivation(64, 3, 1), "a"),
            key(derivation(64, 2, 2), "a"),
            key(other_salt, "a"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn what_was_encoded_is_decoded_and_each_draw_has_its_own_salt() {
        let drawn = KdfParams::draw().unwrap();
        assert_eq!(KdfParams::decode(&drawn.encode()), drawn);
        assert_ne!(drawn.salt, KdfParams::draw().unwrap().salt);
        assert!(drawn.is_strong_enough());
        assert!(!derivation(MEMORY_KIB - 1, PASSES, 1).is_strong_enough());
        assert!(!derivation(MEMORY_KIB, PASSES - 1, 1).is_strong_enough());
        assert!(!derivation(MAX_MEMORY_KIB + 1, PASSES, 1).is_strong_enough());
    }

    #[test]
    fn a_cost_out_of_bounds_takes_neither_memory_nor_time() {
        let began = std::time::Instant::now();
        for (memory_kib, passes, lanes) in [
            (MAX_MEMORY_KIB + 1, 1, 1),
            (u32::MAX, 1, 1),
            (64, MAX_PASSES + 1, 1),
            (64, u32::MAX, 1),
            (64, 1, u32::MAX),
            (64, 1, MAX_LANES + 1),
            (7, 1, 1),
            (0, 0, 0),
            (64, 0, 1),
            (64, 1, 0),
            (64, 1, 9),
        ] {
            let error = derivation(memory_kib, passes, lanes).key(&Secret::from("a")).err();
            assert_eq!(error, Some(KdfError::OutOfBounds), "{memory_kib} {passes} {lanes}");
        }
        assert!(began.elapsed().as_secs() < 1);
    }
}
